/** Clients that never read among a thousand that do. */
import { formatPid, type Pid } from 'beamish'
import type { SocketOverflow } from 'beamish/channels'
import t from 'tap'
import { downReason } from '../../runtime/kit.ts'
import { WireClient } from '../wireClient.ts'
import { MAX_QUEUE_BYTES } from './slowReader.app.ts'
import { startSlowReaders } from './slowReaders.ts'

const FAST = 1_000
const TICKS = 30
/** 20 MB: a kernel keeps some 3 for a connection of its own machine. */
const FLOOD_KB = 20_000

const { node, base } = await startSlowReaders(t, 2)

const connect = (overflow: string) => WireClient.connect(base, { path: `/${overflow}/websocket` })

const known = new Set<Pid>()

/** What the next socket that leaves frames out says first. */
async function isTold(overflow: string): Promise<SocketOverflow> {
  const message = await node.self.receive((one) => {
    const { payload } = one as { payload?: SocketOverflow }
    return payload?.overflow === overflow && !known.has(payload.pid)
  }, 60_000)
  if (message === undefined) throw new Error(`no socket told of ${overflow}`)
  const { payload } = message as { payload: SocketOverflow }
  known.add(payload.pid)
  return payload
}

/** The flood of its client is over: nothing more will be sent or left out. */
async function hasFlooded(overflow: string): Promise<void> {
  const isIt = (one: unknown) =>
    (one as { payload?: { flooded?: string } }).payload?.flooded === overflow
  if ((await node.self.receive(isIt, 60_000)) === undefined) throw new Error('it floods on')
}

/** Closes it; how many frames its socket says in the end to have left out. */
async function droppedIn(pid: Pid, client: WireClient, expected: number): Promise<number> {
  await client.close()
  let dropped = 0
  while (dropped < expected) {
    const message = await node.self.receive(
      (one) => (one as { payload?: SocketOverflow }).payload?.pid === pid,
      20_000,
    )
    if (message === undefined) break
    dropped = (message as { payload: SocketOverflow }).payload.dropped
  }
  return dropped
}

/** Frames that may be left out. */
const spareOf = ({ unread }: WireClient): number =>
  unread.filter(({ event }) => event === 'tick' || event === 'flood').length

/** A client on the common topic that stops reading, and has more sent to it than a kernel takes. */
async function slowOne(overflow: string): Promise<WireClient> {
  const slow = await connect(overflow)
  await slow.join('feed:all')
  const { joinRef } = await slow.join('own:topic')
  slow.socket.pause()
  slow.send({
    joinRef,
    ref: null,
    topic: 'own:topic',
    event: 'flood',
    payload: { kb: FLOOD_KB, overflow },
  })
  return slow
}

t.test('a thousand others get everything in order beside clients that never read', async (t) => {
  const fast: { readonly client: WireClient; readonly seen: number[] }[] = []
  let complete: () => void
  const all = new Promise<void>((resolve) => {
    complete = resolve
  })
  let waiting = FAST
  const open = async (): Promise<void> => {
    const client = await connect('drop')
    const seen: number[] = []
    client.listen('feed:all', ({ event, payload }) => {
      if (event !== 'tick') return false
      seen.push((payload as { n: number }).n)
      if (seen.length === TICKS && --waiting === 0) complete()
      return true
    })
    await client.join('feed:all')
    fast.push({ client, seen })
  }
  while (fast.length < FAST) await Promise.all(Array.from({ length: 50 }, open))

  const [dropping, conflating, closing] = (await Promise.all(
    ['drop', 'conflate', 'close'].map(slowOne),
  )) as [WireClient, WireClient, WireClient]
  const dropped = await isTold('drop')
  const conflated = await isTold('conflate')
  t.ok(dropped.waitingBytes <= 2 * MAX_QUEUE_BYTES, `${dropped.waitingBytes} bytes wait`)
  t.ok(conflated.waitingBytes <= 3 * MAX_QUEUE_BYTES, `${conflated.waitingBytes} bytes wait`)
  t.equal(dropped.maxQueueBytes, MAX_QUEUE_BYTES)
  t.match(formatPid(dropped.pid), /^<0\.\d+\.\d+>$/)

  const sender = await connect('drop')
  const { joinRef } = await sender.join('feed:all')
  const startedMs = performance.now()
  for (let n = 0; n < TICKS; n++) {
    t.equal((await sender.push('feed:all', 'tick', { n }, joinRef)).status, 'ok')
  }
  await all
  t.comment(`${FAST * TICKS} deliveries in ${Math.round(performance.now() - startedMs)} ms`)
  const expected = Array.from({ length: TICKS }, (_, n) => n).join()
  t.equal(fast.filter(({ seen }) => seen.join() !== expected).length, 0, 'all of it, in order')

  closing.socket.resume()
  t.not((await closing.closed).code, 1000, 'close: the connection is ended, and comes back')

  await hasFlooded('drop')
  // What it left out is gone; what it must not miss comes after what waited.
  const answer = dropping.push('phoenix', 'heartbeat')
  dropping.socket.resume()
  t.same(await answer, { status: 'ok', response: {} })
  const came = spareOf(dropping)
  t.ok(came > 0 && came < FLOOD_KB, `drop: ${came} of ${FLOOD_KB + TICKS} came`)
  const left = FLOOD_KB + TICKS - came
  t.equal(await droppedIn(dropped.pid, dropping, left), left, 'and the rest is counted')

  await hasFlooded('conflate')
  conflating.socket.resume()
  const last = await conflating.next(
    ({ event, payload }) => event === 'flood' && (payload as { i: number }).i === FLOOD_KB - 1,
    'the last of the flood',
  )
  t.equal(last.topic, 'own:topic')
  await conflating.next(
    ({ event, payload }) => event === 'tick' && (payload as { n: number }).n === TICKS - 1,
    'the last tick',
  )
  // next() took those two.
  const rest = FLOOD_KB + TICKS - spareOf(conflating) - 2
  t.ok(rest > 0, `conflate: ${rest} were replaced by later ones`)
  t.equal(await droppedIn(conflated.pid, conflating, rest), rest)
  await Promise.all([...fast.map(({ client }) => client.close())])
})

t.test(
  'a socket that owes replies to a client that never reads closes under every policy',
  async (t) => {
    for (const overflow of ['drop', 'conflate']) {
      const slow = await slowOne(overflow)
      const { pid } = await isTold(overflow)
      const ref = node.self.monitor(pid)
      // Nobody may leave a reply out: a client that asks and never reads has to go.
      const text = 'x'.repeat(50_000)
      for (let i = 0; i < 500; i++) {
        slow.send({
          joinRef: null,
          ref: `${i}`,
          topic: 'own:topic',
          event: 'echo',
          payload: { text },
        })
      }
      t.same(await downReason(node, ref), { shutdown: 'slow_client' })
      slow.socket.resume()
      t.not((await slow.closed).code, 1000)
    }
  },
)
