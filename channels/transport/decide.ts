/** Decides about a connection in its own process, by what its socket says, and tells of the outcome. */
import type { Self } from '../../runtime/index.ts'
import { OPEN, type Opening, openSocket } from '../socket/open.ts'
import type { Connecting } from './connecting.ts'
import { type SocketConnected, socketConnected } from './report.ts'

/** Never rejects: what connect does wrong refuses the connection. */
export async function decide(
  { definition, details, settings }: Connecting,
  transport: SocketConnected['transport'],
  self: Self,
): Promise<Opening> {
  if (definition === undefined) return OPEN
  const { params } = settings.connect
  const startedMs = self.now()
  const opening = await openSocket(definition, params, details)
  socketConnected(
    {
      socket: definition.name,
      transport,
      serializer: settings.serializer.name,
      pid: self.pid,
      connected: opening.ok,
      tookMs: self.now() - startedMs,
    },
    params,
  )
  return opening
}
