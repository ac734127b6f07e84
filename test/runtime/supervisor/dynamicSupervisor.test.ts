// otp 152 to 158: children that come and go, beside their supervisor and on another thread.
import {
  type BeamishNode,
  type ChildSpec,
  type DynamicSupervisorOptions,
  dynamicSupervisor,
  type Pid,
  type Placement,
  type StartResult,
} from 'beamish'
import t, { type Test } from 'tap'
import { findBehaviour } from '../../../runtime/process/behaviour.ts'
import { Self } from '../../../runtime/process/self.ts'
import { Supervising } from '../../../runtime/supervisor/supervising.ts'
import { downReason, isType, rejection, schedulerCounts, startNode } from '../kit.ts'
import { Child, type ChildStart, Gate } from './children.ts'

const APP = new URL('./children.ts', import.meta.url)

for (const schedulers of schedulerCounts) {
  t.test(`with ${schedulers} scheduler threads`, async (t) => {
    const node = await startNode(APP, schedulers)
    t.teardown(() => node.stop())
    const last = node.schedulers().at(-1) as number
    await t.test('children beside their supervisor', (t) => suite(t, node, 'here'))
    await t.test('children on another thread', (t) => suite(t, node, { scheduler: last }))
  })
}

async function suite(t: Test, node: BeamishNode, place: Placement): Promise<void> {
  const { self } = node
  const startSupervisor = async (options: DynamicSupervisorOptions = {}): Promise<Pid> => {
    const spec = dynamicSupervisor(options)
    const behaviour = findBehaviour(spec.behaviour)
    if (behaviour === undefined) throw new Error('the dynamic supervisor is defined')
    return self.startLink(behaviour, spec.argument)
  }
  const child = (id: string, extra: Partial<ChildStart & ChildSpec> = {}): ChildSpec => {
    const { init, ask, terminateMs, restart, shutdown } = extra
    const start: ChildStart = { witness: self.pid, id, init, ask, terminateMs }
    return Child.child(start, { id, place, restart, shutdown })
  }
  const add = (sup: Pid, spec: unknown) =>
    self.call(sup, 'startChild', spec) as Promise<StartResult>
  const added = async (sup: Pid, spec: unknown): Promise<Pid> => {
    const result = await add(sup, spec)
    if (!result.ok) throw new Error(`not started: ${JSON.stringify(result.reason)}`)
    await self.receive(isType('up'), 5_000)
    return result.pid
  }
  const up = async (): Promise<Pid> => (await self.receive(isType('up'), 5_000))?.pid as Pid
  const count = (sup: Pid) => self.call(sup, 'countChildren')
  const which = (sup: Pid) => self.call(sup, 'whichChildren') as Promise<{ pid: unknown }[]>
  const crash = async (pid: Pid, reason = 'boom'): Promise<void> => {
    const ref = self.monitor(pid)
    self.cast(pid, 'end', reason)
    await downReason(node, ref)
  }
  const stopAll = async (sup: Pid): Promise<void> => {
    await self.stop(sup, 'shutdown')
    for (const type of ['down', 'EXIT']) {
      while ((await self.receive(isType(type), 0)) !== undefined);
    }
  }

  await t.test('otp 152: children beyond maxChildren are refused', async (t) => {
    const sup = await startSupervisor({ maxChildren: 2 })
    const first = await added(sup, child('a'))
    await added(sup, child('b'))
    t.same(await add(sup, child('c')), { ok: false, reason: 'max_children' })
    t.equal(await self.call(sup, 'terminateChild', first), 'ok')
    await added(sup, child('c'))
    t.same(await count(sup), { active: 2, restarting: 0 })
    await stopAll(sup)
  })

  await t.test(
    'otp 153: a child that fails to start is answered, and the supervisor lives',
    async (t) => {
      const sup = await startSupervisor()
      t.match(await add(sup, child('a', { init: { fail: 'no' } })), { ok: false, reason: 'no' })
      t.match(await add(sup, child('a', { init: { ignore: true } })), { ok: false, ignored: true })
      t.match(await add(sup, { behaviour: 'x' }), {
        ok: false,
        reason: { error: { code: 'BEAMISH_BAD_CHILD' } },
      })
      t.match(await add(sup, { ...child('a'), place: 'each' }), {
        ok: false,
        reason: { error: { code: 'BEAMISH_BAD_CHILD' } },
      })
      t.same(await count(sup), { active: 0, restarting: 0 })
      t.ok(await added(sup, child('b')))
      await stopAll(sup)
    },
  )

  await t.test(
    'a crashed child is restarted under a new pid, with the same arguments',
    async (t) => {
      const sup = await startSupervisor()
      const pid = await added(sup, child('a'))
      self.cast(pid, 'end', 'boom')
      const next = await up()
      t.not(next, pid)
      t.equal(await self.call(next, 'id'), 'a')
      t.match(await which(sup), [{ id: 'a', pid: next, type: 'worker', behaviour: 'test.child' }])
      await stopAll(sup)
    },
  )

  await t.test('what a temporary child was started with is not kept', async (t) => {
    const sup = await startSupervisor()
    for (const restart of ['temporary', 'permanent'] as const) {
      await added(sup, child(restart, { restart }))
    }
    const process = Self.processOf(self).scheduler.find(sup)
    const supervising = process?.behaviour
    if (process === undefined || !(supervising instanceof Supervising)) return t.fail('it is here')
    const kept = [...supervising.kept(process)].map(({ spec }) => [
      spec.id,
      spec.argument !== undefined,
    ])
    t.same(kept, [
      ['temporary', false],
      ['permanent', true],
    ])
    await self.stop(sup)
  })

  await t.test('temporary and orderly transient children are forgotten', async (t) => {
    const sup = await startSupervisor()
    await crash(await added(sup, child('a', { restart: 'temporary' })))
    await crash(await added(sup, child('b', { restart: 'transient' })), 'normal')
    t.same(await which(sup), [])
    await stopAll(sup)
  })

  await t.test('otp 154: a restart that answers ignore removes the child', async (t) => {
    const gate = `gate 154 ${JSON.stringify(place)}`
    const gatePid = await self.start(Gate, undefined, { name: gate })
    const sup = await startSupervisor()
    const pid = await added(sup, child('a', { ask: gate }))
    await self.call(gatePid, 'always', 'ignore')
    await crash(pid)
    t.same(await which(sup), [])
    t.same(await count(sup), { active: 0, restarting: 0 })
    await self.stop(gatePid)
    await stopAll(sup)
  })

  await t.test(
    'otp 152, 155: a restarting child shows, counts, and ends by its old pid',
    async (t) => {
      const gate = `gate 155 ${JSON.stringify(place)}`
      const gatePid = await self.start(Gate, undefined, { name: gate })
      const sup = await startSupervisor({ maxChildren: 1, maxRestarts: 1_000_000 })
      const pid = await added(sup, child('a', { ask: gate }))
      await self.call(gatePid, 'always', 'refused')
      await crash(pid)
      t.match(await which(sup), [{ id: 'a', pid: 'restarting' }])
      t.same(await count(sup), { active: 0, restarting: 1 })
      t.same(await add(sup, child('b')), { ok: false, reason: 'max_children' })
      t.equal(await self.call(sup, 'terminateChild', pid), 'ok')
      t.same(await which(sup), [])
      t.equal(await self.call(sup, 'terminateChild', pid), 'not_found')
      await self.stop(gatePid)
      await stopAll(sup)
    },
  )

  await t.test(
    'more restarts than maxRestarts end it with shutdown, and all its children',
    async (t) => {
      const sup = await startSupervisor({ maxRestarts: 1, maxSeconds: 60 })
      const ref = self.monitor(sup)
      const sibling = self.monitor(await added(sup, child('sibling')))
      self.cast(await added(sup, child('a')), 'end', 'boom')
      self.cast(await up(), 'end', 'boom')
      t.equal(await downReason(node, ref), 'shutdown')
      t.equal(await downReason(node, sibling), 'shutdown')
      while ((await self.receive(isType('down'), 0)) !== undefined);
    },
  )

  await t.test('otp 156: extra arguments are there at the start, and at restarts', async (t) => {
    const sup = await startSupervisor({ extraArguments: { witness: self.pid, id: 'of all' } })
    const bare = (argument: unknown) => ({ ...child('x'), argument })
    const first = await added(sup, bare({ id: 'own' }))
    t.equal(await self.call(first, 'id'), 'own', 'its own fields win')
    self.cast(first, 'end', 'boom')
    t.equal(await self.call(await up(), 'id'), 'own')
    const second = await added(sup, bare(undefined))
    t.equal(await self.call(second, 'id'), 'of all')
    self.cast(second, 'end', 'boom')
    t.equal(await self.call(await up(), 'id'), 'of all')
    for (const argument of [7, ['a'], new Map([['id', 1]])]) {
      t.match(await add(sup, bare(argument)), { reason: { error: { message: /give an object/ } } })
    }
    t.match(await rejection(startSupervisor({ extraArguments: 7 as never })), {
      code: 'BEAMISH_BAD_OPTION',
    })
    await stopAll(sup)
  })

  await t.test('otp 157: all children stop at once, each with its own shutdown', async (t) => {
    const sup = await startSupervisor()
    const slow = { terminateMs: 60_000, shutdown: 500 } as const
    const killed = [await added(sup, child('s1', slow)), await added(sup, child('s2', slow))]
    const orderly = await added(sup, child('quick'))
    const refs = [...killed, orderly].map((pid) => self.monitor(pid))
    const reasons: unknown[] = []
    const stopping = self.stop(sup, 'shutdown')
    // The quick one, started last, is not kept waiting; the slow ones end together.
    const last = refs.at(-1)
    if (last !== undefined) reasons.push(await downReason(node, last))
    t.equal(await self.alive(killed[0] as Pid), true)
    await stopping
    for (const ref of refs.slice(0, 2)) reasons.push(await downReason(node, ref))
    t.same(reasons, ['shutdown', 'killed', 'killed'])
    while ((await self.receive(isType('down'), 0)) !== undefined);
  })

  await t.test('otp 158: terminateChild of a dead or foreign pid is not_found', async (t) => {
    const sup = await startSupervisor()
    const pid = await added(sup, child('a', { restart: 'temporary' }))
    await crash(pid)
    t.equal(await self.call(sup, 'terminateChild', pid), 'not_found')
    t.equal(await self.call(sup, 'terminateChild', self.pid), 'not_found')
    await stopAll(sup)
  })

  await t.test('a bad maxChildren names the fix', async (t) => {
    const bad = await rejection(
      Promise.resolve().then(() => dynamicSupervisor({ maxChildren: -1 })),
    )
    t.match(bad, { code: 'BEAMISH_BAD_OPTION', message: /maxChildren is -1: give a whole number/ })
  })
}
