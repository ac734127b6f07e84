/** Decides about a connection in its own process, by what its socket says, and tells of the outcome. */
import { Self } from '../../runtime/process/self.ts'
import { runOnceAs } from '../../runtime/process/strays.ts'
import { secretOf } from '../secret.ts'
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
  // What the application's connect leaves behind is this process's, and not its thread's.
  const opening = await runOnceAs(Self.processOf(self), () =>
    openSocket(definition, params, details.knows(secretOf(self))),
  )
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
    definition.log,
    definition.filter,
  )
  return opening
}
