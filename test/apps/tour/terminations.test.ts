/** How channels of the tour ended: told by themselves, and by who watches them from outside, whatever becomes of that one. */
import t from 'tap'
import { janitors } from '../../../apps/tour/janitor.ts'
import { outcome } from '../../channels/phoenixClient.ts'
import { Client, endsOf, post, startTour, type Tour, threadOf } from './kit.ts'

t.test('every end is seen by terminate and from outside; a kill, from outside', async (t) => {
  const tour = await startTour(t)
  const ada = await Client.open(tour, 'ada')
  const stops: readonly (readonly [sent: string, reason: unknown])[] = [
    ['normal', 'normal'],
    ['shutdown', 'shutdown'],
    ['left', { shutdown: 'left' }],
    ['other', 'other'],
  ]
  for (const [sent, reason] of stops) {
    const room = await ada.join(`room:stops-${sent}`)
    // Otherwise the client would be back, and stopped by nobody.
    const ended = ada.next(sent === 'other' ? 'phx_error' : 'phx_close', `room:stops-${sent}`)
    room.push('stop', { reason: sent })
    await ended
    t.same(await endsOf(tour, `room:stops-${sent}`, 2), { terminate: reason, down: reason }, sent)
  }
  const crash = await ada.join('room:crashes')
  crash.push('crash', {})
  const error = { error: { message: 'crashed on request' } }
  t.match(await endsOf(tour, 'room:crashes', 2), { terminate: error, down: error })
  const left = await ada.join('room:leaves')
  await outcome(left.leave())
  const leaving = { shutdown: 'left' }
  t.same(await endsOf(tour, 'room:leaves', 2), { terminate: leaving, down: leaving })
  await outcome(ada.socket.channel('room:crash-join', {}).join())
  t.hasProp(await endsOf(tour, 'room:crash-join', 1), 'down')
  const killed = await ada.join('room:killed')
  killed.push('kill_me', {})
  t.same(await endsOf(tour, 'room:killed', 1), { down: 'killed' })
  const out = await Client.open(tour, 'out', { reconnectAfterMs: () => 5_000 })
  await out.join('room:disconnected')
  await post(tour, '/disconnect', { user_id: 'out' })
  const disconnected = { shutdown: 'disconnected' }
  t.same(await endsOf(tour, 'room:disconnected', 2), {
    terminate: disconnected,
    down: disconnected,
  })
  await out.close()
  await ada.join('room:closed')
  await ada.close()
  const closed = { shutdown: 'closed' }
  t.same(await endsOf(tour, 'room:closed', 2), { terminate: closed, down: closed })
})

/** The janitors that run now, in order. */
async function running({ node }: Tour): Promise<number[]> {
  const partitions = await janitors.which(node.self)
  return partitions.flatMap(({ pid }) => (typeof pid === 'number' ? [pid] : []))
}

t.test(
  'a janitor that is started anew watches who was there before, and knows the ends',
  async (t) => {
    const tour = await startTour(t)
    const { self } = tour.node
    const ada = await Client.open(tour, 'ada')
    const [early, first] = [await ada.join('room:early'), await ada.join('room:first')]
    first.push('kill_me', {})
    await endsOf(tour, 'room:first', 1)
    const before = await running(tour)
    t.equal(before.length, 2, 'one for each thread')
    for (const [n, janitor] of before.entries()) {
      self.exit(janitor as never, 'kill')
      t.equal((await fetch(`${tour.base}/terminations`)).status, 200, 'at once')
      const successor = janitors.via(self, n)
      // Its successor has been told by the other one.
      for (;;) {
        const known = (await self.call(successor, 'ends').catch(() => [])) as [string, unknown][]
        if (known.some(([, end]) => (end as { topic: string }).topic === 'room:first')) break
        await self.sleep(1)
      }
    }
    t.notOk((await running(tour)).some((pid) => before.includes(pid)))
    t.same(await endsOf(tour, 'room:first', 1), { down: 'killed' }, 'told before')
    early.push('kill_me', {})
    t.same(await endsOf(tour, 'room:early', 1), { down: 'killed' }, 'there before')
    await ada.close()
  },
)

t.test('rooms lost with their thread are missed, and the ends before are kept', async (t) => {
  const tour = await startTour(t)
  const never = { reconnectAfterMs: () => 5_000, rejoinAfterMs: () => 5_000 }
  const rooms = new Map<number, Client>()
  const others: Client[] = []
  while (rooms.size < 2) {
    const client = await Client.open(tour, 'ada', never)
    const thread = await threadOf(client)
    if (rooms.has(thread)) others.push(client)
    else rooms.set(thread, client)
  }
  const [[lost, gone], [, stays]] = [...rooms] as [[number, Client], [number, Client]]
  const killed = await gone.join('room:killed-before')
  killed.push('kill_me', {})
  await endsOf(tour, 'room:killed-before', 1)
  await gone.join('room:lost')
  const survivor = await stays.join('room:survives')
  tour.node.killThread(lost)
  t.match(await endsOf(tour, 'room:lost', 1), { down: { noconnection: { scheduler: lost } } })
  t.same(await endsOf(tour, 'room:killed-before', 1), { down: 'killed' })
  survivor.push('kill_me', {})
  t.same(await endsOf(tour, 'room:survives', 1), { down: 'killed' })
  for (const client of [gone, stays, ...others]) await client.close()
})
