import { asserts } from 'beamish/testing'
import t from 'tap'
import { startNode } from '../kit.ts'
import { Counter, Teller } from './servers.ts'

t.test('the asserts of a real node', async (t) => {
  const node = await startNode(new URL('./servers.app.ts', import.meta.url), 2)
  t.teardown(() => node.stop())
  const { self } = node
  const { assertReceive, refuteReceive, assertDown, assertExit } = asserts(node)
  const teller = await self.spawn(Teller, undefined, { place: 'any' })
  for (const text of ['one', { two: 2, rest: [] }, undefined]) {
    self.send(teller, { to: self.pid, text })
  }
  t.same(await assertReceive({ two: 2 }), { two: 2, rest: [] })
  t.equal(await assertReceive(undefined), undefined)
  await t.rejects(refuteReceive(/^o/, { withinMs: 1 }), /the test got one, which was not to come/)
  await refuteReceive('two', { withinMs: 1 })
  await t.rejects(assertReceive('two', { withinMs: 1 }), {
    code: 'BEAMISH_TEST_ASSERTION',
    message: 'a message to the test that is two did not come within 1 ms',
    stack: /nodeAsserts\.test\.ts/,
  })
  const [one, other] = [await self.start(Counter, 0), await self.start(Counter, 0)]
  const ref = self.monitor(one)
  self.cast(one, 'add', -1)
  t.match(await assertDown(ref, /only up/), { object: one })
  await t.rejects(assertExit(one, /only up/), /has the reason noproc, not \/only up\//)
  self.exit(other, 'boom')
  const second = self.spawn(Counter, 0)
  const ends = assertExit(second, 'boom')
  self.exit(second, 'boom')
  t.equal(await ends, 'boom')
  await t.rejects(assertDown(self.monitor(teller), 'x', { withinMs: 1 }), /the DOWN did not come/)
})
