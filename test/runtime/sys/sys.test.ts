// otp 85 and 106 to 110: what sys asks of a process, on the caller's scheduler and on another thread.
import {
  BeamishError,
  type BeamishNode,
  type CrashReport,
  type ExitReason,
  onEvent,
  type Placement,
  sys,
  type TraceEvent,
} from 'beamish'
import t, { type Test } from 'tap'
import { downReason, isType, nextEvent, rejection, startNode } from '../kit.ts'
import { Box, Clumsy, Raw, Shy, Versioned } from './servers.ts'

const APP = new URL('./servers.ts', import.meta.url)
const VERSION_2 = new URL('./apps/version2.ts', import.meta.url)

const codeOf = async (promise: Promise<unknown>): Promise<unknown> => {
  const error = await promise.then(
    () => 'resolved',
    (thrown: unknown) => thrown,
  )
  return error instanceof BeamishError ? error.code : error
}

t.test('sys', async (t) => {
  const node = await startNode(APP, 2)
  t.teardown(() => node.stop())
  const last = node.schedulers().at(-1) as number
  await t.test('on the same scheduler', (t) => suite(t, node, 'here'))
  await t.test('on another thread', (t) => suite(t, node, { scheduler: last }))
})

t.test('in development, where messages are cloned and frozen', async (t) => {
  const node = await startNode(APP, 1, { development: true })
  t.teardown(() => node.stop())
  await suite(t, node, 'here')
})

async function suite(t: Test, node: BeamishNode, place: Placement): Promise<void> {
  const { self } = node
  const box = () => self.start(Box, { witness: self.pid }, { place })
  const failed = async (promise: Promise<unknown>): Promise<unknown> =>
    ((await rejection(promise)) as { reason?: unknown }).reason

  await t.test('getState answers a copy of the state', async (t) => {
    const pid = await box()
    self.cast(pid, 'note', { a: [1] })
    const state = await sys.getState<{ log: unknown[]; count: number }>(self, pid)
    t.same(state.log, [{ a: [1] }])
    self.cast(pid, 'add', 1)
    t.equal(await self.call(pid, 'count'), 1, 'its own is not frozen')
    t.equal(state.count, 0, 'and not the one that was answered')
    self.cast(pid, 'holdFunction')
    const refused = await sys.getState(self, pid).catch((error: unknown) => error)
    t.match(refused, { code: 'BEAMISH_SYS_REFUSED', message: /state\.run is a function \(run\)/ })
    t.equal(await self.call(pid, 'count'), 1, 'it goes on')
    const { state: shown } = await sys.getStatus(self, pid)
    t.match(shown, /function run/, 'status tells it as text')
  })

  await t.test('it works by name, and fails for nobody and for oneself', async (t) => {
    const pid = await self.start(Box, { witness: self.pid }, { place, name: 'sys.named' })
    t.match(await sys.getState(self, 'sys.named'), { count: 0 })
    await sys.replaceState(self, 'sys.named', { state: { count: 4 } })
    t.same(await sys.getState(self, pid), { count: 4 })
    self.exit(pid, 'kill')
    t.equal(await failed(sys.getState(self, pid)), 'noproc')
    t.equal(await failed(sys.getState(self, 'nobody at all')), 'noproc')
    t.equal(await failed(sys.getState(self, self.pid)), 'calling_self')
  })

  await t.test('a request is served in order with messages', async (t) => {
    const pid = await box()
    for (let i = 0; i < 10; i++) self.cast(pid, 'add', 1)
    const state = sys.getState(self, pid)
    self.cast(pid, 'add', 1)
    t.match(await state, { count: 10 })
    t.equal(await self.call(pid, 'count'), 11)
  })

  await t.test('otp 106: a suspended process queues; resumed it goes on in order', async (t) => {
    const pid = await box()
    const suspended = sys.suspend(self, pid)
    self.cast(pid, 'note', 1)
    await suspended
    self.cast(pid, 'note', 2)
    const call = self.call(pid, 'log')
    self.cast(pid, 'note', 3)
    t.equal(await failed(self.call(pid, 'log', undefined, { timeoutMs: 5 })), 'timeout')
    const { suspended: is, info } = await sys.getStatus(self, pid)
    t.same([is, info.status], [true, 'running'], 'it is the request that runs')
    t.equal((await self.info(pid))?.status, 'suspended')
    t.equal((await self.info(pid))?.mailboxLength, 5)
    await sys.suspend(self, pid)
    await sys.resume(self, pid)
    t.same(await call, [1, 2])
    t.same(await self.call(pid, 'log'), [1, 2, 3])
    t.equal((await self.info(pid))?.status, 'waiting')
  })

  await t.test('otp 107: the state is read while it is suspended, and replaced', async (t) => {
    const pid = await box()
    await sys.suspend(self, pid)
    for (let i = 0; i < 100; i++) self.cast(pid, 'add', 1)
    t.match(await sys.getState(self, pid), { count: 0 })
    await sys.replaceState(self, pid, { state: { witness: self.pid, log: [], count: 5 } })
    t.match(await sys.getState(self, pid), { count: 5 })
    await sys.resume(self, pid)
    t.equal(await self.call(pid, 'count'), 105)
  })

  await t.test('requests that waited when it was suspended are served', async (t) => {
    const pid = await box()
    self.cast(pid, 'add', 1)
    const [, state, status] = [
      sys.suspend(self, pid),
      sys.getState(self, pid),
      sys.getStatus(self, pid),
    ]
    self.cast(pid, 'add', 1)
    t.match(await state, { count: 1 })
    t.match(await status, { suspended: true })
    await sys.resume(self, pid)
    t.equal(await self.call(pid, 'count'), 2)
  })

  await t.test('suspended, it heeds a stop, and the end of its parent', async (t) => {
    const pid = await box()
    await sys.suspend(self, pid)
    self.cast(pid, 'add', 1)
    await self.stop(pid, 'shutdown')
    t.match(await self.receive(isType('terminated'), 5_000), { pid, reason: 'shutdown' })
    const parent = self.spawn(async (inner) => {
      const shy = await inner.startLink(Shy, { witness: self.pid, password: 'x' }, { place })
      await sys.suspend(inner, shy)
      self.send(self.pid, { type: 'child', pid: shy })
      await inner.receive()
      inner.exit('left')
    })
    const child = (await self.receive(isType('child'), 5_000))?.pid as number
    self.send(parent, 'end')
    t.match(await self.receive(isType('terminated'), 5_000), { pid: child, reason: 'left' })
  })

  await t.test('suspended, it dies of an exit signal it does not trap', async (t) => {
    const pid = await box()
    const ref = self.monitor(pid)
    await sys.suspend(self, pid)
    self.exit(pid, 'boom')
    t.equal(await downReason(node, ref), 'boom')
  })

  await t.test(
    'otp 108: an update that fails leaves the state, and the process lives',
    async (t) => {
      const pid = await box()
      self.cast(pid, 'add', 7)
      const module = APP
      const error = (await sys
        .replaceState(self, pid, { module, export: 'failing' })
        .catch((e: unknown) => e)) as BeamishError
      t.equal(error.code, 'BEAMISH_SYS_FAILED')
      t.match(error.message, /RangeError: cannot/)
      t.match(error.cause, { error: { name: 'RangeError', stack: /servers\.ts/ } })
      t.equal(
        await codeOf(sys.replaceState(self, pid, { module, export: 'no' })),
        'BEAMISH_SYS_MODULE',
      )
      const nowhere = new URL('./nowhere.ts', import.meta.url)
      const missing = sys.replaceState(self, pid, { module: nowhere, export: 'no' })
      t.equal(await codeOf(missing), 'BEAMISH_SYS_MODULE')
      t.equal(await self.call(pid, 'count'), 7)
    },
  )

  await t.test('the state is replaced by an exported function', async (t) => {
    const pid = await box()
    await sys.replaceState(self, pid, { module: APP, export: 'addTo', argument: 5 })
    t.equal(await self.call(pid, 'count'), 5)
    await sys.replaceState(self, pid, { module: APP, export: 'inPlace' })
    t.equal(await self.call(pid, 'count'), 1_000)
  })

  await t.test('a function replaces the state on its own thread only', async (t) => {
    const pid = await box()
    const update = sys.replaceState(self, pid, (state: { count: number }) => ({
      ...state,
      count: 9,
    }))
    if (place !== 'here') {
      t.equal(await codeOf(update), 'BEAMISH_BAD_OPTION')
      return
    }
    await update
    t.equal(await self.call(pid, 'count'), 9)
    const failing = sys.replaceState(self, pid, () => {
      throw new Error('no')
    })
    t.equal(await codeOf(failing), 'BEAMISH_SYS_FAILED')
    t.equal(await self.call(pid, 'count'), 9)
  })

  await t.test('otp 85: a system message starts a timeout anew, in full', async (t) => {
    const pid = await self.start(Box, { witness: self.pid }, { place })
    // The request holds the clock until it is served: suspended, the timeout never comes; resumed it does.
    await self.call(pid, 'wait', 20)
    await sys.suspend(self, pid)
    await self.sleep(60)
    t.equal(await self.receive(isType('timed out'), 0), undefined, 'not while it is suspended')
    await sys.resume(self, pid)
    t.match(await self.receive(isType('timed out'), 5_000), { pid })
    await self.call(pid, 'wait', 20)
    self.cast(pid, 'add', 1)
    await sys.getState(self, pid)
    await self.sleep(60)
    t.equal(await self.receive(isType('timed out'), 0), undefined, 'a message ends it for good')
  })

  await t.test('the first state may come with a timeout', async (t) => {
    const pid = await self.start(Box, { witness: self.pid, timeoutMs: 1 }, { place })
    t.match(await self.receive(isType('timed out'), 5_000), { pid })
  })

  await t.test('getStatus tells what is known, as formatStatus shows it', async (t) => {
    const pid = await self.start(Shy, { witness: self.pid, password: 'geheim' }, { place })
    await self.call(pid, 'login', { user: 'u', password: 'geheim' })
    const status = await sys.getStatus(self, pid)
    t.match(status, {
      suspended: false,
      hibernated: false,
      traceLeft: 0,
      state: { password: '6 letters' },
      lastMessage: 'hidden',
      info: { pid, behaviour: 'test.sys.shy', trapExit: true },
    })
    t.notMatch(JSON.stringify(status), /geheim/)
    const clumsy = await self.start(Clumsy, 'geheim', { place })
    const shown = await sys.getStatus(self, clumsy)
    t.match(shown, { state: 'formatStatus failed: Error: clumsy' })
    t.notMatch(JSON.stringify(shown), /geheim/, 'a failing one shows nothing')
  })

  await t.test('statistics count messages in and replies out', async (t) => {
    const pid = await box()
    t.equal(await sys.statistics(self, pid, 'get'), undefined)
    await sys.statistics(self, pid, true)
    for (let i = 0; i < 5; i++) self.cast(pid, 'add', 1)
    await self.call(pid, 'count')
    await sys.getState(self, pid)
    const counted = await sys.statistics(self, pid, 'get')
    t.match(counted, { messagesIn: 6, messagesOut: 1 })
    t.ok((counted?.currentTimeMs ?? 0) >= (counted?.startTimeMs ?? 1))
    await sys.statistics(self, pid, false)
    t.equal(await sys.statistics(self, pid, 'get'), undefined)
  })

  await t.test('terminate ends it with the reason, and does not wait', async (t) => {
    const pid = await box()
    const ref = self.monitor(pid)
    await sys.terminate(self, pid, { shutdown: 'asked' })
    t.match(await self.receive(isType('terminated'), 5_000), { pid, reason: { shutdown: 'asked' } })
    t.same(await downReason(node, ref), { shutdown: 'asked' })
    const held = await box()
    await sys.suspend(self, held)
    await sys.terminate(self, held, 'normal')
    t.match(await self.receive(isType('terminated'), 5_000), { pid: held, reason: 'normal' })
  })

  await t.test('otp 109: code changes only while suspended, and the state with it', async (t) => {
    const pid = await self.start(Versioned, 3, { place })
    const other = await self.start(Versioned, 4, { place })
    const change = { module: VERSION_2, from: 1, to: 2, extra: ['more'] }
    t.equal(await codeOf(sys.changeCode(self, pid, change)), 'BEAMISH_SYS_RUNNING')
    t.equal(await self.call(pid, 'read'), 3)
    await sys.suspend(self, pid)
    const waiting = self.call(pid, 'read')
    const refused = sys.changeCode(self, pid, { ...change, extra: 'refuse' })
    t.equal(await codeOf(refused), 'BEAMISH_SYS_FAILED')
    t.same(await sys.getState(self, pid), { count: 3 }, 'a refused change changes nothing')
    await sys.changeCode(self, pid, change)
    const told = { direction: 'up', from: 1, to: 2, extra: ['more'] }
    t.same(await sys.getState(self, pid), { counts: [3, told] })
    await sys.resume(self, pid)
    t.same(await waiting, { version: 2, counts: [3, told] })
    t.equal(await self.call(other, 'read'), 4, 'others go on as they are')
    await sys.suspend(self, other)
    await sys.changeCode(self, other, { ...change, extra: null })
    await sys.resume(self, other)
    t.match(await self.call(other, 'read'), { version: 2 }, 'until it is their turn')
    await sys.suspend(self, pid)
    await sys.changeCode(self, pid, { module: APP, direction: 'down', from: 2, to: 1 })
    await sys.resume(self, pid)
    t.equal(await self.call(pid, 'read'), 3, 'and back')
  })

  await t.test('a module that is no version is refused', async (t) => {
    const pid = await self.start(Versioned, 3, { place })
    await sys.suspend(self, pid)
    for (const file of ['./apps/none.ts', './apps/broken.ts', './apps/missing.ts']) {
      const module = new URL(file, import.meta.url)
      t.equal(await codeOf(sys.changeCode(self, pid, { module })), 'BEAMISH_SYS_MODULE', file)
    }
    t.equal(await codeOf(sys.changeCode(self, pid, { module: './x.ts' })), 'BEAMISH_BAD_OPTION')
    await sys.resume(self, pid)
    t.equal(await self.call(pid, 'read'), 3)
  })

  await t.test('differs: otp 112: a raw process refuses at once, and lives', async (t) => {
    const pid = await self.spawn(Raw, undefined, { place })
    for (const asked of [
      sys.getState(self, pid),
      sys.suspend(self, pid),
      sys.terminate(self, pid, 'normal'),
    ]) {
      t.equal(await codeOf(asked), 'BEAMISH_SYS_RAW')
    }
    t.equal(await self.alive(pid), true)
    self.exit(pid, 'kill')
  })

  await t.test('what takes its time is waited for, within the timeout', async (t) => {
    const pid = await box()
    const slow = self.call(pid, 'slow', 50)
    t.equal(await failed(sys.getState(self, pid, { timeoutMs: 5 })), 'timeout')
    t.equal(await slow, 'slow')
    t.match(await sys.getState(self, pid), { count: 0 })
    t.same((await self.info(pid))?.watchers, [], 'nothing of it is left')
  })

  await t.test('a supervisor shows its children, and cannot be changed', async (t) => {
    const name = 'sys.dynamic'
    t.same(await sys.getState(self, name), { children: 0 })
    t.equal(await codeOf(sys.replaceState(self, name, { state: 1 })), 'BEAMISH_SYS_REFUSED')
    await sys.suspend(self, name)
    const started = self.call(name as never, 'startChild' as never, Clumsy.child('x') as never)
    t.equal((await sys.getStatus(self, name)).info.mailboxLength, 1)
    t.equal(await codeOf(sys.changeCode(self, name, { module: VERSION_2 })), 'BEAMISH_SYS_REFUSED')
    await sys.resume(self, name)
    const { pid } = (await started) as { pid: never }
    t.same(await sys.getState(self, name), { children: 1 })
    await self.call(name as never, 'terminateChild' as never, pid)
  })

  if (place !== 'here') return

  await t.test('trace tells messages in and replies out, up to its limit', async (t) => {
    const events: TraceEvent[] = []
    t.teardown(onEvent('trace', (event) => events.push(event)))
    const pid = await box()
    await sys.trace(self, pid, true, { limit: 3 })
    self.cast(pid, 'add', 2)
    await sys.getState(self, pid)
    await self.call(pid, 'count')
    self.cast(pid, 'add', 2)
    await self.call(pid, 'count')
    t.match(events, [
      { pid, event: 'in', message: { cast: 'add', payload: 2 }, left: 2 },
      { event: 'in', message: { call: 'count' }, left: 1, behaviour: 'test.sys.box' },
      { event: 'out', message: 2, to: /^<0\.0/, left: 0 },
    ])
    t.equal(events.length, 3)
    await sys.trace(self, pid, true)
    await sys.trace(self, pid, false)
    await self.call(pid, 'count')
    t.equal(events.length, 3)
    for (const limit of [0, 1.5, 1_000_001]) {
      t.equal(await codeOf(sys.trace(self, pid, true, { limit })), 'BEAMISH_BAD_OPTION')
    }
  })

  await t.test('otp 104: a crash report shows what formatStatus shows', async (t) => {
    const pid = await self.start(Shy, { witness: self.pid, password: 'geheim' })
    const crash: Promise<CrashReport> = nextEvent('crash')
    const end: ExitReason = (await failed(
      self.call(pid, 'crash', { user: 'u', password: 'geheim' }),
    )) as ExitReason
    t.match(end, { error: { message: 'no such user' } })
    const report = await crash
    t.match(report, {
      state: { password: '6 letters' },
      lastMessage: 'hidden',
      reason: { error: { message: 'no such user' } },
    })
    t.notMatch(JSON.stringify(report), /geheim/)
    await self.receive(isType('terminated'), 5_000)
  })
}
