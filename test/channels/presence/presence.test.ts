// Presence on two threads: who is tracked on one is listed and told on the other.
import { isDeepStrictEqual } from 'node:util'
import { type BeamishNode, type Pid, sys } from 'beamish'
import t, { type Test } from 'tap'
import type { Presences } from '../../../channels/presence/index.ts'
import { type GuestPid, guest, open, until } from './guests.ts'
import { Counted, Here, Impatient, type Kind, type Meta, Named, Rooms } from './presence.app.ts'

const keysOf = (presences: object): string => Object.keys(presences).sort().join()

for (const development of [false, true]) {
  await t.test(development ? 'in development' : 'in production', (t) => suite(t, development))
}

async function suite(t: Test, development: boolean): Promise<void> {
  const { node, a, b } = await open(t, development)
  const { self } = node
  const list = (who: GuestPid, topic: string, kind: Kind = 'Here') =>
    self.call(who, 'list', { kind, topic })
  const listed = (who: GuestPid, topic: string, keys: string, kind: Kind = 'Here') =>
    until(
      () => list(who, topic, kind),
      (presences) => keysOf(presences) === keys,
    )
  const diffs = (who: GuestPid, topic: string, count: number) =>
    until(
      () => self.call(who, 'diffs', topic),
      (all) => all.length >= count,
    )

  await t.test(
    'channels 87: list and getByKey, on every thread, under keys of any text',
    async (t) => {
      const tracked = await Here.track(self, 'lists', a, 'alice', { n: 1 })
      t.match(tracked, { ok: true, ref: /^[\w-]{16}$/ })
      const [key, ref] = ['alice', tracked.ok ? tracked.ref : '']
      t.same(
        await list(a, 'lists'),
        { [key]: { metas: [{ n: 1, phx_ref: ref }] } },
        'at once on its own thread',
      )
      t.same(await listed(b, 'lists', 'alice'), await list(a, 'lists'))
      await Here.track(self, 'lists', b, '__proto__', { n: 2 })
      await listed(a, 'lists', '__proto__,alice')
      t.match(await Here.getByKey(self, 'lists', 'alice'), { metas: [{ n: 1 }] })
      t.equal(await Here.getByKey(self, 'lists', 'bob'), undefined)
      t.equal(await Here.getByKey(self, 'lists', 'constructor'), undefined)
      t.same(await Here.list(self, 'elsewhere'), {})
      await t.rejects(Here.track(self, 'lists', a, 7 as never, {}), { code: 'BEAMISH_BAD_OPTION' })
      await t.rejects(Here.track(self, 'lists', a, 'x', 'meta' as never), {
        code: 'BEAMISH_BAD_OPTION',
      })
    },
  )

  await t.test(
    'channels 88: a killed process leaves everywhere, and the list is empty',
    async (t) => {
      for (const who of [a, b]) await self.call(who, 'listen', 'kill')
      const victim = await guest(node, 1)
      await Here.track(self, 'kill', victim, 'victim', {})
      for (const who of [a, b]) await diffs(who, 'kill', 1)
      self.exit(victim, 'kill')
      for (const who of [a, b]) {
        const [joined, left] = await diffs(who, 'kill', 2)
        t.equal(keysOf(joined!.joins), 'victim')
        t.same(left, { joins: {}, leaves: joined!.joins })
        t.same(await list(who, 'kill'), {})
      }
    },
  )

  await t.test('channels 89: what fetch adds is in diffs and lists', async (t) => {
    for (const who of [a, b]) await self.call(who, 'listen', 'fetched')
    await Named.track(self, 'fetched', a, 'alice', { n: 1 })
    for (const who of [a, b]) {
      const [joined] = await diffs(who, 'fetched', 1)
      t.match(joined, {
        joins: { alice: { name: 'name of alice', metas: [{ n: 1 }] } },
        leaves: {},
      })
      t.same(await list(who, 'fetched', 'Named'), joined!.joins)
    }
    await Named.untrack(self, 'fetched', a, 'alice')
    t.match((await diffs(b, 'fetched', 2))[1], { leaves: { alice: { name: 'name of alice' } } })
  })

  await t.test(
    'a fetch that fails, hangs, or answers something else changes no keys and no metas',
    async (t) => {
      for (const topic of ['fails', 'hangs', 'rude']) {
        await self.call(a, 'listen', topic)
        await Named.track(self, topic, a, 'alice', { n: 1 })
        const [joined] = await diffs(a, topic, 1)
        t.match(joined, { joins: { alice: { metas: [{ n: 1 }] } } }, topic)
        t.equal(keysOf(joined!.joins), 'alice')
        t.same(await list(a, topic, 'Named'), joined!.joins)
        await Named.untrack(self, topic, a, 'alice')
      }
    },
  )

  await t.test(
    'a slow fetch keeps the diffs of its topic in order, and no other topic waiting',
    async (t) => {
      for (const topic of ['never ends', 'swift']) await self.call(b, 'listen', topic)
      await Impatient.track(self, 'never ends', b, 'a', {})
      await Impatient.track(self, 'swift', b, 'swift', {})
      t.equal(keysOf((await diffs(b, 'swift', 1))[0]!.joins), 'swift')
      t.same(await self.call(b, 'diffs', 'never ends'), [], 'still asked for')
      await self.call(b, 'listen', 'hangs')
      await Named.track(self, 'hangs', b, 'one', {})
      await Named.track(self, 'hangs', b, 'two', {})
      await Named.untrack(self, 'hangs', b, 'one')
      const all = await until(
        () => self.call(b, 'diffs', 'hangs'),
        (some) => some.some(({ leaves }) => Object.hasOwn(leaves, 'one')),
      )
      t.equal(all.flatMap(({ joins }) => Object.keys(joins)).join(), 'one,two')
      for (const one of [Named, Impatient]) await one.untrack(self, b)
    },
  )

  await t.test(
    'a fetch that too much waits for is given up, and all is told in order',
    async (t) => {
      await self.call(a, 'listen', 'never again')
      const keys: string[] = []
      const told = await until(
        async () => {
          keys.push(`key ${keys.length}`)
          await Impatient.track(self, 'never again', a, keys.at(-1) as string, {})
          return self.call(a, 'diffs', 'never again')
        },
        (all) => all.length > 1,
      )
      const joined = told.flatMap(({ joins }) => Object.keys(joins))
      t.ok(joined.length > 3)
      t.same(joined, keys.slice(0, joined.length))
      await Impatient.untrack(self, a)
    },
  )

  await t.test('channels 90: untrack of the unknown is well, update of it an error', async (t) => {
    await Here.untrack(self, 'unknown', a, 'nobody')
    await Here.untrack(self, b)
    t.same(await Here.update(self, 'unknown', a, 'nobody', {}), { ok: false, error: 'nopresence' })
    t.same(await Here.update(self, 'unknown', a, 'nobody', (meta) => meta), {
      ok: false,
      error: 'nopresence',
    })
  })

  await t.test(
    'channels 91: tracked twice is an error; the same process under another key is not',
    async (t) => {
      t.match(await Here.track(self, 'twice', a, 'one', { n: 1 }), { ok: true })
      t.same(await Here.track(self, 'twice', a, 'one', { n: 2 }), {
        ok: false,
        error: 'already_tracked',
        topic: 'twice',
        pid: a,
        key: 'one',
      })
      t.match(await Here.track(self, 'twice', a, 'two', {}), { ok: true })
      t.match(await Here.track(self, 'twice', b, 'one', {}), { ok: true })
      t.equal((await Here.getByKey(self, 'twice', 'one'))?.metas[0]?.n, 1)
      await Here.untrack(self, a)
      const left = await listed(a, 'twice', 'one')
      t.equal(left['one']?.metas.length, 1, 'one of the two is left')
    },
  )

  await t.test(
    'channels 92: an update is a leave and a join with phx_ref_prev, in one diff; also by a function',
    async (t) => {
      await self.call(b, 'listen', 'updates')
      const first = await Here.track(self, 'updates', a, 'alice', { n: 1 })
      await diffs(b, 'updates', 1)
      const second = await Here.update(self, 'updates', a, 'alice', { n: 2 })
      if (!first.ok || !second.ok) throw new Error('not tracked')
      const [, updated] = await diffs(b, 'updates', 2)
      t.same(updated, {
        joins: { alice: { metas: [{ n: 2, phx_ref: second.ref, phx_ref_prev: first.ref }] } },
        leaves: { alice: { metas: [{ n: 1, phx_ref: first.ref }] } },
      })
      await Promise.all(
        Array.from({ length: 5 }, () =>
          Here.update(self, 'updates', a, 'alice', (meta) => ({ ...meta, n: (meta.n ?? 0) + 1 })),
        ),
      )
      t.equal((await list(a, 'updates'))['alice']?.metas[0]?.n, 7, 'none of five at once is lost')
    },
  )

  await t.test(
    'channels 93: handleMetas hears joins, leaves, and the metas after them',
    async (t) => {
      const counted = (who: GuestPid, keys: string) =>
        until(
          () => self.call(who, 'heard'),
          (all) =>
            all.map(({ joins, leaves }) => [...joins, '-', ...leaves].join('')).join(' ') === keys,
        )
      await Counted.track(self, 'metas', a, 'x', { n: 1 })
      for (const who of [a, b]) await counted(who, 'x1-')
      await Counted.track(self, 'metas', b, 'x', { n: 2 })
      for (const who of [a, b]) await counted(who, 'x1- x2-')
      await Counted.untrack(self, a)
      for (const who of [a, b]) await counted(who, 'x1- x2- -x1')
      await Counted.untrack(self, b)
      for (const who of [a, b]) {
        t.same(
          (await counted(who, 'x1- x2- -x1 -x2')).map(({ topic, after }) => [topic, after]),
          [
            ['metas', { x: 1, total: 1 }],
            ['metas', { x: 2, total: 2 }],
            ['metas', { x: 1, total: 1 }],
            ['metas', { total: 0 }],
          ],
        )
      }
    },
  )

  await t.test('a tracker tells handleDiff of all threads', async (t) => {
    await Rooms.track(self, 'rooms', a, 'lobby', { n: 0 })
    t.match(await Rooms.list(self, 'rooms'), [['lobby', { n: 0 }]])
    t.match(await Rooms.getByKey(self, 'rooms', 'lobby'), [[a, { n: 0 }]])
    await until(
      () => self.call(b, 'changes'),
      (all) => all.length === 1,
    )
    await Rooms.untrack(self, 'rooms', a, 'lobby')
    t.same(
      await until(
        () => self.call(b, 'changes'),
        (all) => all.length === 2,
      ),
      [
        ['rooms', ['lobby'], []],
        ['rooms', [], ['lobby']],
      ],
    )
  })

  await t.test(
    'a tracker that ends ends nobody: it is restarted with those it tracked',
    async (t) => {
      await self.call(b, 'listen', 'restart')
      await Here.track(self, 'restart', a, 'alice', { n: 1 })
      await Here.track(self, 'restart', b, 'bob', { n: 2 })
      const before = await listed(b, 'restart', 'alice,bob')
      const [tracker] = await trackersOf(node, 'test-here')
      self.exit(tracker!, 'kill')
      const changed = (presences: Presences<Meta>) =>
        presences['alice'] !== undefined &&
        presences['alice'].metas[0]?.phx_ref !== before['alice']?.metas[0]?.phx_ref
      for (const who of [a, b]) {
        const after = await until(
          () => list(who, 'restart'),
          (all) => changed(all) && keysOf(all) === 'alice,bob',
        )
        t.match(after, {
          alice: { metas: [{ n: 1, phx_ref_prev: before['alice']!.metas[0]!.phx_ref }] },
          bob: before['bob'],
        })
      }
      t.ok(await self.alive(a))
    },
  )

  await t.test('a handleMetas that throws hears everything again, with a new state', async (t) => {
    await Counted.track(self, 'again', a, 'y', { n: 1 })
    const last = (who: GuestPid, after: object) =>
      until(
        async () => (await self.call(who, 'heard')).at(-1),
        (one) => one?.topic === 'again' && isDeepStrictEqual(one.after, after),
      )
    for (const who of [a, b]) await last(who, { y: 1, total: 1 })
    await Counted.track(self, 'again', b, 'crash', { n: 2 })
    for (const who of [a, b]) await last(who, { y: 1, crash: 1, total: 2 })
    t.ok(await self.alive(a))
    t.ok(await self.alive(b))
  })
}

/** The trackers of a name, by thread. */
async function trackersOf(node: BeamishNode, name: string): Promise<Pid[]> {
  const { trackerRegistry } = await import('../../../channels/presence/server.ts')
  const entries = await trackerRegistry(name).select(node.self)
  return entries.sort((x, y) => Number(x.key) - Number(y.key)).map(({ pid }) => pid)
}

t.test(
  'channels 94 and 95: a lost thread: its presences leave at once on the others, its replacement is told who is there, and tracks anew',
  async (t) => {
    const { node, a, b } = await open(t)
    const { self } = node
    const list = (who: GuestPid) => self.call(who, 'list', { kind: 'Here', topic: 'lost' })
    await self.call(b, 'listen', 'lost')
    await Here.track(self, 'lost', a, 'lost', {})
    await Here.track(self, 'lost', b, 'left', {})
    await until(
      () => list(b),
      (all) => keysOf(all) === 'left,lost',
    )
    node.killThread(1)
    const diffs = await until(
      () => self.call(b, 'diffs', 'lost'),
      (all) => all.some(({ leaves }) => keysOf(leaves) === 'lost'),
    )
    t.ok(diffs.length >= 2)
    t.equal(keysOf(await list(b)), 'left')
    const third = await until(
      async () => node.schedulers().find((id) => id > 2),
      (id) => id !== undefined,
    )
    const replacement = await until(
      () => guest(node, third as number).catch(() => undefined),
      (pid) => pid !== undefined,
    )
    await until(
      () => list(replacement as GuestPid),
      (all) => keysOf(all) === 'left',
    )
    await Here.track(self, 'lost', replacement as GuestPid, 'new', {})
    await until(
      () => list(b),
      (all) => keysOf(all) === 'left,new',
    )
    for (const tracker of await trackersOf(node, 'test-here')) {
      const { state } = await sys.getStatus(self, tracker)
      t.match(
        state,
        { early: 0, peers: 1 },
        'clocks are in line, and the lost replica is forgotten',
      )
    }
  },
)
