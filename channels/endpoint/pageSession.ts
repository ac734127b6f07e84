/** The session of a visitor over HTTP: read from its cookie, made where there is none, and the token that lets a socket see it. */
import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { createCsrf, csrfSessionKey, csrfToken } from '../csrf.ts'
import { decodeSession, encodeSession, type SessionData, setCookie } from '../session.ts'
import { SESSION_MAX_AGE_MS } from './request.ts'

/** The session of a request. */
export interface PageSession {
  /** What it holds, with the secret of its CSRF tokens as `_csrf_token`. */
  readonly data: SessionData
  /** For the page: a socket that connects with it as `_csrf_token` is given the session. Another text each time it is read. */
  readonly csrfToken: string
  /**
   * Puts values into it, small plain data that the visitor may read; undefined takes one out. The cookie goes out with this
   * reply. @throws CHN_SESSION_TOO_LARGE, CHN_TOKEN_DATA
   */
  put(values: SessionData): void
}

/** Asked twice for one request, it is the same one: a second secret would void the tokens of the first. */
const sessions = new WeakMap<FastifyRequest, PageSession>()

export function pageSession(
  secret: string,
  cookie: string,
  request: FastifyRequest,
  reply: FastifyReply,
): PageSession {
  const known = sessions.get(request)
  if (known !== undefined) return known
  const nowMs = Date.now()
  const decoded = decodeSession(secret, request.headers.cookie, cookie, {
    nowMs,
    maxAgeMs: SESSION_MAX_AGE_MS,
  })
  let data: SessionData = decoded.ok ? decoded.data : {}
  const session: PageSession = {
    get data() {
      return data
    },
    get csrfToken() {
      return csrfToken(data[csrfSessionKey] as string, randomBytes)
    },
    put(values) {
      const next = { ...data, ...values }
      const value = encodeSession(secret, next, { nowMs })
      const encrypted = request.protocol === 'https'
      setCookieOnce(reply, cookie, setCookie(cookie, value, { encrypted }))
      data = next
    },
  }
  if (typeof data[csrfSessionKey] !== 'string') {
    session.put({ [csrfSessionKey]: createCsrf(randomBytes) })
  }
  sessions.set(request, session)
  return session
}

/** Fastify adds one header of this name to the other. */
function setCookieOnce(reply: FastifyReply, name: string, header: string): void {
  const others = [reply.getHeader('set-cookie') ?? []].flat().map(String)
  reply.removeHeader('set-cookie')
  reply.header('set-cookie', [...others.filter((one) => !one.startsWith(`${name}=`)), header])
}
