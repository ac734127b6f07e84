/** Locks by key for the whole node, on main: granted in the order they were asked for, and freed by the end of a holder. */
import { genServer } from '../genServer/genServer.ts'
import { noreply } from '../genServer/results.ts'
import type { DownMessage, From } from '../process/messages.ts'
import type { Ref } from '../process/pid.ts'
import type { Self } from '../process/self.ts'

/** Registered name of the process. */
export const LOCKS_NAME = 'beamish.locks'

export interface Acquire {
  readonly key: string
  /** Chosen by whoever asks: says which request is meant. */
  readonly token: Ref
}

interface Request extends Acquire {
  readonly from: From
  readonly monitor: Ref
}

interface State {
  /** Holder first, then those who wait. */
  readonly lines: Map<string, Request[]>
  readonly monitors: Map<Ref, Request>
}

/** A request is over, be it a lock or a place in line: whoever comes first then has the lock. */
function leave({ lines, monitors }: State, request: Request, self: Self): void {
  monitors.delete(request.monitor)
  self.demonitor(request.monitor, { flush: true })
  const line = lines.get(request.key) ?? []
  const at = line.indexOf(request)
  if (at < 0) return
  line.splice(at, 1)
  const [next] = line
  if (next === undefined) lines.delete(request.key)
  else if (at === 0) self.reply(next.from, 'granted')
}

export const Locks = genServer('beamish.locks', {
  init: (): State => ({ lines: new Map(), monitors: new Map() }),
  handleCall: {
    acquire({ lines, monitors }, { key, token }: Acquire, self, { pid, ref }) {
      const request = { key, token, from: { pid, ref }, monitor: self.monitor(pid) }
      monitors.set(request.monitor, request)
      const line = lines.get(key)
      if (line !== undefined) {
        line.push(request)
        return noreply()
      }
      lines.set(key, [request])
      return 'granted'
    },
    /** Requests there are: locks that are held, and those who wait. */
    count: (state): number => state.monitors.size,
  },
  handleCast: {
    leave(state, { key, token }: Acquire, self) {
      const request = state.lines.get(key)?.find((one) => one.token === token)
      if (request !== undefined) leave(state, request, self)
    },
  },
  handleInfo: {
    DOWN(state, { ref }: DownMessage, self) {
      const request = state.monitors.get(ref)
      if (request !== undefined) leave(state, request, self)
    },
  },
})
