/** A client that takes its time over what it missed is heard meanwhile: each of its polls brings a page. */
import t, { type Test } from 'tap'
import { keeperName } from '../../../channels/history/process.ts'
import { whenNamed } from '../../runtime/kit.ts'
import { ask } from '../longPoll/pollClient.ts'
import type { Frame, Reply } from '../wireClient.ts'
import { WireClient } from '../wireClient.ts'
import { startHistories } from './historyNode.ts'

/** Three megabytes. */
const MISSED = 300

const { node, all: base } = await startHistories(t)

/** The position from which a client has missed all that is in the topic. */
async function missedIn(topic: string): Promise<string> {
  const speaker = await WireClient.connect(base, { path: '/socket/websocket' })
  const { response } = await speaker.join(topic)
  await speaker.push(topic, 'large', { count: MISSED })
  for (let n = 0; n < MISSED; n++) await speaker.nextEvent(topic, 'said')
  await speaker.close()
  return (response.history as { readonly at: string }).at
}

interface Said {
  readonly joinRef: string | null
  readonly n: number
  readonly history: string
}

/** By long polling, a poll at a time. */
class Poller {
  readonly topic: string
  readonly #token: string
  readonly said: Said[] = []

  private constructor(topic: string, token: string) {
    this.topic = topic
    this.#token = token
  }

  static async open(topic: string): Promise<Poller> {
    return new Poller(topic, (await ask(base)).token)
  }

  async send(joinRef: string, ref: string, event: string, payload: unknown = {}): Promise<void> {
    const body = JSON.stringify([joinRef, ref, this.topic, event, payload])
    await ask(base, { method: 'POST', params: { token: this.#token }, body })
  }

  async poll(): Promise<Frame[]> {
    const { messages } = await ask(base, { params: { token: this.#token } })
    return messages.map((text) => {
      const [joinRef, ref, topic, event, payload] = JSON.parse(text)
      if (event === 'said') this.said.push({ joinRef, ...payload })
      return { joinRef, ref, topic, event, payload }
    })
  }

  /** Polls until it has that frame. */
  async until(matches: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = (await this.poll()).find(matches)
      if (found !== undefined) return found
    }
  }

  reply(ref: string): Promise<Frame> {
    return this.until((frame) => frame.event === 'phx_reply' && frame.ref === ref)
  }

  async join(ref: string, history: string): Promise<Frame> {
    await this.send(ref, ref, 'phx_join', { history })
    return this.reply(ref)
  }
}

const expected = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, i) => from + i)

function isBefore(t: Test, { said }: Poller, what: string): void {
  t.ok(said.length < MISSED / 2, `${what}, and ${said.length} of ${MISSED} have come`)
}

t.test(
  'an event is answered while the replay is under way, and what it has said follows that',
  async (t) => {
    const at = await missedIn('talk:heard')
    const poller = await Poller.open('talk:heard')
    await poller.join('1', at)
    await poller.send('1', '2', 'burst', { count: 5 })
    t.match(await poller.reply('2'), { payload: { status: 'ok' } })
    isBefore(t, poller, 'answered')
    while (poller.said.length < MISSED + 5) await poller.poll()
    t.same(
      poller.said.map(({ n }) => n),
      [...expected(MISSED), ...expected(5)],
    )
  },
)

for (const topic of ['talk:left', 'trap:left']) {
  t.test(
    `a leave is answered while the replay of ${topic} is under way, and ends it`,
    async (t) => {
      const at = await missedIn(topic)
      const poller = await Poller.open(topic)
      await poller.join('1', at)
      await poller.send('1', '2', 'phx_leave')
      t.match(await poller.reply('2'), { payload: { status: 'ok' } })
      isBefore(t, poller, 'left')
      const { length } = poller.said
      await poller.send('3', '3', 'phx_join')
      t.match(await poller.reply('3'), { payload: { status: 'ok' } })
      t.equal(poller.said.length, length, 'nothing comes after the end')
    },
  )
}

for (const topic of ['talk:again', 'trap:again']) {
  t.test(`a join while the replay of ${topic} is under way gets the rest once`, async (t) => {
    const at = await missedIn(topic)
    const poller = await Poller.open(topic)
    await poller.join('1', at)
    while (poller.said.length === 0) await poller.poll()
    const seen = poller.said.length
    const { history } = poller.said.at(-1) as Said
    const fromMs = performance.now()
    const { payload } = await poller.join('2', history)
    t.ok(performance.now() - fromMs < 4_000, 'nothing was killed for it')
    const { response } = payload as Reply
    t.match(response, { history: { lost: false, at: history, missed: MISSED - seen } })
    isBefore(t, poller, 'joined again')
    const again = (): Said[] => poller.said.filter(({ joinRef }) => joinRef === '2')
    while (again().at(-1)?.n !== MISSED - 1) await poller.poll()
    t.same(
      again().map(({ n }) => n),
      expected(MISSED - seen, seen),
    )
  })
}

t.test('a replay that cannot go on ends its channel, and the client joins again', async (t) => {
  const topic = 'talk:ended'
  const at = await missedIn(topic)
  const poller = await Poller.open(topic)
  await poller.join('1', at)
  for (const id of node.schedulers()) {
    node.self.exit(await whenNamed(node, keeperName(id)), 'kill')
  }
  t.match(await poller.until(({ event }) => event === 'phx_error'), {
    joinRef: '1',
    payload: { reason: 'channel_crash' },
  })
  isBefore(t, poller, 'ended')
  t.match(await poller.join('2', at), { payload: { response: { history: { lost: true } } } })
})
