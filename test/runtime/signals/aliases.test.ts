/** Aliases and the options of monitors, numbered as in test/conformance/otp.md; each on one thread and on two. */
import type { Alias, Pid } from 'beamish'
import t from 'tap'
import { placements, Stage } from '../stage.ts'

const stage = await Stage.open()
t.teardown(() => stage.node.stop())

const down = (alias: unknown, object: unknown, reason: unknown) => ({
  type: 'DOWN',
  ref: (alias as Alias).ref,
  object,
  reason,
})

for (const place of placements) {
  const on = `(${place.name})`

  t.test(`otp 36: a monitor with a tag fires under that name ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const [one, two, three] = await stage.tell(
      a,
      ['monitor', b, { tag: 'worker_gone' }],
      ['monitor', b],
      ['monitor', b, { tag: 'flushed' }],
    )
    const flushed = await stage.tell(a, ['demonitor', three as never, { info: true }])
    t.strictSame(flushed, [true])
    stage.order(b, ['end', 'boom'])
    t.strictSame(await stage.hears(a, 2), [
      { type: 'worker_gone', ref: one, object: b, reason: 'boom' },
      { type: 'DOWN', ref: two, object: b, reason: 'boom' },
    ])
  })

  t.test(`otp 36: so does one by name, and of nobody ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const name = `otp36 ${place.name}`
    await stage.tell(b, ['register', name])
    const [ref, none] = await stage.tell(
      a,
      ['monitor', name, { tag: 'gone' }],
      ['monitor', 'no such name', { tag: 'gone' }],
    )
    t.strictSame(await stage.heard(a), {
      type: 'gone',
      ref: none,
      object: 'no such name',
      reason: 'noproc',
    })
    stage.order(b, ['return'])
    t.strictSame(await stage.heard(a), { type: 'gone', ref, object: name, reason: 'normal' })
  })

  t.test(`a tagged DOWN that is queued is flushed like any other ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const [ref] = await stage.tell(a, ['monitor', b, { tag: 'gone' }])
    const held = stage.order(a, ['hold'], ['demonitor', ref as never, { flush: true, info: true }])
    await stage.infoWhen(a, (info) => info.status === 'waiting')
    stage.order(b, ['return'])
    await stage.infoWhen(a, (info) => info.mailboxLength === 1)
    stage.node.self.send(a, 'release')
    t.strictSame(await stage.results(a, held), ['release', false])
    t.strictSame(await stage.until(a, a), [])
  })

  t.test(`otp 43: what is sent to an alias after unalias is dropped ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const [alias] = (await stage.tell(a, ['alias'])) as [Alias]
    t.equal(alias.pid, a, 'plain data: whose it is, and which')
    await stage.tell(b, ['send', alias, 1], ['send', alias, 2])
    t.strictSame(await stage.until(b, a), [1, 2], 'until then all of it comes, in order')
    t.strictSame(await stage.tell(a, ['unalias', alias], ['unalias', alias]), [true, false])
    await stage.tell(b, ['send', alias, 3])
    t.strictSame(await stage.until(b, a), [])
  })

  t.test(`otp 43: what was queued before unalias stays ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const [alias] = (await stage.tell(a, ['alias'])) as [Alias]
    const held = stage.order(a, ['hold'], ['unalias', alias])
    await stage.infoWhen(a, (info) => info.status === 'waiting')
    stage.order(b, ['send', alias, 'early'])
    await stage.infoWhen(a, (info) => info.mailboxLength === 1)
    stage.node.self.send(a, 'release')
    t.strictSame(await stage.results(a, held), ['release', true])
    t.equal(await stage.heard(a), 'early')
  })

  t.test(`only its owner switches an alias off ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const [alias] = (await stage.tell(a, ['alias'])) as [Alias]
    t.strictSame(await stage.tell(b, ['unalias', alias], ['send', alias, 'still']), [
      false,
      undefined,
    ])
    t.equal(await stage.heard(a), 'still')
  })

  t.test(`otp 44: a reply alias takes one message ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const [alias] = (await stage.tell(a, ['alias', { reply: true }])) as [Alias]
    await stage.tell(b, ['send', alias, 'first'], ['send', alias, 'second'])
    t.strictSame(await stage.until(b, a), ['first'])
    t.strictSame(await stage.tell(a, ['unalias', alias]), [false], 'it is off')
  })

  t.test(
    `otp 45: reply_demonitor: the first reply alone, and no DOWN after it ${on}`,
    async (t) => {
      const { a, b } = await stage.pair(t, place)
      const [alias] = (await stage.tell(a, ['monitor', b, { alias: 'reply_demonitor' }])) as [Alias]
      stage.order(b, ['send', alias, 'one'], ['send', alias, 'two'], ['end', 'boom'])
      await stage.ended(b)
      t.strictSame(await stage.until(a, a), ['one'])
      const info = await stage.infoWhen(a, () => true)
      t.strictSame(info.monitors, [], 'nothing is monitored any more')
    },
  )

  t.test(`otp 45: reply_demonitor without a reply: the DOWN, then nothing ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const [alias] = (await stage.tell(a, ['monitor', b, { alias: 'reply_demonitor' }])) as [Alias]
    stage.order(b, ['end', 'boom'])
    t.strictSame(await stage.heard(a), down(alias, b, 'boom'))
    t.strictSame(await stage.tell(a, ['unalias', alias]), [false])
  })

  t.test(`otp 46: a demonitor alias is off after the DOWN ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const c = await stage.puppet(place.b)
    const [alias] = (await stage.tell(a, ['monitor', b, { alias: 'demonitor' }])) as [Alias]
    stage.order(b, ['send', alias, 1], ['send', alias, 2], ['end', 'boom'])
    t.strictSame(await stage.hears(a, 3), [1, 2, down(alias, b, 'boom')])
    await stage.tell(c, ['send', alias, 'late'])
    t.strictSame(await stage.until(c, a), [])
  })

  t.test(`otp 46: and after demonitor ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const [alias] = (await stage.tell(a, ['monitor', b, { alias: 'demonitor' }])) as [Alias]
    await stage.tell(a, ['demonitor', alias.ref])
    await stage.tell(b, ['send', alias, 'late'])
    t.strictSame(await stage.until(b, a), [])
  })

  t.test(`otp 47: an explicit_unalias alias outlives the DOWN ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const c = await stage.puppet(place.b)
    const [alias] = (await stage.tell(a, ['monitor', b, { alias: 'explicit_unalias' }])) as [Alias]
    stage.order(b, ['end', 'boom'])
    t.strictSame(await stage.heard(a), down(alias, b, 'boom'))
    await stage.tell(c, ['send', alias, 'late'])
    t.strictSame(await stage.until(c, a), ['late'])
    t.strictSame(await stage.tell(a, ['unalias', alias]), [true])
  })

  t.test(`unalias leaves the monitor: its DOWN still comes ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const [alias] = (await stage.tell(a, ['monitor', b, { alias: 'demonitor' }])) as [Alias]
    t.strictSame(await stage.tell(a, ['unalias', alias]), [true])
    stage.order(b, ['send', alias, 'late'], ['end', 'boom'])
    t.strictSame(await stage.heard(a), down(alias, b, 'boom'))
  })

  t.test(`messages to a pid and to its alias keep their order ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const [alias] = (await stage.tell(a, ['alias'])) as [Alias]
    await stage.tell(b, ['send', a, 1], ['send', alias, 2], ['send', a, 3], ['send', alias, 4])
    t.strictSame(await stage.until(b, a), [1, 2, 3, 4])
  })

  t.test(`otp 41: a message to an alias of the dead is no error ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const [alias] = (await stage.tell(a, ['alias'])) as [Alias]
    stage.order(a, ['return'])
    await stage.ended(a)
    t.strictSame(await stage.tell(b, ['send', alias, 'late']), [undefined])
    t.equal(await stage.lives(b), true)
  })

  t.test(`a timer may ring at an alias ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const [alias] = (await stage.tell(a, ['alias', { reply: true }])) as [Alias]
    await stage.tell(b, ['sendAfter', 0, 'rung', alias])
    t.equal(await stage.heard(a), 'rung')
  })
}

t.test('what is no alias, and options of a monitor that do not exist, are refused', async (t) => {
  const it = await stage.puppet(1)
  const bad = (order: Parameters<Stage['tell']>[1]) => stage.tell(it, ['try', order])
  for (const to of [{}, null, { pid: 'a', ref: 1 }]) {
    t.match(await bad(['send', to as unknown as Pid, 1]), [{ code: 'BEAMISH_BAD_DESTINATION' }])
  }
  t.match(await bad(['monitor', it, { tag: '' }]), [{ code: 'BEAMISH_BAD_OPTION' }])
  t.match(await bad(['monitor', it, { alias: 'reply' as 'demonitor' }]), [
    { code: 'BEAMISH_BAD_OPTION', message: /reply_demonitor/ },
  ])
})

t.test('in development what is sent to an alias is a copy too', async (t) => {
  const dev = await Stage.open({ development: true })
  t.teardown(() => dev.node.stop())
  const { a, b } = await dev.pair(t, placements[0]!)
  const [alias] = (await dev.tell(a, ['alias'])) as [Alias]
  const [refused] = await dev.tell(b, ['try', ['sendFunction', alias as unknown as Pid]])
  t.match(refused, { code: 'BEAMISH_UNCLONEABLE', message: /message\.deep\[0\]\.fn/ })
})
