/**
 * What a client that never reads costs a thousand that do: the time from a broadcast to each of them at 20 messages a second,
 * without such a client, and with one under each policy, which has more waiting than its kernel takes.
 */
import { start, supervisor } from 'beamish'
import { channel, endpoint, integer, type Overflow, socket, socketAt } from 'beamish/channels'
import { WebSocket } from 'ws'

const READERS = 1_000
const MESSAGES = 100
const PACED_PER_SECOND = 20
const FLOOD_KB = 20_000
const BODY = 'x'.repeat(48)

const User = socket('bench.reader', { connect: (_params, socket) => socket })

const Feed = channel('bench.feed', {
  socket: User,
  logJoin: false,
  events: { tick: { n: integer() }, flood: { kb: integer(1, 100_000) } },
  join: (_topic, _params, socket) => socket,
  handleIn: {
    tick({ n }, socket) {
      socket.broadcast('tick', { n, body: BODY })
    },
    async flood({ kb }, socket) {
      const text = 'x'.repeat(1_000)
      for (let i = 0; i < kb; i++) {
        socket.push('flood', { text })
        if (i % 100 === 0) await socket.self.sleep(0)
      }
      // It reads no answer: the others say that it is done.
      socket.publish('feed:all', 'flooded', {})
    },
  },
})

const POLICIES: readonly Overflow[] = ['close', 'drop', 'conflate']

export default supervisor({
  children: [
    endpoint({
      port: 0,
      limits: { maxUpgradeBurst: 5_000 },
      plugins: POLICIES.map((overflow) =>
        socketAt(`/${overflow}`, User, {
          channels: { '*': Feed },
          overflow,
          // Most of them never say anything.
          limits: { maxQueueBytes: 1_048_576, idleTimeoutMs: Number.POSITIVE_INFINITY },
        }),
      ),
    }),
  ],
})

/** A client that reads: when what it is told to expect arrives, it says so. */
class Client {
  readonly socket: WebSocket
  onTick: (n: number) => void = () => {}
  onFlooded: () => void = () => {}
  #onReply: () => void = () => {}

  private constructor(url: string) {
    this.socket = new WebSocket(url, { perMessageDeflate: false })
    this.socket.on('error', () => {})
    this.socket.on('message', (data: Buffer) => {
      const [, , , event, payload] = JSON.parse(data.toString()) as [0, 0, 0, string, { n: number }]
      if (event === 'tick') this.onTick(payload.n)
      else if (event === 'flooded') this.onFlooded()
      else if (event === 'phx_reply') this.#onReply()
    })
  }

  static async join(base: string, overflow: Overflow, topic: string): Promise<Client> {
    const client = new Client(`${base}/${overflow}/websocket?vsn=2.0.0`)
    await new Promise((resolve) => client.socket.once('open', resolve))
    const joined = new Promise<void>((resolve) => {
      client.#onReply = resolve
    })
    client.send(topic, 'phx_join', {})
    await joined
    return client
  }

  send(topic: string, event: string, payload: unknown): void {
    this.socket.send(JSON.stringify(['1', '1', topic, event, payload]))
  }
}

interface Row {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly residentMb: number
}

async function measure(readers: readonly Client[]): Promise<Row> {
  const latencies: number[] = []
  for (let n = 0; n < MESSAGES; n++) {
    const { promise, resolve } = Promise.withResolvers<void>()
    let left = readers.length
    const sentAt = performance.now()
    for (const reader of readers) {
      reader.onTick = () => {
        latencies.push(performance.now() - sentAt)
        if (--left === 0) resolve()
      }
    }
    readers[0]?.send('feed:all', 'tick', { n })
    await promise
    const rest = 1_000 / PACED_PER_SECOND - (performance.now() - sentAt)
    await new Promise((next) => setTimeout(next, Math.max(0, rest)))
  }
  latencies.sort((a, b) => a - b)
  const at = (share: number): number =>
    Math.round((latencies[Math.floor((latencies.length - 1) * share)] as number) * 10) / 10
  const residentMb = Math.round(process.memoryUsage.rss() / 1_048_576)
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), residentMb }
}

export async function run(): Promise<void> {
  const node = await start(import.meta.url, { schedulers: 1, log: false })
  const [address] = await node.addresses()
  const base = `ws://127.0.0.1:${address?.port}`
  const readers: Client[] = []
  while (readers.length < READERS) {
    const more = Array.from({ length: 50 }, () => Client.join(base, 'close', 'feed:all'))
    readers.push(...(await Promise.all(more)))
  }
  await measure(readers)
  const rows: Record<string, Row> = { 'all read': await measure(readers) }
  for (const overflow of POLICIES) {
    const slow = await Client.join(base, overflow, 'feed:all')
    slow.send('own', 'phx_join', {})
    slow.socket.pause()
    const flooded = new Promise<void>((resolve) => {
      ;(readers[0] as Client).onFlooded = resolve
    })
    slow.send('own', 'flood', { kb: FLOOD_KB })
    await flooded
    rows[`one never reads: ${overflow}`] = await measure(readers)
    slow.socket.terminate()
  }
  rows['all read again'] = await measure(readers)
  for (const { socket } of readers) socket.terminate()
  await node.stop()
  console.table(rows)
}
