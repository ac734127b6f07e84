/** A page of a live view as raw frames: it asks for the page, joins, and counts what comes. It renders nothing. */

interface Fetched {
  readonly topic: string
  readonly session: string
  readonly csrf: string
  readonly cookie: string
  readonly url: string
}

export async function fetchPage(url: string): Promise<Fetched> {
  const response = await fetch(url)
  const page = await response.text()
  const attribute = (pattern: RegExp): string => {
    const found = pattern.exec(page)?.[1]
    if (found === undefined) throw new Error(`the page at ${url} has no ${pattern}`)
    return found
  }
  return {
    url,
    topic: `lv:${attribute(/<div id="([^"]+)" data-phx-main/)}`,
    session: attribute(/data-phx-session="([^"]+)"/),
    csrf: attribute(/name="csrf-token" content="([^"]+)"/),
    cookie: (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '',
  }
}

export class LivePage {
  readonly #socket: WebSocket
  readonly #topic: string
  readonly #waiting = new Map<string, (response: unknown) => void>()
  #ref = 0
  #joinRef = ''
  /** Called with each diff, pushed or in a reply, as text. */
  onDiff: (frame: string) => void = () => {}

  private constructor(socket: WebSocket, topic: string) {
    this.#socket = socket
    this.#topic = topic
    socket.addEventListener('message', ({ data }) => this.#received(String(data)))
  }

  static async join(page: Fetched): Promise<LivePage> {
    const { host, origin } = new URL(page.url)
    const address = `ws://${host}/live/websocket?_csrf_token=${page.csrf}&vsn=2.0.0`
    const options = { headers: { cookie: page.cookie, origin } }
    const socket = new WebSocket(address, options as unknown as string[])
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve())
      socket.addEventListener('error', () => reject(new Error(`no socket at ${address}`)))
    })
    const live = new LivePage(socket, page.topic)
    live.#joinRef = String(live.#ref + 1)
    const response = await live.push('phx_join', {
      url: page.url,
      params: { _csrf_token: page.csrf, _mounts: 0 },
      session: page.session,
      static: null,
      sticky: false,
    })
    if (!JSON.stringify(response).includes('rendered')) {
      throw new Error(`join refused: ${JSON.stringify(response)}`)
    }
    return live
  }

  /** Sends a push and resolves with its reply. */
  push(event: string, payload: unknown): Promise<unknown> {
    const ref = String(++this.#ref)
    this.#socket.send(JSON.stringify([this.#joinRef, ref, this.#topic, event, payload]))
    return new Promise((resolve) => this.#waiting.set(ref, resolve))
  }

  submit(event: string, form: string): Promise<unknown> {
    return this.push('event', { type: 'form', event, value: form })
  }

  #received(frame: string): void {
    // Diffs are counted, not parsed: the load must cost less than what it measures.
    if (frame.includes('"diff",{')) {
      this.onDiff(frame)
      return
    }
    const [, ref, , , payload] = JSON.parse(frame) as [unknown, string, string, string, unknown]
    const resolve = this.#waiting.get(ref)
    this.#waiting.delete(ref)
    resolve?.((payload as { response?: unknown }).response)
  }

  close(): void {
    this.#socket.close()
  }
}
