// Mistakes of the application, and messages of strangers: an error where they are made, and nothing else.
import type { BeamishNode, Pid } from 'beamish'
import t, { type Test } from 'tap'
import { trackerRegistry } from '../../../channels/presence/server.ts'
import { guest, open, until } from './guests.ts'
import { Forgotten, Here, type Meta, Named, Rooms } from './presence.app.ts'

for (const development of [false, true]) {
  await t.test(development ? 'in development' : 'in production', (t) => suite(t, development))
}

async function trackers(node: BeamishNode, name: string): Promise<Pid[]> {
  return (await trackerRegistry(name).select(node.self)).map(({ pid }) => pid).sort()
}

async function suite(t: Test, development: boolean): Promise<void> {
  const { node, a, b } = await open(t, development)
  const { self } = node
  const names = ['test-here', 'test-rooms', 'test-named']
  const all = async () => (await Promise.all(names.map((name) => trackers(node, name)))).flat()
  const before = await all()

  await t.test('a meta that cannot go to all is an error where it is given', async (t) => {
    const tries = (how: 'track' | 'update' | 'updateBy', what: string) =>
      self.call(a, 'tries', { how, topic: 'mistakes', what })
    const noJson = /^CHN_PAYLOAD Clients cannot be told of a meta of presence "test-here"\. .*plain/
    t.match(await tries('track', 'function'), /^BEAMISH_BAD_OPTION .*a function .* at meta\.n/)
    t.match(await tries('track', 'bigint'), noJson)
    t.match(await tries('track', 'cycle'), noJson)
    t.same(await Here.list(self, 'mistakes'), {}, 'nothing is tracked')
    t.equal(await tries('track', 'fine'), 'true')
    for (const how of ['update', 'updateBy'] as const) {
      t.match(await tries(how, 'function'), /^BEAMISH_BAD_OPTION/)
      t.match(await tries(how, 'bigint'), noJson)
    }
    t.match(await Here.list(self, 'mistakes'), { me: { metas: [{ n: 1 }] } })
    t.equal(await tries('updateBy', 'fine'), 'true', 'one that failed keeps nobody waiting')
    t.match(await tries('track', 'room function'), /^BEAMISH_BAD_OPTION/)
    t.equal(await tries('track', 'room bigint'), 'true', 'a tracker has no clients')
  })

  await t.test('what becomes of a meta after it was given is no matter', async (t) => {
    await self.call(a, 'listen', 'meddled')
    await self.call(a, 'meddles', 'meddled')
    const wanted = { metas: [{ n: 2, phx_ref: /^/ }] }
    const list = await until(
      () => self.call(b, 'list', { kind: 'Here', topic: 'meddled' }),
      (presences) => presences['me']?.metas[0]?.n === 2,
    )
    t.match(list, { me: wanted })
    const left = (await self.call(a, 'diffs', 'meddled')).flatMap(
      ({ leaves }) => leaves['me']?.metas ?? [],
    )
    for (const meta of left) t.match(meta, { status: 'here', nested: { n: 1 } })
  })

  await t.test('what fetch adds and nobody can be told is left out', async (t) => {
    for (const what of ['function', 'bigint', 'cycle']) {
      const topic = `untold ${what}`
      await self.call(a, 'listen', topic)
      await Named.track(self, topic, a, 'alice', { n: 1 })
      const [joined] = await until(
        () => self.call(a, 'diffs', topic),
        (some) => some.length > 0,
      )
      t.match(joined!.joins, { alice: { metas: [{ n: 1 }], more: undefined } }, what)
      t.same(await self.call(a, 'list', { kind: 'Named', topic }), joined!.joins)
    }
    await Named.untrack(self, a)
  })

  await t.test('what strangers broadcast to trackers is none of theirs', async (t) => {
    const entry = { topic: 'x', pid: a, key: 'k', meta: { phx_ref: 'r' }, clock: 1 }
    const delta = { replica: 7, from: 0, to: 1, entries: [], removed: [], transfer: false }
    const strange: unknown[] = [
      {},
      null,
      'text',
      [],
      { ...delta, replica: 'x' },
      { ...delta, entries: [null] },
      { ...delta, entries: [{ ...entry, replica: 8 }] },
      { ...delta, entries: [{ ...entry, replica: 7, meta: null }] },
      { ...delta, removed: 3 },
      { ...delta, to: Number.NaN },
    ]
    for (const name of names) {
      for (const payload of strange) {
        self.broadcast(`beamish.tracker:${name}`, 'changes', payload)
        self.broadcast(`beamish.tracker:${name}`, 'hello', payload)
        self.broadcast(`beamish.tracker:${name}`, 'else', payload)
      }
    }
    await Here.track(self, 'after', a, 'alice', {})
    await until(
      () => self.call(b, 'list', { kind: 'Here', topic: 'after' }),
      (presences) => presences['alice'] !== undefined,
    )
    t.same(await Here.list(self, 'x'), {})
  })

  await t.test('every update by a function counts, however many there are at once', async (t) => {
    const late = await guest(node, 2)
    await Here.track(self, 'counter', a, 'me', { n: 0 })
    const add = (who: typeof a, times: number) =>
      self.call(who, 'adds', { topic: 'counter', pid: a, times })
    const gone = add(late, 30).catch(() => ({ done: 0, failed: [] }))
    const adding = [a, b].map((who) => add(who, 60))
    self.exit(late, 'kill')
    await gone
    const results = await Promise.all(adding)
    const done = results.reduce((sum, one) => sum + one.done, 0)
    for (const { failed } of results) {
      t.same(
        failed.filter((why) => !why.includes('not now')),
        [],
      )
    }
    t.equal(done + results.flatMap(({ failed }) => failed).length, 120)
    const [meta] = (await Here.getByKey(self, 'counter', 'me'))?.metas ?? []
    const n = (meta as Meta).n as number
    t.ok(n >= done && n <= done + 30, `${n} of ${done} and some of the one that was killed`)
  })

  await t.test('a presence that is no child says so', async (t) => {
    const wanted = {
      code: 'CHN_TRACKER',
      message: /"test-forgotten" does not run on .*put its child\(\) into the children/,
    }
    await t.rejects(Forgotten.track(self, 'x', a, 'k', {}), wanted)
    await t.rejects(Forgotten.update(self, 'x', a, 'k', {}), wanted)
    await t.rejects(
      Forgotten.update(self, 'x', a, 'k', (meta) => meta),
      wanted,
    )
    await t.rejects(Forgotten.untrack(self, a), wanted)
    await t.rejects(Forgotten.list(self, 'x'), wanted)
  })

  const places = async (t: Test, pid: Pid, why: RegExp): Promise<void> => {
    await t.rejects(Here.track(self, 'x', pid, 'k', {}), { code: 'CHN_TRACKER', message: why })
    const nopresence = { ok: false, error: 'nopresence' }
    t.same(await Here.update(self, 'x', pid, 'k', {}), nopresence)
    t.same(await Here.update(self, 'x', pid, 'k', (meta) => meta), nopresence)
    await Here.untrack(self, pid)
    await Here.untrack(self, 'x', pid, 'k')
    await Rooms.untrack(self, pid)
  }
  await t.test('a process of the main thread is not tracked', (t) =>
    places(t, self.pid, /is on the main thread\. Track a process that lives on a scheduler thread/),
  )
  t.same(await all(), before, 'no tracker has ended')
  await t.test('a process whose thread is lost is nowhere', async (t) => {
    node.killThread(1)
    await until(
      async () => node.schedulers(),
      (ids) => !ids.includes(1),
    )
    await places(t, a, /gone with its thread/)
  })
}
