// otp 180 and what an agent is for, on the caller's thread and on another one.
import { agent, type BeamishNode, type Placement, type RemoteFunction, StartError } from 'beamish'
import t, { type Test } from 'tap'
import { downReason, isType, rejection, startNode } from '../kit.ts'

const APP = new URL('./agent.app.ts', import.meta.url)
const remote = <R>(name: string, ...args: unknown[]): RemoteFunction<R> => ({
  module: APP,
  name,
  args,
})
const why = (reason: unknown): unknown => (reason as { reason?: unknown }).reason
const messageOf = (reason: unknown): unknown =>
  (reason as { error?: { message?: unknown } }).error?.message

for (const development of [false, true]) {
  t.test(development ? 'in development' : 'in production', async (t) => {
    const node = await startNode(APP, 2, { development })
    t.teardown(() => node.stop())
    await t.test('on the same scheduler', (t) => suite(t, node, 'here'))
    await t.test('on another thread', (t) => suite(t, node, { scheduler: 2 }))
    await t.test('plain functions', (t) => functions(t, node))
    await t.test('a supervised agent is found by its name, from any thread', async (t) => {
      const { self } = node
      await agent.update(self, 'answer', remote('add', 2))
      t.equal(await agent.get(self, 'answer', remote('read')), 42)
    })
  })
}

async function suite(t: Test, node: BeamishNode, place: Placement): Promise<void> {
  const { self } = node
  const start = (value: number) => agent.start(self, remote<number>('start', value), { place })

  await t.test('get, update, getAndUpdate and cast run exported functions inside', async (t) => {
    const counter = await start(1)
    t.equal(await agent.get(self, counter, remote('read')), 1)
    t.equal(await agent.update(self, counter, remote('add', 2)), undefined)
    await agent.update(self, counter, remote('slowAdd', 3))
    agent.cast(self, counter, remote('add', 10))
    t.equal(await agent.get(self, counter, remote('read')), 16, 'in order with a cast')
    t.equal(await agent.getAndUpdate(self, counter, remote<[number, number]>('swap', 100)), 16)
    t.equal(await agent.get(self, counter, remote('read')), 100)
    const ref = self.monitor(counter)
    await agent.stop(self, counter)
    t.equal(await downReason(node, ref), 'normal')
  })

  await t.test('otp 180: a function that throws ends the agent and its caller', async (t) => {
    const counter = await start(1)
    const ref = self.monitor(counter)
    const reason = await rejection(agent.get(self, counter, remote('raise', 'odd')))
    t.match(reason, { call: { event: 'get' }, reason: { error: { message: 'odd' } } })
    t.equal(messageOf(await downReason(node, ref)), 'odd')
    const gone = await rejection(agent.get(self, counter, remote('read')))
    t.equal(why(gone), 'noproc')
  })

  await t.test('what getAndUpdate must return is checked', async (t) => {
    const reason = await rejection(agent.getAndUpdate(self, await start(1), remote('bad')))
    t.match(why(reason), { badReturn: { callback: 'getAndUpdate', value: '1' } })
  })

  await t.test('a start that fails says why; a linked agent takes its owner along', async (t) => {
    const failed = await agent.start(self, remote('fails'), { place }).catch((error) => error)
    t.ok(failed instanceof StartError)
    t.equal(messageOf(failed.reason), 'no start')
    const linked = await agent.startLink(self, remote('start', 1), { place })
    self.exit(linked, 'odd')
    t.match(await self.receive(isType('EXIT'), 5_000), { from: linked, reason: 'odd' })
    const missing = await rejection(agent.start(self, remote('nothing'), { place }))
    t.match(missing, { error: { code: 'BEAMISH_NO_EXPORT' } })
  })
}

async function functions(t: Test, node: BeamishNode): Promise<void> {
  const { self } = node
  const cart = await agent.start(self, () => ['tea'], { name: 'cart' })
  await agent.update(self, cart, (items) => [...items, 'milk'])
  agent.cast(self, cart, async (items) => [...items, 'jam'])
  t.equal(await agent.get(self, cart, (items) => items.length), 3)
  t.equal(await agent.getAndUpdate(self, cart, (items) => [items[0], items.slice(1)]), 'tea')
  t.same(await agent.get(self, 'cart', (items) => items), ['milk', 'jam'])
  t.equal(messageOf(why(await rejection(agent.get(self, cart, raise)))), 'mine')
  agent.cast(self, 'cart', () => [])
  t.equal(why(await rejection(agent.get(self, 'cart', (items) => items))), 'noproc')
  const elsewhere = await agent.start(self, remote('start', 1), { place: { scheduler: 1 } })
  const refused = { code: 'BEAMISH_FUNCTION_ELSEWHERE' }
  t.match(await rejection(agent.get(self, elsewhere, (n) => n)), refused)
  t.throws(() => agent.cast(self, elsewhere, (n) => n), refused)
  t.match(await rejection(agent.start(self, () => 1, { place: 'any' })), refused)
  t.match(await rejection(agent.get(self, elsewhere, 'x' as never)), { code: 'BEAMISH_BAD_OPTION' })
}

function raise(): never {
  throw new Error('mine')
}
