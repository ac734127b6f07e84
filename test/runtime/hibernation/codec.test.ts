// What comes back of a state: equal, or it is not serialized. Random states are put to rest and woken 10,000 times in all.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { rest, wakeUp } from '../../../runtime/hibernation/codec.ts'
import { freezeAgain, Owners, survey } from '../../../runtime/hibernation/survey.ts'

const SEED = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31)
t.comment(`TEST_SEED=${SEED}`)

const CYCLES = 10_000

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.constantFrom(undefined, null, Number.NaN, -0, 0, true, false, 2 ** 31, -(2 ** 40)),
  fc.bigInt(),
  fc.date({ noInvalidDate: false }),
  fc.uint8Array(),
  fc.float64Array(),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.sparseArray(fc.integer(), { maxLength: 60 }),
)

const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'length', '0', '-1'))

const { state } = fc.letrec<{ state: unknown }>((tie) => ({
  state: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('state'), { maxLength: 6 }),
    fc.dictionary(key, tie('state'), { maxKeys: 6, noNullPrototype: true }),
    fc.array(fc.tuple(tie('state'), tie('state')), { maxLength: 4 }).map((all) => new Map(all)),
    fc.array(tie('state'), { maxLength: 4 }).map((all) => new Set(all)),
    // The same object twice, once around itself, and frozen.
    tie('state').map((one) => [one, { again: one }, one]),
    tie('state').map((one) => {
      const ring: Record<string, unknown> = { one, map: new Map() }
      ring.self = ring
      ;(ring.map as Map<unknown, unknown>).set(ring, [ring])
      return ring
    }),
    tie('state').map((one) => Object.freeze([Object.freeze({ one })])),
  ),
}))

/** Large enough to be worth it. */
const ballast = Array.from({ length: 40 }, (_, i) => ({ id: i, name: `name of ${i}`, tags: [i] }))

/** Whether two graphs have the same shape: equal is what isDeepStrictEqual says, the same is what refers to one object. */
function sameShape(a: unknown, b: unknown): boolean {
  const pairs = new Map<object, object>()
  const queue: [unknown, unknown][] = [[a, b]]
  for (let pair = queue.shift(); pair !== undefined; pair = queue.shift()) {
    const [x, y] = pair
    if (typeof x !== 'object' || x === null || typeof y !== 'object' || y === null) {
      if (!Object.is(x, y)) return false
      continue
    }
    const known = pairs.get(x)
    if (known !== undefined) {
      if (known !== y) return false
      continue
    }
    pairs.set(x, y)
    if (Object.getPrototypeOf(x) !== Object.getPrototypeOf(y)) return false
    if (Object.isFrozen(x) !== Object.isFrozen(y)) return false
    const [keys, others] = [Object.keys(x), Object.keys(y)]
    if (keys.length !== others.length || keys.some((k, i) => k !== others[i])) return false
    if (Array.isArray(x) && x.length !== (y as unknown[]).length) return false
    for (const k of keys) {
      queue.push([(x as Record<string, unknown>)[k], (y as Record<string, unknown>)[k]])
    }
    if (x instanceof Map || x instanceof Set) {
      const [these, those] = [[...x], [...(y as Map<unknown, unknown>)]]
      if (these.length !== those.length) return false
      for (const [i, one] of these.entries()) queue.push([one, those[i]])
    } else if (x instanceof Date && !Object.is(x.getTime(), (y as Date).getTime())) return false
  }
  return new Set(pairs.values()).size === pairs.size
}

t.test('a state survives 10,000 rests: equal, shared parts and frozen ones included', async (t) => {
  let cycles = 0
  let states = 0
  while (cycles < CYCLES) {
    const seed = SEED + states++
    const [original] = fc.sample(state, { numRuns: 1, seed })
    const before = { original, ballast: structuredClone(ballast) }
    let now: unknown = before
    for (let i = 0; i < 40; i++, cycles++) {
      const result = rest(now, states, new Owners())
      if (result.kind !== 'encoded') {
        t.fail(`TEST_SEED=${seed}: ${JSON.stringify(result)}`)
        return
      }
      now = wakeUp(result.encoded)
    }
    if (!isDeepStrictEqual(now, before) || !sameShape(before, now)) {
      t.fail(`TEST_SEED=${seed} does not come back equal`)
      return
    }
  }
  t.ok(states > 100, `${states} states, ${cycles} cycles`)
})

class Account {
  balance = 1
}

const notData: Record<string, [unknown, RegExp, RegExp]> = {
  'a class instance': [{ of: new Account() }, /state\.of/, /an instance of Account/],
  'an object without a prototype': [[Object.create(null)], /state\.0/, /without a prototype/],
  'a function': [{ a: { run: () => 1 } }, /state\.a\.run/, /a function/],
  'a symbol': [{ s: Symbol('s') }, /state\.s/, /a symbol/],
  'a symbol as key': [{ [Symbol('s')]: 1 }, /^state$/, /Symbol\(s\)/],
  'an accessor': [
    {
      get now() {
        return 1
      },
    },
    /^state$/,
    /accessor \(now\)/,
  ],
  'a hidden property': [Object.defineProperty({}, 'h', { value: 1 }), /^state$/, /hidden/],
  'a read-only property': [
    Object.defineProperty({}, 'h', { value: 1, enumerable: true }),
    /^state$/,
    /read-only/,
  ],
  'a sealed object': [Object.seal({ a: 1 }), /^state$/, /no more properties/],
  'an Error': [{ last: new Error('x') }, /state\.last/, /Error/],
  'a Promise': [new Map([['p', Promise.resolve()]]), /state\.get\(p\)/, /Promise/],
  'a WeakMap': [new Set([new WeakMap()]), /state\.\(item\)/, /WeakMap/],
  'a part of a buffer': [new Uint8Array(new ArrayBuffer(9), 1, 3), /^state$/, /part of its buffer/],
  'shared memory': [new Uint8Array(new SharedArrayBuffer(3)), /^state$/, /shared memory/],
  'a Map with properties': [Object.assign(new Map(), { x: 1 }), /^state$/, /Map with properties/],
}

for (const [title, [value, path, what]] of Object.entries(notData)) {
  t.test(`${title} would not come back equal: it is told where`, async (t) => {
    t.match(rest(value, 1, new Owners()), { kind: 'unserializable', path, what })
  })
}

t.test('a Proxy is found by the serializer', async (t) => {
  const proxy = new Proxy({ list: ballast.map((one) => ({ ...one })) }, {})
  t.match(rest(proxy, 1, new Owners()), { kind: 'unserializable', path: 'state' })
})

/** What no deflating makes smaller. */
let random = 1
const noise = Buffer.from(
  Array.from({ length: 4_000 }, () => {
    random = (random * 48_271) % 2_147_483_647
    return random >> 8
  }),
).toString('latin1')

t.test('what is shared is found again after much else was looked over', async (t) => {
  const owners = new Owners()
  const shared = Object.freeze({ shared: true })
  const mine = (): object => ({ shared, own: structuredClone(ballast) })
  t.equal(rest(mine(), 1, owners).kind, 'encoded')
  for (let i = 2; i < 1_000; i++) survey(structuredClone(ballast), i, owners)
  t.equal(rest(mine(), 1_000, owners).kind, 'encoded', 'it was forgotten')
  t.equal(rest(mine(), 1_001, owners).kind, 'kept', 'and is known again')
})

t.test('what is small, or no smaller serialized, is left as it is', async (t) => {
  t.same(rest({ count: 1 }, 1, new Owners()), { kind: 'kept' })
  t.same(rest(noise, 1, new Owners()), { kind: 'kept' })
  t.same(
    rest(
      Array.from({ length: 30_000 }, (_, i) => i),
      1,
      new Owners(),
    ),
    { kind: 'kept' },
  )
})

t.test('what is part of two states is serialized with neither but the first', async (t) => {
  const owners = new Owners()
  const shared = Array.from({ length: 60 }, (_, i) => Object.freeze({ id: i, text: `text ${i}` }))
  const own = (): object => structuredClone(ballast)
  t.equal(rest({ own: own(), shared }, 1, owners).kind, 'encoded')
  t.same(rest({ own: own(), shared: [...shared] }, 2, owners), { kind: 'kept' })
  t.equal(rest({ own: own() }, 2, owners).kind, 'encoded', 'what is its own is serialized')
  t.equal(rest({ own: own(), shared }, 1, owners).kind, 'encoded', 'its own is not another’s')
})

t.test('views of two states on one buffer are shared, as what they show is', async (t) => {
  const owners = new Owners()
  const buffer = new ArrayBuffer(8_192)
  const bytes = new Uint8Array(buffer)
  t.equal(rest({ own: structuredClone(ballast), bytes }, 1, owners).kind, 'encoded')
  const words = new Uint32Array(buffer)
  t.same(rest({ own: structuredClone(ballast), words }, 2, owners), { kind: 'kept' })
  t.equal(rest({ own: structuredClone(ballast), bytes }, 1, owners).kind, 'encoded')
})

t.test('small Buffers of two states are not shared, though cut from one buffer', async (t) => {
  const owners = new Owners()
  const [one, other] = [Buffer.from('one'), Buffer.from('other')]
  t.equal(one.buffer, other.buffer)
  t.equal(rest({ own: structuredClone(ballast), one }, 1, owners).kind, 'encoded')
  t.equal(rest({ own: structuredClone(ballast), other }, 2, owners).kind, 'encoded')
})

t.test('the survey numbers objects as their copies are numbered', async (t) => {
  const inner = Object.freeze({ a: [1, 2] })
  const value = { list: [inner, { b: inner }], map: new Map([[inner, Object.freeze([])]]) }
  const found = survey(value, 1, new Owners())
  t.equal(found.kind, 'own')
  const copy = structuredClone(value)
  freezeAgain(copy, found.kind === 'own' ? found.frozen : [])
  t.ok(Object.isFrozen(copy.list[0]))
  t.notOk(Object.isFrozen((copy.list[0] as { a: object }).a))
  t.notOk(Object.isFrozen(copy.list[1]))
  t.ok(Object.isFrozen([...copy.map.values()][0]))
  t.notOk(Object.isFrozen(copy))
})

const MINE = 1
const put = (state: unknown) => rest(state, MINE, new Owners())

t.test('what cannot even be looked at stays awake', async (t) => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  t.match(put({ draft: proxy, ballast }), { kind: 'unserializable', path: 'state' })
})

t.test('one of two views on a buffer stays awake: they would come back apart', async (t) => {
  const buffer = new ArrayBuffer(4_096)
  const views = { bytes: new Uint8Array(buffer), view: new DataView(buffer) }
  t.match(put(views), { kind: 'unserializable', what: 'one of two views on a buffer' })
})

t.test('what would take long, or could not be read back, is kept as it is', async (t) => {
  t.match(put({ bytes: Buffer.alloc(1_000_000, 7) }), { kind: 'kept' })
  let nested: unknown = {}
  for (let i = 0; i < 5_000; i++) nested = { nested, text: `text ${i}` }
  t.match(put(nested), { kind: 'kept' })
})
