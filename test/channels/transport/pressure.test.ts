/** What one client makes the server hold has a limit in bytes, and what a busy channel costs is its own. */
import type { BroadcastMessage } from 'beamish'
import t from 'tap'
import { baseOf } from '../../liveview/startApp.ts'
import { outcome, phoenixSocket, type Received } from '../phoenixClient.ts'
import { connectTo, startSockets } from '../sockets.ts'
import type { Frame, WireClient } from '../wireClient.ts'

const sockets = await startSockets({}, new URL('./pressure.app.ts', import.meta.url))
t.teardown(() => sockets.node.stop())
const { node } = sockets
const mounts = {
  here: { base: await baseOf(node) },
  anywhere: { base: await baseOf(node, 'anywhere') },
}
const { here } = mounts
node.self.subscribe('pressure.ends')

const payload = (bytes: number) => ({ text: 'x'.repeat(bytes) })
const TOO_MUCH = { status: 'error', response: { reason: 'too many bytes waiting' } }

/** A channel of this socket that opens its gates. */
async function opener(wire: WireClient): Promise<(topic: string, text?: string) => Promise<void>> {
  const { joinRef } = await wire.join('room:opener')
  return async (topic, text = '') => {
    for (;;) {
      const { response } = await wire.push('room:opener', 'open', { topic, text }, joinRef)
      if (response.has === true) return
    }
  }
}

t.test('events that a busy channel has not handled have a limit in bytes', async (t) => {
  const wire = await connectTo(here, '/heavy')
  const open = await opener(wire)
  const { joinRef } = await wire.join('room:busy')
  const other = await wire.join('room:other')
  const waits = wire.push('room:busy', 'wait', {}, joinRef)
  const push = () => wire.push('room:busy', 'ping', payload(5_000), joinRef)
  const fit = [push(), push(), push()]
  t.same(await push(), TOO_MUCH)
  t.same(
    await wire.push('room:other', 'ping', payload(5_000), other.joinRef),
    TOO_MUCH,
    'the limit is that of the socket',
  )
  t.equal((await wire.push('room:other', 'ping', {}, other.joinRef)).status, 'ok')
  await wire.settled()
  await open('room:busy')
  t.match(await waits, { status: 'ok' })
  for (const answer of fit) t.match(await answer, { status: 'ok' })
  for (let i = 0; i < 20; i++) t.equal((await push()).status, 'ok')
  await wire.close()
})

t.test('one event alone may be larger than the limit', async (t) => {
  const wire = await connectTo(here, '/heavy')
  const { joinRef } = await wire.join('room:large')
  for (let i = 0; i < 3; i++) {
    t.equal((await wire.push('room:large', 'ping', payload(50_000), joinRef)).status, 'ok')
  }
  await wire.close()
})

t.test('the end of a channel gives back what it held', async (t) => {
  const wire = await connectTo(here, '/heavy')
  for (let i = 0; i < 3; i++) {
    const { joinRef } = await wire.join('room:ends')
    for (const event of ['wait', 'ping', 'ping']) {
      const frame = { joinRef, ref: null, topic: 'room:ends', event, payload: payload(5_000) }
      wire.send(frame)
    }
    await wire.settled()
  }
  t.notMatch(JSON.stringify(wire.unread), /too many/)
  await wire.close()
})

t.test('so have the joins that run, and what waits for them', async (t) => {
  const wire = await connectTo(here, '/heavy')
  const open = await opener(wire)
  const join = (n: number) => wire.join(`room:${n}`, { wait: true, ...payload(5_000) })
  const run = [join(1), join(2), join(3)]
  t.match(await join(4), TOO_MUCH)
  const waiting = wire.push('room:1', 'ping', payload(5_000))
  t.same(await waiting, TOO_MUCH)
  const left = wire.push('room:3', 'phx_leave', payload(5_000))
  for (const n of [1, 2, 3]) await open(`room:${n}`)
  for (const answer of run) t.match(await answer, { status: 'ok' })
  t.same(await left, { status: 'ok', response: {} }, 'a leave may wait')
  const late = await Promise.all([5, 6, 7].map((n) => wire.join(`room:${n}`, payload(5_000))))
  t.ok(
    late.every(({ status }) => status === 'ok'),
    'what a join was sent along is not kept',
  )
  await wire.close()
})

t.test('a channel keeps nothing of what its join was sent along', async (t) => {
  const wire = await connectTo(here, '/socket')
  const { joinRef } = await wire.join('custom:payload', payload(10))
  const answer = await wire.push('custom:payload', 'ping', {}, joinRef)
  t.same(answer.response, { sent: 'gone' })
  await wire.close()
})

for (const [where, mount] of Object.entries(mounts)) {
  t.test(`a channel of any behaviour may get any number of events, ${where}`, async (t) => {
    const wire = await connectTo(mount, '/socket')
    for (const topic of ['custom:a', 'custom:b']) {
      const { joinRef } = await wire.join(topic)
      for (let round = 0; round < 25; round++) {
        const pushes = Array.from({ length: 100 }, () => wire.push(topic, 'ping', {}, joinRef))
        const answers = await Promise.all(pushes)
        if (answers.some(({ status }) => status !== 'ok')) return t.fail(`in round ${round}`)
        const frame = { joinRef, ref: null, topic, event: 'ping', payload: {} }
        for (let i = 0; i < 50; i++) wire.send(frame)
      }
    }
    t.pass('3,750 each')
    await wire.close()
  })

  t.test(`what was handled does not count, ${where}`, async (t) => {
    const wire = await connectTo(mount, '/heavy')
    for (const topic of ['room:a', 'room:b']) {
      const { joinRef } = await wire.join(topic)
      const statuses = new Set<string>()
      for (let i = 0; i < 100; i++) {
        statuses.add((await wire.push(topic, 'ping', payload(4_000), joinRef)).status)
      }
      t.same([...statuses], ['ok'])
    }
    await wire.close()
  })

  t.test(`the 1,001st event that waits for a busy channel is refused, ${where}`, async (t) => {
    const wire = await connectTo(mount, '/socket')
    for (const topic of ['room:many1', 'room:many2']) {
      const { joinRef } = await wire.join(topic)
      wire.send({ joinRef, ref: null, topic, event: 'wait', payload: {} })
      await wire.settled()
      const frame = { joinRef, ref: null, topic, event: 'ping', payload: {} }
      for (let i = 0; i < 1_100; i++) wire.send(frame)
      const refused = await wire.push(topic, 'ping', {}, joinRef)
      t.same(refused, { status: 'error', response: { reason: 'too many events waiting' } })
    }
    await wire.close()
  })
}

t.test('a client that reads gets a reply of any size, and much in one turn', async (t) => {
  const wire = await connectTo(here, '/socket')
  const { joinRef } = await wire.join('room:big')
  const { response } = await wire.push('room:big', 'big', 6_000_000, joinRef)
  t.equal(String(response.text).length, 6_000_000)
  t.equal((await wire.push('room:big', 'bigs', 450_000, joinRef)).status, 'ok')
  const numbers = wire.unread.map((frame) => (frame.payload as { i: number }).i)
  t.same(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  await wire.close()
})

t.test('an official client that gets a large reply stays connected', async (t) => {
  const socket = phoenixSocket(here.base, {}, { path: '/socket' })
  let closes = 0
  socket.onClose(() => closes++)
  socket.connect()
  const room = socket.channel('room:large', {})
  await outcome(room.join())
  const [status] = await outcome(room.push('big', 5_000_000))
  t.strictSame([status, closes], ['ok', 0])
  await new Promise<void>((resolve) => socket.disconnect(resolve))
})

t.test('a busy channel that is left is joined anew at once, and both are answered', async (t) => {
  const wire = await connectTo(here, '/socket')
  const topic = 'room:left'
  const { joinRef } = await wire.join(topic)
  wire.send({ joinRef, ref: null, topic, event: 'wait', payload: {} })
  await wire.settled()
  const order: (string | null)[][] = []
  wire.listen(topic, ({ event, joinRef, ref }) => {
    order.push([event, joinRef, ref])
    return false
  })
  const startedMs = performance.now()
  const left = wire.push(topic, 'phx_leave', {}, joinRef)
  const again = await wire.join(topic)
  t.ok(performance.now() - startedMs < 4_000, 'not when its time is up')
  t.same(await left, { status: 'ok', response: {} })
  await wire.nextEvent(topic, 'phx_close')
  t.match(order, [
    ['phx_reply', joinRef],
    ['phx_reply', again.joinRef, again.joinRef],
    ['phx_close', joinRef, joinRef],
  ])
  t.equal((await wire.push(topic, 'ping', {}, again.joinRef)).status, 'ok')
  await wire.close()
})

/** The channel of a topic is at its terminate. */
const ends = async (topic: string): Promise<void> => {
  await node.self.receive((one) => {
    const { event, payload } = one as Partial<BroadcastMessage>
    return event === 'ends' && (payload as { topic?: string }).topic === topic
  }, 30_000)
}

t.test('what waits for the end of a replaced channel keeps its own weight', async (t) => {
  const wire = await connectTo(here, '/socket')
  const open = await opener(wire)
  const topic = 'slowEnd:weight'
  await wire.join(topic)
  const ref = wire.ref()
  const joined = wire.replyTo(ref)
  wire.send({ joinRef: ref, ref, topic, event: 'phx_join', payload: {} })
  const early = [1, 2, 3, 4].map(() => wire.push(topic, 'ping', {}, ref))
  await ends(topic)
  // The last frame before the old channel is gone: its size is nobody else's.
  await open(topic, 'x'.repeat(900_000))
  t.match((await joined).payload, { status: 'ok' })
  for (const answer of early) t.same(await answer, { status: 'ok', response: {} })
  await wire.close()
})

t.test('a new join is answered before anything that the channel before it sends on', async (t) => {
  const wire = await connectTo(here, '/socket')
  const open = await opener(wire)
  const topic = 'slowEnd:order'
  const { joinRef } = await wire.join(topic)
  const seen: Frame[] = []
  wire.listen(topic, (frame) => {
    seen.push(frame)
    return false
  })
  const left = wire.push(topic, 'phx_leave', {}, joinRef)
  await ends(topic)
  t.match(await left, { status: 'ok' })
  const again = wire.join(topic)
  await wire.settled()
  node.self.broadcast(topic, 'news', { n: 1 })
  // By the same way behind it: what reaches the socket by now has reached it.
  node.self.broadcast('room:opener', 'behind', {})
  await wire.nextEvent('room:opener', 'behind')
  await open(topic)
  t.equal((await again).status, 'ok')
  node.self.broadcast(topic, 'news', { n: 2 })
  t.match(await wire.nextEvent(topic, 'news'), { payload: { n: 2 } })
  t.same(
    seen.map(({ event, ref }) => (event === 'phx_reply' ? ref : event)).slice(2),
    [seen[2]?.ref, 'news'],
    'the first of the news was for the channel that has ended',
  )
  await wire.close()
})

t.test('a custom channel that takes long to begin keeps no other join waiting', async (t) => {
  const hanging = await connectTo(here, '/socket')
  const open = await opener(hanging)
  hanging.send({
    joinRef: '1',
    ref: 'hangs',
    topic: 'custom:hangs',
    event: 'phx_join',
    payload: { hang: true },
  })
  const joined = hanging.replyTo('hangs')
  await hanging.settled()
  // More than threads: one of them has the thread of the one that hangs.
  for (let i = 0; i < 8; i++) {
    const wire = await connectTo(here, '/socket')
    t.equal((await wire.join('room:beside')).status, 'ok')
    t.equal((await wire.join('custom:beside')).status, 'ok')
    await wire.close()
  }
  await open('custom:hangs')
  t.match((await joined).payload, { status: 'ok' })
  await hanging.close()
})

t.test('an event that waits for its join counts once, when it comes', async (t) => {
  const wire = await connectTo(here, '/rated')
  const ref = wire.ref()
  const joined = wire.replyTo(ref)
  const topic = 'room:rated'
  wire.send({ joinRef: ref, ref, topic, event: 'phx_join', payload: { wait: true } })
  const early = [1, 2, 3, 4].map(() => wire.push(topic, 'ping', {}, ref))
  const { joinRef } = await wire.join('room:rated-opener')
  t.match(await wire.push('room:rated-opener', 'open', { topic }, joinRef), {
    response: { has: true },
  })
  t.match((await joined).payload, { status: 'ok' })
  for (const answer of early) t.match(await answer, { status: 'ok' })
  await wire.close()
})

t.test(
  'whatever a client sends is within its rate, but for a heartbeat now and then',
  async (t) => {
    const rubbish = await connectTo(here, '/rated')
    const reasons: unknown[] = []
    for (let i = 0; i < 20; i++) {
      rubbish.raw('rubbish')
      const { payload } = await rubbish.nextEvent('phoenix', 'phx_reply')
      reasons.push((payload as { response: { reason: string } }).response.reason)
    }
    t.same(reasons.slice(0, 5), Array(5).fill('malformed frame'))
    t.ok(reasons.includes('too many events'))
    t.equal((await rubbish.push('phoenix', 'heartbeat')).status, 'ok')
    await rubbish.close()

    const leaving = await connectTo(here, '/rated')
    const { joinRef } = await leaving.join('room:stays')
    const leaves = Array.from({ length: 20 }, () => leaving.push('room:nowhere', 'phx_leave'))
    const refused = (await Promise.all(leaves)).filter(({ status }) => status === 'error')
    t.ok(refused.length > 5)
    t.same(refused[0]?.response, { reason: 'too many events' })
    t.equal((await leaving.push('room:stays', 'phx_leave', {}, joinRef)).status, 'ok')
    await leaving.close()

    const beating = await connectTo(here, '/rated')
    const beats = Array.from({ length: 60 }, () => beating.push('phoenix', 'heartbeat'))
    const answers = (await Promise.all(beats)).map(({ status }) => status)
    t.ok(answers.slice(0, 15).every((status) => status === 'ok'))
    t.ok(answers.includes('error'), 'not any number of them')
    await beating.close()
  },
)

t.test(
  'bytes are left out for a client whose wire has none, and its channel lives on',
  async (t) => {
    const options = {
      path: '/socket',
      vsn: '1.0.0',
      encode: (message: Received, done: (frame: string) => void) => done(JSON.stringify(message)),
      decode: (frame: string, done: (message: Received) => void) => {
        const message = JSON.parse(frame) as Received
        done({ ...message, join_ref: message.join_ref ?? null })
      },
    }
    const one = phoenixSocket(here.base, {}, options)
    const two = phoenixSocket(here.base, {}, { path: '/socket' })
    const heard: string[] = []
    const rooms = [one, two].map((socket) => {
      socket.connect()
      return socket.channel('room:bytes', {})
    })
    for (const room of rooms) t.equal((await outcome(room.join()))[0], 'ok')
    const [old, current] = rooms
    if (old === undefined || current === undefined) return
    old.on('bytes', () => heard.push('bytes'))
    old.on('text', () => heard.push('text'))
    let errors = 0
    old.onError(() => errors++)
    const came = (event: string) => new Promise((resolve) => current.on(event, resolve))
    t.same(await outcome(old.push('pushBytes', {})), ['ok', {}])
    t.same(await outcome(old.push('blob', {})), [
      'error',
      { reason: 'bytes need version 2.0.0 of the wire' },
    ])
    const bytes = came('bytes')
    t.same(await outcome(old.push('sayBytes', {})), ['ok', {}], 'it may send them to others')
    await bytes
    t.same(await outcome(current.push('sayBytes', {})), ['ok', {}])
    t.same(await outcome(old.push('ping', {})), ['ok', {}])
    t.same(heard, ['text', 'text'])
    t.equal(errors, 0)
    for (const socket of [one, two]) await new Promise<void>((done) => socket.disconnect(done))
  },
)
