import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  decodeSession,
  encodeSession,
  maxCookieBytes,
  readCookie,
  setCookie,
} from '../../channels/session.ts'
import { signToken } from '../../channels/token.ts'
import { holds } from './property.ts'

const secret = 'a secret that is long enough to be one'
const at = { nowMs: 1_700_000_000_000 }
const plain = { encrypted: false }

t.test('a session comes back from the cookie it was set with', async (t) => {
  holds(
    t,
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), (data) => {
      const cookie = setCookie('_chat', encodeSession(secret, data, at), plain)
      const header = `theme=dark; ${cookie.split(';')[0]}; lang=en`
      assert.deepEqual(decodeSession(secret, header, '_chat', at), {
        ok: true,
        data: JSON.parse(JSON.stringify(data)),
      })
    }),
  )
})

t.test('a cookie absent, forged, aged or signed for another use gives no session', async (t) => {
  const value = encodeSession(secret, { userId: 7 }, at)
  const read = (header: string | undefined, options = at) =>
    decodeSession(secret, header, '_chat', options)
  t.strictSame(read(undefined), { ok: false, reason: 'missing' })
  t.strictSame(read('other=1'), { ok: false, reason: 'missing' })
  t.strictSame(read('_chat='), { ok: false, reason: 'missing' })
  t.strictSame(read(`_chat=${value}x`), { ok: false, reason: 'invalid' })
  t.strictSame(read(`_chat=${signToken(secret, 'user', { userId: 7 }, at)}`), {
    ok: false,
    reason: 'invalid',
  })
  t.strictSame(read(`_chat=${value}`, { nowMs: at.nowMs + 86_400_001 }), {
    ok: false,
    reason: 'expired',
  })
})

t.test('any header is read without a throw', async (t) => {
  const headers = fc.string({ unit: fc.constantFrom('_', 'c', '=', ';', ' ', '"', 'é') })
  holds(
    t,
    fc.property(headers, (header) => !decodeSession(secret, header, 'c', at).ok),
  )
})

t.test('a cookie is found by its whole name, the first one first', async (t) => {
  t.equal(readCookie('a=1; b=2', 'b'), '2')
  t.equal(readCookie('ab=1; b=2', 'b'), '2')
  t.equal(readCookie('a=1;b=2', 'b'), '2')
  t.equal(readCookie('b=1; b=2', 'b'), '1')
  t.equal(readCookie('b="1"', 'b'), '1')
  t.equal(readCookie('b=x=y', 'b'), 'x=y')
  t.equal(readCookie('b; a=1', 'b'), undefined)
  t.equal(readCookie(' b = 1 ;', 'b'), '1')
  t.equal(readCookie('', 'b'), undefined)
})

t.test('the attributes keep scripts, other sites and plain HTTP out', async (t) => {
  t.equal(setCookie('a', '1', plain), 'a=1; Path=/; HttpOnly; SameSite=Lax')
  t.equal(setCookie('a', '1', { encrypted: true }), 'a=1; Path=/; HttpOnly; SameSite=Lax; Secure')
  t.match(setCookie('a', '1', { encrypted: true, maxAgeMs: 90_500 }), /; Max-Age=90$/)
  t.match(setCookie('a', '', { encrypted: true, maxAgeMs: 0 }), /; Max-Age=0$/)
})

t.test('a name or value that would break the header is an error', async (t) => {
  for (const [name, value] of [
    ['a;b', '1'],
    ['', '1'],
    ['a b', '1'],
    ['a', '1; Path=/x'],
    ['a', '1\r\nset-cookie: b=2'],
    ['a', 'é'],
  ] as const) {
    t.throws(() => setCookie(name, value, plain), { code: 'CHN_COOKIE', message: /encode/ })
  }
})

t.test('a session over 4,096 bytes is an error naming the fix', async (t) => {
  const tooLarge = { code: 'CHN_SESSION_TOO_LARGE', message: /put an id in the session/ }
  t.ok(encodeSession(secret, { a: 'x'.repeat(2_900) }, at).length < maxCookieBytes)
  t.throws(() => encodeSession(secret, { a: 'x'.repeat(3_100) }, at), tooLarge)
  t.throws(() => encodeSession(secret, { a: 'x'.repeat(9_000) }, at), tooLarge)
  t.throws(() => setCookie('a', 'x'.repeat(maxCookieBytes), plain), tooLarge)
  t.ok(setCookie('a', 'x'.repeat(maxCookieBytes - 1), plain))
  t.throws(() => encodeSession(secret, [] as never, at), { code: 'CHN_TOKEN_DATA' })
})
