// The session: a small object in a signed cookie, readable by the visitor, writable by us alone.
//
// Cookies are parsed here and not by a Fastify plugin: a WebSocket upgrade reaches us as a raw
// request, before any plugin ran, and the one cookie that matters needs no decoding (its value is
// a token in the url-safe alphabet). An app is free to use @fastify/cookie for its own.

import { ChannelError } from './errors.ts'
import {
  maxTokenLength,
  type SignOptions,
  signToken,
  type Verified,
  type VerifyOptions,
  verifyToken,
} from './token.ts'

/** What a session holds: plain JSON data, small. */
export type SessionData = { readonly [key: string]: unknown }

export type DecodedSession =
  | { readonly ok: true; readonly data: SessionData }
  | Extract<Verified, { ok: false }>

export type CookieOptions = {
  /** Whether the page came by HTTPS, here or at a proxy: adds `Secure`. */
  readonly encrypted: boolean
  /** How long the browser keeps it; left out, until the browser closes. 0 deletes it. */
  readonly maxAgeMs?: number
}

/** Bytes of name and value together that browsers accept (RFC 6265 section 6.1). */
export const maxCookieBytes = 4_096

const salt = 'beamish session'
const cookieName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const cookieValue = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/

/**
 * The value of a session cookie. Throws `CHN_SESSION_TOO_LARGE` over 4,096 bytes, and what
 * `signToken` throws.
 *
 * @example
 * reply.header('set-cookie', setCookie('_chat', encodeSession(secret, { userId: 7 }, { nowMs }), { encrypted }))
 */
export function encodeSession(secret: string, data: SessionData, options: SignOptions): string {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new ChannelError(
      'CHN_TOKEN_DATA',
      'A session is an object: wrap it, as in { userId: 7 }.',
    )
  }
  let value: string
  try {
    value = signToken(secret, salt, data, options)
  } catch (error) {
    const tooLong = error instanceof ChannelError && error.code === 'CHN_TOKEN_TOO_LONG'
    throw tooLong ? tooLarge(`more than ${maxTokenLength}`) : error
  }
  if (value.length > maxCookieBytes) throw tooLarge(value.length)
  return value
}

/**
 * The session in a Cookie header. Never throws for a header of any kind; `missing` when the cookie
 * is not there, `invalid` when we did not sign it, `expired` when it is older than `maxAgeMs`
 * (default a day, as for tokens).
 *
 * @example
 * const session = decodeSession(secret, req.headers.cookie, '_chat', { nowMs, maxAgeMs: Infinity })
 */
export function decodeSession(
  secret: string,
  cookieHeader: string | undefined,
  name: string,
  options: VerifyOptions,
): DecodedSession {
  const verified = verifyToken(secret, salt, readCookie(cookieHeader, name), options)
  // Only encodeSession signs with this salt, and it signs objects.
  return verified.ok ? { ok: true, data: verified.data as SessionData } : verified
}

/**
 * The first cookie of this name in a Cookie header, as it stands there: browsers send the one with
 * the most specific path first (RFC 6265 section 5.4). Quotes around the value are dropped.
 *
 * @example
 * readCookie('a=1; b=2', 'b') // '2'
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined
  let start = 0
  while (start < header.length) {
    let end = header.indexOf(';', start)
    if (end === -1) end = header.length
    const equals = header.indexOf('=', start)
    if (equals !== -1 && equals < end && header.slice(start, equals).trim() === name) {
      const value = header.slice(equals + 1, end).trim()
      const quoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"')
      return quoted ? value.slice(1, -1) : value
    }
    start = end + 1
  }
  return undefined
}

/**
 * A Set-Cookie header: HttpOnly, SameSite=Lax, Path=/, and Secure when encrypted. Throws
 * `CHN_COOKIE` for a name or value that would break the header, `CHN_SESSION_TOO_LARGE` when name
 * and value are over 4,096 bytes together.
 *
 * @example
 * setCookie('_chat', value, { encrypted: true })
 * // '_chat=b1...; Path=/; HttpOnly; SameSite=Lax; Secure'
 */
export function setCookie(name: string, value: string, options: CookieOptions): string {
  if (!cookieName.test(name) || !cookieValue.test(value)) {
    throw new ChannelError(
      'CHN_COOKIE',
      `The cookie ${JSON.stringify(name)} has characters a cookie cannot carry: use letters, digits, - and _ in the name, and encode the value, with encodeURIComponent for one.`,
    )
  }
  const bytes = name.length + value.length
  if (bytes > maxCookieBytes) throw tooLarge(bytes)
  const age =
    options.maxAgeMs === undefined
      ? ''
      : `; Max-Age=${Math.max(0, Math.floor(options.maxAgeMs / 1_000))}`
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Lax${options.encrypted ? '; Secure' : ''}${age}`
}

function tooLarge(bytes: number | string): ChannelError {
  return new ChannelError(
    'CHN_SESSION_TOO_LARGE',
    `The session cookie has ${bytes} bytes, over the ${maxCookieBytes} that browsers keep: put an id in the session and the data in a store.`,
  )
}
