import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { createCsrf, csrfToken, verifyCsrf } from '../../channels/csrf.ts'
import { holds } from './property.ts'

const bytes24 = fc.uint8Array({ minLength: 24, maxLength: 24 })

t.test('a token verifies against the secret it was made from, whatever the bytes', async (t) => {
  holds(
    t,
    fc.property(bytes24, bytes24, (secretBytes, mask) => {
      const secret = createCsrf(() => secretBytes)
      const token = csrfToken(secret, () => mask)
      assert.match(token, /^[\w-]{64}$/)
      return verifyCsrf(secret, token)
    }),
  )
})

t.test('every response gets another token, and none contains the secret', async (t) => {
  const secret = createCsrf(randomBytes)
  const tokens = new Set(Array.from({ length: 100 }, () => csrfToken(secret, randomBytes)))
  t.equal(tokens.size, 100)
  for (const token of tokens) {
    t.notOk(token.includes(secret))
    t.ok(verifyCsrf(secret, token))
  }
})

t.test('a changed token, and the token of another session, do not verify', async (t) => {
  const secret = createCsrf(randomBytes)
  const token = csrfToken(secret, randomBytes)
  t.notOk(verifyCsrf(createCsrf(randomBytes), token))
  holds(
    t,
    fc.property(fc.nat(63), fc.constantFrom(...'AZaz09-_.= '), (at, char) => {
      fc.pre(token[at] !== char)
      const changed = token.slice(0, at) + char + token.slice(at + 1)
      const shorter = token.slice(0, at) + token.slice(at + 1)
      return !verifyCsrf(secret, changed) && !verifyCsrf(secret, shorter)
    }),
  )
})

t.test('absent or malformed secrets and tokens are false, without a throw', async (t) => {
  const secret = createCsrf(randomBytes)
  holds(
    t,
    fc.property(fc.anything(), fc.anything(), (one, other) => {
      return !verifyCsrf(one, other) && !verifyCsrf(secret, other) && !verifyCsrf(secret, secret)
    }),
  )
})

t.test('a session value that is no secret is an error naming the fix', async (t) => {
  t.throws(() => csrfToken('nonsense', randomBytes), {
    code: 'CHN_CSRF_SECRET',
    message: /createCsrf\(\)/,
  })
})
