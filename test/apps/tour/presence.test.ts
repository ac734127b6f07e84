/** presence:* of the tour, as the official client's Presence shows it, on two threads. */
import t from 'tap'
import type { Channel } from '../../channels/phoenixClient.ts'
import { Client, startTour } from './kit.ts'

interface OfficialPresence {
  onSync(callback: () => void): void
  list<T>(by: (id: string, presence: { metas: readonly Record<string, unknown>[] }) => T): T[]
}

const packageName: string = 'phoenix'
const phoenix: { Presence: new (channel: Channel) => OfficialPresence } = await import(packageName)

const tour = await startTour(t)

/** Who is there, as one client sees it. */
class View {
  readonly client: Client
  readonly #presence: OfficialPresence
  #waiting: (() => void) | undefined

  private constructor(client: Client, presence: OfficialPresence) {
    this.client = client
    this.#presence = presence
    presence.onSync(() => this.#waiting?.())
  }

  static async open(userId: string, topic: string): Promise<View> {
    const client = await Client.open(tour, userId)
    const channel = client.socket.channel(topic, {})
    const view = new View(client, new phoenix.Presence(channel))
    channel.join()
    return view
  }

  get users(): string[] {
    return this.#presence.list((id, { metas }) => `${id}:${metas.length}`).sort()
  }

  async shows(...users: string[]): Promise<void> {
    while (this.users.join() !== users.join()) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
  }
}

t.test(
  'channels 87, 88 and 108: clients see who comes and who goes, however they go',
  async (t) => {
    const topic = 'presence:hall'
    const ada = await View.open('ada', topic)
    await ada.shows('ada:1')
    const bob = await View.open('bob', topic)
    const twice = await View.open('bob', topic)
    const proto = await View.open('__proto__', topic)
    const all = ['__proto__:1', 'ada:1', 'bob:2']
    for (const view of [ada, bob, twice, proto]) await view.shows(...all)
    await twice.client.close()
    await ada.shows('__proto__:1', 'ada:1', 'bob:1')
    bob.client.socket.conn.terminate()
    await proto.client.close()
    // Cut off, its client is back before long.
    await bob.shows('ada:1', 'bob:1')
    await ada.shows('ada:1', 'bob:1')
    t.same(ada.users, bob.users)
    for (const view of [ada, bob]) await view.client.close()
  },
)

t.test(
  'a thread is lost: its clients leave at once and come back, nobody is there twice',
  async (t) => {
    const topic = 'presence:lost'
    const users = Array.from({ length: 8 }, (_, i) => `u${i}`)
    const views = await Promise.all(users.map((user) => View.open(user, topic)))
    const there = users.map((user) => `${user}:1`)
    for (const view of views) await view.shows(...there)
    const [victim] = tour.node.schedulers()
    const cutOff = Promise.race(
      views.map(({ client }) => new Promise((resolve) => client.socket.onClose(resolve))),
    )
    tour.node.killThread(victim as number)
    await cutOff
    for (const view of views) await view.shows(...there)
    t.pass('all are seen by all again')
    for (const view of views) await view.client.close()
  },
)
