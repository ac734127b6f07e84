// otp 126 to 138 and 143, of supervisors whose children are tied to each other: beside them and on another thread.
import type { BeamishNode, ExitReason, Pid, Placement, SupervisorOptions } from 'beamish'
import t, { type Test } from 'tap'
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

const limits = (
  strategy: SupervisorOptions['strategy'],
  maxRestarts = 1,
): Partial<SupervisorOptions> => ({ strategy, maxRestarts, maxSeconds: 3_600 })

async function suite(t: Test, node: BeamishNode, place: Placement): Promise<void> {
  const { self } = node
  const trees = new Trees(node, place)
  const { child, startTree, events, up, nothing, which, pidOf, stopTree, reports, crash } = trees
  /** A test with a gate its children may ask, by its name. */
  const gated = (
    name: string,
    run: (t: Test, gate: ReturnType<typeof Gate.named>, at: string) => unknown,
  ) =>
    t.test(name, async (t) => {
      const at = `gate ${name.slice(0, 100)} ${JSON.stringify(place)}`
      const pid = await self.start(Gate, undefined, { name: at })
      await run(t, Gate.named(at), at)
      await self.stop(pid)
      await trees.forget()
    })
  /** Waits until somebody waits at a gate told to hold. */
  const held = async (): Promise<unknown> => (await self.receive(isType('held'), 5_000))?.id

  await t.test('otp 126, 132: one_for_all replaces all children and counts once', async (t) => {
    const sup = await startTree([child('a'), child('b'), child('c')], limits('one_for_all'))
    await events('up', 3)
    const before = (await which(sup)).map(({ pid }) => pid)
    const ref = self.monitor(sup)
    await crash(await pidOf(sup, 'b'), 'boom')
    t.same(await events('down', 3), ['b', 'c', 'a'], 'the others are stopped in reverse')
    t.same(await events('up', 3), ['a', 'b', 'c'], 'all are started in order')
    const after = (await which(sup)).map(({ pid }) => pid)
    t.notOk(after.some((pid) => before.includes(pid)))
    await crash(await pidOf(sup, 'a'), 'boom')
    t.equal(await downReason(node, ref), 'shutdown', 'the second is one too many')
    t.same(await events('down', 3), ['a', 'c', 'b'])
    await trees.forget()
  })

  await t.test('otp 127: rest_for_one replaces it and those started after it', async (t) => {
    const sup = await startTree([child('a'), child('b'), child('c')], limits('rest_for_one'))
    await events('up', 3)
    const before = await which(sup)
    await crash(await pidOf(sup, 'b'), 'boom')
    t.same(await events('down', 2), ['b', 'c'])
    t.same(await events('up', 2), ['b', 'c'])
    const after = await which(sup)
    t.same(
      after.map(({ id, pid }, i) => [id, pid === before[i]?.pid]),
      [
        ['c', false],
        ['b', false],
        ['a', true],
      ],
    )
    await stopTree(sup)
  })

  await t.test('otp 128: one_for_all stops a temporary sibling and forgets it', async (t) => {
    const sup = await startTree(
      [child('a'), child('b', { restart: 'temporary' }), child('c')],
      limits('one_for_all'),
    )
    await events('up', 3)
    await crash(await pidOf(sup, 'a'), 'boom')
    t.same(await events('down', 3), ['a', 'c', 'b'])
    t.same(await events('up', 2), ['a', 'c'])
    t.same(
      (await which(sup)).map(({ id }) => id),
      ['c', 'a'],
    )
    await stopTree(sup)
  })

  await t.test('a child started later is the last of the rest', async (t) => {
    const sup = await startTree([child('a'), child('b')], limits('rest_for_one'))
    await self.call(sup, 'startChild', child('c'))
    await events('up', 3)
    await crash(await pidOf(sup, 'b'), 'boom')
    t.same(await events('up', 2), ['b', 'c'])
    await stopTree(sup)
  })

  await t.test('one_for_all starts those, too, that had ended or been terminated', async (t) => {
    const children = [child('ended', { restart: 'transient' }), child('terminated'), child('c')]
    const sup = await startTree(children, limits('one_for_all'))
    await events('up', 3)
    await crash(await pidOf(sup, 'ended'), 'normal')
    t.equal(await self.call(sup, 'terminateChild', 'terminated'), 'ok')
    t.match(await which(sup), [{ pid: Number }, { pid: undefined }, { pid: undefined }])
    await crash(await pidOf(sup, 'c'), 'boom')
    t.same(await events('up', 3), ['ended', 'terminated', 'c'])
    await stopTree(sup)
  })

  await gated(
    'a tied child that ignores its new start stays without a process',
    async (t, gate, at) => {
      const sup = await startTree([child('a'), child('b', { ask: at })], limits('one_for_all'))
      await events('up', 2)
      await self.call(gate, 'answers', ['ignore'])
      await crash(await pidOf(sup, 'a'), 'boom')
      t.match(await which(sup), [
        { id: 'b', pid: undefined },
        { id: 'a', pid: Number },
      ])
      await stopTree(sup)
    },
  )

  await gated(
    'otp 137: one_for_all: when another fails to start, those restarted are stopped and all tried again',
    async (t, gate, at) => {
      const children = [child('a'), child('b'), child('c', { ask: at }), child('d')]
      const sup = await startTree(children, limits('one_for_all', 3))
      await events('up', 4)
      await self.call(gate, 'answers', ['no', 'no'])
      await crash(await pidOf(sup, 'b'), 'boom')
      t.same(await events('up', 8), ['a', 'b', 'a', 'b', 'a', 'b', 'c', 'd'])
      t.same(await events('down', 8), ['b', 'd', 'c', 'a', 'b', 'a', 'b', 'a'])
      t.ok(await self.alive(sup), 'one crash and two failed attempts are three')
      await stopTree(sup)
    },
  )

  await gated(
    'otp 138: rest_for_one: when another fails to start, only it and the rest are tried again',
    async (t, gate, at) => {
      const children = [child('a'), child('b'), child('c', { ask: at }), child('d')]
      const sup = await startTree(children, limits('rest_for_one', 3))
      await events('up', 4)
      await self.call(gate, 'answers', ['no', 'no'])
      await crash(await pidOf(sup, 'b'), 'boom')
      t.same(await events('up', 3), ['b', 'c', 'd'])
      t.same(await events('down', 3), ['b', 'd', 'c'])
      t.ok(await nothing('down'), 'b, restarted, is left alone')
      await stopTree(sup)
    },
  )

  for (const strategy of ['one_for_all', 'rest_for_one'] as const) {
    await gated(`otp 133: ${strategy}: each failed attempt counts`, async (t, gate, at) => {
      const sup = await startTree([child('a', { ask: at }), child('b')], limits(strategy, 4))
      const ref = self.monitor(sup)
      await events('up', 2)
      await self.call(gate, 'always', 'refused')
      await crash(await pidOf(sup, 'a'), 'boom')
      t.equal(await downReason(node, ref), 'shutdown')
      t.equal(await self.call(gate, 'asked'), 1 + 4)
    })

    await gated(
      `otp 135, 136: ${strategy}: between failing restarts requests are served`,
      async (t, gate, at) => {
        const children = [child('a'), child('b', { ask: at }), child('c')]
        const sup = await startTree(children, limits(strategy, 1_000_000))
        await events('up', 3)
        await self.call(gate, 'always', 'refused')
        await crash(await pidOf(sup, 'b'), 'boom')
        t.match(await which(sup), [
          { id: 'c', pid: undefined },
          { id: 'b', pid: 'restarting' },
          { id: 'a', pid: Number },
        ])
        const refused = (reason: ExitReason) => ({ ok: false, reason })
        t.same(await self.call(sup, 'startChild', child('b')), refused('already_present'))
        t.same(await self.call(sup, 'restartChild', 'b'), refused('restarting'))
        t.equal(await self.call(sup, 'deleteChild', 'b'), 'restarting')
        t.equal(await self.call(sup, 'terminateChild', 'b'), 'ok')
        const asked = await self.call(gate, 'asked')
        t.match(await which(sup), [{ pid: undefined }, { id: 'b', pid: undefined }, { id: 'a' }])
        t.equal(await self.call(gate, 'asked'), asked, 'the loop has ended')
        t.match(await self.call(sup, 'restartChild', 'c'), { ok: true, pid: Number })
        await crash(await pidOf(sup, 'a'), 'boom')
        t.match(await which(sup), [{ id: 'c' }, { id: 'b', pid: 'restarting' }, { id: 'a' }])
        await trees.forget()
        const ref = self.monitor(sup)
        self.exit(sup, 'enough')
        t.equal(await downReason(node, ref), 'enough', 'its parent ends it between two attempts')
      },
    )
  }

  await gated(
    'an exit of its parent during a restart is obeyed as soon as the init under way is through',
    async (t, gate, at) => {
      const sup = await startTree([child('a', { ask: at }), child('b')], limits('one_for_all'))
      const ref = self.monitor(sup)
      await events('up', 2)
      await self.call(gate, 'always', 'hold')
      await crash(await pidOf(sup, 'a'), 'boom')
      t.equal(await held(), 'a')
      t.same(await events('down', 2), ['a', 'b'])
      self.exit(sup, 'enough')
      await self.call(gate, 'release', 'ok')
      t.equal(await downReason(node, ref), 'enough')
      t.same(await events('down', 2), ['b', 'a'], 'what it has started is stopped')
    },
  )

  await gated(
    'a sibling that crashes while it waits to be stopped is stopped, reported and restarted once',
    async (t, gate, at) => {
      const seen = reports(t)
      const children = [child('a'), child('b'), child('c', { terminateAsks: at })]
      const sup = await startTree(children, limits('one_for_all'))
      await events('up', 3)
      await self.call(gate, 'always', 'hold')
      const b = await pidOf(sup, 'b')
      await crash(await pidOf(sup, 'a'), 'boom')
      t.equal(await held(), 'c')
      await crash(b, 'bang')
      await self.call(gate, 'always', 'ok')
      await self.call(gate, 'release', 'ok')
      t.same(await events('up', 3), ['a', 'b', 'c'])
      t.match(await which(sup), [{ pid: Number }, { pid: Number }, { pid: Number }])
      t.ok(await nothing('up'), 'its end starts nothing again, and does not count')
      t.same(
        seen.map(({ context, child, reason }) => [context, child, reason]),
        [
          ['child_terminated', 'a', 'boom'],
          ['shutdown_error', 'b', 'bang'],
        ],
      )
      await stopTree(sup)
    },
  )

  await gated(
    'a sibling that crashes during the restart of another is restarted after it',
    async (t, gate, at) => {
      const sup = await startTree([child('a', { ask: at }), child('b')], limits('one_for_one', 2))
      await events('up', 2)
      await self.call(gate, 'always', 'hold')
      const b = await pidOf(sup, 'b')
      await crash(await pidOf(sup, 'a'), 'boom')
      t.equal(await held(), 'a')
      await crash(b, 'bang')
      await self.call(gate, 'release', 'ok')
      t.same(await events('up', 2), ['a', 'b'])
      await stopTree(sup)
    },
  )

  await gated(
    'a retry that was overtaken by the restart of all does nothing',
    async (t, gate, at) => {
      const sup = await startTree([child('a'), child('b', { ask: at })], limits('one_for_all', 2))
      await events('up', 2)
      await self.call(gate, 'always', 'hold')
      await crash(await pidOf(sup, 'b'), 'boom')
      const again = await up()
      t.equal(await held(), 'b')
      await crash(again, 'bang')
      await self.call(gate, 'always', 'ok')
      await self.call(gate, 'release', 'no')
      t.same(await events('up', 2), ['a', 'b'])
      t.match(await which(sup), [{ pid: Number }, { pid: Number }])
      t.ok(await nothing('up'))
      t.ok(await self.alive(sup), 'and did not count')
      await stopTree(sup)
    },
  )

  await t.test(
    'a child that crashes in terminate while tied is reported and restarted',
    async (t) => {
      const seen = reports(t)
      const children = [child('a'), child('b', { terminateThrows: true })]
      const sup = await startTree(children, limits('one_for_all'))
      await events('up', 2)
      await crash(await pidOf(sup, 'a'), 'boom')
      t.same(await events('up', 2), ['a', 'b'])
      t.match(seen, [
        { context: 'child_terminated', child: 'a', reason: 'boom' },
        { context: 'shutdown_error', child: 'b', reason: { error: { message: 'in terminate' } } },
      ])
      t.equal(seen.length, 2)
      await stopTree(sup)
    },
  )

  await t.test(
    'otp 143: a running child is neither restarted nor deleted by request',
    async (t) => {
      const sup = await startTree([child('a'), child('b')])
      await events('up', 2)
      const ask = (event: string, id: string): Promise<unknown> => self.call(sup, event, id)
      t.same(await ask('restartChild', 'a'), { ok: false, reason: 'running' })
      t.equal(await ask('deleteChild', 'a'), 'running')
      t.same(await ask('restartChild', 'x'), { ok: false, reason: 'not_found' })
      t.equal(await ask('deleteChild', 'x'), 'not_found')
      await ask('terminateChild', 'a')
      const started = (await ask('restartChild', 'a')) as { pid: Pid }
      t.same(started, { ok: true, pid: await pidOf(sup, 'a') })
      t.same(await events('up', 1), ['a'])
      await ask('terminateChild', 'a')
      t.equal(await ask('deleteChild', 'a'), 'ok')
      t.match(await which(sup), [{ id: 'b' }])
      t.match(await self.call(sup, 'startChild', child('a')), { ok: true })
      t.match(await which(sup), [{ id: 'a' }, { id: 'b' }], 'deleted, it is a new child')
      await stopTree(sup)
    },
  )

  await gated(
    'a restart by request that fails is answered, and not tried again',
    async (t, gate, at) => {
      const sup = await startTree([child('a', { ask: at })])
      await events('up', 1)
      await self.call(sup, 'terminateChild', 'a')
      await self.call(gate, 'answers', ['no'])
      t.match(await self.call(sup, 'restartChild', 'a'), { ok: false, reason: 'no' })
      t.match(await which(sup), [{ id: 'a', pid: undefined }])
      t.equal(await self.call(gate, 'asked'), 2)
      await stopTree(sup)
    },
  )
}
