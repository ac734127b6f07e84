/** What is known of a connection while it is decided about (Phoenix `connect_info`). Looked up where it is asked for. */
import type { IncomingHttpHeaders } from 'node:http'
import type { SessionData } from '../session.ts'

/** Headers as pairs, lower-case names. */
export type HeaderPairs = readonly (readonly [name: string, value: string])[]

/** The request as the details read it. */
export interface ConnectRequest {
  readonly headers: IncomingHttpHeaders
  readonly url: string
  readonly encrypted: boolean
  readonly address: string | undefined
  readonly port: number | undefined
}

const TRACE_HEADERS: readonly string[] = ['traceparent', 'tracestate']

export class ConnectDetails {
  readonly #request: ConnectRequest
  #secret = ''
  /** The signed session, if its cookie and the `_csrf_token` among the parameters agree. */
  readonly session: SessionData | undefined
  /** The token of an official client's `authToken`, if the socket takes one. */
  readonly authToken: string | undefined
  /** What the mount was given as `connectInfo`. */
  readonly custom: Readonly<Record<string, unknown>>

  constructor(
    request: ConnectRequest,
    session: SessionData | undefined,
    authToken: string | undefined,
    custom: Readonly<Record<string, unknown>>,
  ) {
    this.#request = request
    this.session = session
    this.authToken = authToken
    this.custom = custom
  }

  /** The node's secret, for verifyToken(): what secretOf() gives elsewhere. A getter, so that no log shows it. */
  get secret(): string {
    return this.#secret
  }

  /** Kernel side: on whose node it is decided. */
  knows(secret: string): this {
    this.#secret = secret
    return this
  }

  /** The other end of the connection: a proxy, if there is one. */
  get peer(): { readonly address: string | undefined; readonly port: number | undefined } {
    const { address, port } = this.#request
    return { address, port }
  }

  /** What was asked for. */
  get uri(): {
    readonly scheme: 'http' | 'https'
    readonly host: string
    readonly port: number
    readonly path: string
    readonly query: string
  } {
    const { encrypted, url, headers } = this.#request
    const scheme = encrypted ? 'https' : 'http'
    const parsed = new URL(url, `${scheme}://${headers.host ?? 'localhost'}`)
    const port = parsed.port === '' ? (encrypted ? 443 : 80) : Number(parsed.port)
    const { hostname: host, pathname: path, search } = parsed
    return { scheme, host, port, path, query: search.slice(1) }
  }

  /** The Origin header as it came: of the page that connects. undefined: it is no browser's. */
  get origin(): string | undefined {
    return this.#request.headers.origin
  }

  get userAgent(): string | undefined {
    return this.#request.headers['user-agent']
  }

  /** Headers whose name begins with `x-`. */
  get xHeaders(): HeaderPairs {
    return this.#headers((name) => name.startsWith('x-'))
  }

  /** traceparent and tracestate (W3C Trace Context). */
  get traceContextHeaders(): HeaderPairs {
    return this.#headers((name) => TRACE_HEADERS.includes(name))
  }

  /** Headers whose name begins with `sec-websocket-`. */
  get secWebSocketHeaders(): HeaderPairs {
    return this.#headers((name) => name.startsWith('sec-websocket-'))
  }

  #headers(takes: (name: string) => boolean): HeaderPairs {
    const pairs: (readonly [string, string])[] = []
    for (const [name, value] of Object.entries(this.#request.headers)) {
      if (value === undefined || !takes(name)) continue
      for (const one of Array.isArray(value) ? value : [value]) pairs.push([name, one])
    }
    return pairs
  }
}
