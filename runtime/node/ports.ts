/**
 * TCP ports, decided once per node. reusePort would hide a port in use (a second node on it starts and steals half the
 * requests), so main binds it once without, and closes it. With port 0 the first thread binds and the others take its number.
 */
import { createServer } from 'node:net'
import { BeamishError } from '../errors.ts'
import { genServer } from '../genServer/genServer.ts'
import { noreply } from '../genServer/results.ts'
import type { DownMessage, From } from '../process/messages.ts'
import type { Ref } from '../process/pid.ts'

export interface PortClaim {
  /** Endpoints that share an id share a port. */
  readonly id: string
  readonly host: string
  readonly port: number
}

/** listen: on this port. bind: on any, and say which with `bound`. error: nobody can. */
export type PortGrant =
  | { readonly do: 'listen'; readonly port: number }
  | { readonly do: 'bind' }
  | { readonly do: 'error'; readonly code: string; readonly message: string }

interface Claimed {
  port: number | undefined
  binder: Ref | undefined
  waiting: From[]
}

/** Registered name of the process, on main. */
export const PORTS_NAME = 'beamish.ports'

export const Ports = genServer('beamish.ports', {
  init: () => ({ claims: new Map<string, Claimed>() }),
  handleCall: {
    async claim(state, claim: PortClaim, self, from): Promise<unknown> {
      const known = state.claims.get(claim.id)
      if (known?.port !== undefined) {
        return { do: 'listen', port: known.port } satisfies PortGrant
      }
      if (claim.port !== 0) {
        const error = await probe(claim.host, claim.port)
        if (error !== undefined) return { do: 'error', ...error } satisfies PortGrant
        state.claims.set(claim.id, { port: claim.port, binder: undefined, waiting: [] })
        return { do: 'listen', port: claim.port } satisfies PortGrant
      }
      if (known === undefined) {
        const binder = self.monitor(from.pid)
        state.claims.set(claim.id, { port: undefined, binder, waiting: [] })
        return { do: 'bind' } satisfies PortGrant
      }
      known.waiting.push({ pid: from.pid, ref: from.ref })
      return noreply()
    },
    /** Where an endpoint listens, for those who ask from outside. */
    portOf: (state, id: string) => state.claims.get(id)?.port,
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
