/** Diffs of a presence build on each other: a client that misses one has a wrong list from then on. */
import t from 'tap'
import { WireClient } from '../wireClient.ts'
import { startSlowReaders } from './slowReaders.ts'

const { node, base } = await startSlowReaders(t, 1)

for (const overflow of ['drop', 'conflate']) {
  t.test(
    `${overflow}: what presence tells a client that falls behind is never left out`,
    async (t) => {
      const slow = await WireClient.connect(base, { path: `/${overflow}/websocket` })
      const topic = `own:${overflow}`
      const { joinRef } = await slow.join(topic)
      slow.socket.pause()
      slow.send({ joinRef, ref: null, topic, event: 'flood', payload: { kb: 20_000, overflow } })
      const told = await node.self.receive(
        (one) => (one as { payload?: { overflow?: string } }).payload?.overflow === overflow,
        60_000,
      )
      t.ok(told, 'frames are left out')
      const wanted = ['presence_state', ...Array(9).fill('presence_diff')] as string[]
      for (const [n, event] of wanted.entries()) node.self.broadcast(topic, event, { n })
      const seen: unknown[] = []
      const isPresence = ({ event }: { readonly event: string }) => event.startsWith('presence_')
      slow.socket.resume()
      while (seen.length < wanted.length) {
        const { event, payload } = await slow.next(isPresence, 'what presence told')
        seen.push([event, (payload as { n: number }).n])
      }
      t.same(
        seen,
        wanted.map((event, n) => [event, n]),
        'all of it, in order',
      )
      await slow.close()
    },
  )
}
