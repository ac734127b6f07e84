// Cross-site request forgery: a secret in the session, and in each page a masked copy of it that
// only a page of this site can read. The mask is new for every response, so that the bytes on the
// wire never repeat and a compressed page leaks nothing by its length (BREACH).
// Idea: Plug.CSRFProtection. The session is read only if the token of the page agrees with it.

import { timingSafeEqual } from 'node:crypto'
import { ChannelError } from './errors.ts'

/** Gives this many bytes that nobody can guess; `crypto.randomBytes` is one. */
export type RandomBytes = (bytes: number) => Uint8Array

/** The session key that holds the secret, as Plug names it. */
export const csrfSessionKey = '_csrf_token'

// 24 bytes are 32 characters of base64 and 48 are 64: no padding, no unused bits.
const secretBytes = 24
const tokenLength = 64

/**
 * A new secret, made once per session and kept in the signed session cookie.
 *
 * @example
 * session[csrfSessionKey] ??= createCsrf(randomBytes)
 */
export function createCsrf(random: RandomBytes): string {
  return toText(random(secretBytes))
}

/**
 * The token for one response, 64 url-safe characters: the secret under a mask of its own.
 * Throws `CHN_CSRF_SECRET` for a secret that `createCsrf` did not make.
 *
 * @example
 * html`<meta name="csrf-token" content="${csrfToken(secret, randomBytes)}">`
 */
export function csrfToken(sessionSecret: string, random: RandomBytes): string {
  const secret = fromText(sessionSecret, secretBytes)
  if (secret === undefined) {
    throw new ChannelError(
      'CHN_CSRF_SECRET',
      `The session's ${csrfSessionKey} is no secret: make it with createCsrf().`,
    )
  }
  const mask = random(secretBytes)
  return toText(mask) + toText(xor(secret, mask))
}

/**
 * Whether `token` was made from this session's secret. Never throws; anything absent or malformed
 * is false. The comparison takes the same time wherever the two differ.
 *
 * @example
 * if (!verifyCsrf(session[csrfSessionKey], params._csrf_token)) session = undefined
 */
export function verifyCsrf(sessionSecret: unknown, token: unknown): boolean {
  const secret = fromText(sessionSecret, secretBytes)
  if (secret === undefined || typeof token !== 'string' || token.length !== tokenLength) {
    return false
  }
  const bytes = fromText(token, 2 * secretBytes)
  if (bytes === undefined) return false
  const mask = bytes.subarray(0, secretBytes)
  return timingSafeEqual(xor(bytes.subarray(secretBytes), mask), secret)
}

const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

function fromText(text: unknown, length: number): Uint8Array | undefined {
  if (typeof text !== 'string' || text.length > tokenLength) return undefined
  // Node's decoder drops what is not base64, so a wrong character shows as a missing byte.
  const bytes = Buffer.from(text, 'base64url')
  return bytes.length === length ? bytes : undefined
}

function xor(left: Uint8Array, right: Uint8Array): Uint8Array {
  return left.map((byte, i) => byte ^ (right[i] ?? 0))
}
