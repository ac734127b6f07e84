/** otp 145 to 149: significant children may end their supervisor; beside it and on another thread. */
import { type BeamishNode, type Placement, supervisor } from 'beamish'
import t, { type Test } from 'tap'
import { endsSupervisor } from '../../../runtime/supervisor/policy.ts'
import { downReason, isType, schedulerCounts, startNode } from '../kit.ts'
import { Gate } from './children.ts'
import { Trees } from './trees.ts'

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
  const trees = new Trees(node, place)
  const { child, startTree, events, up, pidOf, stopTree, crash, which, forget } = trees
  const transient = { restart: 'transient', significant: true } as const
  const temporary = { restart: 'temporary', significant: true } as const
  const any = { autoShutdown: 'any_significant' } as const
  const all = { autoShutdown: 'all_significant' } as const

  for (const reason of ['normal', 'shutdown', { shutdown: 'done' }]) {
    await t.test(
      `otp 145: any_significant: a transient one that ends ${JSON.stringify(reason)} ends the supervisor`,
      async (t) => {
        const sup = await startTree([child('a'), child('job', transient), child('z')], any)
        const ref = self.monitor(sup)
        await events('up', 3)
        self.cast(await pidOf(sup, 'job'), 'end', reason)
        t.equal(await downReason(node, ref), 'shutdown')
        t.strictSame(await events('down', 3), ['job', 'z', 'a'], 'the others stop in reverse')
        await forget()
      },
    )
  }

  await t.test('otp 145: a temporary one does so for any reason', async (t) => {
    const sup = await startTree([child('job', temporary), child('z')], any)
    const ref = self.monitor(sup)
    self.cast(await pidOf(sup, 'job'), 'end', 'boom')
    t.equal(await downReason(node, ref), 'shutdown')
    await forget()
  })

  await t.test('otp 146: any_significant: one that crashes is just restarted', async (t) => {
    const sup = await startTree([child('job', transient)], any)
    await events('up', 1)
    const pid = await pidOf(sup, 'job')
    self.cast(pid, 'end', 'boom')
    t.not(await up(), pid)
    t.equal(await self.alive(sup), true)
    await stopTree(sup)
  })

  await t.test('the end of one that is not significant changes nothing', async (t) => {
    const sup = await startTree([child('plain', { restart: 'transient' }), child('b')], any)
    await crash(await pidOf(sup, 'plain'), 'normal')
    t.match(await which(sup), [{ id: 'b' }, { id: 'plain', pid: undefined }])
    await stopTree(sup)
  })

  await t.test('otp 147: all_significant: the last one ends the supervisor', async (t) => {
    const children = [child('one', transient), child('two', temporary), child('plain')]
    const sup = await startTree(children, all)
    const ref = self.monitor(sup)
    await crash(await pidOf(sup, 'two'), 'boom')
    t.equal(await self.alive(sup), true, 'another one is left')
    t.equal((await which(sup)).length, 2)
    self.cast(await pidOf(sup, 'one'), 'end', 'normal')
    t.equal(await downReason(node, ref), 'shutdown')
    await forget()
  })

  await t.test('otp 147: one that is being restarted is left, too', async (t) => {
    const gate = `gate 147 ${JSON.stringify(place)}`
    const gatePid = await self.start(Gate, undefined, { name: gate })
    const sup = await startTree(
      [child('job', { ...transient, ask: gate }), child('b', transient)],
      {
        ...all,
        maxRestarts: 1_000_000,
      },
    )
    await events('up', 2)
    await self.call(gatePid, 'always', 'refused')
    await crash(await pidOf(sup, 'job'), 'boom')
    await crash(await pidOf(sup, 'b'), 'normal')
    t.equal(await self.alive(sup), true)
    await self.call(gatePid, 'always', 'ok')
    t.ok(await self.receive(isType('up'), 5_000), 'it comes back')
    await self.stop(gatePid)
    await stopTree(sup)
  })

  await t.test('otp 148: terminateChild of a significant one ends nothing', async (t) => {
    for (const limits of [any, all]) {
      const sup = await startTree([child('job', transient), child('tmp', temporary)], limits)
      t.equal(await self.call(sup, 'terminateChild', 'job'), 'ok')
      t.equal(await self.call(sup, 'terminateChild', 'tmp'), 'ok')
      t.match(await which(sup), [{ id: 'job', pid: undefined }])
      await stopTree(sup)
    }
  })

  await t.test('one stopped with a sibling it is tied to ends nothing', async (t) => {
    const sup = await startTree([child('a'), child('job', temporary), child('b')], {
      ...any,
      strategy: 'one_for_all',
    })
    await events('up', 3)
    self.cast(await pidOf(sup, 'a'), 'end', 'boom')
    t.strictSame(await events('up', 2), ['a', 'b'], 'a temporary one is not started again')
    t.equal(await self.alive(sup), true)
    await stopTree(sup)
  })

  await t.test('otp 149: what makes no sense is refused by startChild, too', async (t) => {
    const refused = (fix: RegExp) => ({
      ok: false,
      reason: { error: { code: 'BEAMISH_BAD_CHILD', message: fix } },
    })
    const never = await startTree([])
    t.match(await self.call(never, 'startChild', child('x', transient)), refused(/autoShutdown/))
    await stopTree(never)
    const sup = await startTree([], any)
    const permanent = { ...child('x', transient), restart: 'permanent' }
    t.match(await self.call(sup, 'startChild', permanent), refused(/permanent/))
    t.match(await self.call(sup, 'startChild', child('x', transient)), { ok: true })
    await stopTree(sup)
  })

  await t.test('an outer supervisor restarts it, unless it is transient there', async (t) => {
    const inner = (restart: 'permanent' | 'transient') =>
      supervisor({ ...any, id: 'inner', restart, place, children: [child('job', temporary)] })
    for (const restart of ['permanent', 'transient'] as const) {
      const sup = await startTree([inner(restart)])
      await events('up', 1)
      const innerPid = await pidOf(sup, 'inner')
      const ref = self.monitor(innerPid)
      self.cast(await pidOf(innerPid, 'job'), 'end', 'normal')
      t.equal(await downReason(node, ref), 'shutdown')
      if (restart === 'permanent') t.ok(await up(), 'it starts again')
      else t.match(await which(sup), [{ id: 'inner', pid: undefined }])
      await stopTree(sup)
    }
  })
}

t.test('otp 149: significant makes sense for some children of some supervisors only', async (t) => {
  const spec = { behaviour: 'x', id: 'x', shutdown: 1, type: 'worker', significant: true } as const
  const tree = (restart: string, autoShutdown?: string, more = {}) =>
    supervisor({
      children: [{ ...spec, restart, ...more } as never],
      autoShutdown: autoShutdown as never,
    })
  t.throws(() => tree('permanent', 'any_significant'), { message: /permanent/ })
  t.throws(() => tree('transient', 'never'), { message: /give its supervisor autoShutdown/ })
  t.throws(() => tree('transient'), { code: 'BEAMISH_BAD_CHILD' })
  t.throws(() => tree('transient', 'sometimes'), { code: 'BEAMISH_BAD_OPTION' })
  t.throws(() => tree('transient', 'any_significant', { significant: 1 }), { message: /true or/ })
  t.throws(() => tree('transient', 'any_significant', { place: 'each' }), { message: /each/ })
  t.equal(tree('temporary', 'all_significant').argument.autoShutdown, 'all_significant')
})

t.test('which end ends the supervisor, as a table', async (t) => {
  const one = (significant: boolean, pid?: number, retry?: object) => ({
    spec: { significant },
    pid,
    retry,
  })
  t.equal(endsSupervisor('never', one(true), []), false)
  t.equal(endsSupervisor('any_significant', one(false), []), false)
  t.equal(endsSupervisor('any_significant', one(true), [one(true, 7)]), true)
  t.equal(endsSupervisor('all_significant', one(true), [one(true, 7)]), false)
  t.equal(endsSupervisor('all_significant', one(true), [one(true, undefined, {})]), false)
  t.equal(endsSupervisor('all_significant', one(true), [one(false, 7), one(true)]), true)
})
