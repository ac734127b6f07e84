/**
 * TCP ports, decided once per node. reusePort would hide a port in use (a second node on it starts and steals half the
 * requests), so main binds it once without, and closes it. With port 0 the first thread binds and the others take its number.
 */
import { createServer } from 'node:net'
import { BeamishError } from '../errors.ts'
import { genServer } from '../genServer/genServer.ts'
import { noreply } from '../genServer/results.ts'
import type { DownMessage, From } from '../process/messages.ts'
import type { Pid, Ref } from '../process/pid.ts'

export interface PortClaim {
  /** Endpoints that share an id share a port. */
  readonly id: string
  readonly host: string
  readonly port: number
  /** false: only one of those who share the id listens, where the system has no SO_REUSEPORT. */
  readonly share: boolean
}

/**
 * listen: on this port. bind: on any, and say which with `bound`. standby: another one listens; a `ports:listen` message
 * follows if it ends. error: nobody can.
 */
export type PortGrant =
  | { readonly do: 'listen'; readonly port: number }
  | { readonly do: 'bind' }
  | { readonly do: 'standby' }
  | { readonly do: 'error'; readonly code: string; readonly message: string }

/** Where an endpoint listens. */
export interface Address {
  readonly id: string
  readonly host: string
  readonly port: number
}

interface Claimed {
  readonly host: string
  port: number | undefined
  binder: Ref | undefined
  waiting: From[]
  /** Without sharing: who listens, and who would. */
  listener: Ref | undefined
  standby: Pid[]
}

const unclaimed = (host: string): Claimed => ({
  host,
  port: undefined,
  binder: undefined,
  waiting: [],
  listener: undefined,
  standby: [],
})

/** Registered name of the process, on main. */
export const PORTS_NAME = 'beamish.ports'

export const Ports = genServer('beamish.ports', {
  init: () => ({ claims: new Map<string, Claimed>() }),
  handleCall: {
    async claim(state, claim: PortClaim, self, from): Promise<unknown> {
      const known = state.claims.get(claim.id)
      if (known !== undefined && !claim.share) {
        if (known.listener !== undefined || known.port === undefined) {
          known.standby.push(from.pid)
          return { do: 'standby' } satisfies PortGrant
        }
        known.listener = self.monitor(from.pid)
      }
      if (known?.port !== undefined) {
        return { do: 'listen', port: known.port } satisfies PortGrant
      }
      if (claim.port !== 0) {
        const error = await probe(claim.host, claim.port)
        if (error !== undefined) return { do: 'error', ...error } satisfies PortGrant
        const claimed: Claimed = { ...unclaimed(claim.host), port: claim.port }
        if (!claim.share) claimed.listener = self.monitor(from.pid)
        state.claims.set(claim.id, claimed)
        return { do: 'listen', port: claim.port } satisfies PortGrant
      }
      if (known === undefined) {
        const binder = self.monitor(from.pid)
        const listener = claim.share ? undefined : self.monitor(from.pid)
        state.claims.set(claim.id, { ...unclaimed(claim.host), binder, listener })
        return { do: 'bind' } satisfies PortGrant
      }
      known.waiting.push({ pid: from.pid, ref: from.ref })
      return noreply()
    },
    /** Where endpoints listen, for those who ask from outside. */
    addresses: (state): Address[] =>
      [...state.claims].flatMap(([id, { host, port }]) =>
        port === undefined ? [] : [{ id, host, port }],
      ),
  },
  handleCast: {
    bound(state, { id, port }: { id: string; port: number }, self) {
      const claimed = state.claims.get(id)
      if (claimed === undefined) return
      claimed.port = port
      if (claimed.binder !== undefined) self.demonitor(claimed.binder, { flush: true })
      claimed.binder = undefined
      const grant: PortGrant = { do: 'listen', port }
      for (const from of claimed.waiting) self.reply(from, grant)
      claimed.waiting = []
    },
  },
  handleInfo: {
    /** The one who was to bind is gone: the next in line does, or the claim is open again. */
    DOWN(state, down: DownMessage, self) {
      for (const [id, claimed] of state.claims) {
        if (claimed.listener === down.ref) {
          const next = claimed.standby.shift()
          // With nobody there the port stays this endpoint's: its clients know no other.
          claimed.listener = next === undefined ? undefined : self.monitor(next)
          if (next !== undefined) {
            self.send(next, { type: 'ports:listen', port: claimed.port ?? 0 })
          }
          return
        }
        if (claimed.binder !== down.ref) continue
        const next = claimed.waiting.shift()
        if (next === undefined) state.claims.delete(id)
        else {
          claimed.binder = self.monitor(next.pid)
          self.reply(next, { do: 'bind' } satisfies PortGrant)
        }
        return
      }
    },
  },
})

function probe(host: string, port: number): Promise<{ code: string; message: string } | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      const known =
        error.code === 'EADDRINUSE'
          ? new BeamishError('BEAMISH_PORT_IN_USE', { host, port })
          : new BeamishError('BEAMISH_LISTEN_FAILED', { host, port, message: error.message })
      resolve({ code: known.code, message: known.message })
    })
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => resolve(undefined))
    })
  })
}
