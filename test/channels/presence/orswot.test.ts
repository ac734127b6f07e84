// The set of presences against a model: what each replica itself holds is the truth about its entries.
import assert from 'node:assert/strict'
import type { Pid } from 'beamish'
import fc from 'fast-check'
import t from 'tap'
import { type Change, type Delta, type Entry, Orswot } from '../../../channels/presence/orswot.ts'
import { holds } from '../property.ts'

const REPLICAS = [1, 2, 3]
/** Small, so that transfers are common. */
const MAX_LOG = 4

interface Arrival {
  readonly do: 'deliver' | 'drop' | 'repeat'
  readonly to: number
  readonly which: number
}
type Step =
  | {
      readonly do: 'put' | 'remove'
      readonly at: number
      readonly pid: number
      readonly key: string
    }
  | { readonly do: 'flush'; readonly at: number; readonly max: number }
  | { readonly do: 'transfer'; readonly at: number; readonly max: number }
  | Arrival
  | { readonly do: 'merge'; readonly at: number; readonly to: number }

const at = fc.integer({ min: 0, max: REPLICAS.length - 1 })
const change: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom<'put' | 'remove'>('put', 'remove'),
  at,
  pid: fc.integer({ min: 1, max: 3 }),
  key: fc.constantFrom('a', 'b', '__proto__'),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: change },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('flush' as const),
      at,
      max: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('transfer' as const),
      at,
      max: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('deliver' as const, 'drop' as const, 'repeat' as const),
      to: at,
      which: fc.nat(20),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('merge' as const), at, to: at }) },
)

const dot = ({ replica, clock }: Entry<number>): string => `${replica}:${clock}`
const shown = (set: Orswot<number>): string[] =>
  set
    .all()
    .map((one) => `${dot(one)} ${one.topic} ${one.pid} ${one.key} ${one.meta}`)
    .sort()

/** Replicas, what is on its way between them, and an observer of each that applies what it is told. */
class World {
  readonly sets = REPLICAS.map((id) => new Orswot<number>(id, MAX_LOG))
  readonly observers = REPLICAS.map(() => new Map<string, Entry<number>>())
  readonly #sent = REPLICAS.map(() => 0)
  readonly inboxes: Delta<number>[][] = REPLICAS.map(() => [])
  #meta = 0

  tell(to: number, changes: readonly Change<number>[]): void {
    const seen = this.observers[to]!
    for (const { join, leave } of changes) {
      if (leave !== undefined && !seen.delete(dot(leave))) throw new Error(`${dot(leave)} twice`)
      if (join === undefined) continue
      if (seen.has(dot(join))) throw new Error(`${dot(join)} joined twice`)
      seen.set(dot(join), join)
    }
  }

  send(from: number, delta: Delta<number>): void {
    this.inboxes.forEach((inbox, to) => {
      if (to !== from) inbox.push(delta)
    })
  }

  run(step: Step): void {
    if (step.do === 'put' || step.do === 'remove') {
      const { at, pid, key } = step
      const set = this.sets[at]!
      const change =
        step.do === 'put'
          ? set.put('topic', pid as Pid, key, this.#meta++)
          : set.remove('topic', pid as Pid, key)
      this.tell(at, change === undefined ? [] : [change])
    } else if (step.do === 'flush') {
      const set = this.sets[step.at]!
      const delta = set.deltaSince(this.#sent[step.at]!, step.max)
      this.#sent[step.at] = delta?.to ?? set.clock
      if (delta !== undefined) this.send(step.at, delta)
    } else if (step.do === 'transfer') {
      for (const delta of transfer(this.sets[step.at]!, step.max)) this.send(step.at, delta)
    } else if (step.do === 'merge') {
      this.tell(step.to, this.sets[step.to]!.merge(this.sets[step.at]!.snapshot()))
    } else if ('which' in step) this.#arrive(step)
  }

  #arrive({ do: what, to, which: nth }: Arrival): void {
    const inbox = this.inboxes[to]!
    if (inbox.length === 0) return
    const which = nth % inbox.length
    const delta = inbox[which]!
    if (what !== 'repeat') inbox.splice(which, 1)
    if (what !== 'drop') this.tell(to, this.sets[to]!.applyDelta(delta))
  }
}

/** A transfer in pieces; a change of the sender between two of them is a matter of the test below. */
function transfer(set: Orswot<number>, max: number): Delta<number>[] {
  const upTo = set.clock
  const pieces: Delta<number>[] = []
  for (let from = 0; pieces.length === 0 || from < upTo; ) {
    const piece = set.transferSince(from, upTo, max)
    pieces.push(piece)
    from = piece.to
  }
  return pieces
}

const truth = (sets: readonly Orswot<number>[]): string[] =>
  sets.flatMap((set) => shown(set).filter((line) => line.startsWith(`${set.replica}:`))).sort()

t.test(
  'any order, duplication and loss of deltas, then an exchange of all: all copies are equal',
  async (t) => {
    const property = fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const world = new World()
      for (const one of steps) world.run(one)
      for (const to of REPLICAS.keys()) {
        for (const from of REPLICAS.keys()) {
          world.tell(to, world.sets[to]!.merge(world.sets[from]!.snapshot()))
        }
      }
      const expected = truth(world.sets)
      for (const set of world.sets) assert.deepEqual(shown(set), expected)
    })
    holds(t, property, { numRuns: 400 })
  },
)

t.test('what merges report, applied to the map of an observer, is the list', async (t) => {
  const property = fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
    const world = new World()
    for (const one of steps) {
      world.run(one)
      world.sets.forEach((set, i) => {
        assert.deepEqual([...world.observers[i]!.keys()].sort(), set.all().map(dot).sort())
      })
    }
  })
  holds(t, property, { numRuns: 300 })
})

t.test(
  'a copy that knows all up to a clock, without a gap, holds what its owner held then or less',
  async (t) => {
    const property = fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const world = new World()
      for (const one of steps) world.run(one)
      for (const owner of world.sets) {
        for (const copy of world.sets) {
          if (copy.clockOf(owner.replica) !== owner.clock) continue
          const known = shown(copy).filter((line) => line.startsWith(`${owner.replica}:`))
          assert.deepEqual(known, truth([owner]))
        }
      }
    })
    holds(t, property, { numRuns: 400 })
  },
)

t.test(
  'channels 98: what is missing is asked for: a delta where it is remembered, else a transfer',
  async (t) => {
    const property = fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const world = new World()
      for (const one of steps) world.run(one)
      for (const owner of world.sets) {
        for (const copy of world.sets) {
          if (copy === owner) continue
          for (let from = copy.clockOf(owner.replica); from < owner.clock; ) {
            const delta = owner.deltaSince(from, 2)
            if (delta === undefined) {
              for (const piece of transfer(owner, 2)) copy.applyDelta(piece)
            } else copy.applyDelta(delta)
            assert.ok(copy.clockOf(owner.replica) > from)
            from = copy.clockOf(owner.replica)
          }
        }
      }
      const expected = truth(world.sets)
      for (const set of world.sets) {
        assert.deepEqual(shown(set), expected)
        assert.equal(set.cloudSize, 0, 'clouds have collapsed')
      }
    })
    holds(t, property, { numRuns: 300 })
  },
)

t.test('merge is commutative, associative and idempotent', async (t) => {
  const copies = fc.array(step, { maxLength: 80 }).map((steps) => {
    const world = new World()
    for (const one of steps) world.run(one)
    return world.sets.map((set) => set.snapshot())
  })
  const of = (...snapshots: ReturnType<Orswot<number>['snapshot']>[]): Orswot<number> => {
    const set = new Orswot<number>(9, MAX_LOG)
    for (const snapshot of snapshots) set.merge(snapshot)
    return set
  }
  const property = fc.property(copies, (snapshots) => {
    const [a, b, c] = snapshots as [
      ReturnType<Orswot<number>['snapshot']>,
      ReturnType<Orswot<number>['snapshot']>,
      ReturnType<Orswot<number>['snapshot']>,
    ]
    assert.deepEqual(shown(of(a, b)), shown(of(b, a)))
    assert.deepEqual(shown(of(of(a, b).snapshot(), c)), shown(of(a, of(b, c).snapshot())))
    assert.deepEqual(shown(of(a, a)), shown(of(a)))
    assert.deepEqual(of(a, b).merge(a), [], 'nothing is reported twice')
  })
  holds(t, property, { numRuns: 300 })
})

t.test('a removal between two pieces of a transfer is not taken for known', async (t) => {
  const owner = new Orswot<number>(1, MAX_LOG)
  const copy = new Orswot<number>(2, MAX_LOG)
  for (const key of ['a', 'b', 'c']) owner.put('topic', 1 as Pid, key, 0)
  const upTo = owner.clock
  copy.applyDelta(owner.transferSince(0, upTo, 2))
  owner.remove('topic', 1 as Pid, 'a')
  copy.applyDelta(owner.transferSince(2, upTo, 2))
  t.equal(copy.clockOf(1), upTo, 'the removal is yet to come')
  const delta = owner.deltaSince(copy.clockOf(1), 10)
  t.same(delta?.removed, [1])
  copy.applyDelta(delta!)
  t.same(shown(copy), shown(owner))
})

t.test('a piece of a transfer that comes without those before it counts for nothing', async (t) => {
  const owner = new Orswot<number>(1, MAX_LOG)
  const copy = new Orswot<number>(2, MAX_LOG)
  for (const key of ['a', 'b', 'c', 'd']) owner.put('topic', 1 as Pid, key, 0)
  copy.applyDelta(owner.deltaSince(0, 10)!)
  owner.remove('topic', 1 as Pid, 'a')
  const pieces = transfer(owner, 2)
  t.same(copy.applyDelta(pieces[1]!), [])
  t.equal(copy.list('topic').length, 4)
  for (const piece of pieces) copy.applyDelta(piece)
  t.same(shown(copy), shown(owner))
})

t.test(
  'an operation that is missing is missed, also when the entry it made is removed by a later one',
  async (t) => {
    const owner = new Orswot<number>(1, MAX_LOG)
    const copy = new Orswot<number>(2, MAX_LOG)
    const third = new Orswot<number>(3, MAX_LOG)
    const step = (key: string) => owner.put('topic', 1 as Pid, key, 0)
    step('a')
    copy.applyDelta(owner.deltaSince(0, 10)!)
    third.applyDelta(owner.deltaSince(0, 10)!)
    step('a')
    const missed = owner.deltaSince(1, 10)!
    owner.remove('topic', 1 as Pid, 'a')
    copy.applyDelta(owner.deltaSince(2, 10)!)
    third.merge(copy.snapshot())
    for (const one of [copy, third]) {
      t.equal(one.clockOf(1), 1, 'the second operation removed what the first made')
      t.match(one.applyDelta(missed), [{ leave: { clock: 1 } }])
      t.equal(one.clockOf(1), 3)
      t.same(shown(one), [])
    }
  },
)

t.test('what joined beside the entry it replaced leaves with it', async (t) => {
  const owner = new Orswot<number>(1, MAX_LOG)
  const copy = new Orswot<number>(2, MAX_LOG)
  for (let n = 0; n < 3; n++) {
    owner.put('topic', 1 as Pid, 'a', n)
    if (n !== 1) copy.applyDelta(owner.deltaSince(n, 10)!)
  }
  t.equal(copy.list('topic').length, 2, 'across a gap')
  owner.remove('topic', 1 as Pid, 'a')
  const left = copy.applyDelta(owner.transferSince(0, owner.clock, 10))
  t.same(left.map(({ leave }) => leave?.meta).sort(), [0, 2])
  t.same(copy.list('topic'), [])
})

t.test(
  'channels 95: a replica that is down does not show, and is back when it is up',
  async (t) => {
    const owner = new Orswot<number>(1)
    const copy = new Orswot<number>(2)
    owner.put('topic', 1 as Pid, 'a', 0)
    copy.applyDelta(owner.deltaSince(0, 10)!)
    t.match(copy.replicaDown(1), [{ leave: { key: 'a' } }])
    t.same(copy.replicaDown(1), [], 'once')
    t.same([copy.list('topic'), copy.getByKey('topic', 'a'), copy.all()], [[], [], []])
    owner.put('topic', 1 as Pid, 'b', 0)
    t.same(copy.applyDelta(owner.deltaSince(1, 10)!), [], 'what it says meanwhile is kept, unseen')
    t.match(copy.replicaUp(1), [{ join: { key: 'a' } }, { join: { key: 'b' } }])
    t.same(shown(copy), shown(owner))
  },
)

t.test('channels 96: a replica that is forgotten leaves nothing behind', async (t) => {
  const owner = new Orswot<number>(1)
  const copy = new Orswot<number>(2)
  owner.put('topic', 1 as Pid, 'a', 0)
  copy.applyDelta(owner.deltaSince(0, 10)!)
  t.match(copy.forget(1), [{ leave: { key: 'a' } }])
  t.same(copy.snapshot(), { seen: { context: [], clouds: [] }, gone: [], entries: [] })
})

t.test('an update is one change: its leave and its join', async (t) => {
  const owner = new Orswot<number>(1)
  const copy = new Orswot<number>(2)
  owner.put('topic', 1 as Pid, 'a', 0)
  copy.applyDelta(owner.deltaSince(0, 10)!)
  t.match(owner.put('topic', 1 as Pid, 'a', 1), { join: { meta: 1 }, leave: { meta: 0 } })
  t.match(copy.applyDelta(owner.deltaSince(1, 10)!), [{ join: { meta: 1 }, leave: { meta: 0 } }])
})
