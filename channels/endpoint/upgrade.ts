/**
 * A request to open a socket: path, version and origin are checked before anything is accepted, in Phoenix's order, and
 * what is refused gets an HTTP status that says so.
 */
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { logLine } from '../../runtime/log.ts'
import { csrfSessionKey, verifyCsrf } from '../csrf.ts'
import { decodeSession, type SessionData } from '../session.ts'
import { decodeForm, type FormParams } from '../wire/form.ts'
import type { ConnectInfo } from '../wire/link.ts'
import { checkOrigin, type OriginRule } from '../wire/origin.ts'
import type { Serializer, Versions } from '../wire/serializer.ts'
import { chooseSubprotocol, type Spoken } from './subprotocol.ts'

/** How long a session lasts: the cookie has no end of its own, the signature does. */
export const SESSION_MAX_AGE_MS: number = 14 * 86_400_000

export type Checked =
  | {
      readonly ok: true
      readonly connect: ConnectInfo
      readonly serializer: Serializer
      readonly protocol: string | undefined
      readonly token: string | undefined
    }
  | { readonly ok: false; readonly status: number; readonly reason: string }

export interface UpgradeRules {
  readonly origin: OriginRule
  readonly secret: string
  readonly cookie: string
  readonly versions: Versions
  readonly spoken: Spoken
}

/** `pathParams`: the variables of the mount's path; they win over those of the query. */
export function checkUpgrade(
  request: IncomingMessage,
  rules: UpgradeRules,
  pathParams: Readonly<Record<string, string>>,
): Checked {
  const host = request.headers.host
  const encrypted = 'encrypted' in request.socket
  if (request.method !== 'GET') return { ok: false, status: 400, reason: 'not a GET' }
  let params: FormParams
  try {
    params = decodeForm((request.url ?? '').split('?')[1] ?? '')
  } catch {
    return { ok: false, status: 400, reason: 'the query cannot be decoded' }
  }
  if (!checkOrigin(request.headers.origin, rules.origin, { host, encrypted })) {
    return {
      ok: false,
      status: 403,
      reason: `origin ${String(request.headers.origin).slice(0, 200)}`,
    }
  }
  const offered = chooseSubprotocol(request.headers['sec-websocket-protocol'], rules.spoken)
  if (!offered.ok) return { ok: false, status: 403, reason: offered.reason }
  const serializer = rules.versions.find(params.vsn)
  if (serializer === undefined) {
    return { ok: false, status: 403, reason: 'no serializer speaks its vsn' }
  }
  return {
    ok: true,
    serializer,
    protocol: offered.protocol,
    token: offered.token,
    connect: {
      params: { ...params, ...pathParams },
      session: pageSession(request.headers.cookie, params._csrf_token, rules),
      userAgent: request.headers['user-agent'],
      remoteAddress: request.socket.remoteAddress,
      url: `${encrypted ? 'https' : 'http'}://${host ?? 'localhost'}`,
    },
  }
}

/** The session, but only for a page of ours: its CSRF token must belong to the cookie. */
function pageSession(
  cookies: string | undefined,
  token: unknown,
  rules: UpgradeRules,
): SessionData | undefined {
  const session = decodeSession(rules.secret, cookies, rules.cookie, {
    nowMs: Date.now(),
    maxAgeMs: SESSION_MAX_AGE_MS,
  })
  if (!session.ok || !verifyCsrf(session.data[csrfSessionKey], token)) return undefined
  return session.data
}

/** Anybody can be refused as often as they like: a line a second is enough. */
const REFUSAL_LOG_MS = 1_000
let loggedAtMs = Number.NEGATIVE_INFINITY
let refusals = 0

/** Refuses on the raw connection: no HTTP response object exists for an upgrade. */
export function refuseUpgrade(
  socket: Duplex,
  status: number,
  reason: string,
  retryAfterSeconds?: number,
): void {
  const nowMs = performance.now()
  refusals++
  if (nowMs - loggedAtMs >= REFUSAL_LOG_MS) {
    const others = refusals > 1 ? `, ${refusals - 1} more since the last such line` : ''
    logLine('warn', `socket refused with ${status}: ${reason}${others}`)
    loggedAtMs = nowMs
    refusals = 0
  }
  socket.on('error', () => {})
  // A client that never closes its half would keep the connection for ever.
  socket.once('finish', () => socket.destroy())
  const retry = retryAfterSeconds === undefined ? '' : `Retry-After: ${retryAfterSeconds}\r\n`
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${retry}Connection: close\r\nContent-Length: 0\r\n\r\n`,
  )
}
