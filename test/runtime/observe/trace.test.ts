// node.trace() on a real node.
import { formatPid, type NodeTraceEvent, type Pid } from 'beamish'
import t from 'tap'
import { schedulerOf } from '../../../runtime/process/pid.ts'
import { downReason, startNode, whenNamed } from '../kit.ts'
import { Clerk, Idler } from './watched.app.ts'

const node = await startNode(new URL('./watched.app.ts', import.meta.url), 2)
t.teardown(() => node.stop())
const { self } = node

const short = ({ kind, event, text }: NodeTraceEvent): string => [kind, event, text].join(' ')

async function take(events: AsyncIterable<NodeTraceEvent>): Promise<NodeTraceEvent[]> {
  const taken: NodeTraceEvent[] = []
  for await (const event of events) taken.push(event)
  return taken
}

t.test('a process is traced by its pid: what it gets, answers and does', async (t) => {
  const desk = await whenNamed(node, 'desk')
  const trace = await node.trace({ pid: desk, limit: 5 })
  self.cast(desk, 'add', 2)
  t.equal(await self.call(desk, 'read'), 9)
  const hired = (await self.call(desk, 'hire')) as Pid
  const events = await take(trace)
  t.same(events.map(short), [
    'handle add 2',
    'handle read undefined',
    'reply read 9',
    'handle hire undefined',
    `reply hire ${hired}`,
  ])
  const [first] = events
  t.match(first, { pid: desk, process: formatPid(desk), name: 'desk', behaviour: 'clerk' })
  t.equal(first?.scheduler, schedulerOf(desk))
  t.ok(Math.abs((first?.at ?? 0) - Date.now()) < 10_000)
  t.equal(events[1]?.peer, formatPid(self.pid))
  t.same(await trace.ended, { reason: 'limit', events: 5, dropped: 0 })
  const ref = self.monitor(hired)
  self.exit(hired, 'kill')
  await downReason(node, ref)
})

t.test('a behaviour is traced on every thread, births and ends of its processes too', async (t) => {
  const trace = await node.trace({ behaviour: 'idler', limit: 6 })
  for (const scheduler of node.schedulers()) {
    const pid = await self.spawn(Idler, undefined, { place: { scheduler } })
    self.exit(pid, 'enough')
  }
  const events = await take(trace)
  for (const scheduler of node.schedulers()) {
    t.same(
      events.filter((one) => one.scheduler === scheduler).map(({ kind, text }) => [kind, text]),
      [
        ['spawn', undefined],
        ['signal', 'die: enough'],
        ['exit', 'enough'],
      ],
    )
  }
})

t.test('a behaviour is known by what it calls its processes, too', async (t) => {
  const trace = await node.trace({ behaviour: 'task countUp', kinds: ['exit'], limit: 1 })
  await self.call(Clerk.named('desk'), 'delegate')
  t.match(await take(trace), [{ behaviour: 'task countUp', text: 'normal' }])
})

t.test('messages of a name are traced wherever they come; kinds narrow it', async (t) => {
  const judge = await whenNamed(node, 'judge')
  const desk = await whenNamed(node, 'desk')
  const seen: NodeTraceEvent[] = []
  const trace = await node.trace({
    event: 'note',
    kinds: ['cast', 'receive'],
    limit: 4,
    maxText: 0,
    onEvent: (event) => seen.push(event),
  })
  for (const to of [judge, desk]) {
    self.cast(to, 'add', 0)
    self.cast(to, 'note', 'secret')
  }
  t.match(await trace.ended, { reason: 'limit', events: 4 })
  t.same(
    seen.map(({ kind, pid }) => [kind, pid]).sort(),
    [
      ['cast', self.pid],
      ['cast', self.pid],
      ['receive', judge],
      ['receive', desk],
    ].sort(),
  )
  t.ok(
    seen.every(({ text }) => text === undefined),
    'nothing of the message itself is told',
  )
})

t.test('a name is followed over restarts and to another thread', { timeout: 20_000 }, async (t) => {
  const before = await whenNamed(node, 'judge')
  const trace = await node.trace({
    name: 'judge',
    limit: 1_000,
    kinds: ['spawn', 'exit', 'handle'],
  })
  self.cast(before, 'fail')
  const births: NodeTraceEvent[] = []
  let replaced = false
  for await (const event of trace) {
    if (event.kind !== 'spawn') continue
    births.push(event)
    if (!replaced) {
      replaced = true
      await node.restartThread(event.scheduler)
    } else break
  }
  t.equal(births.length, 2)
  t.not(births[1]?.scheduler, births[0]?.scheduler)
  t.match(await trace.ended, { reason: 'stopped' })
})

t.test('a replacement is traced from its first step on', { timeout: 20_000 }, async (t) => {
  const known = node.schedulers()
  const trace = await node.trace({ behaviour: 'clerk', kinds: ['spawn'], limit: 1_000 })
  node.killThread(known[0] as number)
  for await (const { kind, scheduler } of trace) {
    if (kind === 'spawn' && !known.includes(scheduler)) break
  }
  t.match(await trace.ended, { reason: 'stopped' })
  await whenNamed(node, 'desk')
})

t.test('a part of the events is told with sample', async (t) => {
  const desk = await whenNamed(node, 'desk')
  const seen: NodeTraceEvent[] = []
  const onEvent = (event: NodeTraceEvent): void => void seen.push(event)
  const trace = await node.trace({ pid: desk, event: 'add', sample: 0.1, limit: 10_000, onEvent })
  for (let i = 0; i < 2_000; i++) self.cast(desk, 'add', i)
  await self.call(desk, 'read')
  // Fewer than 100 of 2,000 come once in 10^15 times; events and the answer have ways of their own.
  while (seen.length < 100) await new Promise((resolve) => setImmediate(resolve))
  trace.stop()
  t.ok(seen.length < 300, `${seen.length} of 2,000`)
})

t.test('two traces see the same, and one goes on without the other', async (t) => {
  const desk = await whenNamed(node, 'desk')
  const one = await node.trace({ pid: desk, event: 'add', limit: 1 })
  const two = await node.trace({ pid: desk, event: 'add', limit: 2 })
  self.cast(desk, 'add', 1)
  t.match(await one.ended, { reason: 'limit' })
  self.cast(desk, 'add', 1)
  t.match(await two.ended, { reason: 'limit', events: 2 })
})

t.test('a process hotter than main can hear is dropped from, not waited for', async (t) => {
  const desk = await whenNamed(node, 'desk')
  const trace = await node.trace({ pid: desk, event: 'tick', limit: 10_000, kinds: ['handle'] })
  const ticks = new Int32Array(new SharedArrayBuffer(4))
  for (let i = 0; i < 5_000; i++) self.cast(desk, 'tick', ticks.buffer)
  await new Promise((resolve) => setImmediate(resolve))
  // Main hears nothing until all of them are handled.
  for (let seen = 0; seen < 5_000; seen = Atomics.load(ticks, 0))
    Atomics.wait(ticks, 0, seen, 1_000)
  // What was on its way then is told, and once that is taken, what comes from there on.
  let told = 0
  const ask = setInterval(() => self.cast(desk, 'tick', ticks.buffer), 5)
  for await (const { kind } of trace) if (kind === 'handle' && ++told > 512) break
  clearInterval(ask)
  await self.call(desk, 'read')
  const { events, dropped } = await trace.ended
  t.ok(events >= 513, `${events} told`)
  t.ok(dropped >= 4_488, `${dropped} dropped`)
})

t.test('what was dropped is none of the events it may tell', async (t) => {
  const desk = await whenNamed(node, 'desk')
  const trace = await node.trace({ pid: desk, event: 'tick', limit: 600, kinds: ['handle'] })
  const ticks = new Int32Array(new SharedArrayBuffer(4))
  for (let i = 0; i < 1_000; i++) self.cast(desk, 'tick', ticks.buffer)
  await new Promise((resolve) => setImmediate(resolve))
  // Main hears nothing until all of them are handled: more than the limit.
  for (let seen = 0; seen < 1_000; seen = Atomics.load(ticks, 0))
    Atomics.wait(ticks, 0, seen, 1_000)
  const ask = setInterval(() => self.cast(desk, 'tick', ticks.buffer), 1)
  const { reason, events, dropped } = await trace.ended
  clearInterval(ask)
  await self.call(desk, 'read') // and has handled what was still on its way
  t.match({ reason, events }, { reason: 'limit', events: 600 })
  t.ok(dropped > 0, `${dropped} dropped`)
})

t.test('a trace ends by time, by a listener that throws, and by stop', async (t) => {
  const desk = await whenNamed(node, 'desk')
  t.match(await (await node.trace({ pid: desk, timeoutMs: 20 })).ended, {
    reason: 'timeout',
    events: 0,
  })
  const error = new Error('from the listener')
  const failing = await node.trace({
    pid: desk,
    onEvent: () => {
      throw error
    },
  })
  self.cast(desk, 'add', 0)
  t.match(await failing.ended, { reason: 'listener', events: 1, error })
  const stopped = await node.trace({ pid: desk })
  stopped.stop()
  t.match(await stopped.ended, { reason: 'stopped', events: 0 })
  t.same(await take(stopped), [])
})

t.test('options that cannot be are refused', async (t) => {
  const refused = { code: 'BEAMISH_BAD_OPTION' }
  await t.rejects(node.trace({}), refused)
  await t.rejects(node.trace({ event: '' }), refused)
  await t.rejects(node.trace({ event: 'x', limit: 10_001 }), refused)
  await t.rejects(node.trace({ event: 'x', sample: 0 }), refused)
  await t.rejects(node.trace({ event: 'x', kinds: ['born' as never] }), refused)
  await t.rejects(node.trace({ event: 'x', limits: 3 } as never), refused)
})

t.test('it ends with the node', async (t) => {
  const trace = await node.trace({ behaviour: 'clerk', kinds: ['exit'], limit: 1_000 })
  await node.stop()
  const { reason, events } = await trace.ended
  t.equal(reason, 'node')
  t.ok(events > 0, 'what ends at the stop is told')
  await t.rejects(node.trace({ event: 'x' }), { code: 'BEAMISH_NODE_STOPPED' })
  await t.rejects(node.observe(), { code: 'BEAMISH_NODE_STOPPED' })
})
