/** Ends processes at a steady rate, and threads meanwhile: who, is up to a seed. */
import type { BeamishNode, Pid } from 'beamish'
import type { FaultRequest, Inhabitant } from './app.ts'
import { Guest, sinks } from './cast.ts'
import type { Outside } from './outside.ts'
import { type ChurnRequest, KINDS, type Kill, type Kind, type ThreadWay } from './protocol.ts'

const KILL_EVERY_MS = 8
/** Guests there are, two by two. */
const GUESTS = 40

/** Who is meant by each kind: names of behaviours. What brings threads down, soak.faults, is spared. */
const KIND_OF: Readonly<Record<string, Kind>> = {
  'beamish.liveView': 'view',
  'beamish.transport': 'transport',
  'soak.worker': 'worker',
  'soak.guest': 'guest',
  'beamish.endpoint': 'endpoint',
  'beamish.dynamicSupervisor': 'dynamicSupervisor',
  'soak.steward': 'each',
  'soak.sink': 'each',
  'beamish.supervisor': 'each',
}

/** Transports and supervisors trap exits: one that is not their parent's ends them only by kill. */
const REASONS: Readonly<Record<Kind, readonly string[]>> = {
  view: ['kill', 'boom', 'shutdown'],
  transport: ['kill'],
  worker: ['kill', 'boom', 'shutdown'],
  guest: ['kill', 'boom', 'shutdown'],
  endpoint: ['kill', 'boom', 'shutdown'],
  dynamicSupervisor: ['kill'],
  each: ['kill'],
}

/** Each of these counts at the supervisor of its thread, which bears 3 in 5 s. */
const COUNTED: readonly Kind[] = ['endpoint', 'dynamicSupervisor', 'each']
const MAY_COUNT = 2
const COUNTS_FOR_MS = 5_500

/** In turn; the causes are those of a thread that ends at once. */
const THREAD_WAYS: readonly ThreadWay[] = ['terminate', 'exit', 'throw', 'rejection']

interface Victim extends Inhabitant {
  readonly scheduler: number
  readonly kind: Kind
}

export class Churn {
  readonly #outside: Outside
  readonly #node: BeamishNode
  readonly #random: () => number
  /** Each with its end. */
  readonly #guests = new Map<Pid, Promise<unknown>>()
  /** When each thread's supervisor last had something to count. */
  readonly #counted = new Map<number, number[]>()
  #countedKills = 0
  readonly #kills: Kill[] = []
  #named = 0

  constructor(outside: Outside, seed: number) {
    this.#outside = outside
    this.#node = outside.node
    this.#random = seeded(seed)
    this.#named = seed
  }

  /** Resolves with what was done. */
  async run({ processes, threads }: ChurnRequest): Promise<Kill[]> {
    let invited = this.#invite()
    await invited
    const threadsKilled = this.#killThreads(threads)
    for (let killed = 0; killed < processes; ) {
      await this.#node.self.sleep(KILL_EVERY_MS)
      const victim = await this.#choose()
      if (victim === undefined || !(await this.#kill(victim))) continue
      invited = invited.then(() => this.#invite())
      killed++
    }
    await Promise.all([threadsKilled, invited])
    await this.#sendHome()
    return this.#kills
  }

  async #choose(): Promise<Victim | undefined> {
    const byKind = new Map<Kind, Victim[]>(KINDS.map((kind) => [kind, []]))
    for (const { scheduler, inhabitants } of await this.#outside.census()) {
      for (const one of inhabitants) {
        const kind = KIND_OF[one.behaviour]
        if (kind === undefined) continue
        if (!COUNTED.includes(kind) || this.#mayCount(scheduler)) {
          byKind.get(kind)?.push({ ...one, scheduler, kind })
        }
      }
    }
    const found = [...byKind.values()].filter((victims) => victims.length > 0)
    const counted = found.filter(([one]) => one !== undefined && COUNTED.includes(one.kind))
    // Those that may end only so often share one chance, and take turns.
    const choice = found.filter((victims) => !counted.includes(victims))
    const next = counted[this.#countedKills % counted.length]
    if (next !== undefined) choice.push(next)
    const victims = this.#pick(choice)
    return victims && this.#pick(victims)
  }

  #mayCount(scheduler: number): boolean {
    const since = this.#node.self.now() - COUNTS_FOR_MS
    const recent = (this.#counted.get(scheduler) ?? []).filter((at) => at > since)
    this.#counted.set(scheduler, recent)
    return recent.length < MAY_COUNT
  }

  /** False when it had gone already. */
  async #kill({ pid, scheduler, kind }: Victim): Promise<boolean> {
    const sent = this.#pick(REASONS[kind]) as string
    if (COUNTED.includes(kind)) {
      this.#countedKills++
      this.#counted.get(scheduler)?.push(this.#node.self.now())
    }
    const end = this.#outside.ended(pid)
    this.#node.self.exit(pid, sent)
    const reason = await end
    if (
      reason === 'noproc' ||
      (typeof reason === 'object' && reason !== null && 'noconnection' in reason)
    ) {
      return false
    }
    this.#kills.push({ kind, scheduler, by: sent })
    return true
  }

  async #killThreads(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const schedulers = this.#node.schedulers()
      const serving = this.#outside.serving(schedulers)
      const scheduler = this.#pick(schedulers) as number
      const way = THREAD_WAYS[i % THREAD_WAYS.length] as ThreadWay
      if (way === 'terminate') this.#node.killThread(scheduler)
      else
        this.#node.self.broadcast('soak.faults', 'fault', { scheduler, way } satisfies FaultRequest)
      await serving
      this.#kills.push({ kind: 'thread', scheduler, by: way })
    }
  }

  /** Starts as many guests as are missing, each two depending on each other; a thread that is lost meanwhile takes them along. */
  async #invite(): Promise<void> {
    const { self } = this.#node
    while (this.#guests.size < GUESTS) {
      const sink = this.#pick(await sinks.lookup(self, 'sink'))?.pid
      const first = await this.#start(undefined, sink)
      if (first !== undefined) await this.#start(first, undefined)
    }
  }

  async #start(partner: Pid | undefined, sink: Pid | undefined): Promise<Pid | undefined> {
    const scheduler = this.#pick(this.#node.schedulers()) as number
    const argument = { name: `guest ${this.#named++}`, with: partner, sink }
    try {
      const pid: Pid = await this.#node.self.start(Guest, argument, { place: { scheduler } })
      const end = this.#outside.ended(pid).then(() => this.#guests.delete(pid))
      this.#guests.set(pid, end)
      return pid
    } catch {
      return undefined
    }
  }

  async #sendHome(): Promise<void> {
    while (this.#guests.size > 0) {
      for (const pid of this.#guests.keys()) this.#node.self.exit(pid, 'kill')
      await Promise.all(this.#guests.values())
    }
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.#random() * from.length)]
  }
}

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
