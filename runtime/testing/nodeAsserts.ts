/** The asserts that a real node can answer, in real time: what comes to the outside, and how processes end. */
import { type ExitReason, safeText } from '../exit/reason.ts'
import type { BeamishNode } from '../node/node.ts'
import { DownMessage } from '../process/messages.ts'
import { formatPid, type Pid, type Ref } from '../process/pid.ts'
import { expectReason, failure, Mismatch } from './failure.ts'
import { type Match, matches, matchText } from './match.ts'

const WITHIN_MS = 5_000
const REFUTE_MS = 100

/** Milliseconds of the clock on the wall. */
interface RealAssertOptions {
  /** Default 5,000; refuteReceive 100. */
  readonly withinMs?: number
}

export interface NodeAsserts {
  /** Takes the first message to the outside that matches. */
  assertReceive<T = unknown>(match: Match, options?: RealAssertOptions): Promise<T>
  /** No such message comes to the outside in that time. */
  refuteReceive(match: Match, options?: RealAssertOptions): Promise<void>
  /** The DOWN of a monitor of the outside comes, with that reason if one is given. */
  assertDown(ref: Ref, reason?: Match, options?: RealAssertOptions): Promise<DownMessage>
  /** A process ends, with that reason if one is given. One that had ended before has the reason noproc. */
  assertExit(pid: Pid, reason?: Match, options?: RealAssertOptions): Promise<ExitReason>
}

/**
 * Asserts for a node of start(). One at a time: the outside can wait for one message only.
 *
 * @throws BEAMISH_TEST_ASSERTION when it did not come, or came with another reason
 * @example
 * ```ts no-run
 * import { start } from 'beamish'
 * import { asserts } from 'beamish/testing'
 * const node = await start(new URL('./app.ts', import.meta.url), { schedulers: 2 })
 * const { assertDown } = asserts(node)
 * const ref = node.self.monitor('hits')
 * node.self.cast('hits', 'crash')
 * await assertDown(ref, /on request/)
 * ```
 */
export function asserts(node: BeamishNode): NodeAsserts {
  const { self } = node
  // undefined stands for nothing; a message may be that, too.
  const next = async (match: (message: unknown) => boolean, ms: number): Promise<unknown[]> => {
    let found: unknown[] = []
    const look = (message: unknown): message is unknown => {
      if (!match(message)) return false
      found = [message]
      return true
    }
    await self.receive(look, ms)
    return found
  }
  const down = async (
    ref: Ref,
    what: string,
    reason: Match,
    ms: number,
    at: Error,
  ): Promise<DownMessage> => {
    const isIt = (m: unknown): boolean => m instanceof DownMessage && m.ref === ref
    const [message] = (await next(isIt, ms)) as DownMessage[]
    if (message === undefined) throw failure(`${what} did not come within ${ms} ms`, at)
    try {
      expectReason(what, reason, message.reason)
    } catch (thrown) {
      throw thrown instanceof Mismatch ? failure(thrown.message, at) : thrown
    }
    return message
  }
  return {
    async assertReceive<T>(match: Match, { withinMs = WITHIN_MS }: RealAssertOptions = {}) {
      const at = new Error()
      const found = await next((message) => matches(match, message), withinMs)
      if (found.length > 0) return found[0] as T
      const expected = `a message to the test that is ${matchText(match)}`
      throw failure(`${expected} did not come within ${withinMs} ms`, at)
    },
    async refuteReceive(match, { withinMs = REFUTE_MS } = {}) {
      const at = new Error()
      const found = await next((message) => matches(match, message), withinMs)
      if (found.length === 0) return
      throw failure(`the test got ${safeText(found[0], 200)}, which was not to come`, at)
    },
    assertDown(ref, reason, { withinMs = WITHIN_MS } = {}) {
      return down(ref, 'the DOWN', reason, withinMs, new Error())
    },
    async assertExit(pid, reason, { withinMs = WITHIN_MS } = {}) {
      const what = `the end of ${formatPid(pid)}`
      const message = await down(self.monitor(pid), what, reason, withinMs, new Error())
      return message.reason
    },
  }
}
