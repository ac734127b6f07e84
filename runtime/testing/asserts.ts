/**
 * Asserts that await: each resolves as soon as what it names has happened, and fails when it no longer can. Nothing polls, and
 * a failure shows the timeline.
 */
import { type ExitReason, safeText } from '../exit/reason.ts'
import { DownMessage } from '../process/messages.ts'
import { formatPid, type Pid, type Ref } from '../process/pid.ts'
import { type Process, Status } from '../process/process.ts'
import { checkDelay } from '../scheduler/delay.ts'
import { SupervisorState } from '../supervisor/supervisor.ts'
import type { Driver } from './driver.ts'
import type { RestartEvent } from './events.ts'
import { expectReason, failure, Mismatch } from './failure.ts'
import { type Match, matches, matchText } from './match.ts'
import type { Recorder } from './recorder.ts'
import type { Simulation } from './simulation.ts'

export interface AssertOptions {
  /** Virtual milliseconds it may take. Default 5,000. */
  readonly withinMs?: number
}

const WITHIN_MS = 5_000
const REFUTE_MS = 100

/** What asserts look at. */
export interface Scene {
  readonly simulation: Simulation
  readonly driver: Driver
  readonly recorder: Recorder
  readonly outside: Process
  timeline(): string
}

export class Asserts {
  readonly #scene: Scene
  /** Restarts that an assert has answered for. */
  readonly #asserted = new Set<RestartEvent>()

  constructor(scene: Scene) {
    this.#scene = scene
  }

  /** Awaits until `look` finds something other than undefined; `expected` is said when it does not. */
  #until<T>(
    expected: string,
    look: () => T | undefined,
    { withinMs = WITHIN_MS }: AssertOptions,
    found: () => string = () => '',
  ): Promise<T> {
    const { driver, simulation, timeline } = this.#scene
    const at = new Error()
    return new Promise((resolve, reject) => {
      checkDelay(withinMs)
      driver.wait({
        deadline: simulation.nowMs + withinMs,
        check: () => {
          try {
            const value = look()
            if (value === undefined) return false
            resolve(value)
          } catch (thrown) {
            reject(thrown instanceof Mismatch ? failure(thrown.message, at, timeline()) : thrown)
          }
          return true
        },
        missed: (why) =>
          reject(failure(`${expected} did not come ${why}${found()}`, at, timeline())),
        failed: reject,
      })
    })
  }

  receive(match: Match, options: AssertOptions = {}): Promise<unknown> {
    const { outside } = this.#scene
    const look = (): { readonly message: unknown } | undefined => {
      const at = outside.mailbox.find((message) => matches(match, message))
      if (at < 0) return undefined
      return { message: this.#take(at) }
    }
    const expected = `a message to the test that is ${matchText(match)}`
    return this.#until(expected, look, options, () => this.#mailbox()).then(
      ({ message }) => message,
    )
  }

  /** receive() of the test: without a limit, but not for what can no longer come. */
  next(match: (message: unknown) => boolean): Promise<unknown> {
    const { outside } = this.#scene
    const look = (): { readonly message: unknown } | undefined => {
      const at = outside.mailbox.find(match)
      return at < 0 ? undefined : { message: this.#take(at) }
    }
    const withinMs = Number.POSITIVE_INFINITY
    const found = (): string => this.#mailbox()
    return this.#until('a message to the test for its receive()', look, { withinMs }, found).then(
      ({ message }) => message,
    )
  }

  #take(at: number): unknown {
    const { outside, recorder } = this.#scene
    const message = outside.mailbox.take(at)
    recorder.handles(outside, message)
    return message
  }

  #mailbox(): string {
    const waiting = this.#scene.outside.mailbox.toArray().map((message) => safeText(message, 200))
    return waiting.length === 0
      ? '; its mailbox is empty'
      : `; its mailbox has ${waiting.join(', ')}`
  }

  refuteReceive(match: Match, { withinMs = REFUTE_MS }: AssertOptions = {}): Promise<void> {
    const { driver, simulation, outside, timeline } = this.#scene
    const at = new Error()
    return new Promise((resolve, reject) => {
      checkDelay(withinMs)
      driver.wait({
        deadline: simulation.nowMs + withinMs,
        check: () => {
          const found = outside.mailbox.find((message) => matches(match, message))
          if (found < 0) return false
          const text = safeText(outside.mailbox.at(found), 200)
          reject(failure(`the test got ${text}, which was not to come`, at, timeline()))
          return true
        },
        missed: () => resolve(),
        failed: reject,
      })
    })
  }

  down(ref: Ref, reason: Match, options: AssertOptions = {}): Promise<DownMessage> {
    const { outside } = this.#scene
    return this.#until(
      'the DOWN of that monitor',
      () => {
        const at = outside.mailbox.find((m) => m instanceof DownMessage && m.ref === ref)
        if (at < 0) return undefined
        const down = this.#take(at) as DownMessage
        expectReason('the DOWN', reason, down.reason)
        return down
      },
      options,
      () => this.#mailbox(),
    )
  }

  exit(pid: Pid, reason: Match, options: AssertOptions = {}): Promise<ExitReason> {
    return this.#until(
      `the end of ${formatPid(pid)}`,
      () => {
        const end = this.#scene.recorder.ends.get(pid)
        if (end === undefined) return undefined
        expectReason(`the end of ${formatPid(pid)}`, reason, end.reason)
        return { reason: end.reason }
      },
      options,
    ).then((end) => end.reason)
  }

  async terminated(
    pid: Pid,
    {
      reason,
      terminateRan,
      ...options
    }: AssertOptions & { readonly reason?: Match; readonly terminateRan?: boolean },
  ): Promise<ExitReason> {
    const at = new Error()
    const actual = await this.exit(pid, reason, options)
    const ran = this.#scene.recorder.terminated.has(pid)
    if (terminateRan !== undefined && ran !== terminateRan) {
      const did = ran ? 'ran, and was not to' : 'did not run'
      throw failure(`terminate of ${formatPid(pid)} ${did}`, at, this.#scene.timeline())
    }
    return actual
  }

  restarted(child: string, options: AssertOptions = {}): Promise<Pid> {
    const { recorder, simulation } = this.#scene
    return this.#until(
      `a restart of "${child}"`,
      () => {
        for (const event of recorder.born.values()) {
          if (event.kind !== 'restart' || this.#asserted.has(event)) continue
          const process = simulation.scheduler(event.scheduler).find(event.pid)
          if (process === undefined || process.status === Status.Starting) continue
          if (process.ack !== undefined || !this.#isChild(child, event)) continue
          this.#asserted.add(event)
          return event.pid
        }
        return undefined
      },
      options,
    )
  }

  #isChild(child: string, { pid, by, name, behaviour }: RestartEvent): boolean {
    if (name === child || behaviour === child) return true
    for (const scheduler of this.#scene.simulation.schedulers) {
      const state = scheduler.find(by)?.state
      if (!(state instanceof SupervisorState)) continue
      return state.children.some((one) => one.pid === pid && one.spec.id === child)
    }
    return false
  }
}
