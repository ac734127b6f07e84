/** The sessions of one mount, as a request on this thread reaches them: opened here, polled and written to wherever they are. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  Exit,
  type ExitReason,
  type Pid,
  type Self,
  type StartResult,
} from '../../runtime/index.ts'
import { logLine } from '../../runtime/log.ts'
import type { LocalNode } from '../../runtime/node/local.ts'
import {
  connectInfoOf,
  detailsOf,
  originAllowed,
  paramsOf,
  queryOf,
  type RequestRules,
  refusedOrigin,
} from '../endpoint/request.ts'
import type { MountSettings } from '../endpoint/settings.ts'
import { logRefusal } from '../endpoint/upgrade.ts'
import type { UpgradeLine } from '../endpoint/upgradeLine.ts'
import type { SocketDefinition } from '../socket/userSocket.ts'
import type { Frame } from '../wire/serializer.ts'
import type { PollAnswer } from './pollBuffer.ts'
import { connectingSessions, INACTIVE_WINDOWS, Session } from './session.ts'
import { makeSessionToken, readSessionToken } from './sessionToken.ts'

export const TOO_BIG: ExitReason = { shutdown: 'frame_too_big' }

export interface SessionsParts {
  readonly self: Self
  readonly node: LocalNode
  readonly line: UpgradeLine
  readonly transports: Pid
  /** Path of the mount, variables as variables. */
  readonly path: string
  readonly windowMs: number
  readonly rules: RequestRules
  readonly definition: SocketDefinition | undefined
  readonly settings: MountSettings
  /** Takes the token of an official client's `authToken`. */
  readonly authToken: boolean
  readonly connectInfo: Readonly<Record<string, unknown>>
}

/** What a request says of its session. */
export interface Named {
  /** As it was given, if it is one of ours. */
  readonly token: string | undefined
  /** undefined: it names none of this life of the node. */
  readonly pid: Pid | undefined
  /** The query without the token: what the application sent along. */
  readonly query: string
}

export type OpenSession =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly status: 403 | 500 }

const TOKEN_HEADER = 'x-phoenix-longpoll-token'
const AUTH_HEADER = 'x-phoenix-authtoken'
/** The official client puts it last; the application may have a parameter of that name, too. */
const LAST_TOKEN = /(?:^|&)token=([^&]*)&?$/

export class Sessions {
  readonly #parts: SessionsParts
  #polls = 0

  constructor(parts: SessionsParts) {
    this.#parts = parts
  }

  allowed(request: IncomingMessage): boolean {
    if (originAllowed(request, this.#parts.rules)) return true
    logRefusal(403, refusedOrigin(request))
    return false
  }

  /** The header wins over the query. */
  named(request: IncomingMessage): Named {
    const query = queryOf(request)
    const [last, inQuery] = LAST_TOKEN.exec(query) ?? []
    const header = request.headers[TOKEN_HEADER]
    const ofQuery = this.#read(inQuery)
    const rest = ofQuery === 'foreign' ? query : query.slice(0, -(last as string).length)
    const token = typeof header === 'string' ? header : inQuery
    const read = typeof header === 'string' ? this.#read(header) : ofQuery
    return read === 'foreign'
      ? { token: undefined, pid: undefined, query: rest }
      : { token, pid: read.pid, query: rest }
  }

  #read(token: string | undefined): ReturnType<typeof readSessionToken> {
    const { node, path } = this.#parts
    return readSessionToken(node, path, token)
  }

  /** Waits for what the session has to say. 410: there is none, or no longer. */
  async poll(pid: Pid, response: ServerResponse): Promise<PollAnswer> {
    const { self, windowMs } = this.#parts
    const id = `${self.pid}.${++this.#polls}`
    // Else it would be given what nobody hears.
    const hangUp = (): void => self.cast(pid, 'hangUp', id)
    response.once('close', hangUp)
    try {
      const timeoutMs = windowMs * INACTIVE_WINDOWS
      return (await self.call(pid, 'poll', id, { timeoutMs })) as PollAnswer
    } catch (failed) {
      // One that is there and does not answer must not be polled again: the answer may still be on its way to nobody.
      return { status: timedOut(failed) ? 500 : 410, messages: [] }
    } finally {
      response.off('close', hangUp)
    }
  }

  /** 200 when the session has taken them in order, 408 when it did not say so within a window, 410 when there is none. */
  async publish(pid: Pid, frames: readonly Frame[]): Promise<200 | 408 | 410> {
    const { self, windowMs } = this.#parts
    try {
      await self.call(pid, 'publish', frames, { timeoutMs: windowMs })
      return 200
    } catch (failed) {
      return timedOut(failed) ? 408 : 410
    }
  }

  end(pid: Pid, reason: ExitReason): void {
    this.#parts.self.cast(pid, 'end', reason)
  }

  /** Opens a session as its socket decides: in the line with upgrades, and in the session's own process. */
  async open(
    request: IncomingMessage,
    response: ServerResponse,
    query: string,
    pathParams: Readonly<Record<string, string>>,
  ): Promise<OpenSession> {
    const { self, node, rules, path, transports, settings } = this.#parts
    const { definition, connectInfo, windowMs } = this.#parts
    const params = paramsOf(query)
    if (params === undefined) return refused(403, 'the query cannot be decoded')
    const serializer = rules.versions.find(params.vsn)
    if (serializer === undefined) return refused(403, 'no serializer speaks its vsn')
    const connect = connectInfoOf(request, rules, params, pathParams)
    const full = await this.#turn(connect.remoteAddress ?? '', response)
    if (full !== undefined) return refused(500, full)
    let refusal: { readonly status: number; readonly reason: string } | undefined
    let gone = response.closed
    let onGone = (): void => {}
    const hungUp = (): void => {
      gone = true
      onGone()
    }
    response.once('close', hungUp)
    const ticket = connectingSessions.give({
      definition,
      details: detailsOf(request, connect.session, this.#authToken(request), connectInfo),
      settings: { ...settings, serializer, connect },
      windowMs,
      refuse: (status, reason) => {
        refusal = { status, reason }
      },
      onGone: (listener) => {
        onGone = listener
        if (gone) listener()
      },
    })
    try {
      const spec = Session.child(ticket, { restart: 'temporary' })
      const endless = { timeoutMs: Number.POSITIVE_INFINITY }
      const started = (await self.call(transports, 'startChild', spec, endless)) as StartResult
      if (!started.ok) throw new Exit(started.reason)
      await self.call(started.pid, 'opened', undefined, endless)
      if (gone) this.end(started.pid, 'normal')
      return { ok: true, token: makeSessionToken(node, path, started.pid) }
    } catch (failed) {
      connectingSessions.take(ticket)
      if (refusal !== undefined) return refused(refusal.status < 500 ? 403 : 500, refusal.reason)
      if (gone) return { ok: false, status: 500 }
      logLine('error', 'no process for a session of long polling', () => ({
        reason: String(failed),
      }))
      return { ok: false, status: 500 }
    } finally {
      response.off('close', hungUp)
    }
  }

  #authToken(request: IncomingMessage): string | undefined {
    const token = request.headers[AUTH_HEADER]
    return this.#parts.authToken && typeof token === 'string' ? token : undefined
  }

  /** undefined when it may come in; else why not. */
  #turn(client: string, response: ServerResponse): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#parts.line.enter({
        client,
        early: false,
        accept: () => resolve(undefined),
        refuse: (_status, reason) => resolve(reason),
        watch: (gone) => {
          response.once('close', gone)
          return () => response.off('close', gone)
        },
        drop: () => resolve('it hung up'),
      })
    })
  }
}

function refused(status: 403 | 500, reason: string): OpenSession {
  logRefusal(status, reason)
  return { ok: false, status }
}

const timedOut = (failed: unknown): boolean =>
  failed instanceof Exit && (failed.reason as { reason?: unknown } | null)?.reason === 'timeout'
