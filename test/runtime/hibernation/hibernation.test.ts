// otp 57, 58, 87, 88 and 110: servers that hibernate, on the caller's scheduler and on another thread.
import {
  BeamishError,
  type BeamishNode,
  genServer,
  onEvent,
  type Pid,
  type Placement,
  sys,
} from 'beamish'
import t, { type Test } from 'tap'
import { downReason, startNode } from '../kit.ts'
import { Sleeper, Small, Told } from './servers.ts'

const APP = new URL('./servers.ts', import.meta.url)

t.test('hibernation', async (t) => {
  const node = await startNode(APP, 2)
  t.teardown(() => node.stop())
  await t.test('on the same scheduler', (t) => suite(t, node, 'here'))
  const last = node.schedulers().at(-1) as number
  await t.test('on another thread', (t) => suite(t, node, { scheduler: last }))
})

t.test('in development, where messages are cloned and frozen', async (t) => {
  const node = await startNode(APP, 1, { development: true })
  t.teardown(() => node.stop())
  await suite(t, node, 'here')
})

t.test('a hibernateAfterMs that is none is refused', async (t) => {
  for (const hibernateAfterMs of [0, -1, Number.NaN, '5' as never]) {
    const define = () => genServer('test.none', { init: () => 1, hibernateAfterMs })
    t.throws(define, BeamishError)
    t.throws(define, { code: 'BEAMISH_BAD_OPTION', message: /hibernateAfterMs/ })
  }
})

async function suite(t: Test, node: BeamishNode, place: Placement): Promise<void> {
  const { self } = node
  /** Asks until it sleeps: to be asked does not wake it. */
  const asleep = async (pid: Pid): Promise<void> => {
    while ((await self.info(pid))?.status !== 'hibernated') await self.sleep(1)
  }
  const status = async (pid: Pid) => (await self.info(pid))?.status

  await t.test('otp 88: idle long enough it hibernates, and wakes on a message', async (t) => {
    const pid = await self.start(Sleeper, undefined, { place })
    const names = await self.call(pid, 'names')
    await asleep(pid)
    t.same(await self.call(pid, 'names'), names)
    t.not(await status(pid), 'hibernated', 'it is awake')
    t.equal(await self.call(pid, 'tags'), true)
    await asleep(pid)
    self.cast(pid, 'note', 'in its sleep')
    t.equal(await self.call(pid, 'note', 'second'), 2)
    await self.stop(pid)
  })

  await t.test('busy it does not', async (t) => {
    const pid = await self.start(Sleeper, undefined, { place })
    // Longer than two rounds of its wheel, with no pause as long as one.
    const until = self.now() + 200
    while (self.now() < until) {
      await self.call(pid, 'tags')
      await self.sleep(1)
    }
    t.match(await sys.getStatus(self, pid), { hibernated: false })
    await asleep(pid)
    await self.stop(pid)
  })

  await t.test('otp 87: told to beside an answer it hibernates', async (t) => {
    const pid = await self.start(Told, 'state', { place })
    await asleep(pid)
    t.equal(await self.call(pid, 'size'), 100)
    t.equal(await status(pid), 'waiting', 'awake it stays awake')
    self.cast(pid, 'note', 1)
    await asleep(pid)
    t.same(await self.call(pid, 'log'), [1])
    const continued = await self.start(Told, 'continue', { place })
    await asleep(continued)
    t.same(await self.call(continued, 'log'), ['first'], 'once its continue step is through')
    for (const one of [pid, continued]) await self.stop(one)
  })

  await t.test('otp 57: it wakes with its data, its links and its name', async (t) => {
    const pid = await self.start(Told, 'state', { place, name: 'sleeping' })
    const ref = self.monitor(pid)
    self.link(pid)
    await asleep(pid)
    t.same((await self.info(pid))?.links, [self.pid])
    self.cast('sleeping', 'note', 'by name')
    t.same(await self.call(pid, 'log'), ['by name'])
    await asleep(pid).catch(() => undefined)
    self.unlink(pid)
    self.exit(pid, 'boom')
    t.equal(await downReason(node, ref), 'boom', 'it dies in its sleep')
    t.equal(await self.whereis('sleeping'), undefined)
  })

  await t.test('otp 58: with a message waiting it does not fall asleep', async (t) => {
    const pid = await self.start(Told, 'state', { place })
    for (let i = 0; i < 1_000; i++) self.cast(pid, 'note', i)
    t.same(
      await self.call(pid, 'log'),
      Array.from({ length: 1_000 }, (_, i) => i),
    )
    self.exit(pid, 'kill')
  })

  await t.test('a timeout and a continue step stand beside hibernate', async (t) => {
    const pid = await self.start(Sleeper, undefined, { place })
    await self.call(pid, 'reply', { hibernate: true, timeoutMs: 50, continue: 'step' })
    await asleep(pid)
    t.match(await sys.getState(self, pid), { log: ['step'] })
    // To be asked starts its timeout anew: not asked before it may have come.
    do await self.sleep(200)
    while ((await sys.getState<{ log: unknown[] }>(self, pid)).log.length < 2)
    t.match(await sys.getState(self, pid), { log: ['step', 'timeout'] })
    self.exit(pid, 'kill')
  })

  await t.test('otp 110: asleep it answers sys, and sleeps on', async (t) => {
    const pid = await self.start(Sleeper, undefined, { place })
    await self.call(pid, 'note', 'awake')
    await asleep(pid)
    t.match(await sys.getState(self, pid), { log: ['awake'], rows: [{ name: 'row 0' }] })
    t.equal(await status(pid), 'hibernated')
    t.match(await sys.getStatus(self, pid), { hibernated: true, state: { log: ['awake'] } })
    await sys.statistics(self, pid, true)
    t.equal(await status(pid), 'hibernated')
    await sys.suspend(self, pid)
    self.cast(pid, 'note', 'while suspended')
    t.match(await sys.getStatus(self, pid), { hibernated: true, suspended: true })
    t.match(await sys.getState(self, pid), { log: ['awake'] })
    await sys.resume(self, pid)
    t.equal(await self.call(pid, 'note', 'resumed'), 3)
    t.match(await sys.statistics(self, pid, 'get'), { messagesIn: 2 })
    await asleep(pid)
    await sys.replaceState(self, pid, { state: { rows: [], log: ['replaced'] } })
    await asleep(pid)
    t.equal(await self.call(pid, 'note', 'awake again'), 2, 'counted, it sleeps and wakes as well')
    t.match(await sys.statistics(self, pid, 'get'), { messagesIn: 3 })
    await asleep(pid)
    await sys.terminate(self, pid, 'shutdown')
    t.match(await downReason(node, self.monitor(pid)), /shutdown|noproc/)
  })

  await t.test('one whose state is too small to be serialized sleeps with it', async (t) => {
    const pid = await self.start(Small, undefined, { place })
    for (let i = 1; i < 5; i++) {
      t.equal(await self.call(pid, 'add', 1), 2 * i - 1)
      await asleep(pid)
      await sys.replaceState(self, pid, { module: APP, export: 'add' })
      t.same(await sys.getState(self, pid), { count: 2 * i })
    }
    self.exit(pid, 'kill')
  })

  await t.test('it survives 300 sleeps', async (t) => {
    const pid = await self.start(Told, 'state', { place })
    for (let i = 0; i < 300; i++) {
      self.cast(pid, 'note', i)
      await asleep(pid)
    }
    t.same(
      await self.call(pid, 'log'),
      Array.from({ length: 300 }, (_, i) => i),
    )
    self.exit(pid, 'kill')
  })

  if (place !== 'here') return

  await t.test('a state that is no data stays awake, and is told once', async (t) => {
    const notices: { readonly message: string }[] = []
    const noticed = new Promise<void>((resolve) =>
      t.teardown(
        onEvent('notice', (notice) => {
          if (notice.code !== 'stays_awake') return
          notices.push(notice)
          resolve()
        }),
      ),
    )
    const first = await self.start(Sleeper, undefined)
    const second = await self.start(Sleeper, undefined)
    for (const pid of [first, second]) {
      await self.call(pid, 'open')
      self.cast(pid, 'hibernate')
    }
    await noticed
    // Later than both: what is put to rest is put to rest in order.
    const fence = await self.start(Told, 'state')
    await asleep(fence)
    for (const pid of [first, second]) {
      t.equal(await status(pid), 'waiting')
      t.equal(await self.call(pid, 'balance'), 1)
    }
    t.equal(notices.length, 1)
    t.match(
      notices[0]?.message,
      /test\.sleeper <.*> cannot hibernate: state\.account is an instance of Account/,
    )
    for (const pid of [first, second, fence]) self.exit(pid, 'kill')
  })
}
