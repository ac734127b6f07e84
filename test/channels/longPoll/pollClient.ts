/** Long polling by hand: each request as it is, over a connection of one's choice. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import type { Pid } from 'beamish'
import { schedulerOf } from '../../../runtime/process/pid.ts'

export interface Answer {
  /** The status of HTTP itself. */
  readonly http: number
  readonly headers: IncomingHttpHeaders
  /** What stands in the body. */
  readonly status: number
  readonly token: string
  readonly messages: readonly string[]
}

export interface Ask {
  readonly method?: string
  readonly path?: string
  readonly params?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly agent?: Agent
  readonly signal?: AbortSignal
}

/** One connection. */
export const connection = (): Agent => new Agent({ keepAlive: true, maxSockets: 1 })

const shared = new Agent({ keepAlive: true })

/** One request; `base` is an http URL. */
export function ask(base: string, options: Ask = {}): Promise<Answer> {
  const { method = 'GET', path = '/socket/longpoll', params, headers, body, signal } = options
  const query = Object.entries({ vsn: '2.0.0', ...params }).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  )
  const url = `${base}${path}${path.includes('?') ? '&' : '?'}${query.join('&')}`
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method, headers, agent: options.agent ?? shared, ...(signal ? { signal } : {}) },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const json = text.startsWith('{') ? (JSON.parse(text) as object) : {}
          resolve({ http: response.statusCode ?? 0, headers: response.headers, ...json } as Answer)
        })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** The session of a token: that can be read, if not written. */
export function sessionOf(token: string): Pid {
  const body = Buffer.from(token.split('.')[1] as string, 'base64url').toString()
  const [, [, pid]] = JSON.parse(body) as [number, [string, Pid]]
  return pid
}

/** The thread it lives on. */
export const threadOf = (token: string): number => schedulerOf(sessionOf(token))

export type Frame = readonly [string | null, string | null, string, string, unknown]

/** A session with its token. */
export class PollClient {
  readonly base: string
  readonly token: string
  readonly options: Ask
  /** What was fetched and not asked for yet. */
  readonly unread: Frame[] = []

  constructor(base: string, token: string, options: Ask) {
    this.base = base
    this.token = token
    this.options = options
  }

  static async open(base: string, options: Ask = {}): Promise<PollClient> {
    const { status, token } = await ask(base, options)
    if (status !== 410) throw new Error(`no session was opened: ${status}`)
    return new PollClient(base, token, options)
  }

  poll(options: Ask = {}): Promise<Answer> {
    return ask(this.base, {
      ...this.options,
      ...options,
      params: { ...this.options.params, token: this.token, ...options.params },
    })
  }

  post(body: string | Uint8Array, options: Ask = {}): Promise<Answer> {
    return this.poll({
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-ndjson' },
      ...options,
    })
  }

  /** Sends frames in a batch. */
  send(...frames: Frame[]): Promise<Answer> {
    return this.post(frames.map((frame) => JSON.stringify(frame)).join('\n'))
  }

  /** The next frame that matches; polls until it is there. */
  async next(match: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const at = this.unread.findIndex(match)
      if (at >= 0) return this.unread.splice(at, 1)[0] as Frame
      const { status, messages } = await this.poll()
      if (status !== 200 && status !== 204) throw new Error(`the poll was answered with ${status}`)
      for (const message of messages) this.unread.push(JSON.parse(message) as Frame)
    }
  }

  /** The payload of the reply to that ref. */
  async reply(ref: string): Promise<unknown> {
    return (await this.next((frame) => frame[1] === ref && frame[3] === 'phx_reply'))[4]
  }

  /** Joins, as the join of that ref. */
  async join(topic: string, ref = '1'): Promise<unknown> {
    await this.send([ref, ref, topic, 'phx_join', {}])
    return this.reply(ref)
  }
}
