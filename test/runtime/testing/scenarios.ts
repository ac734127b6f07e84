/**
 * What must hold under every schedule, of names, registries, PubSub and supervisors: each a test of its own node, with crashes
 * and lost threads in the middle. `explore.test.ts` runs some hundreds of each, `npm run explore` 10,000.
 */
import assert from 'node:assert/strict'
import {
  type BroadcastMessage,
  duplicateRegistry,
  genServer,
  type Pid,
  type Self,
  supervisor,
  uniqueRegistry,
} from 'beamish'
import type { ExploreOptions, TestNode } from 'beamish/testing'
import { supervisorBehaviour } from '../../../runtime/supervisor/supervisor.ts'
import { isDown } from '../kit.ts'

export interface Scenario {
  readonly name: string
  readonly options: ExploreOptions
  run(node: TestNode): Promise<void>
}

const THREADS = 3

const threadOf = (i: number): { scheduler: number } => ({ scheduler: 1 + (i % THREADS) })

/** In one of `parts` of all schedules. */
const inSome = (node: TestNode, parts: number): boolean => node.self.random() < 1 / parts

/** Loses one thread at some point of the run; the schedulers that were. */
async function loseOne(node: TestNode): Promise<void> {
  const all = node.schedulers()
  const one = all[Math.floor(node.self.random() * all.length)] as number
  node.faults.killThread(one)
}

/** Whether the node has come to rest with nothing of these left. */
const living = (node: TestNode, behaviour: string): Pid[] => {
  const { events } = node.timeline
  const ended = new Set(events.flatMap((event) => (event.kind === 'exit' ? [event.pid] : [])))
  return events.flatMap((event) =>
    (event.kind === 'spawn' || event.kind === 'restart') &&
    event.behaviour === behaviour &&
    !ended.has(event.pid)
      ? [event.pid]
      : [],
  )
}

/** One after the other holds what can be held once; who waits hears of the end of the holder, and finds it free then. */
async function contend(
  node: TestNode,
  take: (self: Self) => Promise<void>,
  whereis: (self: Self) => Promise<Pid | undefined>,
): Promise<void> {
  let holder: Pid | undefined
  let held = 0
  let lost = 0
  const contender = async (self: Self): Promise<void> => {
    for (;;) {
      try {
        await take(self)
        break
      } catch (error) {
        const { pid, fields } = error as { pid?: Pid; fields: { owner?: Pid } }
        const owner = pid ?? (fields.owner as Pid)
        await self.receive(isDown(self.monitor(owner)))
        assert.notEqual(await whereis(self), owner, 'at the DOWN it is free')
      }
    }
    assert.ok(holder === undefined || !living(node, 'contender').includes(holder), 'held by one')
    holder = self.pid
    held++
    assert.equal(await whereis(self), self.pid, 'the holder is found')
    if (self.random() < 0.5) await self.sleep(self.random() < 0.5 ? 0 : 1)
    holder = undefined
    if (self.random() < 0.3) self.exit('boom')
  }
  const contenders: Pid[] = []
  for (let i = 0; i < 6; i++) contenders.push(await node.spawn(contender, threadOf(i)))
  const ends = contenders.map((pid) => node.assertExit(pid))
  if (inSome(node, 3)) await loseOne(node)
  for (const reason of await Promise.all(ends)) {
    if (typeof reason === 'object') {
      assert.ok(reason !== null && 'noconnection' in reason, JSON.stringify(reason))
      lost++
    } else assert.ok(reason === 'normal' || reason === 'boom', String(reason))
  }
  assert.ok(held + lost >= contenders.length, 'everybody had it once')
  await node.runUntilIdle()
  for (const scheduler of node.schedulers()) {
    await node.spawn(
      async (self) => {
        assert.equal(await whereis(self), undefined, 'nothing is left of it')
        self.send(node.self.pid, 'free')
      },
      { scheduler },
    )
    await node.assertReceive('free')
  }
}

const names: Scenario = {
  name: 'names',
  options: { schedulers: THREADS },
  run: (node) =>
    contend(
      node,
      (self) => self.register('one'),
      (self) => self.whereis('one'),
    ),
}

const keys = uniqueRegistry('testing.keys')

const unique: Scenario = {
  name: 'unique registry',
  options: { schedulers: THREADS },
  run: (node) =>
    contend(
      node,
      (self) => keys.register(self, 'one'),
      (self) => keys.whereis(self, 'one'),
    ),
}

/**
 * Members join, say so, and count what they hear; some leave, some end. Whoever had said to have joined hears all that is told
 * afterwards, in order, and nothing after it left.
 */
async function tell(
  node: TestNode,
  join: (self: Self) => void,
  leave: (self: Self) => void,
  say: (self: Self, text: number) => void,
  heard: (message: unknown) => number | undefined,
): Promise<void> {
  const TOLD = 4
  const members: Pid[] = []
  const got = new Map<Pid, number[]>()
  for (let i = 0; i < 5; i++) {
    const leaves = i === 4
    const member = async (self: Self): Promise<void> => {
      const mine: number[] = []
      got.set(self.pid, mine)
      join(self)
      if (leaves) leave(self)
      self.send(node.self.pid, 'joined')
      for (;;) {
        const text = heard(await self.receive())
        assert.ok(text !== undefined)
        mine.push(text)
        if (self.random() < 0.1) self.exit('boom')
      }
    }
    members.push(await node.spawn(member, threadOf(i)))
  }
  for (const _ of members) await node.assertReceive('joined')
  const loses = inSome(node, 3)
  if (loses) await loseOne(node)
  const teller = await node.spawn(
    async (self) => {
      for (let text = 0; text < TOLD; text++) {
        say(self, text)
        if (self.random() < 0.5) await self.sleep(0)
      }
    },
    { scheduler: node.schedulers()[Math.floor(node.self.random() * node.schedulers().length)] },
  )
  await node.assertExit(teller)
  await node.runUntilIdle()
  const told = Array.from({ length: TOLD }, (_, i) => i)
  const alive = living(node, 'member')
  for (const [i, pid] of members.entries()) {
    const mine = got.get(pid) ?? []
    if (i === 4) assert.deepEqual(mine, [], 'who left hears nothing')
    // With a thread that was lost meanwhile the teller may be gone, too.
    else if (alive.includes(pid) && !loses) assert.deepEqual(mine, told, 'all, in order, once')
    else assert.deepEqual(mine, told.slice(0, mine.length), 'a beginning of all, in order, once')
  }
}

const members = duplicateRegistry('testing.members')

const duplicate: Scenario = {
  name: 'duplicate registry',
  options: { schedulers: THREADS },
  run: (node) =>
    tell(
      node,
      (self) => members.register(self, 'all'),
      (self) => members.unregister(self, 'all'),
      (self, text) => members.dispatch(self, 'all', text),
      (message) => message as number,
    ),
}

const pubsub: Scenario = {
  name: 'PubSub',
  options: { schedulers: THREADS },
  run: (node) =>
    tell(
      node,
      (self) => self.subscribe('all'),
      (self) => self.unsubscribe('all'),
      (self, text) => self.broadcast('all', 'told', text),
      (message) => (message as BroadcastMessage<string, number>).payload,
    ),
}

const Kid = genServer('testing.kid', {
  init: (id: string) => ({ id }),
  handleCall: { id: (state) => state.id },
  handleCast: {
    crash() {
      throw new Error('on request')
    },
  },
})

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const
const IDS = ['a', 'b', 'c', 'd']

/** Until it runs, or is about to: a start may be killed by another villain. */
async function restart(self: Self, id: string): Promise<void> {
  for (;;) {
    const answer = await self.call('family', 'restartChild', id)
    const { ok, reason } = answer as { ok: boolean; reason?: string }
    if (ok || reason === 'running' || reason === 'restarting') return
    assert.equal(reason, 'killed')
  }
}

/** Children crash, are killed, terminated and restarted by request, all at once; in the end each runs once, under its name. */
const supervisors: Scenario = {
  name: 'supervisor',
  options: { schedulers: 2 },
  async run(node) {
    const strategy = STRATEGIES[Math.floor(node.self.random() * 3)] as (typeof STRATEGIES)[number]
    const children = IDS.map((id) => Kid.child(id, { id, name: id }))
    const tree = supervisor({ strategy, children, maxRestarts: 100 })
    const place = { scheduler: 1 }
    await node.spawn(supervisorBehaviour, tree.argument, { name: 'family', place })
    const villain = async (self: Self): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        const id = IDS[Math.floor(self.random() * IDS.length)] as string
        const pid = await self.whereis(id)
        const dice = self.random()
        if (dice < 0.3) self.cast(id, 'crash')
        else if (dice < 0.6 && pid !== undefined) self.exit(pid, 'kill')
        else if (dice < 0.8 && strategy === 'one_for_one') {
          // Where others are tied to it, terminating one whose restart failed ends theirs, too (as in OTP).
          await self.call('family', 'terminateChild', id)
          await restart(self, id)
        } else await self.call('family', 'whichChildren')
      }
    }
    const villains: Pid[] = []
    for (let i = 0; i < 3; i++) {
      villains.push(await node.spawn(villain, { scheduler: 1 + (i % 2) }))
    }
    for (const pid of villains) await node.assertExit(pid, 'normal')
    await node.runUntilIdle()
    const infos = (await node.self.call('family', 'whichChildren')) as { id: string; pid: Pid }[]
    assert.deepEqual(
      infos.map(({ id }) => id),
      IDS.toReversed(),
    )
    assert.deepEqual(
      infos.map(({ pid }) => pid).sort(),
      living(node, Kid.name).sort(),
      'each child has one process, and there is no other',
    )
    for (const { id, pid } of infos) {
      assert.equal(await node.self.whereis(id), pid, 'under its name')
      assert.equal(await node.self.call(Kid.named(id), 'id'), id)
    }
  },
}

/** The root with threads that are lost while its children crash: in the end everything runs where it belongs, once. */
const root: Scenario = {
  name: 'root and lost threads',
  options: {
    schedulers: 2,
    app: supervisor({
      maxRestarts: 100,
      children: [
        Kid.child('one', { name: 'one' }),
        Kid.child('every', { id: 'every', place: 'each' }),
        Kid.child('keyed', { name: 'keyed', place: { key: 'k' } }),
      ],
    }),
  },
  async run(node) {
    const villain = async (self: Self): Promise<void> => {
      for (const id of ['one', 'keyed']) {
        const pid = await self.whereis(id)
        if (pid !== undefined && self.random() < 0.5) self.exit(pid, 'kill')
      }
    }
    await node.spawn(villain)
    await loseOne(node)
    if (inSome(node, 2)) {
      if (inSome(node, 2)) await node.runUntilIdle()
      await loseOne(node)
    }
    await node.advance(1_000)
    assert.equal(node.schedulers().length, 2, 'two threads are up')
    assert.equal(living(node, Kid.name).length, 4, 'one, keyed, and every on both')
    for (const id of ['one', 'keyed']) {
      const pid = await node.self.whereis(id)
      assert.ok(pid !== undefined && living(node, Kid.name).includes(pid), `${id} is there`)
      assert.equal(await node.self.call(Kid.named(id), 'id'), id)
    }
  },
}

export const scenarios: readonly Scenario[] = [names, unique, duplicate, pubsub, supervisors, root]
