// A tracker that ends, in virtual time: its successor goes on where it was, and clients on any thread hear of an update.
import { type BroadcastMessage, type Pid, type Self, supervisor } from 'beamish'
import { type TestNode, testNode } from 'beamish/testing'
import t, { type Test } from 'tap'
import { type PresenceDiff, type Presences, presence } from '../../../channels/presence/index.ts'
import { trackerRegistry } from '../../../channels/presence/server.ts'

const TOPIC = 'room'
/** Far less than the second after which something is asked for again. */
const SOON_MS = 60

interface Meta {
  readonly n: number
}
/** Small limits: much is told in pieces, and little is remembered. */
const Small = presence<Meta>('restarts-small', { maxDiffSize: 2, maxDeltaLog: 3 })
const Slow = presence<Meta>('restarts-slow', {
  fetch: async (_topic, _presences, self) => {
    await self.sleep(300)
    return {}
  },
})
let throws = false
const Throwing = presence<Meta, null>('restarts-throwing', {
  init: () => null,
  handleMetas(topic, { leaves }) {
    if (!throws || topic !== 'first' || Object.keys(leaves).length === 0) return
    throws = false
    throw new Error('as ordered')
  },
})

const live = (self: Self): Promise<unknown> => self.receive()

/** A client of a thread: who is there for it, and who was missing after any diff. */
class Client {
  readonly diffs: PresenceDiff<Meta>[] = []
  readonly #refs = new Map<string, string>()
  #everybody = new Set<string>()
  readonly missed = new Set<string>()

  take({ joins, leaves }: PresenceDiff<Meta>): void {
    this.diffs.push({ joins, leaves })
    for (const [key, { metas }] of Object.entries(joins))
      for (const { phx_ref } of metas) this.#refs.set(phx_ref, key)
    for (const { metas } of Object.values(leaves))
      for (const { phx_ref } of metas) this.#refs.delete(phx_ref)
    for (const key of this.#everybody) if (!this.keys.includes(key)) this.missed.add(key)
  }

  get keys(): string[] {
    return [...new Set(this.#refs.values())].sort()
  }

  /** From now on those who are there should stay. */
  begin(): void {
    this.diffs.length = 0
    this.#everybody = new Set(this.keys)
  }
}

async function client(node: TestNode, scheduler: number, ...topics: string[]): Promise<Client> {
  const one = new Client()
  await node.spawn(
    async (self) => {
      for (const topic of topics) self.subscribe(topic)
      for (;;) {
        const { event, payload } = (await self.receive()) as BroadcastMessage
        if (event === 'presence_diff') one.take(payload as PresenceDiff<Meta>)
      }
    },
    { scheduler },
  )
  return one
}

async function trackerOf(node: TestNode, name: string, scheduler: number): Promise<Pid> {
  const pid = await trackerRegistry(name).whereis(node.self, scheduler)
  if (pid === undefined) throw new Error(`no tracker on thread ${scheduler}`)
  return pid
}

async function listOn(node: TestNode, scheduler: number): Promise<Presences<Meta>> {
  let list: Presences<Meta> = {}
  await node.spawn(
    async (self) => {
      list = await Small.list(self, TOPIC)
      self.send(node.self.pid, 'listed')
    },
    { scheduler },
  )
  await node.assertReceive('listed')
  return list
}

/** Three threads with a client each, and twelve guests, four on each thread. */
async function open(t: Test, restart: 'permanent' | 'temporary' = 'permanent') {
  const app = supervisor({ children: [Small.child({ restart })], maxRestarts: 100 })
  const node = await testNode({ schedulers: 3, app })
  t.teardown(() => node.close())
  const clients: Client[] = []
  for (const id of node.schedulers()) clients.push(await client(node, id, TOPIC))
  const guests: Pid[] = []
  for (let i = 0; i < 12; i++) {
    const guest = await node.spawn(live, { scheduler: 1 + (i % 3) })
    guests.push(guest)
    await Small.track(node.self, TOPIC, guest, `guest ${i}`, { n: i })
  }
  await node.advance(5_000)
  for (const one of clients) one.begin()
  return { node, clients, guests }
}

const EVERYBODY = Array.from({ length: 12 }, (_, i) => `guest ${i}`).sort()
const ON_FIRST = ['guest 0', 'guest 3', 'guest 6', 'guest 9']

t.test('clients on all threads hear of an update, and nobody was ever missing', async (t) => {
  const { node, clients } = await open(t)
  const before = await listOn(node, 2)
  node.exit(await trackerOf(node, 'restarts-small', 1), 'kill')
  await node.advance(SOON_MS)
  const after = await listOn(node, 2)
  for (const [i, one] of clients.entries()) {
    t.same([...one.missed], [], `thread ${i + 1}`)
    t.same(one.keys, EVERYBODY)
  }
  for (const key of EVERYBODY) {
    const { metas } = before[key]!
    if (!ON_FIRST.includes(key)) t.same(after[key]!.metas, metas)
    else {
      const [{ phx_ref, ...meta }] = after[key]!.metas as unknown as [{ phx_ref: string }]
      t.same(meta, { n: Number(key.slice(6)), phx_ref_prev: metas[0]!.phx_ref }, key)
      t.not(phx_ref, metas[0]!.phx_ref)
    }
  }
})

t.test('also where one ends after the other, and the next before it has told all', async (t) => {
  const { node, clients } = await open(t)
  for (const id of [1, 2, 1, 1, 3]) {
    node.exit(await trackerOf(node, 'restarts-small', id), 'kill')
    await node.advance(3)
  }
  await node.advance(5_000)
  for (const one of clients) {
    t.same([...one.missed], [])
    t.same(one.keys, EVERYBODY)
  }
  const lists = [await listOn(node, 1), await listOn(node, 2), await listOn(node, 3)]
  t.same(lists[0], lists[1])
  t.same(lists[1], lists[2])
})

t.test('who ends while there is no tracker leaves when the successor has told all', async (t) => {
  const { node, clients, guests } = await open(t)
  node.exit(await trackerOf(node, 'restarts-small', 1), 'kill')
  node.exit(guests[0]!, 'kill')
  await node.advance(SOON_MS)
  const others = EVERYBODY.filter((key) => key !== 'guest 0')
  for (const one of clients) {
    t.same([...one.missed], ['guest 0'])
    t.same(one.keys, others)
  }
})

t.test(
  'a successor that does not come is waited for two seconds, its thread lost or not',
  async (t) => {
    const others = EVERYBODY.filter((key) => !ON_FIRST.includes(key))
    for (const lost of [false, true]) {
      const { node, clients } = await open(t, 'temporary')
      node.exit(await trackerOf(node, 'restarts-small', 1), 'kill')
      await node.advance(1_000)
      t.same(clients[1]!.keys, EVERYBODY, 'they live on')
      if (lost) node.faults.killThread(1)
      await node.advance(lost ? 200 : 1_100)
      t.same(clients[1]!.keys, others, lost ? 'gone with the thread' : 'nobody speaks for them')
      t.same(Object.keys(await listOn(node, 3)).sort(), others)
    }
  },
)

t.test('more changes at once than are remembered are told without being asked for', async (t) => {
  const { node, clients } = await open(t)
  const keys = Array.from({ length: 40 }, (_, i) => `more ${i}`)
  await node.spawn(
    async (self) => {
      const all = keys.map(async (key, n) => Small.track(self, TOPIC, self.spawn(live), key, { n }))
      await Promise.all(all)
      self.send(node.self.pid, 'tracked')
      await self.receive()
    },
    { scheduler: 1 },
  )
  await node.assertReceive('tracked')
  node.timeline.clear()
  await node.advance(SOON_MS)
  for (const one of clients) t.same(one.keys, [...EVERYBODY, ...keys].sort())
  for (const one of clients) one.begin()
  node.exit(await trackerOf(node, 'restarts-small', 1), 'kill')
  await node.advance(SOON_MS)
  for (const one of clients) {
    t.same([...one.missed], [])
    t.same(one.keys, [...EVERYBODY, ...keys].sort())
  }
  const renewed = clients[1]!.diffs.flatMap(({ joins }) => Object.keys(joins))
  t.same(renewed.sort(), [...ON_FIRST, ...keys].sort(), 'each once')
})

t.test('a leave that waited for fetch when the tracker ended is told by the next', async (t) => {
  const node = await testNode({ schedulers: 1, app: supervisor({ children: [Slow.child()] }) })
  t.teardown(() => node.close())
  const one = await client(node, 1, TOPIC)
  const guest = await node.spawn(live, { scheduler: 1 })
  await Slow.track(node.self, TOPIC, guest, 'alice', { n: 1 })
  await node.advance(1_000)
  t.same(one.keys, ['alice'])
  node.exit(guest, 'kill')
  await node.advance(100)
  node.exit(await trackerOf(node, 'restarts-slow', 1), 'kill')
  await node.advance(1_000)
  t.same(one.keys, [])
})

t.test('a leave that waited behind a handleMetas that threw is told by the next', async (t) => {
  const node = await testNode({ schedulers: 1, app: supervisor({ children: [Throwing.child()] }) })
  t.teardown(() => node.close())
  const one = await client(node, 1, 'first', 'second')
  const guest = await node.spawn(live, { scheduler: 1 })
  await Throwing.track(node.self, 'first', guest, 'alice', { n: 1 })
  await Throwing.track(node.self, 'second', guest, 'bob', { n: 2 })
  await node.advance(1_000)
  t.same(one.keys, ['alice', 'bob'])
  throws = true
  node.exit(guest, 'kill')
  await node.advance(1_000)
  t.equal(throws, false)
  t.same(one.keys, [])
})
