/** What transports tell of themselves. */
import { publish } from '../../runtime/events.ts'
import type { Pid, StatusReport } from '../../runtime/index.ts'
import { type LineLevel, logLine, logs } from '../../runtime/log.ts'
import { filtered, type ParameterFilter } from '../channel/filter.ts'

/** A connection that was decided about (Phoenix telemetry `socket_connected`). */
export interface SocketConnected {
  readonly socket: string
  readonly transport: 'websocket' | 'longpoll'
  readonly serializer: string
  readonly pid: Pid
  readonly connected: boolean
  readonly tookMs: number
}

declare module '../../runtime/events.ts' {
  interface RuntimeEvents {
    socketConnected: SocketConnected
  }
}

export function socketConnected(
  event: SocketConnected,
  params: Readonly<Record<string, unknown>>,
  level: LineLevel | false = 'info',
  filter?: ParameterFilter,
): void {
  publish('socketConnected', () => event)
  if (level === false || !logs(level)) return
  const { socket, transport, serializer, connected, tookMs } = event
  logLine(
    level,
    `${connected ? 'CONNECTED TO' : 'REFUSED CONNECTION TO'} ${socket} in ${Math.round(tookMs)}ms`,
    () => ({ transport, serializer, parameters: filtered(params, filter) }),
  )
}

/** What status and crash reports show of who holds a connection: what a client has sent, and connected with, is not among it. */
export const statusOfTransport = ({ message }: StatusReport): Partial<StatusReport> => ({
  state: 'not shown: it holds what a client has sent',
  message: (message as { readonly type?: unknown } | undefined)?.type,
})
