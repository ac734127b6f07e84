/** Links, calls, supervisors and the root, while processes crash, are killed and threads are lost. */
import assert from 'node:assert/strict'
import { Exit, genServer, type Pid, type Ref, type Self, supervisor } from 'beamish'
import { supervisorBehaviour } from '../../../runtime/supervisor/supervisor.ts'
import { inSome, living, loseOne, type Scenario, THREADS, threadOf } from './scenario.ts'

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
const root = (strategy: (typeof STRATEGIES)[number]): Scenario => ({
  name: `root, ${strategy}, and lost threads`,
  options: {
    schedulers: 2,
    app: supervisor({
      strategy,
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
      for (let i = 0; i < 3; i++) {
        const victims = living(node, Kid.name)
        const pid = victims[Math.floor(self.random() * victims.length)]
        if (pid !== undefined && self.random() < 0.5) self.exit(pid, 'kill')
        if (self.random() < 0.3) await self.sleep(0)
      }
    }
    await node.spawn(villain)
    if (!inSome(node, 4)) await loseOne(node)
    if (inSome(node, 2)) {
      if (inSome(node, 2)) await node.runUntilIdle()
      await node.spawn(villain)
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
})

/** Calls while their servers crash, are killed, or lose their thread: each is answered or fails, at once, and only once. */
const calls: Scenario = {
  name: 'calls',
  options: { schedulers: THREADS },
  async run(node) {
    const servers: Pid[] = []
    for (let i = 0; i < 3; i++) {
      servers.push(await node.spawn(Kid, `${i}`, { place: threadOf(i), name: `server ${i}` }))
    }
    let settled = 0
    const CALLS = 3
    const caller = async (self: Self): Promise<void> => {
      for (let i = 0; i < CALLS; i++) {
        const at = Math.floor(self.random() * servers.length)
        const to = self.random() < 0.5 ? (servers[at] as Pid) : Kid.named(`server ${at}`)
        try {
          assert.equal(await self.call(to as Pid, 'id'), `${at}`)
        } catch (error) {
          if (!(error instanceof Exit)) throw error
          const { reason } = error.reason as { reason: unknown }
          assert.notEqual(reason, 'timeout')
        }
        settled++
      }
    }
    const villain = (self: Self): void => {
      for (const pid of servers) {
        const dice = self.random()
        if (dice < 0.3) self.exit(pid, 'kill')
        else if (dice < 0.6) self.cast(pid, 'crash')
      }
    }
    const callers: Pid[] = []
    for (let i = 0; i < 4; i++) callers.push(await node.spawn(caller, threadOf(i)))
    await node.spawn(villain)
    if (inSome(node, 2)) await loseOne(node)
    let whole = 0
    for (const pid of callers) {
      const reason = await node.assertExit(pid)
      if (reason === 'normal') whole++
      else assert.ok(typeof reason === 'object' && reason !== null && 'noconnection' in reason)
    }
    assert.ok(settled >= whole * CALLS)
    assert.equal(node.now, 0, 'nobody has waited for a timeout')
  },
}

/** Links and monitors made and undone while partners end: in the end they are mutual and among the living; each DOWN comes once. */
const signals: Scenario = {
  name: 'links and monitors',
  options: { schedulers: THREADS },
  async run(node) {
    const COUNT = 5
    const pids: Pid[] = []
    const watched = new Map<Pid, Map<Ref, Pid>>()
    const downs = new Map<Pid, Ref[]>()
    const actor = async (self: Self): Promise<void> => {
      self.trapExit(self.random() < 0.7)
      const mine = new Map<Ref, Pid>()
      const heard: Ref[] = []
      watched.set(self.pid, mine)
      downs.set(self.pid, heard)
      const any = (): Pid => pids[Math.floor(self.random() * pids.length)] as Pid
      let steps = 0
      for (;;) {
        const message = await self.receive()
        if (message instanceof Object && 'ref' in message) heard.push(message.ref as Ref)
        if (message !== 'go') continue
        if (++steps > 6) continue
        const dice = self.random()
        const to = any()
        if (dice < 0.35) self.link(to)
        else if (dice < 0.55) self.unlink(to)
        else if (dice < 0.8) mine.set(self.monitor(to), to)
        else if (dice < 0.9) {
          const [first] = mine.keys()
          if (first !== undefined) self.demonitor(first, { flush: true })
          if (first !== undefined && !heard.includes(first)) mine.delete(first)
        } else if (dice < 0.95) self.exit(to, 'boom')
        else self.exit('boom')
        self.send(self.pid, 'go')
      }
    }
    for (let i = 0; i < COUNT; i++) pids.push(await node.spawn(actor, threadOf(i)))
    for (const pid of pids) node.self.send(pid, 'go')
    if (inSome(node, 3)) await loseOne(node)
    await node.runUntilIdle()
    const alive = living(node, 'actor')
    for (const pid of alive) {
      const info = await node.self.info(pid)
      for (const to of info?.links ?? []) {
        assert.ok(alive.includes(to), 'no link with the dead')
        assert.ok((await node.self.info(to))?.links.includes(pid), 'a link is mutual')
      }
      const heard = downs.get(pid) ?? []
      assert.equal(new Set(heard).size, heard.length, 'a DOWN comes once')
      for (const [ref, to] of watched.get(pid) ?? []) {
        assert.equal(heard.includes(ref), !alive.includes(to), 'and only for the dead')
      }
    }
  },
}

export const treeScenarios: readonly Scenario[] = [
  signals,
  calls,
  supervisors,
  ...STRATEGIES.map(root),
]
