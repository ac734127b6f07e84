/**
 * A request to open a socket: path, version and origin are checked before anything is accepted, in Phoenix's order, and
 * what is refused gets an HTTP status that says so.
 */
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { logLine } from '../../runtime/log.ts'
import type { ConnectInfo } from '../wire/link.ts'
import type { Serializer } from '../wire/serializer.ts'
import {
  connectInfoOf,
  originAllowed,
  paramsOf,
  queryOf,
  type RequestRules,
  refusedOrigin,
} from './request.ts'
import { chooseSubprotocol, type Spoken } from './subprotocol.ts'
import type { Arrival } from './upgradeLine.ts'

export type Checked =
  | {
      readonly ok: true
      readonly connect: ConnectInfo
      readonly serializer: Serializer
      readonly protocol: string | undefined
      readonly token: string | undefined
    }
  | { readonly ok: false; readonly status: number; readonly reason: string }

export interface UpgradeRules extends RequestRules {
  readonly spoken: Spoken
}

/** `pathParams`: the variables of the mount's path; they win over those of the query. */
export function checkUpgrade(
  request: IncomingMessage,
  rules: UpgradeRules,
  pathParams: Readonly<Record<string, string>>,
): Checked {
  if (request.method !== 'GET') return { ok: false, status: 400, reason: 'not a GET' }
  const params = paramsOf(queryOf(request))
  if (params === undefined) {
    return { ok: false, status: 400, reason: 'the query cannot be decoded' }
  }
  if (!originAllowed(request, rules)) {
    return { ok: false, status: 403, reason: refusedOrigin(request) }
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
    connect: connectInfoOf(request, rules, params, pathParams),
  }
}

/** Anybody can be refused as often as they like: a line a second is enough. */
const REFUSAL_LOG_MS = 1_000
let loggedAtMs = Number.NEGATIVE_INFINITY
let refusals = 0

/** A line in the log, at most once a second. */
export function logRefusal(status: number, reason: string): void {
  const nowMs = performance.now()
  refusals++
  if (nowMs - loggedAtMs >= REFUSAL_LOG_MS) {
    const others = refusals > 1 ? `, ${refusals - 1} more since the last such line` : ''
    logLine('warn', `socket refused with ${status}: ${reason}${others}`)
    loggedAtMs = nowMs
    refusals = 0
  }
}

/** Refuses on the raw connection: no HTTP response object exists for an upgrade. */
export function refuseUpgrade(
  socket: Duplex,
  status: number,
  reason: string,
  retryAfterSeconds?: number,
): void {
  logRefusal(status, reason)
  socket.on('error', () => {})
  // A client that never closes its half would keep the connection for ever.
  socket.once('finish', () => socket.destroy())
  const retry = retryAfterSeconds === undefined ? '' : `Retry-After: ${retryAfterSeconds}\r\n`
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${retry}Connection: close\r\nContent-Length: 0\r\n\r\n`,
  )
}

/** An upgrade as the line sees it; `head` is what came after the request. */
export const upgradeArrival = (
  client: string,
  raw: Duplex,
  head: Buffer,
  accept: () => void,
): Arrival => ({
  client,
  early: head.length > 0,
  accept,
  refuse: (status, reason, retryAfterSeconds) =>
    refuseUpgrade(raw, status, reason, retryAfterSeconds),
  watch: (gone, spoke) => watchUpgrade(raw, gone, spoke),
  drop: () => dropUpgrade(raw),
})

/**
 * Tells of the end of a connection that is not answered yet, and of what it sends, until the function this returns is called.
 * Node has no listener on it from the upgrade on, and its reset would end the thread. What it sends is read, not left where it
 * is: unread, Node would keep 64 kB of it or more, and a connection that is not read at all does not tell of its end.
 */
export function watchUpgrade(raw: Duplex, gone: () => void, spoke: () => void): () => void {
  raw.on('error', gone).on('end', gone).on('close', gone).on('data', spoke)
  return () => raw.off('error', gone).off('end', gone).off('close', gone).off('data', spoke)
}

/** Cuts it: its client is gone. */
export function dropUpgrade(raw: Duplex): void {
  raw.on('error', () => {})
  raw.destroy()
}
