/** Presence under every schedule: what all threads say of who is there, while processes, trackers and threads end. */
import assert from 'node:assert/strict'
import { type BroadcastMessage, type Pid, type Self, supervisor } from 'beamish'
import type { TestNode } from 'beamish/testing'
import { type PresenceDiff, type Presences, presence } from '../../../channels/presence/index.ts'
import { trackerRegistry } from '../../../channels/presence/server.ts'
import {
  inSome,
  loseOne,
  type Scenario,
  THREADS,
  threadOf,
} from '../../runtime/testing/scenario.ts'
import { chaosScenarios } from './chaos.ts'

export const TOPIC = 'everywhere'
const HEARTBEAT_MS = 100
/** Long enough for a heartbeat that tells of a loss, and for a request that is made again. */
const SETTLED_MS = 5_000

interface Step {
  readonly n: number
}

/** Small limits: what is told in pieces, and what is no longer remembered, come up in a short run. */
export const Drawn = presence<Step>('drawn', {
  broadcastPeriodMs: 2,
  maxDiffSize: 2,
  maxDeltaLog: 3,
  heartbeatMs: HEARTBEAT_MS,
})

/** What a client that got the list, and each diff since, holds: refs by key. */
class Mirror {
  readonly refs = new Map<string, string>()

  add(presences: Presences<Step>): void {
    for (const [key, { metas }] of Object.entries(presences))
      for (const { phx_ref } of metas) this.refs.set(phx_ref, key)
  }

  take({ joins, leaves }: PresenceDiff<Step>): void {
    this.add(joins)
    for (const { metas } of Object.values(leaves))
      for (const { phx_ref } of metas) this.refs.delete(phx_ref)
  }
}

const refsOf = (presences: Presences<Step>): [string, string][] =>
  Object.entries(presences)
    .flatMap(([key, { metas }]) => metas.map(({ phx_ref }): [string, string] => [phx_ref, key]))
    .sort()

/** Acts at random, and writes down what is true of it; whom anything fails, ends. */
function visitor(key: string, truth: Map<string, number>) {
  return async (self: Self): Promise<void> => {
    try {
      for (let n = 1; n < 6; n++) {
        if (self.random() < 0.3) await self.sleep(Math.floor(self.random() * 5))
        truth.delete(key)
        const has = await Drawn.getByKey(self, TOPIC, key)
        if (has === undefined) {
          assert.equal((await Drawn.track(self, TOPIC, self.pid, key, { n })).ok, true)
          truth.set(key, n)
        } else if (self.random() < 0.6) {
          assert.equal((await Drawn.update(self, TOPIC, self.pid, key, { n })).ok, true)
          truth.set(key, n)
        } else await Drawn.untrack(self, TOPIC, self.pid, key)
      }
      if (self.random() < 0.3) self.exit('boom')
    } catch (error) {
      truth.delete(key)
      throw error
    }
    await self.receive()
  }
}

async function watch(node: TestNode, scheduler: number): Promise<Mirror> {
  const mirror = new Mirror()
  await node.spawn(
    async (self) => {
      self.subscribe(TOPIC)
      mirror.add(await Drawn.list(self, TOPIC))
      self.send(node.self.pid, 'watching')
      for (;;) {
        const { event, payload } = (await self.receive()) as BroadcastMessage
        if (event === 'presence_diff') mirror.take(payload as PresenceDiff<Step>)
      }
    },
    { scheduler },
  )
  await node.assertReceive('watching')
  return mirror
}

async function trackers(node: TestNode): Promise<Pid[]> {
  return (await trackerRegistry('drawn').select(node.self)).map(({ pid }) => pid)
}

const converges: Scenario = {
  name: 'presence',
  options: { schedulers: THREADS, app: supervisor({ children: [Drawn.child()] }) },
  async run(node) {
    await node.runUntilIdle()
    const mirrors = new Map<number, Mirror>()
    for (const id of node.schedulers()) mirrors.set(id, await watch(node, id))
    const truth = new Map<string, number>()
    const visitors = new Map<string, Pid>()
    for (let i = 0; i < 6; i++) {
      const key = `visitor ${i}`
      visitors.set(key, await node.spawn(visitor(key, truth), threadOf(i)))
    }
    const [first, second] = await trackers(node)
    const faults = [
      inSome(node, 3) && node.faults.drop('any', first!, { count: 2, kinds: ['broadcast'] }),
      inSome(node, 3) && node.faults.duplicate('any', second!, { count: 2, kinds: ['broadcast'] }),
    ]
    if (inSome(node, 3)) node.exit(second!, 'kill')
    if (inSome(node, 2)) await loseOne(node)
    await node.advance(SETTLED_MS)
    for (const end of faults) if (end) end()
    // What was lost at the very end shows with the next change.
    for (const scheduler of node.schedulers()) {
      const last = await node.spawn(visitor(`last ${scheduler}`, truth), { scheduler })
      visitors.set(`last ${scheduler}`, last)
    }
    await node.advance(SETTLED_MS)
    for (const [key, pid] of visitors) if (!(await node.self.alive(pid))) truth.delete(key)
    const expected = [...truth].sort()
    for (const scheduler of node.schedulers()) {
      await node.spawn(
        async (self) => {
          self.send(node.self.pid, { there: await Drawn.list(self, TOPIC) })
        },
        { scheduler },
      )
      const { there } = (await node.assertReceive({})) as { there: Presences<Step> }
      const said = Object.entries(there).map(([key, { metas }]) => {
        assert.equal(metas.length, 1, `${key} is there once`)
        return [key, metas[0]!.n]
      })
      assert.deepEqual(said.sort(), expected, `what thread ${scheduler} says`)
      const mirror = mirrors.get(scheduler)
      if (mirror === undefined) continue
      assert.deepEqual([...mirror.refs].sort(), refsOf(there), `what its clients hold`)
    }
  },
}

export const presenceScenarios: readonly Scenario[] = [converges, ...chaosScenarios]
