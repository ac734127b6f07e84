/** A node for tests, and the hands that move its puppets from outside. */
import { type BeamishNode, type Pid, type ProcessInfo, type StartOptions, start } from 'beamish'
import { type Order, Puppet } from './puppet.ts'

/** Long enough for a slow machine, short enough to fail with a line that says what was missing. */
const PATIENCE_MS = 45_000

export interface Placement {
  readonly name: string
  /** Schedulers of the first and of the second puppet. */
  readonly a: number
  readonly b: number
}

/** Every behaviour between two processes is asserted for both. */
export const placements: readonly Placement[] = [
  { name: 'one thread', a: 1, b: 1 },
  { name: 'two threads', a: 1, b: 2 },
]

export interface Down {
  readonly type: 'DOWN'
  readonly ref: number
  readonly object: Pid | string
  readonly reason: unknown
}

interface Report {
  readonly puppet: Pid
  readonly got?: unknown
  readonly done?: number
  readonly results?: readonly unknown[]
}

export class Stage {
  readonly node: BeamishNode
  #orders = 0
  #marks = 0
  #gone = new Map<Pid, unknown>()

  constructor(node: BeamishNode) {
    this.node = node
  }

  static async open(options: StartOptions = {}): Promise<Stage> {
    return new Stage(
      await start(new URL('./puppet.ts', import.meta.url), {
        schedulers: Number(process.env.TEST_STAGE_SCHEDULERS ?? 2),
        log: false,
        development: false,
        execArgv: ['--conditions=beamish-source'],
        ...options,
      }),
    )
  }

  /** A new puppet, monitored from outside. */
  async puppet(scheduler: number, first: readonly Order[] = []): Promise<Pid> {
    const { self } = this.node
    return self.spawn(Puppet, { boss: self.pid, first }, { place: { scheduler }, monitor: true })
  }

  /** Two puppets as a placement says, and a check that they are where it says. */
  async pair(t: { equal(a: unknown, b: unknown, text: string): unknown }, place: Placement) {
    const [a, b] = [await this.puppet(place.a), await this.puppet(place.b)]
    const [[whereA], [whereB]] = [
      await this.tell(a, ['scheduler']),
      await this.tell(b, ['scheduler']),
    ]
    t.equal(whereA === whereB, place.a === place.b, `they run on ${place.name}`)
    return { a, b }
  }

  /** Gives orders without waiting for their results. */
  order(puppet: Pid, ...orders: readonly Order[]): number {
    const id = ++this.#orders
    this.node.self.send(puppet, { orders, id, to: this.node.self.pid })
    return id
  }

  /** Gives orders and waits for their results. */
  async tell(puppet: Pid, ...orders: readonly Order[]): Promise<readonly unknown[]> {
    return this.results(puppet, this.order(puppet, ...orders))
  }

  /** The results of orders given before. */
  async results(puppet: Pid, id: number): Promise<readonly unknown[]> {
    const report = await this.#wait(
      `the results of ${puppet}`,
      (m): m is Report => isReport(m) && m.puppet === puppet && m.done === id,
    )
    return report.results ?? []
  }

  /** The next message a puppet got. */
  async heard(puppet: Pid): Promise<unknown> {
    const report = await this.#wait(
      `a message of ${puppet}`,
      (m): m is Report => isReport(m) && m.puppet === puppet && m.done === undefined,
    )
    return report.got
  }

  /** The next `count` messages a puppet got. */
  async hears(puppet: Pid, count: number): Promise<unknown[]> {
    const all: unknown[] = []
    for (let i = 0; i < count; i++) all.push(await this.heard(puppet))
    return all
  }

  /**
   * What `b` got of everything `a` sent until now: `a` sends a mark after it, and signals of all kinds between two
   * processes keep their order.
   */
  async until(a: Pid, b: Pid): Promise<unknown[]> {
    const mark = `mark ${++this.#marks}`
    await this.tell(a, ['send', b, mark])
    return this.untilMark(b, mark)
  }

  /** What `b` got before the message `mark`. */
  async untilMark(b: Pid, mark: string): Promise<unknown[]> {
    const all: unknown[] = []
    for (;;) {
      const got = await this.heard(b)
      if (got === mark) return all
      all.push(got)
    }
  }

  /** Whether a puppet still carries out orders. */
  async lives(puppet: Pid): Promise<boolean> {
    return this.node.self.alive(puppet)
  }

  /** What is known of a living process, once it is as `match` wants it. Asks again and again: each answer is a turn. */
  async infoWhen(pid: Pid, match: (info: ProcessInfo) => boolean): Promise<ProcessInfo> {
    const end = performance.now() + PATIENCE_MS
    for (;;) {
      const info = await this.node.self.info(pid)
      if (info === undefined) throw new Error(`${pid} is dead`)
      if (match(info)) return info
      if (performance.now() > end) throw new Error(`${pid} stayed ${JSON.stringify(info)}`)
    }
  }

  /** The reason a puppet ended with; waits for the end. */
  async ended(puppet: Pid): Promise<unknown> {
    if (this.#gone.has(puppet)) return this.#gone.get(puppet)
    const down = await this.#wait(
      `the end of ${puppet}`,
      (m): m is Down => isDown(m) && m.object === puppet,
    )
    this.#gone.set(puppet, down.reason)
    return down.reason
  }

  /** The next message to the outside that `match` accepts. */
  async receive<T>(what: string, match: (message: unknown) => message is T): Promise<T> {
    return this.#wait(what, match)
  }

  async #wait<T>(what: string, match: (message: unknown) => message is T): Promise<T> {
    const message = await this.node.self.receive(match, PATIENCE_MS)
    if (message === undefined) throw new Error(`${what} did not come within ${PATIENCE_MS} ms`)
    return message
  }
}

export const isDown = (m: unknown): m is Down =>
  typeof m === 'object' && m !== null && (m as { type?: unknown }).type === 'DOWN'

const isReport = (m: unknown): m is Report => typeof m === 'object' && m !== null && 'puppet' in m
