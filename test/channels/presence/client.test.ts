// The official client's Presence, fed with what a subscriber gets: it ends with the list of the server.
import assert from 'node:assert/strict'
import type { Pid } from 'beamish'
import fc from 'fast-check'
import t from 'tap'
import { type GuestPid, guest, open, until } from './guests.ts'
import { Here, type Meta } from './presence.app.ts'

type Ref = string
type State = Record<string, { metas: { phx_ref: Ref; n?: number }[] }>

// The package ships no types; a name the compiler does not follow leaves them to the line below.
const packageName: string = 'phoenix'
const {
  Presence: Client,
}: {
  Presence: {
    syncState(state: State, next: State): State
    syncDiff(state: State, diff: unknown): State
  }
} = await import(packageName)

/** What JSON leaves of a payload: the client's own keys may be called anything. */
const overTheWire = <T>(payload: unknown): T => JSON.parse(JSON.stringify(payload)) as T

const KEYS = ['alice', '__proto__', 'constructor', 'toString', '7']

const step = fc.record({
  do: fc.constantFrom('track', 'track', 'track', 'update', 'untrack', 'leave', 'kill', 'list'),
  who: fc.nat(3),
  key: fc.constantFrom(...KEYS),
  n: fc.nat(100),
})

const flat = (state: State): string[] =>
  Object.getOwnPropertyNames(state)
    .flatMap((key) => state[key]!.metas.map(({ phx_ref, n }) => `${key} ${phx_ref} ${n}`))
    .sort()

t.test('channels 108: whatever happens, the client ends with the list of the server', async (t) => {
  const { node, a, b } = await open(t)
  const { self } = node
  let run = 0

  /** A client of one thread: its state at some time, and all diffs since before. */
  const clientList = async (who: GuestPid, topic: string, first: unknown): Promise<string[]> => {
    let state = Client.syncState({}, overTheWire<State>(first))
    for (const diff of await self.call(who, 'diffs', topic)) {
      state = Client.syncDiff(state, overTheWire(diff))
    }
    return flat(state)
  }

  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 40 }),
    fc.nat(40),
    async (steps, listAt) => {
      const topic = `topic ${run++}`
      for (const who of [a, b]) await self.call(who, 'listen', topic)
      const guests: Pid[] = await Promise.all([1, 2, 1, 2].map((id) => guest(node, id)))
      const expected = new Map<string, number>()
      const forget = (who: number) => {
        for (const place of expected.keys()) {
          if (place.startsWith(`${who} `)) expected.delete(place)
        }
      }
      const firsts: unknown[] = []
      const listBoth = async () => {
        for (const [i, who] of [a, b].entries()) {
          firsts[i] = await self.call(who, 'list', { kind: 'Here', topic })
        }
      }
      for (const [i, { do: what, who, key, n }] of steps.entries()) {
        if (i === listAt) await listBoth()
        const pid = guests[who]!
        const place = `${who} ${key}`
        const meta: Meta = { n }
        if (what === 'track') {
          const tracked = await Here.track(self, topic, pid, key, meta)
          assert.equal(tracked.ok, !expected.has(place))
          if (tracked.ok) expected.set(place, n)
        } else if (what === 'update') {
          const updated = await Here.update(self, topic, pid, key, meta)
          assert.equal(updated.ok, expected.has(place))
          if (updated.ok) expected.set(place, n)
        } else if (what === 'untrack') {
          await Here.untrack(self, topic, pid, key)
          expected.delete(place)
        } else if (what === 'leave') {
          await Here.untrack(self, pid)
          forget(who)
        } else if (what === 'kill') {
          self.exit(pid, 'kill')
          forget(who)
          guests[who] = await guest(node, (who % 2) + 1)
        }
      }
      if (firsts.length === 0) await listBoth()
      const wanted = [...expected].map(([place, n]) => `${place.slice(2)} ${n}`).sort()
      const plain = (lines: string[]) =>
        lines.map((line) => line.replace(/ \S+ (\d+)$/, ' $1')).sort()
      for (const [i, who] of [a, b].entries()) {
        const list = await until(
          async () => flat((await self.call(who, 'list', { kind: 'Here', topic })) as State),
          (lines) => plain(lines).join() === wanted.join(),
        )
        await until(
          () => clientList(who, topic, firsts[i]),
          (lines) => lines.join() === list.join(),
        )
      }
      for (const pid of guests) self.exit(pid, 'kill')
    },
  )
  await holdsAsync(t, property)
})

async function holdsAsync(
  t: { ok(value: unknown, message: string): unknown },
  property: fc.IAsyncProperty<[unknown[], number]>,
): Promise<void> {
  const outcome = await fc.check(property, { numRuns: 60 })
  t.ok(!outcome.failed, fc.defaultReportMessage(outcome) ?? 'the property holds')
}
