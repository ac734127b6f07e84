/** The moment a connection is decided about: the socket's connect and id, and what they may answer (Phoenix.Socket). */
import { formatReason, reasonOf, safeText } from '../../runtime/exit/reason.ts'
import { logLine } from '../../runtime/log.ts'
import type { ConnectDetails } from './details.ts'
import { ConnectSocket, Refusal, type SocketDefinition } from './userSocket.ts'

/** What a connection was found to be. */
export type Opening =
  | {
      readonly ok: true
      readonly assigns: Readonly<Record<string, unknown>>
      readonly id: string | undefined
      /** The socket its connect answered. */
      readonly socket: ConnectSocket
      /** Milliseconds since the epoch; Infinity: never. */
      readonly expiresAtMs: number
    }
  | { readonly ok: false; readonly status: number; readonly reason: string }

/** The opening of a socket without a say of its own. */
export const OPEN: Opening = {
  ok: true,
  assigns: {},
  id: undefined,
  socket: new ConnectSocket({}),
  expiresAtMs: Number.POSITIVE_INFINITY,
}

/** Runs connect and id. Never rejects: what they do wrong refuses the connection, and is logged. */
export async function openSocket(
  definition: SocketDefinition,
  params: Readonly<Record<string, unknown>>,
  details: ConnectDetails,
): Promise<Opening> {
  const wrong = (what: string, value: unknown): Opening => {
    logLine('error', `socket ${definition.name}: ${what}; the connection was refused`, () => ({
      got: safeText(value, 200),
    }))
    return { ok: false, status: 403, reason: what }
  }
  const socket = new ConnectSocket({})
  try {
    const answer = await definition.connect(params, socket, details)
    if (answer instanceof Refusal) {
      return { ok: false, status: answer.status, reason: `connect of ${definition.name} refused` }
    }
    if (answer !== socket) return wrong('connect answered neither the socket nor refuse()', answer)
    const id = definition.id?.(socket)
    if (id !== undefined && typeof id !== 'string') return wrong('id answered no string', id)
    const { assigns, expiresAtMs } = socket
    // Let in and closed at once, an official client would come back without a pause.
    if (expiresAtMs <= Date.now()) {
      return { ok: false, status: 403, reason: 'what it connected with has expired' }
    }
    return { ok: true, assigns, id, socket, expiresAtMs }
  } catch (thrown) {
    const reason = reasonOf(thrown)
    return wrong(`connect threw: ${formatReason(reason)}`, reason)
  }
}
