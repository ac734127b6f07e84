/** Names, registries and PubSub: tables that all threads agree on, while their processes and threads end. */
import assert from 'node:assert/strict'
import {
  type BroadcastMessage,
  duplicateRegistry,
  type Pid,
  type Self,
  uniqueRegistry,
} from 'beamish'
import type { TestNode } from 'beamish/testing'
import { isDown } from '../kit.ts'
import { inSome, living, loseOne, type Scenario, THREADS, threadOf } from './scenario.ts'

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

export const tableScenarios: readonly Scenario[] = [names, unique, duplicate, pubsub]
