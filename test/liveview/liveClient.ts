/**
 * A live view's page without a browser: fetches it, connects and joins as the official client does, merges diffs with the
 * official client's own code, and sends what its forms and buttons would send.
 */
import {
  type ConnectOptions,
  type Frame,
  type Reply,
  WireClient,
  withTimeout,
} from '../channels/wireClient.ts'
import { Client } from './diff/client.ts'

/** A page as it came over HTTP. */
export interface Page {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly body: string
  /** The Cookie header of whoever visited: what the server set, else what was sent. */
  readonly cookie: string | undefined
  readonly agent: string
  readonly csrf: string
  /** Of the root element. */
  readonly id: string
  readonly session: string
  readonly title: string
  /** HTML inside the root element. */
  readonly html: string
  /** Whether it loads the scripts that make it live. */
  readonly live: boolean
}

export interface VisitOptions {
  readonly cookie?: string
  /** Default `beamish-test`. */
  readonly agent?: string
  /** Default fetch, which keeps connections open and uses them again. */
  readonly request?: typeof fetch
}

/** The reply to an event, and what the page was told with it. */
export interface Answer {
  readonly status: string
  readonly response: Readonly<Record<string, unknown>>
}

/** An event of the server for the page's window. */
export type PageEvent = readonly [name: string, payload: unknown]

type Diff = Record<string, unknown>

/** Fetches a page: `visit('http://127.0.0.1:4000', '/chat')`. */
export async function visit(base: string, path: string, options: VisitOptions = {}): Promise<Page> {
  const agent = options.agent ?? 'beamish-test'
  const url = new URL(path, base).href
  const { cookie, request = fetch } = options
  const response = await request(url, {
    headers: { 'user-agent': agent, ...(cookie === undefined ? {} : { cookie }) },
    redirect: 'manual',
  })
  const body = await response.text()
  const root = /<div [^>]*data-phx-main[^>]*>/.exec(body)?.[0] ?? ''
  const [set] = response.headers.getSetCookie()
  return {
    url,
    status: response.status,
    headers: response.headers,
    body,
    cookie: set?.split(';')[0] ?? cookie,
    agent,
    csrf: attribute(/<meta name="csrf-token"[^>]*>/.exec(body)?.[0] ?? '', 'content'),
    id: attribute(root, 'id'),
    session: attribute(root, 'data-phx-session'),
    title: /<title[^>]*>([^<]*)<\/title>/.exec(body)?.[1] ?? '',
    html: body.slice(body.indexOf(root) + root.length, body.lastIndexOf('</div>')),
    live: body.includes('/live/assets/boot.js'),
  }
}

const attribute = (tag: string, name: string): string =>
  new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? ''

/** Opens the socket of a page, with its cookie, its origin and its CSRF token. */
export function connect(page: Page, options: ConnectOptions = {}): Promise<WireClient> {
  const { origin } = new URL(page.url)
  return WireClient.connect(origin, {
    ...options,
    params: { _csrf_token: page.csrf, ...options.params },
    headers: {
      origin,
      'user-agent': page.agent,
      ...(page.cookie === undefined ? {} : { cookie: page.cookie }),
      ...options.headers,
    },
  })
}

/** What a page says in its join. */
export const joinPayload = (page: Page): Record<string, unknown> => ({
  url: page.url,
  params: { _csrf_token: page.csrf, _mounts: 0, _mount_attempts: 0 },
  session: page.session,
  static: null,
  sticky: false,
})

/** A join that was refused; `reply` says with what. */
export class JoinRefused extends Error {
  readonly reply: Reply

  constructor(reply: Reply) {
    super(`the join was answered with ${JSON.stringify(reply)}`)
    this.reply = reply
  }
}

/**
 * A page that is live.
 *
 * @example
 * const page = await LiveClient.open('http://127.0.0.1:4000', '/chat')
 * await page.submit('send', { text: 'hi' })
 * await page.until((html) => html.includes('hi'))
 * await page.close()
 */
export class LiveClient {
  readonly page: Page
  readonly wire: WireClient
  readonly topic: string
  readonly joinRef: string
  /** Diffs the page was told so far, in replies and pushes; without the first render. */
  readonly diffs: Diff[] = []
  /** Window events the server asked for, oldest first. */
  readonly events: PageEvent[] = []
  /** How the channel ended: phx_close or phx_error. */
  readonly ended: Promise<Frame>
  #title: string
  readonly #tree: Client
  #watchers: (() => void)[] = []
  #end: (frame: Frame) => void = () => {}

  private constructor(page: Page, wire: WireClient, joinRef: string, rendered: Diff) {
    this.page = page
    this.wire = wire
    this.joinRef = joinRef
    this.topic = `lv:${page.id}`
    this.#title = page.title
    this.#tree = new Client(this.#extract(rendered))
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** Fetches, connects and joins. Rejects with JoinRefused or UpgradeRefused. */
  static async open(
    base: string,
    path: string,
    options: VisitOptions & ConnectOptions = {},
  ): Promise<LiveClient> {
    const { cookie, agent, ...connectOptions } = options
    const page = await visit(base, path, { cookie, agent })
    const wire = await connect(page, connectOptions)
    return LiveClient.join(wire, page)
  }

  /** Joins over a socket that is open: several pages may share one. */
  static async join(wire: WireClient, page: Page): Promise<LiveClient> {
    const joinRef = wire.ref()
    const topic = `lv:${page.id}`
    let client: LiveClient | undefined
    return withTimeout(
      `the join of ${page.url}`,
      () => wire.unread,
      (resolve, reject) => {
        // Heard at once: a diff may stand right behind the reply.
        wire.listen(topic, (frame) => {
          if (client !== undefined) return client.#received(frame)
          if (frame.event !== 'phx_reply' || frame.ref !== joinRef) return false
          const reply = frame.payload as Reply
          if (reply.status === 'ok') {
            client = new LiveClient(page, wire, joinRef, reply.response.rendered as Diff)
            resolve(client)
          } else reject(new JoinRefused(reply))
          return true
        })
        wire.send({ joinRef, ref: joinRef, topic, event: 'phx_join', payload: joinPayload(page) })
        return () => wire.listen(topic, () => false)
      },
    )
  }

  /** The HTML the page shows, as the official client makes it of what it was told. */
  html(): string {
    return this.#tree.html()
  }

  /** Text of the element with this id, without tags. */
  text(id: string): string {
    const found = new RegExp(`<(\\w+)[^>]* id="${id}"[^>]*>([\\s\\S]*?)</\\1>`).exec(this.html())
    if (found === null) throw new Error(`no element has the id ${id}: ${this.html()}`)
    return (found[2] ?? '').replaceAll(/<[^>]*>/g, '').trim()
  }

  get title(): string {
    return this.#title
  }

  /** A push on the page's channel. */
  async push(event: string, payload: unknown = {}): Promise<Answer> {
    return this.wire.push(this.topic, event, payload, this.joinRef)
  }

  /** An element with phx-click; `value` is its phx-value-* and value. */
  click(event: string, value: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    return this.push('event', { type: 'click', event, value })
  }

  /** A form with phx-submit. */
  submit(event: string, fields: Readonly<Record<string, string>>): Promise<Answer> {
    return this.push('event', {
      type: 'form',
      event,
      value: String(new URLSearchParams(fields)),
      meta: {},
    })
  }

  /** A form with phx-change, after a change of the field `target`. */
  change(event: string, fields: Readonly<Record<string, string>>, target: string): Promise<Answer> {
    const value = String(new URLSearchParams(fields))
    const meta = { _target: target }
    return this.push('event', { type: 'form', event, value, meta, uploads: {} })
  }

  /** A link that changes the URL in place. */
  patch(path: string): Promise<Answer> {
    return this.push('live_patch', { url: new URL(path, this.page.url).href })
  }

  /** Leaves the page's channel; the socket stays. */
  leave(): Promise<Answer> {
    return this.push('phx_leave')
  }

  /** Resolves with the HTML once it is as wanted. */
  until(wanted: (html: string) => boolean): Promise<string> {
    const now = this.html()
    if (wanted(now)) return Promise.resolve(now)
    return withTimeout(
      'the wanted HTML',
      () => this.html(),
      (resolve) => {
        const watcher = (): void => {
          const html = this.html()
          if (!wanted(html)) return
          stop()
          resolve(html)
        }
        const stop = (): void => {
          this.#watchers = this.#watchers.filter((one) => one !== watcher)
        }
        this.#watchers.push(watcher)
        return stop
      },
    )
  }

  /** Closes the socket, with all that share it. */
  async close(how: 'close' | 'terminate' = 'close'): Promise<void> {
    await this.wire.close(how)
  }

  /** True for a frame that is done with; replies also go to whoever pushed. */
  #received(frame: Frame): boolean {
    const { event, payload, joinRef } = frame
    if (joinRef !== null && joinRef !== this.joinRef) return false
    if (event === 'diff') {
      this.#merge(payload as Diff)
      return true
    }
    if (event === 'phx_reply') {
      const { diff } = (payload as Reply).response as { diff?: Diff }
      if (diff !== undefined) this.#merge(diff)
    } else if (event === 'phx_close' || event === 'phx_error') this.#end(frame)
    return false
  }

  #merge(diff: Diff): void {
    this.diffs.push(diff)
    const tree = this.#extract(diff)
    if (Object.keys(tree).length > 0) this.#tree.merge(tree as never)
    for (const watcher of [...this.#watchers]) watcher()
  }

  /** Takes out what is not part of the tree: title, events, reply. */
  #extract(diff: Diff): never {
    const { t, e, r: _reply, ...tree } = diff
    if (typeof t === 'string') this.#title = t
    if (Array.isArray(e)) this.events.push(...(e as PageEvent[]))
    return tree as never
  }
}
