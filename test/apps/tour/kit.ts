/** The tour on a node of its own, and official clients for it. */
import { type BeamishNode, start } from 'beamish'
import type { Test } from 'tap'
import {
  type Channel,
  outcome,
  phoenixSocket,
  type Received,
  type Socket,
  type SocketOptions,
} from '../../channels/phoenixClient.ts'

process.env.PORT = '0'

export interface Tour {
  readonly node: BeamishNode
  /** An http URL. */
  readonly base: string
}

export async function startTour(t: Test, schedulers = 2): Promise<Tour> {
  const node = await start(new URL('../../../apps/tour/tour.ts', import.meta.url), {
    schedulers,
    log: false,
    development: false,
    execArgv: ['--conditions=beamish-source'],
  })
  t.teardown(() => node.stop())
  const [address] = await node.addresses()
  return { node, base: `http://127.0.0.1:${address?.port}` }
}

const PATIENCE_MS = 30_000

/** An official client with what it has received, in order. */
export class Client {
  readonly socket: Socket
  readonly #received: Received[] = []
  #waiting: (() => void) | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.onMessage((message) => {
      this.#received.push(message)
      this.#waiting?.()
    })
  }

  /** Connected, as this user. */
  static async open(
    { base }: Pick<Tour, 'base'>,
    userId: string,
    options: SocketOptions = {},
  ): Promise<Client> {
    const socket = phoenixSocket(
      base,
      {},
      { path: '/socket', params: { user_id: userId }, ...options },
    )
    const client = new Client(socket)
    const opened = new Promise<void>((resolve) => socket.onOpen(resolve))
    socket.connect()
    await opened
    return client
  }

  /** A channel whose join was taken. */
  async join(topic: string, params: unknown = {}): Promise<Channel> {
    const channel = this.socket.channel(topic, params)
    const [status, response] = await outcome(channel.join())
    if (status !== 'ok') throw new Error(`join of ${topic}: ${status} ${JSON.stringify(response)}`)
    return channel
  }

  /** The next message with this event, also one that came before. Each is given once. */
  async next(event: string, topic?: string): Promise<Received> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const at = this.#received.findIndex(
        (one) => one.event === event && (topic === undefined || one.topic === topic),
      )
      if (at >= 0) return this.#received.splice(at, 1)[0] as Received
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`no ${event} came; seen ${JSON.stringify(this.#received)}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#waiting = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** What has come and was not asked for. */
  get rest(): readonly Received[] {
    return this.#received
  }

  /** Resolves when the server has handled all that was sent before on this channel. */
  async settled(channel: Channel): Promise<void> {
    await outcome(channel.push('ping', {}))
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.socket.disconnect(resolve))
  }
}
