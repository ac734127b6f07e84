/** What a request that opens a socket says of itself, whichever transport it asks for. */
import type { IncomingMessage } from 'node:http'
import { csrfSessionKey, verifyCsrf } from '../csrf.ts'
import { decodeSession, type SessionData } from '../session.ts'
import { ConnectDetails } from '../socket/details.ts'
import { decodeForm, type FormParams } from '../wire/form.ts'
import type { ConnectInfo } from '../wire/link.ts'
import { checkOrigin, type OriginOption, type OriginRule, originRule } from '../wire/origin.ts'
import { phoenixV2 } from '../wire/phoenixV2.ts'
import { Versions } from '../wire/serializer.ts'
import type { SocketMount } from './plugin.ts'

/** How long a session lasts: the cookie has no end of its own, the signature does. */
export const SESSION_MAX_AGE_MS: number = 14 * 86_400_000

export interface RequestRules {
  readonly origin: OriginRule
  readonly secret: string
  readonly cookie: string
  readonly versions: Versions
}

/** The rules of a mount. @throws CHN_ORIGIN_RULE, CHN_SERIALIZER */
export const mountRules = (
  mount: Pick<SocketMount, 'serializers'>,
  checkOrigin: OriginOption,
  secret: string,
  cookie: string,
): RequestRules => ({
  origin: originRule(checkOrigin),
  secret,
  cookie,
  versions: new Versions(mount.serializers ?? [{ serializer: phoenixV2, versions: '2.0.x' }]),
})

export const queryOf = (request: IncomingMessage): string => {
  const url = request.url ?? ''
  const at = url.indexOf('?')
  return at === -1 ? '' : url.slice(at + 1)
}

/** undefined: it cannot be decoded. */
export function paramsOf(query: string): FormParams | undefined {
  try {
    return decodeForm(query)
  } catch {
    return undefined
  }
}

const isEncrypted = (request: IncomingMessage): boolean => 'encrypted' in request.socket

export function originAllowed(
  request: IncomingMessage,
  { origin }: Pick<RequestRules, 'origin'>,
): boolean {
  const encrypted = isEncrypted(request)
  return checkOrigin(request.headers.origin, origin, { host: request.headers.host, encrypted })
}

/** The origin that was refused, for the log. */
export const refusedOrigin = (request: IncomingMessage): string =>
  `origin ${String(request.headers.origin).slice(0, 200)}`

/** `pathParams`: the variables of the mount's path; they win over those of the query. */
export function connectInfoOf(
  request: IncomingMessage,
  rules: RequestRules,
  params: FormParams,
  pathParams: Readonly<Record<string, string>>,
): ConnectInfo {
  return {
    params: { ...params, ...pathParams },
    session: pageSession(request.headers.cookie, params._csrf_token, rules),
    userAgent: request.headers['user-agent'],
    remoteAddress: request.socket.remoteAddress,
    url: `${isEncrypted(request) ? 'https' : 'http'}://${request.headers.host ?? 'localhost'}`,
  }
}

/** For connect: what else is known of the request. */
export function detailsOf(
  request: IncomingMessage,
  session: SessionData | undefined,
  token: string | undefined,
  custom: Readonly<Record<string, unknown>>,
): ConnectDetails {
  return new ConnectDetails(
    {
      headers: request.headers,
      url: request.url ?? '/',
      encrypted: isEncrypted(request),
      address: request.socket.remoteAddress,
      port: request.socket.remotePort,
    },
    session,
    token,
    custom,
  )
}

/** The session, but only for a page of ours: its CSRF token must belong to the cookie. */
function pageSession(
  cookies: string | undefined,
  token: unknown,
  rules: RequestRules,
): SessionData | undefined {
  const session = decodeSession(rules.secret, cookies, rules.cookie, {
    nowMs: Date.now(),
    maxAgeMs: SESSION_MAX_AGE_MS,
  })
  if (!session.ok || !verifyCsrf(session.data[csrfSessionKey], token)) return undefined
  return session.data
}
