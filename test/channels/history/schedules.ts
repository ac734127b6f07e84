/** Replay under drawn schedules: a client that is cut off and comes back gets all once and in order, or is told that it is lost. */
import { supervisor } from 'beamish'
import { channel, integer, ok } from 'beamish/channels'
import { clientOf, type TestChannel } from 'beamish/channels/testing'
import type { ExploreOptions, TestNode } from 'beamish/testing'
import { living } from '../../runtime/testing/scenario.ts'

const Kept = channel('history.drawn', {
  logJoin: false,
  events: { say: { from: integer(0, 1_000), count: integer(1, 500) } },
  // So large that what was missed is more than one page.
  history: { events: ['said'], maxMessages: 30 },
  join: (_topic, _params, socket) => socket,
  handleIn: {
    say({ from, count }, socket) {
      for (let n = from; n < from + count; n++) socket.broadcast('said', { n, text: LARGE })
      return ok()
    },
  },
})

const LARGE = 'x'.repeat(10_000)
const TOPIC = 'drawn:topic'
const options = { channels: { 'drawn:*': Kept } }

interface Pushed {
  readonly type: 'push'
  readonly client: number
  readonly event: string
  readonly payload: { readonly n: number; readonly history?: string }
}

const isPushed = (message: unknown, to: number): message is Pushed => {
  const { type, client, event } = message as Pushed
  return type === 'push' && client === to && event === 'said'
}

interface Told {
  readonly at: string | null
  readonly lost: boolean
  readonly missed: number
}

/** Someone who reads with the official client's lines. */
class Reader {
  readonly #node: TestNode
  #channel: TestChannel | undefined
  #at: string | null | undefined
  /** Numbers seen since the last loss. */
  seen: number[] = []
  losses = 0

  constructor(node: TestNode) {
    this.#node = node
  }

  async join(): Promise<void> {
    const client = await clientOf(this.#node, {}, { ...options, place: 'any' })
    const params = this.#at === undefined ? {} : { history: this.#at }
    this.#channel = await client.join(TOPIC, params)
    const { history } = this.#channel.response as { readonly history: Told }
    this.#at = history.at
    if (!history.lost) return
    this.losses++
    this.seen = []
  }

  /** What has come. */
  async read(): Promise<void> {
    const { client } = this.#channel as TestChannel
    for (;;) {
      const came = await this.#node.self.receive(
        (message): message is Pushed => isPushed(message, client.number),
        0,
      )
      if (came === undefined) return
      this.#take(came)
    }
  }

  /** Reads until that number. */
  async until(last: number): Promise<void> {
    const { client } = this.#channel as TestChannel
    while (this.seen.at(-1) !== last) {
      this.#take(
        await this.#node.assertReceive<Pushed>((message: unknown) =>
          isPushed(message, client.number),
        ),
      )
    }
  }

  async cut(): Promise<void> {
    await this.read()
    this.#channel?.client.disconnect()
  }

  #take({ payload: { n, history } }: Pushed): void {
    const before = this.seen.at(-1)
    if (before !== undefined && n !== before + 1) throw new Error(`${n} came after ${before}`)
    this.seen.push(n)
    this.#at = history
  }
}

const speaker = async (node: TestNode): Promise<TestChannel> =>
  (await clientOf(node, {}, { ...options, place: 'any' })).join(TOPIC)

async function cutAndBack(node: TestNode): Promise<void> {
  const [one, other] = [await speaker(node), await speaker(node)]
  const reader = new Reader(node)
  await reader.join()
  const say = async (by: TestChannel, from: number, count: number): Promise<void> => {
    await by.assertReply(by.push('say', { from, count }), 'ok')
    // Channels have an order each: the next speaks when it has heard what this one said.
    for (let n = from; n < from + count; n++) {
      for (const who of [one, other]) await who.assertPush('said', { n })
    }
  }
  await say(one, 0, 3)
  await reader.cut()
  const talk = say(one, 3, 12).then(() => say(other, 15, 5))
  await reader.join()
  await talk
  await reader.until(19)
  if (reader.losses > 0) throw new Error('lost, though all of it was kept')
  await reader.cut()
  await say(other, 20, 40)
  await reader.join()
  await say(one, 60, 2)
  await reader.until(61)
  // It may have seen some of what came after the cut was asked for, but thirty are all that is kept.
  if (reader.losses !== 1) throw new Error(`${reader.losses} losses`)
}

async function keeperLost(node: TestNode): Promise<void> {
  const by = await speaker(node)
  const reader = new Reader(node)
  await reader.join()
  await by.assertReply(by.push('say', { from: 0, count: 3 }), 'ok')
  await reader.until(2)
  await reader.cut()
  for (const pid of living(node, 'beamish.history')) node.exit(pid, 'kill')
  await node.advance(100)
  await reader.join()
  if (reader.losses !== 1) throw new Error('nobody said that it was lost')
  await by.assertReply(by.push('say', { from: 3, count: 3 }), 'ok')
  await reader.until(5)
  await reader.cut()
  await by.assertReply(by.push('say', { from: 6, count: 3 }), 'ok')
  await node.advance(100)
  await reader.join()
  await reader.until(8)
  if (reader.losses !== 1) throw new Error('lost again')
}

const nodes: ExploreOptions = { schedulers: 2, app: supervisor({ children: [] }) }

export const historyScenarios = [
  { name: 'history: cut off and back', options: nodes, run: cutAndBack },
  { name: 'history: a keeper is killed', options: nodes, run: keeperLost },
] as const
