import { type Pid, supervisor, task } from 'beamish'
import { endpoint } from 'beamish/channels'
import { type TestNode, testNode } from 'beamish/testing'
import t from 'tap'
import { rejection } from '../kit.ts'
import { Adder, Clock, Counter, Teller } from './servers.ts'

const adders = async (node: TestNode): Promise<number> => {
  const counter = await node.spawn(Counter, 0)
  for (let i = 0; i < 2; i++) await node.spawn(Adder, { counter, done: node.self.pid })
  for (let i = 0; i < 2; i++) await node.assertReceive('added')
  return (await node.self.call(counter, 'read')) as number
}

t.test('the same seed is the same schedule, another seed another', async (t) => {
  const run = async (seed: number): Promise<string> => {
    const node = await testNode({ schedulers: 3, seed })
    const count = await adders(node)
    node.close()
    return `${count}\n${node.timeline()}`
  }
  const all = new Set<string>()
  for (let seed = 0; seed < 20; seed++) {
    const text = await run(seed)
    t.equal(await run(seed), text, `seed ${seed} twice`)
    all.add(text)
  }
  t.ok(all.size > 10, `${all.size} different schedules of 20`)
  t.same([...new Set([...all].map((text) => text.slice(0, 1)))].sort(), ['1', '2'], 'and outcomes')
})

t.test('time is virtual, and moves when the test waits for it', async (t) => {
  const node = await testNode()
  const counter = await node.spawn(Counter, 5)
  const before = performance.now()
  t.equal(await node.self.call(counter, 'slowly', 4_000), 5)
  t.ok(performance.now() - before < 2_000, 'nobody has waited')
  t.equal(node.now, 4_000)
  t.equal(node.self.now(), 4_000)
  await node.self.sleep(500)
  t.equal(node.now, 4_500)
  t.match(await rejection(node.self.call(counter, 'slowly', 9_000)), { reason: 'timeout' })
  t.equal(node.now, 9_500, 'a call times out after 5 s of it')
  node.close()
})

t.test('advance lets everything happen that is due on the way, in its order', async (t) => {
  const node = await testNode()
  for (const everyMs of [300, 200]) await node.spawn(Clock, { pid: node.self.pid, everyMs })
  await node.advance(700)
  t.equal(node.now, 700)
  const heard: unknown[] = []
  for (let i = 0; i < 5; i++) heard.push(await node.self.receive())
  t.same(heard.toSorted(), [200, 300, 400, 600, 600])
  t.same(heard.slice(0, 3), [200, 300, 400])
  node.close()
})

t.test('without autoAdvance time moves by advance alone', async (t) => {
  const node = await testNode({ autoAdvance: false })
  const counter = await node.spawn(Counter, 5)
  const answer = node.self.call(counter, 'slowly', 10)
  let answered = false
  void answer.then(() => {
    answered = true
  })
  await node.runUntilIdle()
  t.equal(answered, false)
  await node.advance(10)
  t.equal(await answer, 5)
  node.close()
})

t.test('random numbers come from the seed', async (t) => {
  const run = async (seed: number): Promise<unknown> => {
    const node = await testNode({ seed })
    await node.spawn((self) => self.send(node.self.pid, self.random()), { scheduler: 1 })
    const number = await node.assertReceive((n: unknown) => typeof n === 'number')
    node.close()
    return number
  }
  t.equal(await run(4), await run(4))
  t.not(await run(4), await run(5))
})

t.test('a handler that awaits something real is named', async (t) => {
  const node = await testNode()
  const counter = await node.spawn(Counter, 0)
  const failed = await rejection(node.self.call(counter, 'forReal'))
  t.match(failed, {
    reason: {
      error: {
        name: 'BeamishError',
        code: 'BEAMISH_TEST_UNREPRODUCIBLE',
        message: /testing\.counter <0\.\d\.0> awaits something .* in \{"call":"forReal"/,
      },
    },
  })
  const other = await node.spawn(() => new Promise((resolve) => setImmediate(resolve)))
  await t.rejects(node.assertExit(other), { code: 'BEAMISH_TEST_UNREPRODUCIBLE' })
  node.close()
})

t.test('what waits for the runtime alone is no such thing, however long', async (t) => {
  const node = await testNode()
  const waits = [
    await node.spawn((self) => self.sleep(Number.POSITIVE_INFINITY)),
    await node.spawn((self) => self.receive()),
    await node.spawn((self) => self.sleep(600_000)),
  ]
  await node.runUntilIdle()
  await node.advance(120_000)
  for (const pid of waits) t.equal(await node.self.alive(pid), true)
  node.close()
})

t.test('processes that never come to rest are told of', async (t) => {
  const node = await testNode({ maxSteps: 500 })
  const [a, b] = [await node.spawn(Teller, undefined), await node.spawn(Teller, undefined)]
  const endless: { to: Pid; text: unknown } = { to: b, text: undefined }
  await node.spawn(async (self) => {
    for (;;) {
      self.send(self.pid, endless)
      await self.receive()
    }
  })
  await t.rejects(node.runUntilIdle(), { code: 'BEAMISH_TEST_ENDLESS' })
  await t.rejects(node.assertExit(a), { code: 'BEAMISH_TEST_ENDLESS' })
  node.close()
})

t.test('the tree of an app runs as on a real node', async (t) => {
  const app = supervisor({
    strategy: 'rest_for_one',
    children: [
      Counter.child(1, { name: 'first' }),
      Counter.child(2, { name: 'second' }),
      Counter.child(3, { id: 'every', place: 'each' }),
    ],
  })
  const node = await testNode({ app, seed: 5 })
  node.exit((await node.self.whereis('first')) as Pid, 'boom')
  const again = await node.assertRestarted('first')
  await node.assertRestarted('second')
  t.equal(await node.self.whereis('first'), again)
  t.equal(await node.self.call('second', 'read'), 2)
  const event = node.timeline.events.find((one) => one.kind === 'restart')
  t.match(event, { pid: again, behaviour: 'testing.counter', name: 'first' })
  await node.stop()
  t.match(node.timeline(), /second <[\d.]+> ENDS: shutdown/)
  await t.rejects(node.runUntilIdle(), { code: 'BEAMISH_NODE_STOPPED' })
})

t.test('bad options are refused', async (t) => {
  for (const options of [{ schedulers: 0 }, { schedulers: 65 }, { seed: -1 }, { maxSteps: 0.5 }]) {
    await t.rejects(testNode(options), { code: 'BEAMISH_BAD_OPTION' }, JSON.stringify(options))
  }
  const node = await testNode()
  await t.rejects(node.advance(-1), { code: 'BEAMISH_BAD_TIMEOUT' })
  await t.rejects(
    node.spawn(() => {}, { scheduler: 9 }),
    { code: 'BEAMISH_NO_SCHEDULER' },
  )
  node.close()
})

t.test(
  'receive() of the test ends when nothing is left to come, and when a handler is stuck',
  async (t) => {
    const node = await testNode()
    const counter = await node.spawn(Counter, 0)
    await node.spawn((self) => self.send(node.self.pid, 'hello'))
    t.equal(await node.self.receive(), 'hello')
    t.equal(await node.self.receive(() => true, 50), undefined)
    t.equal(node.now, 50)
    await t.rejects(node.self.receive(), {
      code: 'BEAMISH_TEST_ASSERTION',
      message: /receive\(\) did not come and nothing is left to happen; its mailbox is empty/,
    })
    const other = await node.spawn(() => new Promise((resolve) => setImmediate(resolve)))
    await t.rejects(node.self.receive(), { code: 'BEAMISH_TEST_UNREPRODUCIBLE' })
    t.equal(await node.self.alive(other), true)
    t.equal(await node.self.call(counter, 'read'), 0)
    node.close()
  },
)

t.test('what is stuck while nobody can be told is told to who asks next', async (t) => {
  const node = await testNode()
  await node.spawn(() => new Promise((resolve) => setImmediate(resolve)))
  t.equal(await node.self.receive(() => true, 10), undefined)
  await t.rejects(node.runUntilIdle(), { code: 'BEAMISH_TEST_UNREPRODUCIBLE' })
  node.close()
})

t.test('what is not simulated says so', async (t) => {
  const missing = { code: 'BEAMISH_TEST_NOT_SIMULATED' }
  const node = await testNode()
  const module = new URL('./servers.ts', import.meta.url).href
  await t.rejects(task.cpu(node.self, module, 'seven', []), missing)
  t.equal(node.now, 0, 'at once')
  node.close()
  const site = endpoint({ port: 0, plugins: [] })
  const failed = await rejection(testNode({ children: [site] }))
  t.match(JSON.stringify(failed), /BEAMISH_TEST_NOT_SIMULATED/)
  for (const name of ['maxLostThreads', 'maxBlockedMs', 'dirtyThreads', 'sede']) {
    await t.rejects(testNode({ [name]: 1 } as object), {
      code: 'BEAMISH_BAD_OPTION',
      message: new RegExp(`option ${name} is unknown: a test node has schedulers, seed`),
    })
  }
})

/** Awaits something real, which is through by the next turn of the loop. */
const real = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test('what is real does not come about unseen while others are busy', async (t) => {
  const node = await testNode()
  await node.spawn(async (self) => {
    await real()
    self.send(node.self.pid, 'real')
  })
  await node.spawn(async (self) => {
    for (let n = 0; n < 3_000; n++) {
      self.send(self.pid, n)
      await self.receive()
    }
    self.send(node.self.pid, 'done')
    await self.receive()
  })
  await t.rejects(node.assertReceive('done'), { code: 'BEAMISH_TEST_UNREPRODUCIBLE' })
  node.close()
})

t.test('nor while the test awaits something real itself', async (t) => {
  const node = await testNode()
  const counter = await node.spawn(Counter, 0)
  await node.spawn(async (self) => {
    await real()
    self.send(node.self.pid, 'real')
  })
  for (let i = 0; i < 5; i++) await real()
  await t.rejects(node.self.call(counter, 'slowly', 5), /awaits something that is no operation/)
  t.equal(await node.self.call(counter, 'read'), 0, 'once')
  node.close()
})

t.test('what is awaited of a node when it is closed, or after, fails', async (t) => {
  const told = (awaited: Promise<unknown>): Promise<string> =>
    awaited.then(
      () => 'resolved',
      ({ message }: Error) => message,
    )
  const node = await testNode()
  const counter = await node.spawn(Counter, 0)
  const awaited = [
    node.self.call(counter, 'slowly', 1_000),
    node.spawn(Counter, 1),
    node.self.receive(undefined, 1_000),
    node.assertReceive('x'),
    node.runUntilIdle(),
  ]
  node.close()
  for (const one of awaited) t.match(await told(one), /the node has stopped/)
  for (const one of [
    () => node.self.call(counter, 'read'),
    () => node.self.receive(),
    () => node.self.receive(undefined, 10),
    () => node.self.sleep(10),
    () => node.spawn(Counter, 2),
    () => node.assertReceive('x'),
  ]) {
    t.match(await told(one()), /the node has stopped/, String(one))
  }
})
