/**
 * Presence under every schedule, by what is said of it: in the end the lists of all threads, what the official client has made of
 * the diffs, and what handleMetas was given are one, and true of what was asked for.
 */
import assert from 'node:assert/strict'
import { type BroadcastMessage, type Pid, type Self, supervisor } from 'beamish'
import type { TestNode } from 'beamish/testing'
import { type Presence, type Presences, presence } from '../../../channels/presence/index.ts'
import { trackerRegistry } from '../../../channels/presence/server.ts'
import { schedulerOf } from '../../../runtime/process/pid.ts'
import { inSome, type Scenario, THREADS } from '../../runtime/testing/scenario.ts'

// The package ships no types; a name the compiler does not follow leaves them to the line below.
const packageName: string = 'phoenix'
type ClientState = Record<string, { metas: { phx_ref: string }[] }>
const {
  Presence: Client,
}: {
  Presence: {
    syncState(state: ClientState, next: unknown): ClientState
    syncDiff(state: ClientState, diff: unknown): ClientState
  }
} = await import(packageName)

const TOPICS = ['x', 'y']
const KEYS = ['k', 'l', '__proto__']
const STEPS = 40
/** More than any fetch, heartbeat, request or wait for a successor takes. */
const SETTLED_MS = 20_000

interface Meta {
  readonly n: number
}

/** What handleMetas was given last, by thread and topic. Threads of a test node share memory. */
const given = new Map<string, string[]>()

const limits = { maxDiffSize: 3, maxDeltaLog: 4, heartbeatMs: 3_000 }
const metasTo = {
  init: ({ scheduler }: Self) => {
    for (const topic of TOPICS) given.delete(`${scheduler} ${topic}`)
    return { scheduler }
  },
  handleMetas(
    topic: string,
    _diff: unknown,
    presences: ReadonlyMap<string, readonly { readonly phx_ref: string }[]>,
    { scheduler }: { scheduler: number },
  ): void {
    const metas = [...presences].flatMap(([key, all]) =>
      all.map((meta) => `${key} ${meta.phx_ref}`),
    )
    given.set(`${scheduler} ${topic}`, metas.sort())
  },
}
const Plain = presence<Meta, { scheduler: number }>('chaos-plain', { ...limits, ...metasTo })
const Fetched = presence<Meta, { scheduler: number }>('chaos-fetched', {
  ...limits,
  ...metasTo,
  maxWaiting: 4,
  fetch: async (topic, _presences, self) => {
    await self.sleep(topic === 'x' ? 3 : 15)
    return {}
  },
})

const overTheWire = (payload: unknown): unknown => JSON.parse(JSON.stringify(payload))
const flat = (state: ClientState | Presences<Meta>): string[] =>
  Object.getOwnPropertyNames(state)
    .flatMap((key) => state[key]!.metas.map(({ phx_ref }) => `${key} ${phx_ref}`))
    .sort()

const live = (self: Self): Promise<unknown> => self.receive()

/** One run: who is there, and what is known to be true of them. */
class Chaos {
  readonly #node: TestNode
  readonly #here: Presence<Meta>
  readonly #guests: Pid[] = []
  readonly #clients: { readonly pid: Pid; readonly states: Map<string, ClientState> }[] = []
  /** By place, the meta that was taken last. */
  readonly #truth = new Map<string, number>()
  /** Places of which a call failed: it may have counted. */
  readonly #unknown = new Set<string>()
  #frozen: number | undefined
  #n = 0

  constructor(node: TestNode, here: Presence<Meta>) {
    this.#node = node
    this.#here = here
  }

  #pick<T>(some: readonly T[]): T {
    return some[Math.floor(this.#node.self.random() * some.length)] as T
  }

  /** A guest, and a client that has the list some time after it began to listen. */
  async populate(scheduler: number, listAfterMs: number): Promise<void> {
    const states = new Map<string, ClientState>()
    const here = this.#here
    this.#guests.push(await this.#node.spawn(live, { scheduler }))
    const pid = await this.#node.spawn(
      async (self) => {
        for (const topic of TOPICS) self.subscribe(topic)
        if (listAfterMs > 0) await self.sleep(listAfterMs)
        for (const topic of TOPICS) {
          states.set(topic, Client.syncState({}, overTheWire(await here.list(self, topic))))
        }
        for (;;) {
          const { topic, event, payload } = (await self.receive()) as BroadcastMessage
          if (event !== 'presence_diff') continue
          states.set(topic, Client.syncDiff(states.get(topic)!, overTheWire(payload)))
        }
      },
      { scheduler },
    )
    this.#clients.push({ pid, states })
  }

  /** Something is asked for, of anybody. */
  async ask(self: Self): Promise<void> {
    const what = this.#pick(['track', 'track', 'track', 'update', 'updateBy', 'untrack', 'leave'])
    const [pid, topic, key] = [this.#pick(this.#guests), this.#pick(TOPICS), this.#pick(KEYS)]
    const place = `${pid} ${topic} ${key}`
    const meta = { n: this.#n++ }
    const here = this.#here
    const all = TOPICS.flatMap((one) => KEYS.map((other) => `${pid} ${one} ${other}`))
    try {
      if (what === 'untrack') await here.untrack(self, topic, pid, key)
      else if (what === 'leave') await here.untrack(self, pid)
      else {
        const { ok } =
          what === 'track'
            ? await here.track(self, topic, pid, key, meta)
            : await here.update(self, topic, pid, key, what === 'update' ? meta : () => meta)
        if (ok) this.#truth.set(place, meta.n)
        return
      }
      for (const one of what === 'leave' ? all : [place]) this.#truth.delete(one)
    } catch {
      for (const one of what === 'leave' ? all : [place]) this.#unknown.add(one)
    }
  }

  /** What was lost at the very end shows with the next change of its thread. */
  async changeEverywhere(): Promise<void> {
    const node = this.#node
    for (const scheduler of node.schedulers()) {
      const pid = await node.spawn(live, { scheduler })
      const n = this.#n++
      await this.#here.track(node.self, TOPICS[0]!, pid, 'last', { n })
      this.#truth.set(`${pid} ${TOPICS[0]} last`, n)
    }
  }

  async mishap(): Promise<void> {
    const node = this.#node
    const threads = node.schedulers()
    if (inSome(node, 3)) await node.advance(this.#pick([1, 4, 11, 40]))
    if (inSome(node, 30)) node.exit(this.#pick(this.#guests), 'kill')
    // A thread that stands still does not say which trackers it has.
    if (inSome(node, 15) && this.#frozen === undefined) {
      const all = await trackerRegistry(this.#here.name).select(node.self)
      if (all.length > 0) node.exit(this.#pick(all).pid, 'kill')
    }
    if (inSome(node, 30)) this.freeze()
    else if (inSome(node, 60) && threads.length > 1) node.faults.killThread(this.#pick(threads))
    else if (inSome(node, 60)) {
      for (const id of threads.slice(1)) if (id !== this.#frozen) node.faults.killThread(id)
    } else if (inSome(node, 10) && this.#frozen === undefined) {
      await this.populate(this.#pick(threads), Math.floor(node.self.random() * 30))
    }
  }

  /** One thread stands still, or goes on. */
  freeze(): void {
    const { faults } = this.#node
    const threads = this.#node.schedulers()
    if (this.#frozen === undefined) {
      this.#frozen = this.#pick(threads)
      faults.freezeThread(this.#frozen)
    } else this.thaw()
  }

  thaw(): void {
    const frozen = this.#frozen
    this.#frozen = undefined
    if (frozen === undefined || !this.#node.schedulers().includes(frozen)) return
    this.#node.faults.unfreezeThread(frozen)
  }

  async #lists(scheduler: number): Promise<Map<string, Presences<Meta>>> {
    const lists = new Map<string, Presences<Meta>>()
    await this.#node.spawn(
      async (self) => {
        for (const topic of TOPICS) lists.set(topic, await this.#here.list(self, topic))
        self.send(this.#node.self.pid, 'listed')
      },
      { scheduler },
    )
    await this.#node.assertReceive('listed')
    return lists
  }

  /** `alone`: nobody asked beside another, so that the order of what was asked for is known. */
  async holds(alone: boolean): Promise<void> {
    const node = this.#node
    const [first, ...others] = node.schedulers()
    const lists = await this.#lists(first!)
    const said = (all: Map<string, Presences<Meta>>) => TOPICS.map((topic) => flat(all.get(topic)!))
    for (const id of others) {
      assert.deepEqual(said(await this.#lists(id)), said(lists), `lists of ${id} and ${first}`)
    }
    if (alone) await this.#isTrue(lists)
    for (const id of node.schedulers()) {
      const metas = TOPICS.map((topic) => given.get(`${id} ${topic}`) ?? [])
      assert.deepEqual(metas, said(lists), `handleMetas of thread ${id}`)
    }
    for (const { pid, states } of this.#clients) {
      if (!(await node.self.alive(pid))) continue
      const held = TOPICS.map((topic) => flat(states.get(topic)!))
      assert.deepEqual(held, said(lists), `a client of thread ${schedulerOf(pid)}`)
    }
  }

  async #isTrue(lists: Map<string, Presences<Meta>>): Promise<void> {
    let count = 0
    for (const [place, n] of this.#truth) {
      const [pid, topic, key] = place.split(' ') as [string, string, string]
      if (this.#unknown.has(place)) continue
      if (!(await this.#node.self.alive(Number(pid) as Pid))) continue
      const metas = lists.get(topic)?.[key]?.metas ?? []
      assert.ok(
        metas.some((meta) => meta.n === n),
        `${place} is ${n}`,
      )
      count++
    }
    if (this.#unknown.size > 0) return
    const total = TOPICS.flatMap((topic) => flat(lists.get(topic)!)).length
    assert.equal(total, count, 'nobody else is there')
  }
}

function scenario(here: Presence<Meta>, alone: boolean): Scenario {
  const app = supervisor({ children: [here.child()], maxRestarts: 1_000 })
  return {
    name: `${here.name}, ${alone ? 'one after the other' : 'all at once'}`,
    options: { schedulers: THREADS, app, maxSteps: 1_000_000 },
    async run(node) {
      given.clear()
      await node.runUntilIdle()
      const chaos = new Chaos(node, here)
      for (const id of [...node.schedulers(), ...node.schedulers()]) await chaos.populate(id, 0)
      const lost = inSome(node, 2) ? await trackerRegistry(here.name).select(node.self) : []
      const faults = lost.flatMap(({ pid }) => [
        node.faults.drop('any', pid, { count: 3, kinds: ['broadcast'] }),
        node.faults.duplicate('any', pid, { count: 3, kinds: ['broadcast'] }),
        node.faults.delay('any', pid, 25, { count: 3, kinds: ['broadcast'] }),
      ])
      if (!alone) {
        for (const scheduler of node.schedulers()) {
          await node.spawn(
            async (self) => {
              for (let i = 0; i < STEPS / 2; i++) await chaos.ask(self)
              await self.receive()
            },
            { scheduler },
          )
        }
      }
      for (let i = 0; i < STEPS; i++) {
        await chaos.mishap()
        if (alone) await chaos.ask(node.self)
        else await node.advance(1)
      }
      chaos.thaw()
      for (const end of faults) end()
      await node.advance(SETTLED_MS)
      await chaos.changeEverywhere()
      await node.advance(SETTLED_MS)
      await chaos.holds(alone)
    },
  }
}

export const chaosScenarios: readonly Scenario[] = [Plain, Fetched].flatMap((here) => [
  scenario(here, true),
  scenario(here, false),
])
