import { type Alias, agent, type Pid, process, sys } from 'beamish'
import { type MessageEvent, type TestNode, type TimelineEvent, testNode } from 'beamish/testing'
import t from 'tap'
import { rejection } from '../kit.ts'
import { Counter, Teller } from './servers.ts'

const Slow = process('testing.slow', async (self) => {
  await self.sleep(1_000)
  for (;;) await self.receive()
})

async function opened(t: { teardown(end: () => void): void }, options = {}): Promise<TestNode> {
  const node = await testNode(options)
  t.teardown(() => node.close())
  return node
}

const kinds = (node: TestNode): string[] => node.timeline.events.map(({ kind }) => kind)

const messagesTo = (node: TestNode, pid: Pid): MessageEvent[] =>
  node.timeline.events.filter(
    (event): event is MessageEvent => 'outcome' in event && event.to === pid,
  )

t.test('it has every kind of event, as data', async (t) => {
  const node = await opened(t, { schedulers: 1, draws: 0 })
  const counter = await node.spawn(Counter, 1)
  const ref = node.monitor(counter)
  node.self.link(counter)
  node.self.unlink(counter)
  node.self.cast(counter, 'add', 2)
  await node.self.call(counter, 'read')
  node.self.cast(counter, 'add', -1)
  await node.assertDown(ref)
  t.same(kinds(node), [
    'spawn',
    'monitor',
    'link',
    'unlink',
    'cast',
    'call',
    'reply',
    'cast',
    'terminate',
    'exit',
    'down',
  ])
  const [spawn, monitor] = node.timeline.events as TimelineEvent[]
  const test = node.self.pid
  t.match(spawn, {
    pid: counter,
    by: test,
    behaviour: 'testing.counter',
    scheduler: 1,
    linked: false,
  })
  t.match(monitor, { from: test, to: counter, ref })
  const [cast, call] = messagesTo(node, counter)
  t.match(cast, { kind: 'cast', from: test, name: 'add', payload: 2, outcome: 'handled', atMs: 0 })
  t.match(call, { kind: 'call', from: test, name: 'read', payload: undefined, outcome: 'handled' })
  t.match(messagesTo(node, test), [
    { kind: 'reply', from: counter, name: 'read', payload: 3 },
    { kind: 'down', from: counter, payload: { error: { message: 'only up' } } },
  ])
  const seqs = node.timeline.events.map(({ seq }) => seq)
  t.same(
    seqs,
    seqs.toSorted((a, b) => a - b),
  )
})

for (const scheduler of [1, 2]) {
  t.test(`a message stands where it was handled (to thread ${scheduler})`, async (t) => {
    const node = await opened(t)
    const teller = await node.spawn(Teller, undefined, { place: { scheduler: 1 } })
    const slow = await node.spawn(Slow, undefined, { place: { scheduler } })
    node.self.send(teller, { to: slow, text: 'hello' })
    await node.runUntilIdle()
    t.match(node.timeline(), /testing\.teller <0\.1\.0> -> .*: send hello \(not handled yet\)/)
    await node.advance(1_000)
    t.match(node.timeline(), / 1000 ms {2}testing\.teller <0\.1\.0> -> .*: send hello$/)
    t.match(messagesTo(node, slow), [{ outcome: 'handled', atMs: 0, settled: { atMs: 1_000 } }])
  })

  t.test(`what nobody handles is lost (thread ${scheduler})`, async (t) => {
    const node = await opened(t)
    const teller = await node.spawn(Teller, undefined, { place: { scheduler: 1 } })
    const slow = await node.spawn(Slow, undefined, { place: { scheduler } })
    node.self.send(teller, { to: slow, text: 'in its mailbox' })
    await node.runUntilIdle()
    node.exit(slow, 'boom')
    node.self.send(teller, { to: slow, text: 'too late' })
    await node.runUntilIdle()
    t.match(messagesTo(node, slow), [
      { payload: 'in its mailbox', outcome: 'lost' },
      { payload: 'too late', outcome: 'lost' },
    ])
  })

  t.test(`what a full mailbox does not take is dropped (thread ${scheduler})`, async (t) => {
    const node = await opened(t)
    const teller = await node.spawn(Teller, undefined, { place: { scheduler: 1 } })
    const outcomes = async (policy: 'drop_newest' | 'drop_oldest') => {
      const mailbox = { maxLength: 1, policy }
      const slow = await node.spawn(Slow, undefined, { place: { scheduler }, mailbox })
      await node.runUntilIdle()
      for (const text of ['one', 'two']) node.self.send(teller, { to: slow, text })
      await node.runUntilIdle()
      return messagesTo(node, slow).map(({ outcome }) => outcome)
    }
    t.same(await outcomes('drop_newest'), ['waits', 'dropped'])
    t.same(await outcomes('drop_oldest'), ['dropped', 'waits'])
  })
}

t.test('an alias that is switched off gets nothing', async (t) => {
  const node = await opened(t)
  await node.spawn(
    async (self) => {
      const alias: Alias = self.alias()
      self.send(node.self.pid, alias)
      await self.receive()
      self.unalias(alias)
      self.send(node.self.pid, 'off')
      await self.receive()
    },
    { scheduler: 1 },
  )
  const alias = await node.assertReceive<Alias>({ pid: Number.isInteger })
  node.self.send(alias, 'first')
  await node.assertReceive('off')
  node.self.send(alias, 'second')
  await node.runUntilIdle()
  t.match(messagesTo(node, alias.pid), [{ outcome: 'handled' }, { outcome: 'lost' }])
})

for (const scheduler of [1, 2]) {
  t.test(`requests of sys are calls as others (thread ${scheduler})`, async (t) => {
    const node = await opened(t, { draws: 0 })
    const counter = await node.spawn(Counter, 1, { place: { scheduler } })
    await node.spawn(
      async (self) => {
        await sys.getState(self, counter)
        await sys.suspend(self, counter)
        await sys.getState(self, counter)
        await sys.resume(self, counter)
        self.send(node.self.pid, await self.call(counter, 'read'))
      },
      { scheduler: 1 },
    )
    await node.assertReceive(1)
    const requests = ['getState', 'suspend', 'getState', 'resume'].map((one) => `sys.${one}`)
    const found = messagesTo(node, counter).map(({ kind, name, outcome }) => [kind, name, outcome])
    t.same(
      found,
      [...requests, 'read'].map((name) => ['call', name, 'handled']),
    )
  })
}

t.test('an agent is told by whom it is cast to', async (t) => {
  const node = await opened(t)
  const kept = await agent.start(node.self, () => 1)
  agent.cast(node.self, kept, (n: number) => n + 1)
  t.equal(await agent.get(node.self, kept, (n: number) => n), 2)
  t.match(messagesTo(node, kept)[0], { kind: 'cast', from: node.self.pid, outcome: 'handled' })
})

t.test('of a long timeline a message has the beginning and the end', async (t) => {
  const node = await opened(t)
  await node.spawn(async (self) => {
    for (let n = 0; n < 600; n++) {
      self.send(self.pid, n)
      await self.receive()
    }
    await self.receive()
  })
  await node.runUntilIdle()
  const lines = node.timeline().split('\n').length
  t.ok(lines > 500)
  const { message } = (await rejection(node.assertReceive('x'))) as Error
  t.equal(message.split('\n').length < 420, true)
  t.match(message, /send 10\n.* … \d+ more, which node\.timeline\(\) has …\n.*send \d{3}/s)
})

t.test('the diagram escapes what Mermaid takes for its own', async (t) => {
  const node = await opened(t, { schedulers: 1 })
  const teller = await node.spawn(Teller, undefined)
  node.self.send(teller, { to: node.self.pid, text: 'a; #b\nc' })
  await node.assertReceive(/^a/)
  const lines = node.timeline.toMermaid().split('\n')
  t.same(lines.slice(0, 4), [
    'sequenceDiagram',
    '  participant p0 as test',
    '  participant p1 as testing.teller <0.1.0>',
    '  p0->>p1: spawn',
  ])
  t.match(lines.at(-1), /^ {2}p1-\)p0: send a#59; #35;b c$/)
})

t.test('clear forgets what was, and still knows who is who', async (t) => {
  const node = await opened(t)
  const teller = await node.spawn(Teller, undefined)
  node.timeline.clear()
  t.equal(node.timeline(), '')
  node.exit(teller, 'boom')
  await node.assertExit(teller)
  t.match(node.timeline(), /testing\.teller <0\.1\.0> ENDS: boom$/)
})
