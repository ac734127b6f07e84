import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { maxTokenLength, signToken, verifyToken } from '../../channels/token.ts'
import { holds } from './property.ts'

const secret = 'a secret that is long enough to be one'
const salt = 'user socket'
const nowMs = 1_700_000_000_000
const later = (ms: number) => ({ nowMs: nowMs + ms, maxAgeMs: 1_000 })
const sign = (data: unknown) => signToken(secret, salt, data, { nowMs })
const invalid = { ok: false, reason: 'invalid' }

t.test('signed data comes back', async (t) => {
  holds(
    t,
    fc.property(fc.jsonValue(), (data) => {
      const token = sign(data)
      assert.match(token, /^b1\.[\w-]+\.[\w-]{43}$/)
      assert.deepEqual(verifyToken(secret, salt, token, later(0)), {
        ok: true,
        data: JSON.parse(JSON.stringify(data)),
      })
    }),
  )
})

t.test('the token is the one laid out in the documentation', async (t) => {
  // Any change here logs every visitor out: raise the version prefix with it.
  t.equal(
    signToken(secret, salt, { userId: 7 }, { nowMs }),
    'b1.WzE3MDAwMDAwMDAwMDAseyJ1c2VySWQiOjd9XQ.ru1XMGJjApVk4oAVQKMNicL5ObJQfX1YqZMSbwxPxWQ',
  )
})

t.test('a token with any character changed, added or removed is invalid', async (t) => {
  const token = sign({ userId: 7, admin: false })
  const chars = fc.constantFrom(...'AZaz09-_.=+/ \u00e9')
  holds(
    t,
    fc.property(fc.nat(token.length - 1), chars, (at, char) => {
      fc.pre(token[at] !== char)
      const changed = token.slice(0, at) + char + token.slice(at + 1)
      const added = token.slice(0, at) + char + token.slice(at)
      const removed = token.slice(0, at) + token.slice(at + 1)
      for (const forged of [changed, added, removed, token + char]) {
        assert.deepEqual(verifyToken(secret, salt, forged, later(0)), invalid)
      }
    }),
    { numRuns: 1_000 },
  )
  for (let i = 0; i < token.length; i++) {
    t.strictSame(verifyToken(secret, salt, token.slice(0, i), later(0)).ok, false)
  }
})

t.test('the body of one token does not pass with the signature of another', async (t) => {
  const [one, other] = [sign(1).split('.'), sign(2).split('.')]
  const mixed = [one[0], one[1], other[2]].join('.')
  t.strictSame(verifyToken(secret, salt, mixed, later(0)), invalid)
})

t.test(
  'another secret or salt does not pass, also where the two together read the same',
  async (t) => {
    const token = sign('x')
    t.strictSame(verifyToken(`${secret}!`, salt, token, later(0)), invalid)
    t.strictSame(verifyToken(secret, 'other', token, later(0)), invalid)
    const shifted = signToken(`t${secret}`, 'user socke', 'x', { nowMs })
    t.strictSame(verifyToken(secret, salt, shifted, later(0)), invalid)
  },
)

t.test('anything that is no token is invalid or missing, without a throw', async (t) => {
  for (const nothing of [undefined, null, '']) {
    t.strictSame(verifyToken(secret, salt, nothing, later(0)), { ok: false, reason: 'missing' })
  }
  holds(
    t,
    fc.property(fc.oneof(fc.anything(), fc.string({ minLength: 44 })), (value) => {
      return !verifyToken(secret, salt, value, later(0)).ok
    }),
  )
})

t.test('a token is valid for its age, that moment included, and a day by default', async (t) => {
  const token = sign('x')
  t.equal(verifyToken(secret, salt, token, later(1_000)).ok, true)
  t.strictSame(verifyToken(secret, salt, token, later(1_001)), { ok: false, reason: 'expired' })
  t.equal(verifyToken(secret, salt, token, later(-5_000)).ok, true, 'from a clock ahead')
  t.equal(verifyToken(secret, salt, token, { nowMs: nowMs + 86_400_000 }).ok, true)
  t.equal(verifyToken(secret, salt, token, { nowMs: nowMs + 86_400_001 }).ok, false)
  t.equal(verifyToken(secret, salt, token, { nowMs: 9e15, maxAgeMs: Infinity }).ok, true)
  t.equal(verifyToken(secret, salt, token, { nowMs, maxAgeMs: Number.NaN }).ok, false)
})

t.test('many salts do not grow the key cache without end, and old ones still verify', async (t) => {
  const tokens = Array.from({ length: 200 }, (_, i) => signToken(secret, `s${i}`, i, { nowMs }))
  for (const [i, token] of tokens.entries()) {
    t.strictSame(verifyToken(secret, `s${i}`, token, later(0)), { ok: true, data: i })
  }
})

t.test('what cannot be signed is an error naming the fix', async (t) => {
  const cyclic: unknown[] = []
  cyclic.push(cyclic)
  for (const data of [undefined, () => 1, 1n, cyclic]) {
    t.throws(() => sign(data), { code: 'CHN_TOKEN_DATA', message: /plain data/ })
  }
  t.throws(() => signToken(secret, salt, 1, { nowMs: Number.NaN }), { code: 'CHN_TOKEN_DATA' })
  t.throws(() => sign('x'.repeat(maxTokenLength)), {
    code: 'CHN_TOKEN_TOO_LONG',
    message: /sign an id/,
  })
  t.throws(() => signToken('short', salt, 1, { nowMs }), {
    code: 'CHN_SECRET',
    message: /randomBytes\(48\)/,
  })
  t.throws(() => verifyToken('', salt, sign(1), later(0)), { code: 'CHN_SECRET' })
})
