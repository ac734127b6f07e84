/** What happens to a mailbox that fills up: told at its high water, limited where it has a limit; on one thread and on two. */
import { BeamishError, type From, type MailboxOptions, onEvent, type Pid } from 'beamish'
import t from 'tap'
import { schedulerOf } from '../../../runtime/process/pid.ts'
import type { ProtocolOf } from '../../../runtime/process/protocol.ts'
import { downReason, nextEvent, startNode } from '../kit.ts'
import { placements } from '../stage.ts'
import { Flooder, Narrow, Picky, Slow } from './overload.app.ts'

const node = await startNode(new URL('./overload.app.ts', import.meta.url), 2)
t.teardown(() => node.stop())
const { self } = node

const isGate = (m: unknown): m is From => (m as { event?: unknown }).event === 'gate'

/** A slow one on thread 1 that is inside a handler, and how to let it go on. */
async function blocked(mailbox: MailboxOptions | undefined, behaviour: typeof Slow = Slow) {
  const pid = await self.spawn(behaviour, undefined, { place: { scheduler: 1 }, mailbox })
  self.cast(pid, 'block', self.pid)
  const gate = await self.receive(isGate, 10_000)
  if (gate === undefined) throw new Error('it did not block')
  return { pid, release: () => self.reply(gate, 'go on') }
}

/** What it has got once nothing waits for it any more: a call before that might not be let in. */
async function all(pid: Pid<ProtocolOf<typeof Slow>>): Promise<unknown[]> {
  while ((await self.info(pid))?.mailboxLength !== 0);
  return self.call(pid, 'read')
}

/** Casts that have arrived when this resolves: what the flooder asks there comes behind them. */
async function fill(from: Flooding, to: Pid, first: number, until: number): Promise<void> {
  await self.call(from, 'casts', { to, from: first, until })
  await self.call(from, 'dropped', to)
}

type Flooding = Awaited<ReturnType<typeof flooder>>
const flooder = (scheduler: number) => self.spawn(Flooder, undefined, { place: { scheduler } })

for (const place of placements) {
  const on = `(${place.name})`

  t.test(`drop_newest keeps the oldest, and counts what it drops ${on}`, async (t) => {
    const { pid, release } = await blocked({ maxLength: 3, policy: 'drop_newest' })
    const from = await flooder(place.b)
    await self.call(from, 'casts', { to: pid, from: 0, until: 10 })
    t.equal(await self.call(from, 'dropped', pid), 7)
    t.equal((await self.info(pid))?.mailboxLength, 3)
    release()
    t.strictSame(await all(pid), [0, 1, 2], 'and it takes messages again')
  })

  t.test(`drop_oldest keeps the newest, in order ${on}`, async (t) => {
    const { pid, release } = await blocked({ maxLength: 3, policy: 'drop_oldest' })
    const from = await flooder(place.b)
    await self.call(from, 'casts', { to: pid, from: 0, until: 10 })
    t.equal(await self.call(from, 'dropped', pid), 7)
    release()
    t.strictSame(await all(pid), [7, 8, 9])
  })

  t.test(`exit: the process ends, and the reason is data ${on}`, async (t) => {
    const { pid } = await blocked({ maxLength: 3, policy: 'exit' })
    const ref = self.monitor(pid)
    const from = await flooder(place.b)
    await self.call(from, 'casts', { to: pid, from: 0, until: 4 })
    t.strictSame(await downReason(node, ref), { mailboxFull: { length: 3 } })
  })

  t.test(`a call that is not let in fails at once ${on}`, async (t) => {
    const { pid, release } = await blocked({ maxLength: 3, policy: 'drop_newest' })
    const from = await flooder(place.b)
    const asked = await self.call(from, 'asks', { to: pid, casts: 3, event: 'read' })
    t.match(asked, {
      failed: { call: { event: 'read' }, reason: { mailboxFull: { maxLength: 3 } } },
    })
    t.strictSame((await self.info(pid))?.watchers, [], 'nothing is left of it there')
    release()
  })

  t.test(`so does one that is pushed out by newer messages ${on}`, async (t) => {
    const { pid, release } = await blocked({ maxLength: 3, policy: 'drop_oldest' })
    const [one, two] = [await flooder(place.b), await flooder(place.b)]
    const asked = self.call(one, 'asks', { to: pid, casts: 0, event: 'read' })
    while ((await self.info(pid))?.mailboxLength !== 1);
    await self.call(two, 'casts', { to: pid, from: 0, until: 3 })
    t.match(await asked, { failed: { reason: { mailboxFull: { maxLength: 3 } } } })
    release()
    t.strictSame(await all(pid), [0, 1, 2])
  })

  t.test(`and one to a mailbox whose policy is exit ${on}`, async (t) => {
    const { pid } = await blocked({ maxLength: 3, policy: 'exit' })
    const from = await flooder(place.b)
    const asked = await self.call(from, 'asks', { to: pid, casts: 3, event: 'read' })
    t.match(asked, { failed: { reason: { mailboxFull: { length: 3 } } } })
  })

  t.test(`EXIT, DOWN and stops come in whatever waits ${on}`, async (t) => {
    for (const policy of ['drop_newest', 'drop_oldest'] as const) {
      const { pid, release } = await blocked({ maxLength: 2, policy })
      const from = await flooder(place.b)
      const other = await flooder(place.a)
      await self.call(from, 'sends', { to: pid, what: [{ type: 'watch', pid: other }] })
      release()
      while (!(await all(pid)).includes('watches'));
      self.cast(pid, 'block', self.pid)
      const gate = (await self.receive(isGate, 10_000)) as From
      await fill(from, pid, 0, 2)
      self.exit(other, 'kill')
      while ((await self.info(pid))?.mailboxLength !== 4);
      await fill(from, pid, 2, 9)
      t.equal((await self.info(pid))?.mailboxLength, 4, `${policy}: all that may be dropped is`)
      const stopped = self.stop(pid)
      self.reply(gate, 'go on')
      t.equal(await stopped, undefined, 'a stop is not dropped either')
    }
  })

  t.test(`a raw process with a limit gets what was let in, in order ${on}`, async (t) => {
    const mailbox = { maxLength: 4, policy: 'drop_oldest' } as const
    const pid = await self.spawn(Picky, self.pid, { place: { scheduler: 1 }, mailbox })
    const from = await flooder(place.b)
    await self.call(from, 'sends', { to: pid, what: [1, 2, 3, 4, 5, 6] })
    await self.call(from, 'sends', { to: pid, what: ['go'] })
    const isPicky = (m: unknown): m is object => typeof m === 'object' && 'picky' in (m ?? {})
    t.strictSame(await self.receive(isPicky, 10_000), { picky: ['go', 4, 5, 6] })
  })

  t.test(`a behaviour may have a limit of its own, which a start overrides ${on}`, async (t) => {
    for (const [mailbox, kept] of [
      [undefined, 2],
      [{ maxLength: 5 }, 5],
    ] as const) {
      const { pid, release } = await blocked(mailbox, Narrow as never)
      const from = await flooder(place.b)
      await fill(from, pid, 0, 9)
      t.equal((await self.info(pid))?.mailboxLength, kept)
      release()
    }
  })
}

t.test('a mailbox without a limit takes all, and is told once at its high water', async (t) => {
  const pid = self.spawn(Slow, undefined, { mailbox: { highWater: 10 } })
  t.equal(schedulerOf(pid), schedulerOf(self.pid), 'events are told on their thread')
  const told: unknown[] = []
  t.teardown(onEvent('mailbox', (report) => told.push(report)))
  const flood = async (count: number): Promise<From> => {
    self.cast(pid, 'block', self.pid)
    const gate = (await self.receive(isGate, 10_000)) as From
    for (let i = 0; i < count; i++) self.cast(pid, 'note', i)
    return gate
  }
  self.reply(await flood(9), 'go on')
  await self.call(pid, 'read')
  t.strictSame(told, [], 'while no more than ten wait nobody is told')
  const gate = await flood(100)
  t.match(told, [{ pid, behaviour: 'overload.slow', length: 10, highWater: 10 }])
  t.equal(told.length, 1, 'once')
  self.reply(gate, 'go on')
  await self.call(pid, 'read')
  self.reply(await flood(100), 'go on')
  t.equal(told.length, 2, 'and anew after it was empty')
  t.equal((await self.info(pid))?.dropped, 0)
})

t.test('without any option the high water is 10,000', async (t) => {
  const pid = self.spawn(Slow, undefined)
  self.cast(pid, 'block', self.pid)
  const gate = (await self.receive(isGate, 10_000)) as From
  const report = nextEvent('mailbox')
  for (let i = 0; i < 10_001; i++) self.cast(pid, 'note', i)
  t.match(await report, { pid, length: 10_000, highWater: 10_000 })
  self.reply(gate, 'go on')
  t.equal((await self.call(pid, 'read')).length, 10_001)
})

t.test('what a thread has dropped stands in its stats', async (t) => {
  const of = async (id: number) => (await node.stats()).find((s) => s.scheduler === id)?.dropped
  const before = (await of(1)) as number
  const { pid, release } = await blocked({ maxLength: 1 })
  await fill(await flooder(2), pid, 0, 6)
  t.equal(await of(1), before + 5)
  release()
})

t.test('a child spec carries the limit to wherever its process starts', async (t) => {
  const spec = Slow.child(undefined, { mailbox: { maxLength: 7 }, place: { scheduler: 2 } })
  t.strictSame(spec.flags, { mailbox: { maxLength: 7 } })
})

t.test('a limit that makes no sense is refused at once', async (t) => {
  const refused = (mailbox: unknown, message: RegExp): void => {
    t.throws(() => self.spawn(Slow, undefined, { mailbox: mailbox as never }), { message })
    t.throws(() => Slow.child(undefined, { mailbox: mailbox as never }), BeamishError)
  }
  refused({ maxLength: 0 }, /mailbox\.maxLength is 0/)
  refused({ maxLength: 1.5 }, /mailbox\.maxLength/)
  refused({ policy: 'drop' }, /drop_newest, drop_oldest, exit/)
  refused({ maxLength: 5, highWater: 6 }, /mailbox\.highWater/)
  refused({ maxLenght: 5 }, /mailbox\.maxLenght is unknown/)
  refused(5, /mailbox is 5/)
})

t.test('a mailbox of one that drops the oldest is told of once', async (t) => {
  const pid = self.spawn(Slow, undefined, { mailbox: { maxLength: 1, policy: 'drop_oldest' } })
  const told: unknown[] = []
  t.teardown(onEvent('mailbox', (report) => told.push(report)))
  self.cast(pid, 'block', self.pid)
  const gate = (await self.receive(isGate, 10_000)) as From
  for (let i = 0; i < 100; i++) self.cast(pid, 'note', i)
  t.equal(told.length, 1)
  self.reply(gate, 'go on')
})
