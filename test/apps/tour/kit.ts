/** The tour on a node of its own, and official clients for it. */
import { type BeamishNode, type StartOptions, start } from 'beamish'
import type { Test } from 'tap'
import type { End } from '../../../apps/tour/janitor.ts'
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

export async function startTour(
  t: Test,
  schedulers = 2,
  log: StartOptions['log'] = false,
): Promise<Tour> {
  const node = await start(new URL('../../../apps/tour/tour.ts', import.meta.url), {
    schedulers,
    log,
    development: false,
    execArgv: ['--conditions=beamish-source'],
  })
  t.teardown(() => node.stop())
  const [address] = await node.addresses()
  return { node, base: `http://127.0.0.1:${address?.port}` }
}

/** Posts JSON to the tour; a redirect is not followed. */
export const post = (
  { base }: Pick<Tour, 'base'>,
  path: string,
  body: unknown,
): Promise<Response> =>
  fetch(`${base}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    redirect: 'manual',
  })

/** How channels of this topic ended, by who saw it, as soon as so many have been told. */
export async function endsOf(
  { base }: Pick<Tour, 'base'>,
  topic: string,
  count: number,
): Promise<Readonly<Record<string, unknown>>> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    // A connection to a thread that is being lost is reset.
    const answer = await fetch(`${base}/terminations`).catch(() => undefined)
    if (answer?.ok === false) throw new Error(`/terminations answered ${answer.status}`)
    const told = (await answer?.json().catch(() => [])) as End[] | undefined
    const ends = (told ?? []).filter((end) => end.topic === topic)
    if (ends.length >= count) {
      return Object.fromEntries(ends.map(({ source, reason }) => [source, reason]))
    }
    if (Date.now() > deadline) throw new Error(`${topic}: ${JSON.stringify(ends)} is all`)
    await new Promise(setImmediate)
  }
}

/** The thread of a client's connection, and so of its channels. */
export async function threadOf(client: Client): Promise<number> {
  const [, { thread }] = await outcome(client.socket.channel('history:thread', {}).join())
  return thread as number
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
