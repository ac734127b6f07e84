import { duplicateRegistry, genServer } from 'beamish'
import t from 'tap'
import { downReason, rejection } from '../kit.ts'
import { Puppet } from '../puppet.ts'
import { Stage } from '../stage.ts'

t.test('production', async (t) => {
  const stage = await Stage.open()
  t.teardown(() => stage.node.stop())

  t.test(
    'sent from outside of all processes, it costs the call or the spawn, not the node',
    async (t) => {
      const { self } = stage.node
      const puppet = await stage.puppet(2)
      const call = await self.call(puppet, 'anything', { fn: () => 1 }).catch((e: unknown) => e)
      t.match(call, { reason: { reason: { error: { code: 'BEAMISH_UNCLONEABLE' } } } })
      const spawn = await self
        .spawn(Puppet, { fn: () => 1 } as never, { place: { scheduler: 2 } })
        .catch((e: unknown) => e)
      t.match(spawn, {
        reason: { error: { code: 'BEAMISH_UNCLONEABLE', message: /to a new puppet/ } },
      })
      self.send(puppet, () => 1)
      t.equal(await stage.lives(puppet), true)
    },
  )

  t.test(
    'one uncloneable message in a batch: only it is lost, its sender ends and is told what it was',
    async (t) => {
      const [bad, good, receiver] = [
        await stage.puppet(1),
        await stage.puppet(1),
        await stage.puppet(2),
      ]
      stage.order(good, ['send', receiver, 'good 1'])
      stage.order(
        bad,
        ['send', receiver, 'bad 1'],
        ['sendFunction', receiver],
        ['send', receiver, 'bad 2'],
      )
      stage.order(good, ['send', receiver, 'good 2'])
      const heard = await stage.hears(receiver, 4)
      t.strictSame(
        heard.filter((m) => String(m).startsWith('good')),
        ['good 1', 'good 2'],
      )
      t.strictSame(
        heard.filter((m) => String(m).startsWith('bad')),
        ['bad 1', 'bad 2'],
      )
      const reason = (await stage.ended(bad)) as { error: { code: string; message: string } }
      t.equal(reason.error.code, 'BEAMISH_UNCLONEABLE')
      t.match(reason.error.message, 'message.deep[0].fn is a function')
      t.match(reason.error.message, /to <0\.2\.\d/, 'it names the receiver')
      t.equal(await stage.lives(good), true)
      t.equal(await stage.lives(receiver), true)
    },
  )

  t.test('within a thread a function may be sent, by reference', async (t) => {
    const { a, b } = await stage.pair(t, { name: 'one thread', a: 1, b: 1 })
    const held = stage.order(b, ['hold'])
    await stage.infoWhen(b, (info) => info.status === 'waiting')
    await stage.tell(a, ['sendFunction', b])
    t.equal((await stage.infoWhen(b, () => true)).mailboxLength, 1)
    stage.node.self.exit(b, 'kill')
    t.equal(await stage.ended(b), 'killed')
    t.ok(held)
  })
})

t.test('development', async (t) => {
  const stage = await Stage.open({ schedulers: 1, development: true })
  t.teardown(() => stage.node.stop())
  const { self } = stage.node

  t.test('the send itself throws, with the path and the receiver', async (t) => {
    const [a, b] = [await stage.puppet(1), await stage.puppet(1)]
    const [caught] = await stage.tell(a, ['try', ['sendFunction', b]])
    t.match(caught, { code: 'BEAMISH_UNCLONEABLE', message: 'message.deep[0].fn is a function' })
    t.match(caught, { message: /to <0\.1\.\d/ })
    t.equal(await stage.lives(a), true, 'a caught one ends nobody')
  })

  t.test(
    'changing what was sent throws at its line, for the sender and for the receiver',
    async (t) => {
      const message = { user: { name: 'Ada' }, tags: ['a'] }
      const { ref } = self.spawnMonitor(async (its) => {
        const got = (await its.receive()) as typeof message
        its.send(self.pid, { same: got === message })
        got.user.name = 'Bob'
      })
      const receiver = self.spawn(async (its) => its.receive())
      self.send(receiver, message)
      t.throws(() => message.tags.push('b'), TypeError)
      t.throws(() => {
        message.user.name = 'Bob'
      }, TypeError)
      const { pid, ref: second } = self.spawnMonitor(async (its) => {
        const got = (await its.receive()) as typeof message
        got.user.name = 'Bob'
      })
      self.send(pid, message)
      const end = await stage.receive(
        'DOWN',
        (m): m is { reason: unknown } => (m as { ref?: unknown }).ref === second,
      )
      t.match(end.reason, { error: { name: 'TypeError' } })
      self.demonitor(ref)
    },
  )
})

const Strict = genServer('uncloneable.strict', {
  init: (argument: { list: unknown[] }) => argument,
  handleCall: {
    wrong: () => ({ deep: [{ fn: () => 1 }] }),
    same: (state, list: unknown) => state.list === list,
    list: (state) => state.list,
  },
})

t.test('in development everything else that could cross threads is a copy, too', async (t) => {
  const stage = await Stage.open({ development: true })
  t.teardown(() => stage.node.stop())
  const { self } = stage.node
  const refused = { code: 'BEAMISH_UNCLONEABLE', message: /message\.list\[0\] is a function/ }
  const bad = { list: [() => 1] }

  t.test('arguments of whoever is spawned here', async (t) => {
    t.throws(() => self.spawn(Strict, bad), refused)
    t.throws(() => self.spawnLink(Strict, bad), refused)
    t.throws(() => self.spawnMonitor(Strict, bad), refused)
    await t.rejects(self.start(Strict, bad), refused)
    const argument = { list: [1] }
    const pid = self.spawn(Strict, argument)
    t.equal(await self.call(pid, 'same', argument.list), false)
    t.throws(() => argument.list.push(2), TypeError)
  })

  t.test('a reply: who gives a wrong one ends, and its caller hears why', async (t) => {
    const pid = self.spawn(Strict, { list: [] })
    const ref = self.monitor(pid)
    const code = 'BEAMISH_UNCLONEABLE'
    t.match(await rejection(self.call(pid, 'wrong')), { reason: { error: { code } } })
    t.match(await downReason(stage.node, ref), {
      error: { message: /message\.deep\[0\]\.fn is a function/ },
    })
  })

  t.test('the reason of an exit: what cannot cross is text', async (t) => {
    const reason = { why: ['a'] }
    const { ref } = self.spawnMonitor((its) => its.exit(reason))
    const seen = await downReason(stage.node, ref)
    t.strictSame(seen, reason)
    t.not(seen, reason, 'a copy')
    const { ref: second } = self.spawnMonitor((its) => its.exit({ fn: () => 1 }))
    t.equal(typeof (await downReason(stage.node, second)), 'string')
  })

  t.test('the value of a registry entry', async (t) => {
    const registry = duplicateRegistry('uncloneable.entries')
    t.throws(() => registry.register(self, 'k', bad), refused)
    const value = { list: [1] }
    registry.register(self, 'k', value)
    const [entry] = await registry.lookup(self, 'k')
    t.strictSame(entry?.value, value)
    t.not(entry?.value, value)
  })
})

t.test(
  'a timer whose message cannot be cloned throws where it is set, and ends nobody later',
  async (t) => {
    const stage = await Stage.open({ development: true })
    t.teardown(() => stage.node.stop())
    const { self } = stage.node
    t.throws(() => self.sendAfter(1, { fn: () => 1 }), { code: 'BEAMISH_UNCLONEABLE' })
    self.sendAfter(5, 'the clock goes on')
    t.equal(
      await self.receive((message) => message === 'the clock goes on', 5_000),
      'the clock goes on',
    )
  },
)
