// Which web pages may open a socket: the Origin header against a rule.
// Browsers send cookies with cross-site WebSocket requests and apply no CORS to them, so this
// check is what keeps other sites from opening a socket with a visitor's session.

import { ChannelError } from '../errors.ts'

/**
 * What an app writes.
 * - `true`: the page's host and port are those of the request itself.
 * - `false`: any page. Only where nothing is decided by cookies.
 * - a list: any entry matches. `'https://example.com'` asks for scheme, host and port (the scheme's
 *   own when left out), `'//example.com'` for the host alone, `'//example.com:4000'` for host and
 *   port; a host `*.example.com` is example.com and every host below it. An origin without a host is named as it is sent:
 *   `'null'`, `'file://'`, `'app://.'`. A page in a sandboxed frame of any site sends `null`, too.
 */
export type OriginOption = boolean | readonly string[]

type OriginPattern = {
  readonly scheme: string | undefined
  readonly host: string
  readonly below: boolean
  readonly port: number | undefined
}

/** An `OriginOption` that was read and found sound. */
export type OriginRule = boolean | readonly (OriginPattern | string)[]

/** What the check needs of the request: its Host header, and whether TLS ends in this process. */
export type OriginRequest = { readonly host: string | undefined; readonly encrypted: boolean }

/**
 * Reads an option once, when the endpoint starts. Throws `CHN_ORIGIN_RULE` for an entry it cannot
 * read, so that a typing error never turns into an open door or a closed one.
 *
 * @example
 * const rule = originRule(['https://example.com', '//*.example.org'])
 */
export function originRule(option: OriginOption): OriginRule {
  return typeof option === 'boolean' ? option : option.map(parsePattern)
}

/**
 * Whether a page of this origin may connect. Never throws; what cannot be read is refused, and so
 * are `null` and `file://` where no entry names them. A request without the header passes: it does
 * not come from a browser.
 *
 * With rule `true` a Host without a port is read as the origin's own default port, unless the
 * request was encrypted, which settles it: behind a proxy that ends TLS, the page's `https://x`
 * and the request's `Host: x` are the same place.
 *
 * Source: RFC 6454; Phoenix `check_origin`, whose `true` compares hosts only.
 *
 * @example
 * checkOrigin(req.headers.origin, rule, { host: req.headers.host, encrypted: false })
 */
export function checkOrigin(
  origin: string | undefined,
  rule: OriginRule,
  request: OriginRequest,
): boolean {
  if (origin === undefined || rule === false) return true
  if (origin.length > maxOriginLength) return false
  const name = origin.toLowerCase()
  const page = parseOrigin(name)
  if (rule === true) return page !== undefined && isOwn(page, request)
  return rule.some((entry) =>
    typeof entry === 'string' ? entry === name : page !== undefined && matches(page, entry),
  )
}

type Origin = { readonly scheme: string; readonly host: string; readonly port: number | undefined }

const authority = String.raw`(\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}))(?::([0-9]{1,5}))?`
const originSyntax = new RegExp(`^([a-z][a-z0-9+.-]{0,63})://${authority}$`)
const hostSyntax = new RegExp(`^${authority}$`)
const patternSyntax = new RegExp(`^(?:([a-z][a-z0-9+.-]{0,63}):)?//(\\*\\.)?${authority}$`)
// A scheme of the web has a host: one that is missing is a typing error.
const opaqueSyntax = /^(?:null|(?!(?:https?|wss?):)[a-z][a-z0-9+.-]{0,63}:\/\/[.-]?)$/

// Longer than any origin a browser serializes.
const maxOriginLength = 512

// An origin is scheme, host and port and nothing else. The URL parser would also take userinfo,
// paths, backslashes and line breaks, so it is not asked.
function parseOrigin(origin: string): Origin | undefined {
  const [, scheme, host, portText] = originSyntax.exec(origin) ?? []
  if (scheme === undefined || host === undefined) return undefined
  const port = readPort(portText)
  if (port === null) return undefined
  return { scheme, host, port: port ?? defaultPort(scheme) }
}

function isOwn(page: Origin, request: OriginRequest): boolean {
  if (page.scheme !== 'http' && page.scheme !== 'https') return false
  const [, host, portText] = hostSyntax.exec(request.host?.toLowerCase() ?? '') ?? []
  const port = readPort(portText)
  if (host === undefined || port === null) return false
  const ownPort = port ?? (request.encrypted ? 443 : defaultPort(page.scheme))
  return page.host === host && page.port === ownPort
}

function matches(page: Origin, pattern: OriginPattern): boolean {
  if (pattern.scheme !== undefined && pattern.scheme !== page.scheme) return false
  if (pattern.port !== undefined && pattern.port !== page.port) return false
  return page.host === pattern.host || (pattern.below && page.host.endsWith(`.${pattern.host}`))
}

function parsePattern(entry: string): OriginPattern | string {
  if (typeof entry === 'string' && opaqueSyntax.test(entry.toLowerCase()))
    return entry.toLowerCase()
  const [, scheme, wildcard, host, portText] =
    (typeof entry === 'string' && patternSyntax.exec(entry.toLowerCase())) || []
  const port = readPort(portText)
  if (host === undefined || port === null) {
    throw new ChannelError(
      'CHN_ORIGIN_RULE',
      `checkOrigin cannot read ${JSON.stringify(entry)}: write 'https://example.com', '//example.com', '//example.com:4000' or '//*.example.com', without a path; an origin without a host as it is sent: 'null', 'file://', 'app://.'.`,
    )
  }
  return {
    scheme,
    host,
    below: wildcard !== undefined,
    port: port ?? (scheme === undefined ? undefined : defaultPort(scheme)),
  }
}

// undefined: none given; null: none that exists.
function readPort(text: string | undefined): number | undefined | null {
  if (text === undefined) return undefined
  const port = Number(text)
  return port >= 1 && port <= 65_535 ? port : null
}

function defaultPort(scheme: string): number | undefined {
  if (scheme === 'http' || scheme === 'ws') return 80
  if (scheme === 'https' || scheme === 'wss') return 443
  return undefined
}
