// Signed tokens: data a client may carry and read but not change, with the time of signing.

import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'
import { ChannelError } from './errors.ts'

export type SignOptions = {
  /** The time of signing, in milliseconds since 1970. */
  readonly nowMs: number
}

export type VerifyOptions = {
  /** The time of checking, in milliseconds since 1970. */
  readonly nowMs: number
  /** How old a token may be. Default 86,400,000 (a day); `Infinity` for ever. */
  readonly maxAgeMs?: number
}

export type Verified =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly reason: 'invalid' | 'expired' | 'missing' }

/** Longest token, in characters, that is signed or looked at. */
export const maxTokenLength = 8_192

const version = 'b1'
const dayMs = 86_400_000
const minSecretBytes = 32
const macLength = 43
const maxCachedKeys = 64

/**
 * A url-safe token that carries `data` (any JSON value), readable by whoever holds it. `salt` names
 * the use: a token for one salt does not pass for another. `secret` is at least 32 bytes.
 *
 * Layout: `b1.` data `.` mac, where data is base64url of the JSON `[signedAtMs, data]` and mac is
 * base64url of HMAC-SHA256 over all that stands before its dot, under a key derived from secret and
 * salt by HKDF-SHA256. Idea: Phoenix.Token; the format is our own.
 *
 * Throws `CHN_SECRET` for a short secret and `CHN_TOKEN_DATA` for data that JSON cannot carry,
 * `CHN_TOKEN_TOO_LONG` when the token would be longer than `maxTokenLength`.
 *
 * @example
 * ```ts
 * import { signToken } from 'beamish/channels'
 * const secret = 'at-least-32-bytes-of-random-characters'
 * const token = signToken(secret, 'user socket', { userId: 7 }, { nowMs: Date.now() })
 * console.assert(token.startsWith('b1.'))
 * ```
 */
export function signToken(
  secret: string,
  salt: string,
  data: unknown,
  { nowMs }: SignOptions,
): string {
  const key = keyFor(secret, salt)
  const signed = `${version}.${Buffer.from(bodyJson(data, nowMs)).toString('base64url')}`
  const token = `${signed}.${macOf(key, signed)}`
  if (token.length > maxTokenLength) {
    throw new ChannelError(
      'CHN_TOKEN_TOO_LONG',
      `The token has ${token.length} characters, over ${maxTokenLength}: sign an id and keep the data on the server.`,
    )
  }
  return token
}

/**
 * The data of a token, if it was signed with this secret and salt at most `maxAgeMs` ago. Never
 * throws for a token of any kind: `missing` for undefined, null or '', `invalid` for what was not
 * signed so, `expired` for what is too old. A token from the future (a clock apart) is accepted.
 * Throws `CHN_SECRET` for a short secret.
 *
 * @example
 * ```ts
 * import { verifyToken } from 'beamish/channels'
 * const secret = 'at-least-32-bytes-of-random-characters'
 * const verified = verifyToken(secret, 'user socket', 'forged', { nowMs: Date.now(), maxAgeMs: 60_000 })
 * console.assert(!verified.ok && verified.reason === 'invalid')
 * ```
 */
export function verifyToken(
  secret: string,
  salt: string,
  token: unknown,
  { nowMs, maxAgeMs = dayMs }: VerifyOptions,
): Verified {
  const key = keyFor(secret, salt)
  if (token === undefined || token === null || token === '') return { ok: false, reason: 'missing' }
  if (typeof token !== 'string' || token.length > maxTokenLength) return invalid
  const dot = token.length - macLength - 1
  const bodyStart = version.length + 1
  if (dot < bodyStart || token[dot] !== '.' || !token.startsWith(`${version}.`)) return invalid
  const signed = token.slice(0, dot)
  // Compared as text: base64 lets several texts decode to the same bytes.
  const given = Buffer.from(token.slice(dot + 1))
  const expected = Buffer.from(macOf(key, signed))
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return invalid
  const [signedAtMs, data]: [number, unknown] = JSON.parse(
    Buffer.from(signed.slice(bodyStart), 'base64url').toString(),
  )
  // Written so that NaN counts as expired.
  if (!(nowMs - signedAtMs <= maxAgeMs)) return { ok: false, reason: 'expired' }
  return { ok: true, data }
}

const invalid: Verified = { ok: false, reason: 'invalid' }

const macOf = (key: KeyObject, signed: string): string =>
  createHmac('sha256', key).update(signed).digest('base64url')

function bodyJson(data: unknown, nowMs: number): string {
  let json: string | undefined
  let cause: unknown
  try {
    json = JSON.stringify(data)
  } catch (error) {
    cause = error
  }
  if (json === undefined || !Number.isFinite(nowMs)) {
    throw new ChannelError(
      'CHN_TOKEN_DATA',
      'A token carries JSON and a finite nowMs: sign plain data (null for nothing), without functions, cycles or bigints.',
      { cause },
    )
  }
  return `[${nowMs},${json}]`
}

// Deriving costs more than a signature; salts are constants of the program. Bounded all the same,
// for a program that makes salts from data: the oldest key goes first.
const keys = new Map<string, KeyObject>()

function keyFor(secret: string, salt: string): KeyObject {
  const cacheKey = `${salt.length}:${salt}${secret}`
  const cached = keys.get(cacheKey)
  if (cached !== undefined) return cached
  if (typeof secret !== 'string' || Buffer.byteLength(secret) < minSecretBytes) {
    throw new ChannelError(
      'CHN_SECRET',
      `The secret is no string of at least ${minSecretBytes} bytes: make one with crypto.randomBytes(48).toString('base64url') and keep it in the environment.`,
    )
  }
  const derived = hkdfSync('sha256', secret, salt, 'beamish token b1', 32)
  const key = createSecretKey(new Uint8Array(derived))
  if (keys.size >= maxCachedKeys) {
    for (const oldest of keys.keys()) {
      keys.delete(oldest)
      break
    }
  }
  keys.set(cacheKey, key)
  return key
}
