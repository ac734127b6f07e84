/**
 * One actor of the soak: what it has sent, heard, watched and set going, so that whatever comes can be judged. It is a raw
 * process, so it takes its messages when it wants to, and sees calls, casts, EXITs and DOWNs as they are.
 */
import { isDeepStrictEqual } from 'node:util'
import {
  type Alias,
  type DownMessage,
  Exit,
  type ExitMessage,
  type ExitReason,
  type From,
  formatReason,
  type Pid,
  type Ref,
} from 'beamish'
import { Self } from '../../../runtime/process/self.ts'
import { ledger } from './ledger.ts'

/** What actors say to each other, as a message, a cast's or a call's payload: the n-th from one to the other. */
export interface Said {
  readonly type: 'said'
  readonly from: Pid
  readonly n: number
}

interface Tick {
  readonly type: 'tick'
  readonly token: number
}

export interface Told {
  readonly type: 'told'
  readonly token: number
}

type Message =
  | Said
  | Tick
  | Told
  | DownMessage
  | ExitMessage
  | { readonly type: 'finish' }
  | { readonly type: 'broadcast'; readonly payload: unknown }
  | { readonly type: 'cast'; readonly payload: Said }
  | ({ readonly type: 'call'; readonly payload: Said } & From)

/** Clocks of timers and of now() differ by their grain. */
const GRAIN_MS = 2
/** What must come comes long before. */
export const PATIENCE_MS = 30_000
/** A busy thread rings late; this is how late a call's answer may beat its timeout. */
const CALL_TIMEOUTS_MS = [5, 50, 1_000, 5_000]

export const isDown =
  (ref: Ref) =>
  (message: unknown): message is DownMessage =>
    (message as Partial<DownMessage>).type === 'DOWN' && (message as DownMessage).ref === ref

export class Life {
  readonly self: Self
  readonly random: () => number
  finished = false
  /** Whom it linked, the first one first. */
  readonly linked: Pid[] = []
  /** It is subscribed to. */
  readonly topics = new Set<string>()
  readonly #sent = new Map<Pid, number>()
  readonly #heard = new Map<Pid, number>()
  readonly #watched = new Map<Ref, Pid>()
  /** Whose DOWN came: nothing it said comes after that. */
  readonly #dead = new Set<Pid>()
  readonly #ticks = new Map<number, number>()
  #tokens = 0
  #calling = 0

  constructor(self: Self, random: () => number) {
    this.self = self
    this.random = random
    Self.processOf(self).onExit(() => {
      // Nobody else tells of a call whose caller has ended.
      for (let i = 0; i < this.#calling; i++) ledger.count('call abandoned')
      ledger.calling -= this.#calling
    })
  }

  int(below: number): number {
    return Math.floor(this.random() * below)
  }

  pick<T>(from: readonly T[]): T {
    return from[this.int(from.length)] as T
  }

  /** What the dead see is no word on what was promised: code that runs on after a kill has lost all it had. */
  check(holds: boolean, text: () => string): void {
    if (Self.processOf(this.self).alive) ledger.check(holds, text)
  }

  token(): number {
    return ++this.#tokens
  }

  /** Somebody else, who may have ended; only while two are known. */
  peer(): Pid {
    for (;;) {
      const found = this.pick(ledger.known) as Pid
      if (found !== this.self.pid) return found
    }
  }

  /** Takes what comes for so long. */
  async rest(ms: number): Promise<void> {
    const until = this.self.now() + ms
    for (let left = ms; left > 0 && !this.finished; left = until - this.self.now()) {
      const message = await this.self.receive(undefined, left)
      if (message === undefined) return
      this.#take(message as Message)
    }
  }

  #take(message: Message): void {
    if (message.type === 'said') this.#hear(message)
    else if (message.type === 'cast') this.#hear(message.payload)
    else if (message.type === 'call') {
      this.#hear(message.payload)
      this.self.reply(message, message.payload.n)
    } else if (message.type === 'DOWN') this.#down(message)
    else if (message.type === 'tick') this.#tick(message)
    else if (message.type === 'finish') this.finished = true
    else ledger.count(message.type)
  }

  #hear({ from, n }: Said): void {
    const before = this.#heard.get(from) ?? 0
    this.#heard.set(from, n)
    this.check(n === before + 1, () => `number ${n} of ${from} came after number ${before}`)
    this.check(!this.#dead.has(from), () => `number ${n} of ${from} came after its DOWN`)
  }

  /** The next words to somebody. */
  words(to: Pid): Said {
    const n = (this.#sent.get(to) ?? 0) + 1
    this.#sent.set(to, n)
    return { type: 'said', from: this.self.pid, n }
  }

  /** Calls; undefined when nothing came of it, which is judged. */
  async call(
    to: Pid | string,
    event: string,
    payload: unknown,
    givenMs?: number,
  ): Promise<unknown> {
    const { self } = this
    // It was killed between an answer and what it does with that: nothing of it is heard.
    if (!Self.processOf(self).alive) return new Promise(() => {})
    const timeoutMs = givenMs ?? this.pick(CALL_TIMEOUTS_MS)
    const began = self.now()
    ledger.count('call')
    ledger.calling++
    this.#calling++
    let ended = 'answered'
    try {
      return await self.call(to as Pid, event as never, payload as never, { timeoutMs })
    } catch (thrown) {
      ended = await this.#refused(to, thrown, self.now() - began, timeoutMs)
      return undefined
    } finally {
      // One that was killed with the answer in its hands was counted when it was.
      if (Self.processOf(self).alive) {
        this.#calling--
        ledger.calling--
        ledger.count(`call ${ended}`)
      }
    }
  }

  async #refused(
    to: Pid | string,
    thrown: unknown,
    tookMs: number,
    timeoutMs: number,
  ): Promise<string> {
    if (!(thrown instanceof Exit)) {
      ledger.problem(`a call failed with ${thrown}`)
      return 'failed'
    }
    const { reason } = thrown.reason as { reason: ExitReason }
    if (reason === 'timeout') {
      const text = (): string => `a call timed out after ${tookMs} of ${timeoutMs} ms`
      this.check(tookMs >= timeoutMs - GRAIN_MS, text)
      return 'timed out'
    }
    if (typeof to === 'number') {
      const text = `a call to ${to} failed with ${formatReason(reason)}, and it lives`
      const alive = await this.self.alive(to)
      this.check(!alive, () => text)
    }
    return reason === 'noproc' ? 'to nobody' : 'ended by its server'
  }

  watch(target: Pid): void {
    ledger.count('monitor')
    this.#watched.set(this.self.monitor(target), target)
  }

  unwatch(): void {
    for (const ref of this.#watched.keys()) {
      ledger.count('demonitor')
      this.#watched.delete(ref)
      this.self.demonitor(ref, { flush: true })
      return
    }
  }

  #down({ ref, object, reason }: DownMessage): void {
    const target = this.#watched.get(ref)
    const known = this.#watched.delete(ref)
    ledger.count('DOWN')
    const text = (): string => `a DOWN of ${object} came twice, or unasked: ${formatReason(reason)}`
    this.check(known && target === object, text)
    this.#dead.add(object as Pid)
  }

  /** A message to itself, later. */
  setTimer(ms: number): void {
    ledger.count('timer')
    const token = this.token()
    const message: Tick = { type: 'tick', token }
    this.#ticks.set(token, this.self.now() + ms)
    const ref = this.self.sendAfter(ms, message)
    if (this.random() >= 0.3) return
    // One that is cancelled must never ring.
    const left = this.self.cancelTimer(ref)
    if (left === false) return
    ledger.count('timer cancelled')
    this.#ticks.delete(token)
  }

  #tick({ token }: Tick): void {
    const due = this.#ticks.get(token)
    this.#ticks.delete(token)
    const now = this.self.now()
    this.check(due !== undefined, () => `timer ${token} rang twice, or after it was cancelled`)
    this.check(due === undefined || now >= due - GRAIN_MS, () => `timer ${token} rang early`)
  }

  /** The DOWN of a monitor of somebody's own making. */
  async ended(what: string, ref: Ref, expected?: ExitReason): Promise<ExitReason | undefined> {
    const down = await this.self.receive(isDown(ref), PATIENCE_MS)
    this.check(down !== undefined, () => `no DOWN of ${what} within ${PATIENCE_MS} ms`)
    if (down === undefined) return undefined
    const { reason } = down
    const text = (): string => `${what} ended with ${formatReason(reason)}`
    const same = expected === undefined || isDeepStrictEqual(textOf(reason), textOf(expected))
    this.check(same, () => `${text()}, not with ${formatReason(expected as ExitReason)}`)
    return reason
  }

  /** An address is off once it was given up, for what is sent later. */
  async aliased(through: Pid): Promise<void> {
    const { self } = this
    const alias: Alias = self.alias()
    const [first, second] = [this.token(), this.token()]
    const is =
      (token: number) =>
      (message: unknown): message is Told =>
        (message as Told).type === 'told' && (message as Told).token === token
    self.cast(through, 'tell' as never, { alias, token: first } as never)
    if ((await this.call(through, 'echo', first, PATIENCE_MS)) === first) {
      const told = await self.receive(is(first), 0)
      this.check(told !== undefined, () => 'what was sent to an alias did not come')
    }
    this.check(self.unalias(alias), () => 'an alias was off by itself')
    self.cast(through, 'tell' as never, { alias, token: second } as never)
    await this.call(through, 'echo', second, PATIENCE_MS)
    const late = await self.receive(is(second), 0)
    this.check(late === undefined, () => 'what was sent to an alias that is off came')
    // Its server ended between the two.
    await self.receive(is(first), 0)
  }

  /** Who is dead has been told of, by everybody it was watched by. */
  async audit(): Promise<void> {
    for (const [ref, target] of this.#watched) {
      if (await this.self.alive(target)) continue
      const down = await this.self.receive(isDown(ref), 0)
      this.check(down !== undefined, () => `${target} is dead, and no DOWN of it came`)
    }
  }
}

/** Without what differs from thread to thread. */
function textOf(reason: ExitReason): unknown {
  const { error } = (reason ?? {}) as { error?: { message: string } }
  return error === undefined ? reason : { error: error.message }
}
