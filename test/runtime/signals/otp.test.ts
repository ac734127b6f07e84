/** Signals, links and monitors beyond the table, numbered as in test/conformance/otp.md. */
import type { Pid } from 'beamish'
import t from 'tap'
import { placements, Stage } from '../stage.ts'

const stage = await Stage.open()
t.teardown(() => stage.node.stop())

const exit = (from: Pid, reason: unknown) => ({ type: 'EXIT', from, reason })
const down = (ref: unknown, object: unknown, reason: unknown) => ({
  type: 'DOWN',
  ref,
  object,
  reason,
})

for (const place of placements) {
  const on = `(${place.name})`

  t.test(`otp 8: in a chain a-b-c, killing c ends a with killed ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const c = await stage.puppet(place.a)
    await stage.tell(b, ['link', a], ['link', c])
    await stage.until(b, a)
    await stage.until(b, c)
    stage.node.self.exit(c, 'kill')
    t.equal(await stage.ended(c), 'killed')
    t.equal(await stage.ended(b), 'killed')
    t.equal(await stage.ended(a), 'killed')
  })

  t.test(`otp 12: an error ends with its name, message and stack as data ${on}`, async (t) => {
    const { a: watcher, b: it } = await stage.pair(t, place)
    const [ref] = await stage.tell(watcher, ['monitor', it])
    stage.order(it, ['error', 'no such thing'])
    const error = { name: 'TypeError', message: 'no such thing', stack: /puppet\.ts/ }
    t.match(await stage.heard(watcher), down(ref, it, { error }))
  })

  t.test(`otp 13: a thrown value ends with nocatch ${on}`, async (t) => {
    const { a: watcher, b: it } = await stage.pair(t, place)
    const [ref] = await stage.tell(watcher, ['monitor', it])
    stage.order(it, ['throw', { ball: 1 }])
    t.strictSame(await stage.heard(watcher), down(ref, it, { nocatch: { ball: 1 } }))
  })

  t.test(`otp 18: linking twice makes one link, one EXIT ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    await stage.tell(a, ['trap', true], ['link', b], ['link', b])
    await stage.tell(b, ['link', a])
    await stage.until(a, b)
    stage.order(b, ['send', a, 'before'], ['end', 'boom'])
    t.equal(await stage.heard(a), 'before')
    t.strictSame(await stage.heard(a), exit(b, 'boom'))
    await stage.ended(b)
    t.strictSame(await stage.until(a, a), [], 'no second one')
  })

  t.test(`otp 19: one unlink undoes however many links ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    await stage.tell(a, ['trap', true], ['link', b], ['link', b], ['unlink', b])
    await stage.until(a, b)
    const info = await stage.infoWhen(b, () => true)
    t.strictSame(info.links, [], 'the other side has none either')
    stage.order(b, ['end', 'boom'])
    await stage.ended(b)
    t.strictSame(await stage.until(a, a), [])
  })

  t.test(`otp 20: the side that did not link may unlink ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    await stage.tell(a, ['link', b])
    await stage.until(a, b)
    await stage.tell(b, ['unlink', a])
    await stage.until(b, a)
    stage.order(b, ['end', 'boom'])
    await stage.ended(b)
    t.equal(await stage.lives(a), true, 'a no longer shares its fate')
  })

  t.test(`otp 21: an EXIT that is queued outlives the unlink ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    await stage.tell(a, ['trap', true], ['link', b])
    await stage.until(a, b)
    const held = stage.order(a, ['hold'], ['unlink', b])
    await stage.infoWhen(a, (info) => info.status === 'waiting')
    stage.order(b, ['end', 'boom'])
    await stage.infoWhen(a, (info) => info.mailboxLength === 1)
    stage.node.self.send(a, 'release')
    await stage.results(a, held)
    t.strictSame(await stage.heard(a), exit(b, 'boom'))
  })

  t.test(`otp 22: two monitors give two DOWNs, each with its reference ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const refs = await stage.tell(a, ['monitor', b], ['monitor', b])
    stage.order(b, ['return'])
    const got = await stage.hears(a, 2)
    t.not(refs[0], refs[1])
    t.strictSame(
      got,
      refs.map((ref) => down(ref, b, 'normal')),
    )
  })

  t.test(`otp 25: demonitor answers true, and again true; no DOWN comes ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const [ref] = await stage.tell(a, ['monitor', b])
    const answers = await stage.tell(a, ['demonitor', ref as never], ['demonitor', ref as never])
    t.strictSame(answers, [true, true])
    await stage.until(a, b)
    const info = await stage.infoWhen(b, () => true)
    t.equal(info.watchers.includes(a), false, 'the watched one knows')
    stage.order(b, ['return'])
    await stage.ended(b)
    t.strictSame(await stage.until(a, a), [])
  })

  t.test(
    `otp 26, 27: demonitor with flush takes a queued DOWN out; info tells that it had fired ${on}`,
    async (t) => {
      const { a, b } = await stage.pair(t, place)
      const c = await stage.puppet(place.b)
      const [rb, rc] = (await stage.tell(a, ['monitor', b], ['monitor', c])) as never[]
      const held = stage.order(
        a,
        ['hold'],
        ['demonitor', rb!, { info: true }],
        ['demonitor', rb!, { flush: true, info: true }],
        ['demonitor', rc!, { info: true }],
        ['demonitor', rc!, { flush: true, info: true }],
      )
      await stage.infoWhen(a, (info) => info.status === 'waiting')
      stage.order(b, ['return'])
      await stage.infoWhen(a, (info) => info.mailboxLength === 1)
      stage.node.self.send(a, 'release')
      const [, fired, flushed, live, again] = await stage.results(a, held)
      t.strictSame([fired, flushed, live, again], [false, false, true, false])
      t.strictSame(await stage.until(a, a), [], 'the DOWN is gone')
    },
  )

  t.test(`otp 28: five messages, then the end: they arrive before the DOWN ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const [, ref] = await stage.tell(a, ['trap', true], ['monitor', b], ['link', b])
    await stage.until(a, b)
    stage.order(b, ...[1, 2, 3, 4, 5].map((n) => ['send', a, n] as const), ['end', 'bye'])
    const got = await stage.hears(a, 7)
    t.strictSame(got.slice(0, 5), [1, 2, 3, 4, 5])
    const [x, y] = [down(ref, b, 'bye'), exit(b, 'bye')]
    t.ok(
      JSON.stringify(got.slice(5)) === JSON.stringify([x, y]) || t.strictSame(got.slice(5), [y, x]),
    )
  })

  t.test(`otp 29: a message and an exit signal arrive in the order sent ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    await stage.tell(b, ['trap', true])
    await stage.tell(a, ['send', b, 1], ['exit', b, 'r1'], ['send', b, 2], ['exit', b, 'r2'])
    t.strictSame(await stage.hears(b, 4), [1, exit(a, 'r1'), 2, exit(a, 'r2')])
  })

  t.test(`otp 30: at the DOWN the name is free and the process not alive ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const name = `otp30 ${place.name}`
    await stage.tell(b, ['register', name])
    const [before] = await stage.tell(a, ['whereis', name])
    t.equal(before, b)
    const asked = stage.order(
      a,
      ['monitor', b],
      ['send', b, 'watched'],
      ['take', 5_000],
      ['whereis', name],
      ['alive', b],
      ['register', name],
    )
    t.equal(await stage.heard(b), 'watched')
    stage.order(b, ['end', 'boom'])
    const [ref, , got, where, alive] = await stage.results(a, asked)
    t.strictSame(got, down(ref, b, 'boom'))
    t.equal(where, undefined)
    t.equal(alive, false)
  })

  t.test(`otp 31: after exit(pid, kill) the process is not alive ${on}`, async (t) => {
    const { a, b } = await stage.pair(t, place)
    const [, alive] = await stage.tell(a, ['exit', b, 'kill'], ['alive', b])
    t.equal(alive, false, 'the question comes after the signal')
  })

  t.test(
    `otp 35: one that is dead at birth is still noticed by who linked or monitored it ${on}`,
    async (t) => {
      const starter = await stage.puppet(place.a)
      const scheduler = place.a === place.b ? undefined : place.b
      await stage.tell(starter, ['trap', true])
      const [linked] = await stage.tell(starter, [
        'spawn',
        [['end', 'at once']],
        { link: true, scheduler },
      ])
      t.strictSame(await stage.heard(starter), exit(linked as Pid, 'at once'))
      const [watched] = await stage.tell(starter, [
        'spawn',
        [['end', 'soon']],
        { monitor: true, scheduler },
      ])
      t.match(await stage.heard(starter), { type: 'DOWN', object: watched, reason: 'soon' })
    },
  )
}

t.test('otp 14: an exit that is caught ends nobody', async (t) => {
  const it = await stage.puppet(1)
  t.strictSame(await stage.tell(it, ['try', ['end', 'boom']]), [{ exit: 'boom' }])
  t.strictSame(await stage.tell(it, ['try', ['end', 'kill']]), [{ exit: 'kill' }], 'kill included')
  t.equal(await stage.lives(it), true)
})

t.test(
  'differs: otp 15: what a killed process awaits never resolves, so its finally blocks do not run',
  async (t) => {
    const { self } = stage.node
    const log: string[] = []
    const { pid, ref } = self.spawnMonitor(async (its) => {
      try {
        its.send(self.pid, 'waiting')
        await its.receive()
        log.push('went on')
      } finally {
        log.push('finally')
      }
    })
    await stage.receive('waiting', (m): m is 'waiting' => m === 'waiting')
    self.exit(pid, 'kill')
    self.send(pid, 'wake up')
    await stage.receive('DOWN', (m): m is object => (m as { ref?: unknown }).ref === ref)
    await self.sleep(0)
    t.strictSame(log, [], 'its own synchronous code would run on to the next await, without effect')
  },
)

t.test('differs: otp 15: code of a dead process that runs on can no longer send', async (t) => {
  const { self } = stage.node
  const { pid, ref } = self.spawnMonitor((its) => {
    try {
      its.exit(its.pid, 'kill')
    } finally {
      its.send(self.pid, 'from the grave')
      its.register('the grave')
    }
  })
  const end = await stage.receive('DOWN', (m): m is object => (m as { ref?: unknown }).ref === ref)
  t.match(end, { object: pid, reason: 'killed' })
  const late = await self.receive((m): m is string => m === 'from the grave', 0)
  t.equal(late, undefined)
  t.equal(await self.whereis('the grave'), undefined)
})

t.test('otp 32: EXIT messages that are queued stay when trapping is turned off', async (t) => {
  const { a, b } = await stage.pair(t, placements[1]!)
  await stage.tell(b, ['trap', true])
  const held = stage.order(b, ['hold'], ['trap', false])
  await stage.infoWhen(b, (info) => info.status === 'waiting')
  stage.order(a, ['exit', b, 'boom'])
  await stage.infoWhen(b, (info) => info.mailboxLength === 1)
  stage.node.self.send(b, 'release')
  t.strictSame(await stage.results(b, held), ['release', true])
  t.strictSame(await stage.heard(b), exit(a, 'boom'))
})

t.test(
  'differs: otp 33: a busy loop dies of a kill only once it lets go of its thread',
  async (t) => {
    const { a, b } = await stage.pair(t, placements[1]!)
    const begun = performance.now()
    stage.order(b, ['spin', 50], ['take', 60_000])
    stage.order(a, ['exit', b, 'kill'])
    t.equal(await stage.ended(b), 'killed')
    t.ok(performance.now() - begun < 10_000, 'and does not wait for its messages')
  },
)

t.test(
  'differs: otp 34: a busy loop holds its own thread, while other threads go on',
  async (t) => {
    const busy = await stage.puppet(1)
    const [neighbour, distant] = [await stage.puppet(1), await stage.puppet(2)]
    const spinning = stage.order(busy, ['spin', 200])
    stage.node.self.send(neighbour, 'ping')
    const answers = stage.order(distant, ['scheduler'])
    const arrived: string[] = []
    for (let i = 0; i < 3; i++) {
      const report = await stage.receive(
        'a report',
        (m): m is { puppet: Pid; done?: number } =>
          typeof m === 'object' &&
          [busy, neighbour, distant].includes((m as { puppet: Pid }).puppet),
      )
      arrived.push(
        report.done === answers ? 'distant' : report.done === spinning ? 'busy' : 'neighbour',
      )
    }
    t.strictSame([arrived[0], ...arrived.slice(1).sort()], ['distant', 'busy', 'neighbour'])
  },
)
