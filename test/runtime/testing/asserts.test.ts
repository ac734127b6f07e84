import { type Pid, supervisor, uniqueRegistry } from 'beamish'
import { type TestNode, testNode } from 'beamish/testing'
import t from 'tap'
import { Clock, Counter } from './servers.ts'

interface Tester {
  fail(text: string): unknown
  equal(found: unknown, wanted: unknown): unknown
  match(found: unknown, wanted: RegExp, text: string): unknown
  teardown(end: () => void): void
}

/** What a failed assert says. */
async function complaint(t: Tester, promise: Promise<unknown>): Promise<string> {
  let message = ''
  await promise.then(
    () => t.fail('the assert passed'),
    (error: Error & { code?: string }) => {
      t.equal(error.code, 'BEAMISH_TEST_ASSERTION')
      t.match(error.stack, /asserts\.test\.ts/, 'it points at the test')
      message = error.message
    },
  )
  return message
}

async function opened(t: Tester, options = {}): Promise<TestNode> {
  const node = await testNode(options)
  t.teardown(() => node.close())
  return node
}

t.test('assertReceive takes the first message that matches, however it is told', async (t) => {
  const node = await opened(t, { seed: 11 })
  const say = (...messages: unknown[]) =>
    node.spawn((self) => {
      for (const message of messages) self.send(node.self.pid, message)
    })
  await say('one', 2, { type: 'three', part: { a: 1, b: [1, 2] } }, 'four and more', null)
  t.same(await node.assertReceive({ part: { b: [1, 2] } }), {
    type: 'three',
    part: { a: 1, b: [1, 2] },
  })
  t.equal(await node.assertReceive(2), 2)
  t.equal(await node.assertReceive(/^four/), 'four and more')
  t.equal(await node.assertReceive((m: unknown) => m === 'one'), 'one')
  t.equal(await node.assertReceive(null), null)
  await say({ b: [1, 2, 3] }, 'else')
  const text = await complaint(t, node.assertReceive({ b: [1, 2] }))
  t.match(text, /a message to the test that is \{"b":\[1,2\]\} did not come and nothing is left/)
  t.match(text, /its mailbox has \{"b":\[1,2,3\]\}, else/)
  t.match(text, / ms {2}anonymous <[\d.]+> -> test: send else/, 'with the timeline')
  t.match(text, /\n\nseed 11\n$/, 'and the seed')
})

t.test('an assert waits for virtual time, so long and no longer', async (t) => {
  const node = await opened(t)
  await node.spawn(Clock, { pid: node.self.pid, everyMs: 1_000 })
  t.equal(await node.assertReceive(3_000), 3_000)
  t.match(await complaint(t, node.assertReceive(9_000)), /did not come in time/)
  t.equal(node.now, 8_000, '5 s by default')
  t.equal(await node.assertReceive(10_000, { withinMs: 2_000 }), 10_000)
  await complaint(t, node.assertReceive('never', { withinMs: 500 }))
  t.equal(node.now, 10_500)
})

t.test('refuteReceive fails for what comes, and passes when its time is up', async (t) => {
  const node = await opened(t)
  await node.spawn(Clock, { pid: node.self.pid, everyMs: 150 })
  await node.refuteReceive(150)
  t.equal(node.now, 100, '100 ms by default')
  await node.refuteReceive('something else', { withinMs: 1_000 })
  t.match(await complaint(t, node.refuteReceive(1_200)), /the test got 1200, which was not to come/)
})

t.test('assertDown tells the DOWN of a monitor and its reason', async (t) => {
  const node = await opened(t)
  const [one, other] = [await node.spawn(Counter, 0), await node.spawn(Counter, 0)]
  const refs = [node.monitor(one), node.monitor(other), node.monitor(one)]
  node.exit(one, { why: 'boom', detail: 1 })
  t.match(await node.assertDown(refs[0]!, { why: 'boom' }), { type: 'DOWN', object: one })
  const text = await complaint(t, node.assertDown(refs[2]!, 'boom'))
  t.match(text, /the DOWN has the reason \{"why":"boom","detail":1\}, not boom/)
  t.match(await complaint(t, node.assertDown(refs[1]!)), /nothing is left to happen/)
})

t.test('a time that is none is refused', async (t) => {
  const node = await opened(t)
  for (const withinMs of [Number.NaN, -1, '5' as never]) {
    const refused = { code: 'BEAMISH_BAD_TIMEOUT' }
    await t.rejects(node.assertReceive('x', { withinMs }), refused)
    await t.rejects(node.refuteReceive('x', { withinMs }), refused)
    await t.rejects(node.assertExit(node.self.pid, undefined, { withinMs }), refused)
  }
})

t.test('a pattern with a flag that remembers is tried from the beginning each time', async (t) => {
  const node = await opened(t)
  const again = /boom/g
  for (let i = 0; i < 2; i++) {
    const pid = await node.spawn(Counter, 0)
    node.exit(pid, 'boom')
    t.equal(await node.assertExit(pid, again), 'boom')
  }
})

t.test('assertExit and assertTerminated tell how a process ended, before or after', async (t) => {
  const node = await opened(t)
  const [crashes, killed, stopped] = [
    await node.spawn(Counter, 0),
    await node.spawn(Counter, 0),
    await node.spawn(Counter, 0),
  ]
  node.self.cast(crashes, 'add', -1)
  await node.assertExit(crashes, /only up/)
  await node.assertExit(crashes, { error: { name: 'RangeError' } })
  await node.assertTerminated(crashes, { reason: /only up/, terminateRan: true })
  node.exit(killed, 'kill')
  await node.assertTerminated(killed, { reason: 'killed', terminateRan: false })
  const text = await complaint(t, node.assertTerminated(killed, { terminateRan: true }))
  t.match(text, /terminate of <[\d.]+> did not run\n\n.*ENDS: killed/s)
  const stop = node.self.stop(stopped, 'shutdown')
  t.match(
    await complaint(t, node.assertTerminated(stopped, { reason: 'normal' })),
    /has the reason shutdown, not normal/,
  )
  await stop
  t.match(
    await complaint(t, node.assertTerminated(stopped, { terminateRan: false })),
    /terminate of <[\d.]+> ran, and was not to/,
  )
})

t.test('assertRestarted answers for one restart each, by name, id and behaviour', async (t) => {
  const inner = supervisor({ children: [Counter.child(7, { id: 'inner' })], id: 'sup' })
  const node = await opened(t, { children: [Counter.child(1, { name: 'hits' }), inner] })
  const kill = async (): Promise<void> => {
    node.exit((await node.self.whereis('hits')) as Pid, 'kill')
  }
  await kill()
  const again = await node.assertRestarted('hits')
  t.equal(await node.self.whereis('hits'), again)
  await complaint(t, node.assertRestarted('hits', { withinMs: 50 }))
  await kill()
  t.not(await node.assertRestarted('hits'), again)
  const innerSpawn = node.timeline.events.find(
    (event) =>
      event.kind === 'spawn' && event.behaviour === Counter.name && event.name === undefined,
  ) as { pid: Pid }
  node.exit(innerSpawn.pid, 'boom')
  const next = await node.assertRestarted('inner')
  t.equal(await node.self.call(next, 'read'), 7)
  node.exit(next, 'boom')
  await node.assertRestarted('testing.counter')
})

t.test('what is asserted of a closed node fails', async (t) => {
  const node = await testNode()
  const waits = node.assertReceive('x', { withinMs: Number.POSITIVE_INFINITY })
  node.close()
  await t.rejects(waits, { code: 'BEAMISH_NODE_STOPPED' })
  await t.rejects(node.assertReceive('x'), { code: 'BEAMISH_NODE_STOPPED' })
})

t.test('what is no plain data matches its equal alone', async (t) => {
  const node = await opened(t)
  const pairs: [unknown, unknown][] = [
    [new Map([['a', 1]]), new Map([['b', 2]])],
    [{ at: new Date(5) }, { at: new Date(0) }],
    [new Uint8Array([1, 2, 3]), new Uint8Array([1])],
    [new Set([1]), new Set()],
  ]
  for (const [sent, other] of pairs) {
    node.self.send(node.self.pid, sent)
    await complaint(t, node.assertReceive(other as never, { withinMs: 1 }))
    await node.assertReceive(sent as never)
  }
})

t.test('what comes too late is too late within an advance, too', async (t) => {
  const node = await opened(t)
  node.self.sendAfter(50, 'late', node.self.pid)
  const waits = complaint(t, node.assertReceive('late', { withinMs: 10 }))
  await node.advance(100)
  await waits
  await node.assertReceive('late')
})

t.test('a lock works on a test node', async (t) => {
  const node = await opened(t)
  t.equal(await uniqueRegistry('asserts.rooms').lock(node.self, 'lobby', () => 'locked'), 'locked')
})
