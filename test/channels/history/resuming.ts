/** The official client with the lines of docs/replay.md, and a network that can be away. */
import { readFile } from 'node:fs/promises'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import { type Channel, outcome, phoenixSocket, type Socket } from '../phoenixClient.ts'

export interface Resumed {
  readonly at: string | null
  readonly lost: boolean
  readonly missed: number
  readonly events: readonly string[]
}

type Resuming = (
  socket: Socket,
  topic: string,
  params: Readonly<Record<string, unknown>>,
  onLost: (history: Resumed) => void,
) => Channel

const guide = await readFile(new URL('../../../docs/replay.md', import.meta.url), 'utf8')
const [, lines = ''] = /```js\n([\s\S]*?)```/.exec(guide) ?? []
/** The lines of the guide, as they stand there. */
const { resuming } = (await import(
  `data:text/javascript,${encodeURIComponent(`${lines}export { resuming }`)}`
)) as { resuming: Resuming }

/** A reader of the tour's `history:*` whose connection can be cut and kept away. */
export class Reader {
  readonly seen: Record<string, unknown>[] = []
  readonly lost: Resumed[] = []
  readonly told: Resumed[] = []
  readonly channel: Channel
  readonly socket: Socket
  thread = 0
  away = false
  #changed: (() => void)[] = []

  private constructor(base: string, topic: string, user: string, path = '/socket') {
    const readers = this
    class Transport extends WebSocket {
      constructor(url: string, protocols: string[]) {
        // Nobody listens there: what a client without a network finds.
        super(readers.away ? 'ws://127.0.0.1:9/' : url, protocols, { perMessageDeflate: false })
      }
    }
    this.socket = phoenixSocket(
      base,
      {},
      {
        path,
        params: { user_id: user },
        transport: Transport,
        reconnectAfterMs: () => 20,
      },
    )
    this.socket.connect()
    this.channel = resuming(this.socket, topic, {}, (history) => this.lost.push(history))
    this.channel.on('said', (payload) => {
      this.seen.push(payload)
      this.#tell()
    })
  }

  static async open(
    t: Test,
    base: string,
    topic: string,
    user = 'reader',
    path?: string,
  ): Promise<Reader> {
    const reader = new Reader(base, topic, user, path)
    t.teardown(() => reader.close())
    const joined = reader.channel.join()
    joined.receive('ok', (response) => {
      reader.thread = response.thread as number
      reader.told.push(response.history as Resumed)
      reader.#tell()
    })
    const [status] = await outcome(joined)
    if (status !== 'ok') throw new Error(`the join of ${topic} was answered ${status}`)
    return reader
  }

  /** The network goes, without a goodbye, until back(). */
  async cut(): Promise<void> {
    this.away = true
    const gone = new Promise((resolve) => this.socket.onClose(resolve as () => void))
    this.socket.conn.terminate()
    await gone
  }

  /** Resolves when it has joined again: what it was told of its history. */
  async back(): Promise<Resumed> {
    const { length } = this.told
    this.away = false
    await this.until(() => this.told.length > length, 'the join after a cut')
    return this.told.at(-1) as Resumed
  }

  async until(holds: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    while (!holds()) {
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`${what} did not come; seen ${this.seen.length}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#changed.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  async say(event: string, payload: unknown): Promise<void> {
    const [status, response] = await outcome(this.channel.push(event, payload))
    if (status !== 'ok') throw new Error(`${event}: ${status} ${JSON.stringify(response)}`)
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.socket.disconnect(resolve))
  }

  #tell(): void {
    for (const changed of this.#changed.splice(0)) changed()
  }
}

const PATIENCE_MS = 60_000

/** Readers on both threads, the first two on different ones. */
export async function onBothThreads(
  t: Test,
  base: string,
  topic: string,
): Promise<[Reader, Reader]> {
  const first = await Reader.open(t, base, topic, 'first')
  for (;;) {
    const other = await Reader.open(t, base, topic, 'other')
    if (other.thread !== first.thread) return [first, other]
    await other.close()
  }
}
