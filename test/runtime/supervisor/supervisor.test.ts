// otp 115 to 151, one_for_one: children beside their supervisor and on another thread.
// Longer than 400 lines because one suite runs all of it at both places.
import { type BeamishNode, type ExitReason, type Placement, supervisor } from 'beamish'
import t, { type Test } from 'tap'
import { type Behaviour, findBehaviour } from '../../../runtime/process/behaviour.ts'
import { downReason, isType, rejection, schedulerCounts, startNode } from '../kit.ts'
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
  const { child, startTree, events, up, nothing, which, pidOf, stopTree, reports, crash } = trees

  await t.test('otp 115: children start in order and stop in reverse, one at a time', async (t) => {
    const sup = await startTree([child('a'), child('b', { terminateMs: 10 }), child('c')])
    t.same(await events('up', 3), ['a', 'b', 'c'])
    await self.stop(sup, 'shutdown')
    t.same(await events('down', 3), ['c', 'b', 'a'])
  })

  await t.test(
    'otp 116: when a child fails to start, those before it are stopped in reverse',
    async (t) => {
      const bad = child('bad', { init: { fail: 'no' } })
      const outcome = await rejection(startTree([child('a'), child('b'), bad, child('never')]))
      t.same(outcome, { shutdown: { failedToStartChild: 'bad', reason: 'no' } })
      t.same(await events('up', 2), ['a', 'b'])
      t.same(await events('down', 2), ['b', 'a'])
      t.ok(await nothing('up'))
    },
  )

  await t.test(
    'otp 117: a supervisor whose first start fails is an error, not ignored',
    async (t) => {
      const outcome = await rejection(startTree([child('bad', { init: { fail: 'no' } })]))
      t.same(outcome, { shutdown: { failedToStartChild: 'bad', reason: 'no' } })
      const Optional = findBehaviour('test.child') as Behaviour
      const start = { witness: self.pid, id: 'x', init: { ignore: true } }
      const ignored = await self.start(Optional, start, { place }).catch((error: unknown) => error)
      t.match(ignored, { name: 'StartError', ignored: true }, 'ignore is told as such')
    },
  )

  await t.test(
    'otp 118: a child that ignores keeps its spec, a temporary one does not',
    async (t) => {
      const ignoring = { init: { ignore: true } } as const
      const sup = await startTree([
        child('kept', ignoring),
        child('gone', { ...ignoring, restart: 'temporary' }),
        child('up'),
      ])
      await events('up', 1)
      t.match(await which(sup), [
        { id: 'up', pid: Number, type: 'worker', behaviour: 'test.child' },
        { id: 'kept', pid: undefined },
      ])
      t.same(await self.call(sup, 'countChildren'), {
        specs: 2,
        active: 1,
        supervisors: 0,
        workers: 2,
      })
      await stopTree(sup)
    },
  )

  await t.test('otp 119: a bad spec is refused, and nothing starts', async (t) => {
    const sup = await startTree([])
    for (const bad of [
      null,
      7,
      {},
      { ...child('x'), restart: 'always' },
      { ...child('x'), id: '' },
    ]) {
      t.match(await self.call(sup, 'startChild', bad), {
        ok: false,
        reason: { error: { code: 'BEAMISH_BAD_CHILD' } },
      })
    }
    t.match(await self.call(sup, 'startChild', { ...child('x'), behaviour: 'no such' }), {
      ok: false,
      reason: { error: { code: 'BEAMISH_BEHAVIOUR_UNKNOWN' } },
    })
    t.same(await which(sup), [])
    await stopTree(sup)
  })

  await t.test('a child placed each is refused anywhere but at the root', async (t) => {
    const sup = await startTree([])
    t.match(await self.call(sup, 'startChild', { ...child('x'), place: 'each' }), {
      ok: false,
      reason: { error: { code: 'BEAMISH_BAD_CHILD', message: /root of an app only/ } },
    })
    await stopTree(sup)
  })

  await t.test(
    'otp 120: an id in use answers alreadyStarted, one that ended already_present',
    async (t) => {
      const sup = await startTree([child('a', { restart: 'transient' })])
      const pid = await up()
      t.same(await self.call(sup, 'startChild', child('a')), {
        ok: false,
        reason: { alreadyStarted: pid },
      })
      await crash(pid, 'normal')
      t.same(await self.call(sup, 'startChild', child('a')), {
        ok: false,
        reason: 'already_present',
      })
      await stopTree(sup)
    },
  )

  await t.test('a child started later is supervised and stopped first', async (t) => {
    const sup = await startTree([child('a')])
    t.match(await self.call(sup, 'startChild', child('b')), { ok: true, pid: Number })
    t.same(await events('up', 2), ['a', 'b'])
    await self.stop(sup, 'shutdown')
    t.same(await events('down', 2), ['b', 'a'])
  })

  await t.test(
    'otp 121: a permanent child is restarted after any end, and that is reported',
    async (t) => {
      const seen = reports(t)
      const sup = await startTree([child('a')], { maxRestarts: 10 })
      let pid = await up()
      for (const reason of ['normal', 'shutdown', { shutdown: 1 }, 'boom'] as ExitReason[]) {
        self.cast(pid, 'end', reason)
        const next = await up()
        t.not(next, pid, `a new one after ${JSON.stringify(reason)}`)
        pid = next
      }
      t.same(
        seen.map(({ context, child, reason }) => [context, child, reason]),
        [
          ['child_terminated', 'a', 'normal'],
          ['child_terminated', 'a', 'shutdown'],
          ['child_terminated', 'a', { shutdown: 1 }],
          ['child_terminated', 'a', 'boom'],
        ],
      )
      await stopTree(sup)
    },
  )

  await t.test('otp 122, 123: a transient child is restarted after a crash only', async (t) => {
    for (const reason of ['normal', 'shutdown', { shutdown: 1 }] as ExitReason[]) {
      const sup = await startTree([child('a', { restart: 'transient' })])
      await crash(await up(), reason)
      t.match(await which(sup), [{ id: 'a', pid: undefined }], 'its spec stays')
      t.ok(await nothing('up'))
      await stopTree(sup)
    }
    const sup = await startTree([child('a', { restart: 'transient' })])
    await crash(await up(), 'boom')
    t.ok(await up(), 'restarted')
    await stopTree(sup)
  })

  await t.test('otp 124: a temporary child is never restarted, and its spec is gone', async (t) => {
    const sup = await startTree([child('a', { restart: 'temporary' })])
    await crash(await up(), 'boom')
    t.same(await which(sup), [])
    await stopTree(sup)
  })

  await t.test('otp 125: the siblings of a crashed child keep their pids', async (t) => {
    const sup = await startTree([child('a'), child('b'), child('c')])
    await events('up', 3)
    const before = await which(sup)
    await crash(await pidOf(sup, 'b'), 'boom')
    await events('up', 1)
    const after = await which(sup)
    t.same(
      after.map(({ id, pid }, i) => [id, pid === before[i]?.pid]),
      [
        ['c', true],
        ['b', false],
        ['a', true],
      ],
    )
    await stopTree(sup)
  })

  await t.test(
    'otp 129: one restart more than maxRestarts ends the supervisor with shutdown',
    async (t) => {
      const seen = reports(t)
      const limits = { maxRestarts: 2, maxSeconds: 60 }
      const sup = await startTree([child('sibling'), child('a')], limits)
      const ref = self.monitor(sup)
      await up()
      for (let i = 0; i < 2; i++) await crash(await up(), 'boom')
      const lastPid = await up()
      t.ok(await self.alive(sup), 'exactly maxRestarts are allowed')
      while ((await self.receive(isType('down'), 0)) !== undefined);
      await crash(lastPid, 'boom')
      t.equal(await downReason(node, ref), 'shutdown')
      t.same(await events('down', 2), ['a', 'sibling'])
      t.equal(seen.at(-1)?.reason, 'reached_max_restart_intensity')
      while ((await self.receive(isType('EXIT'), 0)) !== undefined);
    },
  )

  await t.test('otp 130: with maxRestarts 0 the first crash ends the supervisor', async (t) => {
    const sup = await startTree([child('a')], { maxRestarts: 0 })
    const ref = self.monitor(sup)
    await crash(await up(), 'boom')
    t.equal(await downReason(node, ref), 'shutdown')
    await events('down', 1)
  })

  await t.test(
    'otp 133: a restart that keeps failing counts each attempt, and escalates',
    async (t) => {
      const gate = `gate 133 ${JSON.stringify(place)}`
      const gatePid = await self.start(Gate, undefined, { name: gate })
      const limits = { maxRestarts: 5, maxSeconds: 60 }
      const sup = await startTree([child('a', { ask: gate })], limits)
      const ref = self.monitor(sup)
      await self.call(gatePid, 'always', 'refused')
      await crash(await up(), 'boom')
      t.equal(await downReason(node, ref), 'shutdown')
      t.equal(await self.call(gatePid, 'asked'), 1 + 5, 'the first start and maxRestarts attempts')
      await events('down', 1)
      await self.stop(gatePid)
    },
  )

  await t.test('otp 134: a failing restart that recovers under the limit goes on', async (t) => {
    const gate = `gate 134 ${JSON.stringify(place)}`
    const gatePid = await self.start(Gate, undefined, { name: gate })
    const limits = { maxRestarts: 5, maxSeconds: 60 }
    const sup = await startTree([child('a', { ask: gate })], limits)
    await self.call(gatePid, 'answers', ['no', 'no', 'no'])
    await crash(await up(), 'boom')
    t.ok(await up())
    t.ok(await self.alive(sup))
    await events('down', 1)
    await self.stop(gatePid)
    await stopTree(sup)
  })

  await t.test(
    'otp 135, 136: during a restart loop requests are served, and it can be shut down',
    async (t) => {
      const gate = `gate 135 ${JSON.stringify(place)}`
      const gatePid = await self.start(Gate, undefined, { name: gate })
      const limits = { maxRestarts: 1_000_000, maxSeconds: 60 }
      const sup = await startTree([child('a', { ask: gate }), child('b', { ask: gate })], limits)
      await events('up', 2)
      await self.call(gatePid, 'always', 'refused')
      await crash(await pidOf(sup, 'a'), 'boom')
      t.match(await which(sup), [{ id: 'b' }, { id: 'a', pid: 'restarting' }])
      t.same(await self.call(sup, 'startChild', child('a')), {
        ok: false,
        reason: 'already_present',
      })
      t.equal(await self.call(sup, 'terminateChild', 'a'), 'ok')
      t.match(await which(sup), [{ id: 'b' }, { id: 'a', pid: undefined }])
      const asked = await self.call(gatePid, 'asked')
      await which(sup)
      t.equal(await self.call(gatePid, 'asked'), asked, 'the loop has ended')
      await crash(await pidOf(sup, 'b'), 'boom')
      t.match(await which(sup), [{ id: 'b', pid: 'restarting' }, { id: 'a' }])
      await stopTree(sup)
      t.equal(await self.alive(sup), false)
      await self.stop(gatePid)
    },
  )

  await t.test(
    'otp 139: a child that takes longer than its shutdown is killed, and that is reported',
    async (t) => {
      const seen = reports(t)
      const sup = await startTree([child('slow', { shutdown: 10, terminateMs: 60_000 })])
      const ref = self.monitor(await up())
      await self.stop(sup, 'shutdown')
      t.equal(await downReason(node, ref), 'killed')
      t.match(seen, [{ context: 'shutdown_error', child: 'slow', reason: 'killed' }])
    },
  )

  await t.test('a child with shutdown Infinity is waited for', async (t) => {
    const patient = child('patient', { shutdown: Number.POSITIVE_INFINITY, terminateMs: 30 })
    const sup = await startTree([patient])
    const ref = self.monitor(await up())
    await self.stop(sup, 'shutdown')
    t.equal(await downReason(node, ref), 'shutdown')
    t.same(await events('down', 1), ['patient'])
  })

  await t.test('otp 140: brutal_kill kills at once, without terminate or report', async (t) => {
    const seen = reports(t)
    const sup = await startTree([child('a', { shutdown: 'brutal_kill' })])
    const ref = self.monitor(await up())
    await self.stop(sup, 'shutdown')
    t.equal(await downReason(node, ref), 'killed')
    t.ok(await nothing('down'))
    t.same(seen, [])
  })

  await t.test('otp 141: a child that unlinked itself is stopped all the same', async (t) => {
    const sup = await startTree([child('a', { unlinks: true, fragile: true })])
    const pid = await up()
    const ref = self.monitor(pid)
    await self.stop(sup, 'shutdown')
    t.equal(await downReason(node, ref), 'shutdown')
  })

  await t.test(
    'otp 141: a child that unlinked itself and ended cannot hang its supervisor',
    async (t) => {
      const sup = await startTree([child('a', { unlinks: true })])
      await crash(await up(), 'normal')
      await stopTree(sup)
      t.equal(await self.alive(sup), false)
    },
  )

  await t.test('otp 142: terminateChild of an unknown id is not_found, twice is ok', async (t) => {
    const seen = reports(t)
    const sup = await startTree([child('a'), child('t', { restart: 'temporary' })])
    await events('up', 2)
    t.equal(await self.call(sup, 'terminateChild', 'nobody'), 'not_found')
    t.equal(await self.call(sup, 'terminateChild', 'a'), 'ok')
    t.equal(await self.call(sup, 'terminateChild', 'a'), 'ok')
    t.equal(await self.call(sup, 'terminateChild', 't'), 'ok')
    t.equal(await self.call(sup, 'terminateChild', 't'), 'not_found')
    t.match(await which(sup), [{ id: 'a', pid: undefined }])
    t.same(seen, [], 'asked for, so no report')
    await stopTree(sup)
  })

  await t.test(
    'otp 144: an inner supervisor that gives up is restarted by the outer one',
    async (t) => {
      const inner = supervisor({
        id: 'inner',
        place,
        children: [child('leaf', { place: 'here' })],
        maxRestarts: 0,
      })
      const sup = await startTree([child('outer'), inner])
      t.same(await self.call(sup, 'countChildren'), {
        specs: 2,
        active: 2,
        supervisors: 1,
        workers: 1,
      })
      await events('up', 1)
      const leaf = await up()
      const innerPid = await pidOf(sup, 'inner')
      await self.call(innerPid, 'startChild', child('dynamic', { place: 'here' }))
      await events('up', 1)
      await crash(leaf, 'boom')
      t.same(await events('up', 1), ['leaf'])
      const again = await pidOf(sup, 'inner')
      t.not(again, innerPid)
      t.same(
        (await which(again)).map(({ id }) => id),
        ['leaf'],
        'what was started later is lost',
      )
      await stopTree(sup)
    },
  )

  await t.test(
    'otp 150: a stray message or exit of a stranger does not end a supervisor',
    async (t) => {
      const sup = await startTree([child('a')])
      const pid = await up()
      self.send(sup, { type: 'stray' })
      self.send(sup, undefined)
      self.cast(sup, 'stray')
      const stranger = self.spawn(async (inner) => {
        inner.exit(sup, 'shutdown')
        inner.link(sup)
        inner.exit('boom')
      })
      await downReason(node, self.monitor(stranger))
      t.match(await self.call(sup, 'nonsense'), { ok: false })
      t.equal(await pidOf(sup, 'a'), pid)
      await stopTree(sup)
    },
  )

  await t.test(
    'its parent’s exit, of whatever reason, stops the tree with that reason',
    async (t) => {
      for (const reason of ['normal', 'boom'] as ExitReason[]) {
        const sup = await startTree([child('a')])
        const ref = self.monitor(sup)
        await events('up', 1)
        self.exit(sup, reason)
        t.equal(await downReason(node, ref), reason)
        t.same(await events('down', 1), ['a'])
      }
    },
  )

  await t.test('otp 151: killed, it takes children along that do not trap', async (t) => {
    const sup = await startTree([child('a', { fragile: true }), child('b')])
    const fragile = self.monitor(await up())
    const trapping = self.monitor(await up())
    self.exit(sup, 'kill')
    t.equal(await downReason(node, fragile), 'killed')
    t.equal(await downReason(node, trapping), 'killed', 'one that traps terminates')
    t.same(await events('down', 1), ['b'])
    while ((await self.receive(isType('EXIT'), 0)) !== undefined);
  })
}
