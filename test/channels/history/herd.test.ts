/** Many that come back at once, and one that does not read: no thread is lost, nobody waits for it, all of it comes. */
import t from 'tap'
import { WireClient } from '../wireClient.ts'
import { startHistories } from './historyNode.ts'
import { Reader } from './resuming.ts'

const CLIENTS = 60
const MESSAGES = 500

const { node, all: base } = await startHistories(t)

t.test(
  'a herd gets five megabytes each, in order, and a thread stays awake meanwhile',
  async (t) => {
    const topic = 'talk:herd'
    const threads = node.schedulers()
    const speaker = await Reader.open(t, base, topic)
    const wire = await WireClient.connect(base, { path: '/socket/websocket' })
    const { response } = await wire.join(topic)
    const { at } = response.history as { readonly at: string }
    await wire.close()
    await speaker.say('large', { count: MESSAGES })
    await speaker.until(() => speaker.seen.length === MESSAGES, 'what it says')

    const paused = await WireClient.connect(base, { path: '/socket/websocket' })
    t.match((await paused.join(topic, { history: at })).response, {
      history: { lost: false, missed: MESSAGES },
    })
    paused.socket.pause()

    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () =>
        WireClient.connect(base, { path: '/socket/websocket' }),
      ),
    )
    let back = 0
    await Promise.all(
      clients.map(async (client) => {
        const join = await client.join(topic, { history: at })
        t.match(join.response, { history: { lost: false, missed: MESSAGES } })
        for (let n = 0; n < MESSAGES; n++) {
          const { payload } = await client.nextEvent(topic, 'said')
          if ((payload as { n: number }).n !== n)
            t.fail(`${(payload as { n: number }).n}, not ${n}`)
        }
        back++
      }),
    )
    t.equal(back, CLIENTS)
    t.same(node.schedulers(), threads, 'no thread was lost')

    // What is said now waits behind what the paused client has not read.
    await speaker.say('burst', { count: 1_000 })
    paused.socket.resume()
    for (const count of [MESSAGES, 1_000]) {
      for (let n = 0; n < count; n++) {
        const { payload } = await paused.nextEvent(topic, 'said')
        if ((payload as { n: number }).n !== n) t.fail(`${(payload as { n: number }).n}, not ${n}`)
      }
    }
    for (const client of [...clients, paused]) await client.close()
  },
)
