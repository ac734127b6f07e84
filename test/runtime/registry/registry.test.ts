// otp 159 to 166 on one scheduler, on two threads, and mixed.
import type { BeamishNode, Placement } from 'beamish'
import t, { type Test } from 'tap'
import { downReason, schedulerCounts, startNode } from '../kit.ts'
import { listeners, Registrant, rooms } from './registrants.ts'

const APP = new URL('./registrants.ts', import.meta.url)

for (const schedulers of schedulerCounts) {
  t.test(`with ${schedulers} scheduler threads`, async (t) => {
    const node = await startNode(APP, schedulers)
    t.teardown(() => node.stop())
    const first: Placement = { scheduler: node.schedulers()[0] as number }
    const last: Placement = { scheduler: node.schedulers().at(-1) as number }
    await t.test('both on the same scheduler', (t) => suite(t, node, 'a', 'here', 'here'))
    await t.test('both on one thread', (t) => suite(t, node, 'b', first, first))
    await t.test('on main and on a thread', (t) => suite(t, node, 'c', 'here', last))
    if (schedulers > 1) {
      await t.test('on two threads', (t) => suite(t, node, 'd', first, last))
    }
  })
}

async function suite(
  t: Test,
  node: BeamishNode,
  prefix: string,
  placeA: Placement,
  placeB: Placement,
): Promise<void> {
  const { self } = node
  const pair = async () => ({
    a: await self.start(Registrant, undefined, { place: placeA }),
    b: await self.start(Registrant, undefined, { place: placeB }),
  })
  const key = (name: string) => `${prefix} ${name}`

  await t.test('a unique key belongs to one process, and every thread finds it', async (t) => {
    const { a, b } = await pair()
    t.equal(await self.call(a, 'claim', key('k')), 'ok')
    for (const asker of [a, b]) t.equal(await self.call(asker, 'find', key('k')), a)
    t.equal(await rooms.whereis(self, key('k')), a)
    t.same(await self.call(b, 'claim', key('k')), {
      code: 'BEAMISH_ALREADY_REGISTERED',
      owner: a,
    })
    t.equal(await self.call(b, 'find', key('nobody')), undefined)
  })

  await t.test(
    'otp 159: the same key twice by one process names that process as owner',
    async (t) => {
      const { a } = await pair()
      await self.call(a, 'claim', key('own'))
      t.same(await self.call(a, 'claim', key('own')), {
        code: 'BEAMISH_ALREADY_REGISTERED',
        owner: a,
      })
    },
  )

  await t.test('otp 160: the key of a dead owner is free when its DOWN arrives', async (t) => {
    for (let round = 0; round < 20; round++) {
      const { a, b } = await pair()
      await self.call(a, 'claim', key('reused'))
      const ref = self.monitor(a)
      self.exit(a, 'kill')
      await downReason(node, ref)
      t.equal(await self.call(b, 'claim', key('reused')), 'ok', `round ${round}`)
      const next = self.monitor(b)
      self.exit(b, 'kill')
      await downReason(node, next)
    }
  })

  await t.test(
    'differs: otp 161: an unregistered key is free, the owner’s other keys stay',
    async (t) => {
      const { a, b } = await pair()
      await self.call(a, 'claim', key('one'))
      await self.call(a, 'claim', key('two'))
      await self.call(b, 'giveUp', key('one'))
      t.equal(await self.call(a, 'find', key('one')), a, 'only its owner can give a key up')
      await self.call(a, 'giveUp', key('one'))
      t.equal(await self.call(a, 'find', key('one')), undefined)
      t.equal(await self.call(b, 'claim', key('one')), 'ok')
      t.equal(await self.call(b, 'find', key('two')), a)
    },
  )

  await t.test(
    'of many who claim a key at once exactly one gets it, and all agree who',
    async (t) => {
      const { a, b } = await pair()
      for (let round = 0; round < 50; round++) {
        const name = key(`race ${round}`)
        const answers = await Promise.all([
          self.call(a, 'claim', name),
          self.call(b, 'claim', name),
        ])
        const winner = answers[0] === 'ok' ? a : b
        t.same(
          answers.map((answer) => (answer === 'ok' ? 'ok' : answer.owner)),
          winner === a ? ['ok', a] : [b, 'ok'],
        )
      }
    },
  )

  await t.test('otp 162: a lost race leaves nothing with the loser', async (t) => {
    const { a, b } = await pair()
    await self.call(a, 'claim', key('lost'))
    await self.call(b, 'claim', key('lost'))
    const ref = self.monitor(b)
    self.exit(b, 'kill')
    await downReason(node, ref)
    t.equal(await self.call(a, 'find', key('lost')), a)
  })

  await t.test(
    'differs: otp 166: a number and its text are different keys; registries do not mix',
    async (t) => {
      const { a, b } = await pair()
      const number = 1_000 + prefix.charCodeAt(0) * 10 + node.schedulers().length
      t.equal(await self.call(a, 'claim', number), 'ok')
      t.equal(await self.call(b, 'claim', String(number)), 'ok')
      t.equal(await self.call(b, 'find', number), a)
      t.equal(await self.call(a, 'find', String(number)), b)
      t.equal(await self.call(b, 'claimOther', number), 'ok')
      t.equal(await self.whereis(String(number)), undefined, 'keys are no names')
    },
  )

  await t.test('otp 163: one process may have several entries under a duplicate key', async (t) => {
    const { a, b } = await pair()
    await self.call(a, 'join', { key: key('dup'), value: 1 })
    await self.call(a, 'join', { key: key('dup'), value: 2 })
    await self.call(b, 'join', { key: key('dup') })
    const expected = [
      { pid: a, value: 1 },
      { pid: a, value: 2 },
      { pid: b, value: undefined },
    ]
    for (const asker of [a, b]) {
      t.same(await self.call(asker, 'entries', key('dup')), expected)
    }
    t.same(await listeners.lookup(self, key('dup')), expected)
    await self.call(a, 'dispatch', { key: key('dup'), message: 'ding' })
    t.same(await self.call(a, 'heard'), ['ding', 'ding'])
    // What a thread hears from a second one is not ordered with what it hears from us: await it.
    while ((await self.call(b, 'heard')).length < 1);
    t.same(await self.call(b, 'heard'), ['ding'])
    await self.call(a, 'leave', key('dup'))
    t.same(await self.call(b, 'entries', key('dup')), [{ pid: b, value: undefined }])
  })

  await t.test('otp 164: a dispatch to a key without entries reaches nobody', async (t) => {
    const { a, b } = await pair()
    await self.call(b, 'join', { key: key('other') })
    await self.call(a, 'dispatch', { key: key('none'), message: 'ding' })
    t.same(await self.call(a, 'heard'), [])
    t.same(await self.call(b, 'heard'), [])
    t.same(await self.call(a, 'entries', key('none')), [])
  })

  await t.test('the entries of a dead process are gone when its DOWN arrives', async (t) => {
    const { a, b } = await pair()
    for (const pid of [a, b]) await self.call(pid, 'join', { key: key('dying') })
    const ref = self.monitor(a)
    self.exit(a, 'kill')
    await downReason(node, ref)
    t.same(await self.call(b, 'entries', key('dying')), [{ pid: b, value: undefined }])
  })

  await t.test('a dispatch reaches the outside too', async (t) => {
    const { a } = await pair()
    listeners.register(self, key('outside'))
    await self.call(a, 'dispatch', { key: key('outside'), message: 'ding' })
    t.equal(await self.receive((m) => m === 'ding', 5_000), 'ding')
    listeners.unregister(self, key('outside'))
  })
}
