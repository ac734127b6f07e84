/** Names, timers, order and long chains, on one thread and on two. Numbered as in test/conformance/otp.md. */
import type { Pid, Ref } from 'beamish'
import t from 'tap'
import { placements, Stage } from '../stage.ts'

const stage = await Stage.open()
t.teardown(() => stage.node.stop())

for (const place of placements) {
  const on = `(${place.name})`
  const name = (n: number) => `${n} ${place.name}`

  t.test(`otp 37, 38: a second name and a taken name are refused ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    await stage.tell(a, ['register', name(37)])
    t.match(await stage.tell(a, ['try', ['register', name(38)]]), [{ code: 'BEAMISH_NAME_SECOND' }])
    t.match(await stage.tell(b, ['try', ['register', name(37)]]), [{ code: 'BEAMISH_NAME_TAKEN' }])
    t.strictSame(await stage.tell(b, ['whereis', name(37)]), [a])
    await stage.tell(a, ['unregister'])
    await stage.until(a, b)
    await stage.tell(b, ['register', name(37)])
    t.strictSame(await stage.tell(a, ['whereis', name(37)]), [b], 'given up, it may be taken')
  })

  t.test(
    `differs: otp 40: a send or cast to an unknown name goes nowhere, a call answers noproc ${on}`,
    async (t) => {
      const { a } = await stage.pair(t, place)
      await stage.tell(a, ['send', 'nobody', 1], ['cast', 'nobody', 'x', 1])
      const [failed, where] = await stage.tell(
        a,
        ['try', ['call', 'nobody', 'x', 1]],
        ['whereis', 'nobody'],
      )
      t.strictSame(failed, { exit: { call: { to: '"nobody"', event: 'x' }, reason: 'noproc' } })
      t.equal(where, undefined)
    },
  )

  t.test(
    `otp 41: to a dead pid, send, cast and exit do nothing; a call answers noproc ${on}`,
    async (t) => {
      const { a, b } = await stage.pair(t, place)
      stage.order(b, ['return'])
      await stage.ended(b)
      await stage.tell(a, ['send', b, 1], ['cast', b, 'x', 1], ['exit', b, 'kill'], ['unlink', b])
      const [failed, alive, info] = await stage.tell(
        a,
        ['try', ['call', b, 'x', 1]],
        ['alive', b],
        ['info', b],
      )
      t.match(failed, { exit: { reason: 'noproc' } })
      t.strictSame([alive, info], [false, undefined])
    },
  )

  t.test(`otp 42: a name is free again after the DOWN ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    await stage.tell(b, ['register', name(42)])
    const taken = stage.order(
      a,
      ['monitor', b],
      ['send', b, 'go'],
      ['take', 5_000],
      ['register', name(42)],
      ['whereis', name(42)],
    )
    await stage.heard(b)
    stage.order(b, ['end', 'boom'])
    t.equal((await stage.results(a, taken))[4], a)
  })

  t.test(
    `otp 50, 51: a timer to a dead pid is gone, one whose maker is dead still fires ${on}`,
    async (t) => {
      const { a, b } = await stage.pair(t, place)
      const c = await stage.puppet(place.a)
      await stage.tell(a, ['sendAfter', 20, 'from the dead', b])
      stage.order(a, ['return'])
      await stage.ended(a)
      t.equal(await stage.heard(b), 'from the dead')
      const [ref] = await stage.tell(c, ['sendAfter', 60_000, 'never', b])
      stage.order(b, ['return'])
      await stage.ended(b)
      await stage.tell(c, ['sendAfter', 0, 'to nobody', b])
      if (place.a === place.b) t.strictSame(await stage.tell(c, ['readTimer', ref as Ref]), [false])
      else t.type((await stage.tell(c, ['cancelTimer', ref as Ref]))[0], 'number')
    },
  )

  t.test(`otp 52: a timer to a name looks it up when it fires ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    await stage.tell(a, ['sendAfter', 60, 'found you', name(52)])
    await stage.tell(b, ['register', name(52)])
    t.equal(await stage.heard(b), 'found you')
  })

  t.test(`signals of all kinds between two processes keep their order ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    await stage.tell(b, ['trap', true])
    const rounds = 200
    const orders = Array.from({ length: rounds }, (_, i) => [
      ['send', b, i] as const,
      ['cast', b, 'c', i] as const,
      ['exit', b, i] as const,
      ['link', b] as const,
      ['unlink', b] as const,
    ]).flat()
    await stage.tell(a, ...orders)
    const got = await stage.hears(b, rounds * 3)
    const expected = Array.from({ length: rounds }, (_, i) => [
      i,
      { type: 'cast', event: 'c', payload: i },
      { type: 'EXIT', from: a, reason: i },
    ]).flat()
    t.strictSame(got, expected)
    t.strictSame((await stage.infoWhen(b, () => true)).links, [])
  })

  t.test(`a call is answered once, from any process, and carries who failed ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const third = await stage.puppet(place.a)
    const called = stage.order(a, ['call', b, 'q', { n: 1 }])
    const from = (await stage.heard(b)) as { pid: Pid; ref: Ref }
    await stage.tell(third, ['reply', from, 'one'], ['reply', from, 'two'])
    t.strictSame(await stage.results(a, called), ['one'])
    await stage.until(third, a)
    const [late] = await stage.tell(a, ['try', ['call', b, 'slow', 0, 5]])
    t.match(late, { exit: { reason: 'timeout' } })
    await stage.tell(b, ['reply', (await stage.heard(b)) as never, 'too late'])
    t.strictSame(await stage.until(b, a), [], 'nothing reaches the mailbox')
  })
}

t.test('otp 39: a process that is dead gets no name', async (t) => {
  const { pid, ref } = stage.node.self.spawnMonitor(async (its) => {
    stage.node.self.exit(its.pid, 'kill')
    await its.register('zombie')
  })
  await stage.receive('DOWN', (m): m is object => (m as { ref?: unknown }).ref === ref)
  t.equal(await stage.node.self.alive(pid), false)
  t.equal(await stage.node.self.whereis('zombie'), undefined)
})

t.test(
  'otp 48, 49: cancelling tells what was left, then false; after it fired, false',
  async (t) => {
    const it = await stage.puppet(1)
    const [ref] = (await stage.tell(it, ['sendAfter', 60_000, 'late'])) as [Ref]
    const [read, left, again] = (await stage.tell(
      it,
      ['readTimer', ref],
      ['cancelTimer', ref],
      ['cancelTimer', ref],
    )) as unknown[]
    t.ok(
      (left as number) > 50_000 &&
        (left as number) <= 60_000 &&
        (read as number) >= (left as number),
    )
    t.equal(again, false)
    const [soon] = (await stage.tell(it, ['sendAfter', 0, 'soon'])) as [Ref]
    t.equal(await stage.heard(it), 'soon')
    t.strictSame(await stage.tell(it, ['readTimer', soon], ['cancelTimer', soon]), [false, false])
  },
)

t.test('otp 53: a timer of 0 ms queues behind what was sent before', async (t) => {
  const it = await stage.puppet(1)
  await stage.tell(it, ['send', it, 1], ['sendAfter', 0, 3, it], ['send', it, 2])
  t.strictSame(await stage.hears(it, 3), [1, 2, 3])
})

t.test('a chain of 100,000 links ends without overflowing the stack', async (t) => {
  const { self } = stage.node
  const count = 100_000
  let previous: Pid | undefined
  let first: Pid | undefined
  for (let i = 0; i < count; i++) {
    const before = previous
    previous = self.spawn(async (its) => {
      if (before !== undefined) its.link(before)
      if (i === count - 1) its.send(self.pid, 'chained')
      await its.receive()
    })
    first ??= previous
  }
  const ref = self.monitor(previous as Pid)
  await stage.receive('chained', (m): m is 'chained' => m === 'chained')
  self.exit(first as Pid, 'boom')
  const end = await stage.receive(
    'DOWN',
    (m): m is { reason: unknown } => (m as { ref?: unknown }).ref === ref,
  )
  t.equal(end.reason, 'boom', 'the last one died of the first')
})
