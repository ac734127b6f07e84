/** By which transports a mounted socket is reached, and where. */
import { BeamishError } from '../../runtime/index.ts'
import type { OriginOption } from '../wire/origin.ts'

export interface WebSocketOptions {
  /** Below the path of the socket. Default `/websocket`; may hold variables. */
  readonly path?: string
  /** Instead of the socket's. */
  readonly checkOrigin?: OriginOption
}

export interface LongPollOptions {
  /** Below the path of the socket. Default `/longpoll`; may hold variables. */
  readonly path?: string
  /** How long a poll is kept waiting for a message, in milliseconds. Default 10,000. */
  readonly windowMs?: number
  /** Instead of the socket's. */
  readonly checkOrigin?: OriginOption
}

/** The transports of a socket, as it is mounted. */
export interface TransportOptions {
  readonly path: string
  readonly checkOrigin?: OriginOption
  /** Default true. */
  readonly websocket?: boolean | WebSocketOptions
  /** For clients whose network lets no WebSocket through: docs/channels.md, "Long polling". Default false. */
  readonly longpoll?: boolean | LongPollOptions
}

export interface WebSocketAt {
  readonly path: string
  readonly checkOrigin: OriginOption
}

export interface LongPollAt extends WebSocketAt {
  readonly windowMs: number
}

export interface Transports {
  readonly webSocket: WebSocketAt | undefined
  readonly longPoll: LongPollAt | undefined
}

const DEFAULT_WINDOW_MS = 10_000

/** The options with their defaults. @throws BEAMISH_BAD_OPTION */
export function transportsOf(mount: TransportOptions): Transports {
  const { websocket = true, longpoll = false } = mount
  const at = (given: WebSocketOptions, option: string, byDefault: string): WebSocketAt => ({
    path: `${mount.path}${checkedPath(given.path ?? byDefault, `${option}.path`)}`,
    checkOrigin: given.checkOrigin ?? mount.checkOrigin ?? true,
  })
  const webSocket = optionsOf(websocket, 'websocket')
  const longPoll = optionsOf(longpoll, 'longpoll') as LongPollOptions | undefined
  if (webSocket === undefined && longPoll === undefined) {
    throw bad(`transports of the socket at ${mount.path}`, 'none', 'leave one of them on')
  }
  return {
    webSocket: webSocket && at(webSocket, 'websocket', '/websocket'),
    longPoll: longPoll && {
      ...at(longPoll, 'longpoll', '/longpoll'),
      windowMs: checkedWindow(longPoll.windowMs ?? DEFAULT_WINDOW_MS),
    },
  }
}

function optionsOf(given: unknown, option: string): WebSocketOptions | undefined {
  if (given === true) return {}
  if (given === false) return undefined
  if (typeof given === 'object' && given !== null) return given
  throw bad(option, String(given), 'give true, false or its options')
}

const PATH = /^(\/:?[\w.~-]+)+$/

/** The path itself, if it is one. @throws BEAMISH_BAD_OPTION */
export function checkedPath(path: string, option: string): string {
  if (PATH.test(path)) return path
  throw bad(option, JSON.stringify(path), 'write it as /socket or /rooms/:id/socket')
}

/** A timer cannot be set for longer. */
const MAX_WINDOW_MS = 86_400_000

function checkedWindow(windowMs: number): number {
  if (Number.isInteger(windowMs) && windowMs >= 1 && windowMs <= MAX_WINDOW_MS) return windowMs
  const fix = `give a whole number of milliseconds from 1 to ${MAX_WINDOW_MS}`
  throw bad('longpoll.windowMs', String(windowMs), fix)
}

const bad = (option: string, got: string, fix: string): BeamishError =>
  new BeamishError('BEAMISH_BAD_OPTION', { option, got, fix })
