/** What clients rely on: locks, aliases, tasks, agents, partitions, answers that are lost, while processes and threads end. */
import assert from 'node:assert/strict'
import {
  agent,
  Exit,
  genServer,
  type Pid,
  partitionSupervisor,
  type Self,
  supervisor,
  task,
  uniqueRegistry,
} from 'beamish'
import type { TestNode } from 'beamish/testing'
import { inSome, living, loseOne, type Scenario, THREADS, threadOf } from './scenario.ts'

const module = new URL('./scenarioFunctions.ts', import.meta.url).href

/** Ends by itself, or with its thread. */
function orderly(reason: unknown, ...others: unknown[]): void {
  const lost = typeof reason === 'object' && reason !== null && 'noconnection' in reason
  assert.ok(lost || reason === 'normal' || others.includes(reason), JSON.stringify(reason))
}

const rooms = uniqueRegistry('testing.rooms')

/** One at a time is inside, whoever ends there; everybody gets in. */
const locks: Scenario = {
  name: 'locks',
  options: { schedulers: THREADS },
  async run(node) {
    let inside: Pid | undefined
    let been = 0
    const visitor = async (self: Self): Promise<void> => {
      for (let i = 0; i < 2; i++) {
        await rooms.lock(self, 'lobby', async () => {
          assert.ok(inside === undefined || !living(node, 'visitor').includes(inside), 'alone')
          inside = self.pid
          been++
          if (self.random() < 0.5) await self.sleep(self.random() < 0.5 ? 0 : 1)
          if (self.random() < 0.2) self.exit('boom')
          assert.equal(inside, self.pid, 'still alone')
          inside = undefined
        })
      }
    }
    const visitors: Pid[] = []
    for (let i = 0; i < 5; i++) visitors.push(await node.spawn(visitor, threadOf(i)))
    if (inSome(node, 3)) await loseOne(node)
    for (const pid of visitors) orderly(await node.assertExit(pid), 'boom')
    assert.ok(been > 0)
    await node.runUntilIdle()
    const free = await rooms.lock(node.self, 'lobby', () => 'free')
    assert.equal(free, 'free', 'nobody holds it in the end')
  },
}

/** An alias takes the first reply alone, or none after it is off; whatever comes later leaves no trace. */
const aliases: Scenario = {
  name: 'aliases',
  options: { schedulers: THREADS },
  async run(node) {
    const replier = async (self: Self): Promise<void> => {
      for (;;) {
        const { alias, n } = (await self.receive()) as { alias: never; n: number }
        if (self.random() < 0.3) await self.sleep(1)
        if (self.random() < 0.1) self.exit('boom')
        self.send(alias, { n, from: self.pid })
      }
    }
    const repliers: Pid[] = []
    for (let i = 0; i < THREADS; i++) repliers.push(await node.spawn(replier, threadOf(i)))
    const asker = async (self: Self): Promise<void> => {
      for (let n = 0; n < 3; n++) {
        const alias = self.alias({ reply: true })
        for (const pid of repliers) self.send(pid, { alias, n })
        const got = await self.receive((m: unknown) => (m as { n: number }).n === n, 2)
        self.unalias(alias)
        if (got !== undefined) continue
        // A reply that had come before it was off is in the mailbox.
        await self.receive((m: unknown) => (m as { n: number }).n === n, 0)
      }
      const more = await self.receive(() => true, 10)
      assert.equal(more, undefined, 'one reply each, and none when it is off')
    }
    const askers: Pid[] = []
    for (let i = 0; i < 3; i++) askers.push(await node.spawn(asker, threadOf(i)))
    if (inSome(node, 3)) await loseOne(node)
    for (const pid of askers) orderly(await node.assertExit(pid))
  },
}

/** Each task has one outcome, however it or its thread ends; nothing of it comes to the mailbox; a stream keeps its order. */
const tasks: Scenario = {
  name: 'tasks',
  options: { schedulers: THREADS },
  async run(node) {
    const owner = async (self: Self): Promise<void> => {
      const all = [0, 1, 2, 3].map((n) => {
        const run = { module, name: 'double', args: [n] }
        return task.asyncNoLink<number>(self, run, { place: threadOrHere(node, self, n) })
      })
      for (const [n, one] of all.entries()) {
        const dice = self.random()
        if (dice < 0.2) {
          await task.shutdown(self, one, 'brutal_kill')
          continue
        }
        const timeoutMs = dice < 0.4 ? 0 : 50
        const result = await task.yield(self, one, { timeoutMs })
        if (result === undefined) await task.ignore(self, one)
        else if ('ok' in result) assert.equal(result.ok, 2 * n)
        else assert.notEqual(result.exit, 'normal')
      }
      const seen: number[] = []
      const mine = async (its: Self, n: number): Promise<number> => {
        if (its.random() < 0.5) await its.sleep(its.random() < 0.5 ? 1 : 2)
        return n * n
      }
      for await (const result of task.asyncStream(self, [1, 2, 3, 4, 5], mine, {
        maxConcurrency: 2,
      })) {
        if ('ok' in result) seen.push(result.ok)
      }
      assert.deepEqual(seen, [1, 4, 9, 16, 25], 'in order, each once')
      assert.equal(await self.receive(() => true, 100), undefined, 'nothing in the mailbox')
    }
    const owners: Pid[] = []
    for (let i = 0; i < 2; i++) owners.push(await node.spawn(owner, threadOf(i)))
    if (inSome(node, 3)) await loseOne(node)
    for (const pid of owners) orderly(await node.assertExit(pid))
  },
}

/** A thread that runs, mostly another one; tasks are started while it is being lost, too. */
const threadOrHere = (node: TestNode, self: Self, n: number): { scheduler: number } | 'here' => {
  const all = node.schedulers()
  return self.random() < 0.3 ? 'here' : { scheduler: all[n % all.length] as number }
}

/** Each update counts once, and whoever had its answer finds it in the state. */
const agents: Scenario = {
  name: 'agent',
  options: { schedulers: THREADS },
  async run(node) {
    const run = { module, name: 'zero', args: [] }
    const one = { module, name: 'plusOne', args: [] }
    const same = { module, name: 'same', args: [] }
    // On main, which no fault ends.
    const pid = await agent.start<number>(node.self, run)
    let answered = 0
    let asked = 0
    const adder = async (self: Self): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        asked++
        if (self.random() < 0.3) agent.cast(self, pid, one)
        else {
          await agent.update(self, pid, one)
          answered++
        }
        const found = await agent.get<number, number>(self, pid, same)
        assert.ok(found >= answered - 8 && found <= asked)
      }
    }
    const adders: Pid[] = []
    for (let i = 0; i < 4; i++) adders.push(await node.spawn(adder, threadOf(i)))
    const loses = inSome(node, 3)
    if (loses) await loseOne(node)
    for (const adding of adders) orderly(await node.assertExit(adding))
    await node.runUntilIdle()
    const sum = await agent.get<number, number>(node.self, pid, same)
    assert.ok(sum >= answered && sum <= asked, `${answered} <= ${sum} <= ${asked}`)
    if (!loses) assert.equal(sum, asked)
  },
}

const Shard = genServer('testing.shard', {
  init: () => ({ count: 0 }),
  handleCall: {
    add: (state) => ++state.count,
  },
})
const shards = partitionSupervisor(Shard.child(undefined), { name: 'shards' })

/** A key is one partition on every thread, also while threads are lost; each is there again in the end. */
const partitions: Scenario = {
  name: 'partition supervisor',
  options: { schedulers: 2, app: supervisor({ maxRestarts: 100, children: [shards] }) },
  async run(node) {
    const client = async (self: Self): Promise<void> => {
      for (const key of ['a', 'b', 'c', 'd']) {
        try {
          const count = await self.call(Shard.named(shards.via(self, key)), 'add')
          assert.ok(count >= 1)
        } catch (error) {
          if (!(error instanceof Exit)) throw error
          assert.notEqual((error.reason as { reason: unknown }).reason, 'timeout')
        }
      }
    }
    const clients: Pid[] = []
    for (let i = 0; i < 3; i++) {
      clients.push(await node.spawn(client, { scheduler: 1 + (i % 2) }))
    }
    const villain = (): void => {
      const victims = living(node, Shard.name)
      const pid = victims[Math.floor(node.self.random() * victims.length)]
      if (pid !== undefined) node.exit(pid, 'kill')
    }
    if (inSome(node, 2)) villain()
    if (inSome(node, 2)) await loseOne(node)
    for (const pid of clients) orderly(await node.assertExit(pid))
    await node.advance(1_000)
    assert.equal(living(node, Shard.name).length, 2, 'one on each thread')
    for (const key of ['a', 'b', 'c', 'd']) {
      assert.ok((await node.self.call(Shard.named(shards.via(node.self, key)), 'add')) >= 1)
    }
  },
}

const Echo = genServer('testing.echo', {
  init: () => 0,
  handleCall: { echo: (_state, n: number) => n },
})

/** Calls and answers that are lost, late and doubled: each call ends once, with its own answer or a timeout. */
const answers: Scenario = {
  name: 'lost, late and doubled answers',
  options: { schedulers: 2 },
  async run(node) {
    const server = await node.spawn(Echo, undefined, { place: { scheduler: 1 } })
    const asker = async (self: Self): Promise<void> => {
      for (let n = 0; n < 4; n++) {
        try {
          const told = await self.call(server, 'echo', n, { timeoutMs: 5 })
          assert.equal(told, n, 'the answer to this call')
        } catch (error) {
          if (!(error instanceof Exit)) throw error
          assert.equal((error.reason as { reason: unknown }).reason, 'timeout')
        }
      }
      assert.equal(await self.receive(() => true, 50), undefined, 'no answer in the mailbox')
    }
    const askers: Pid[] = []
    for (let i = 0; i < 3; i++) {
      const pid = await node.spawn(asker, { scheduler: 1 + (i % 2) })
      askers.push(pid)
      const dice = node.self.random()
      const count = 1 + Math.floor(node.self.random() * 2)
      const [from, to] = node.self.random() < 0.6 ? [server, pid] : [pid, server]
      if (dice < 0.3) node.faults.drop(from, to, { count })
      else if (dice < 0.6) node.faults.delay(from, to, dice < 0.45 ? 5 : 7, { count })
      else node.faults.duplicate(from, to, { count })
    }
    for (const pid of askers) assert.equal(await node.assertExit(pid), 'normal')
  },
}

export const clientScenarios: readonly Scenario[] = [
  locks,
  aliases,
  tasks,
  agents,
  partitions,
  answers,
]
