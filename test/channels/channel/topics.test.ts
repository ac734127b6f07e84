/** The life of a channel as its client sees it: joins, leaves, ends, and who hears what. */
import t from 'tap'
import { outcome, phoenixSocket } from '../phoenixClient.ts'
import { connectTo, endedSoFar, ending, pidOf, startSockets, watch } from '../sockets.ts'
import type { Frame, Reply, WireClient } from '../wireClient.ts'

const sockets = await startSockets()
t.teardown(() => sockets.node.stop())
const { node, base } = sockets

const open = (params = {}): Promise<WireClient> => connectTo(sockets, '/socket', { params })
const responseOf = (frame: Frame): unknown => (frame.payload as Reply).response

/** All frames of a topic from now on, in order; they can still be waited for. */
function recorded(wire: WireClient, topic: string): Frame[] {
  const frames: Frame[] = []
  wire.listen(topic, (frame) => {
    frames.push(frame)
    return false
  })
  return frames
}

t.test(
  'channels 2: the answer of a join comes before what was sent on account of it',
  async (t) => {
    const [wire, other] = [await open(), await open()]
    await other.join('room:after')
    const frames = recorded(wire, 'room:after')
    const { joinRef } = await wire.join('room:after', { how: 'after' })
    await wire.nextEvent('room:after', 'welcome')
    t.same(
      frames.map(({ event, joinRef, ref }) => [event, joinRef, ref]),
      [
        ['phx_reply', joinRef, joinRef],
        ['joined', null, null],
        ['welcome', joinRef, null],
      ],
    )
    t.match(await other.nextEvent('room:after', 'joined'), { joinRef: null, ref: null })
    await Promise.all([wire.close(), other.close()])
  },
)

t.test('channels 3, 4: a leave is answered, then closed; there is no channel then', async (t) => {
  const wire = await open()
  const { joinRef } = await wire.join('room:leaves')
  const down = await watch(sockets, await pidOf(wire, 'room:leaves', joinRef))
  const frames = recorded(wire, 'room:leaves')
  const reply = await wire.pushFor('room:leaves', 'phx_leave', {}, joinRef)
  await wire.nextEvent('room:leaves', 'phx_close')
  t.same(frames, [
    { ...reply, payload: { status: 'ok', response: {} } },
    { joinRef, ref: joinRef, topic: 'room:leaves', event: 'phx_close', payload: {} },
  ])
  t.same(await down(), { shutdown: 'left' })
  const late = await wire.pushFor('room:leaves', 'ping', {}, null)
  t.match(late, { joinRef: null, payload: { response: { reason: 'unmatched topic' } } })
  await wire.close()
})

t.test('channels 5: an event on a topic that was never joined reaches nobody', async (t) => {
  const [wire, other] = [await open(), await open()]
  await other.join('room:strange')
  const said = await wire.pushFor('room:strange', 'say', 'hello', '1')
  t.match(said, { joinRef: null, payload: { status: 'error' } })
  t.same(responseOf(said), { reason: 'unmatched topic' })
  await other.settled()
  t.same(other.unread, [])
  await Promise.all([wire.close(), other.close()])
})

t.test('channels 6: a join without a route is refused with no join ref', async (t) => {
  const wire = await open()
  const refused = await wire.pushFor('nowhere', 'phx_join', {}, '1')
  t.match(refused, { joinRef: null, payload: { status: 'error' } })
  t.same(responseOf(refused), { reason: 'unmatched topic' })
  await wire.close()
})

t.test('channels 52, 79: routes in the order declared, with what they assign', async (t) => {
  const wire = await open({ user: 'ada' })
  const assigns = async (topic: string): Promise<unknown> => {
    const { joinRef } = await wire.join(topic)
    return (await wire.push(topic, 'assigns', {}, joinRef)).response
  }
  t.same(await assigns('room:exact'), { user: 'ada', route: 'exact', of: 'room:exact' })
  t.same(await assigns('room:exact2'), { user: 'ada', route: 'prefix', of: 'room:exact2' })
  t.match(await assigns('room:never'), { route: 'prefix' }, 'a later route is not looked at')
  t.same(await assigns('room:'), { user: 'ada', route: 'prefix', of: 'room:' })
  for (const topic of ['room', 'seen2', 'xroom:1', '', 'room*']) {
    t.equal((await wire.join(topic)).status, 'error', topic)
  }
  await wire.close()
})

t.test('channels 25: a second join is answered, then the first is closed', async (t) => {
  const wire = await open()
  const first = await wire.join('room:twice')
  const down = await watch(sockets, await pidOf(wire, 'room:twice', first.joinRef))
  const frames = recorded(wire, 'room:twice')
  const second = await wire.join('room:twice')
  await wire.nextEvent('room:twice', 'phx_close')
  t.match(frames, [
    { event: 'phx_reply', joinRef: second.joinRef, ref: second.joinRef },
    { event: 'phx_close', joinRef: first.joinRef, ref: first.joinRef },
  ])
  t.equal(frames.length, 2)
  t.same(await down(), { shutdown: 'duplicate_join' })
  const stale = { joinRef: first.joinRef, topic: 'room:twice', payload: {} }
  wire.send({ ...stale, ref: 'stale event', event: 'ping' })
  wire.send({ ...stale, ref: 'stale leave', event: 'phx_leave' })
  t.equal((await wire.push('room:twice', 'ping', {}, second.joinRef)).status, 'ok')
  t.same(wire.unread, [], 'what is of the old join is dropped without a word')
  await wire.close()
})

t.test('channels 25: leave and join back to back, the new channel stays', async (t) => {
  const wire = await open()
  const topic = 'room:rejoin'
  for (let round = 0; round < 20; round++) {
    const old = await wire.join(topic)
    const frames = recorded(wire, topic)
    wire.send({ joinRef: old.joinRef, ref: `l${round}`, topic, event: 'phx_leave', payload: {} })
    const next = await wire.join(topic)
    t.equal(next.status, 'ok')
    await wire.nextEvent(topic, 'phx_close')
    const closes = frames.filter(({ event }) => event === 'phx_close')
    t.match(closes, [{ joinRef: old.joinRef, ref: old.joinRef }])
    t.equal(closes.length, 1, 'the new one is not closed')
    t.equal((await wire.push(topic, 'ping', {}, next.joinRef)).status, 'ok')
    const left = await wire.pushFor(topic, 'phx_leave', {}, next.joinRef)
    t.match(left.payload, { status: 'ok' })
    await wire.nextEvent(topic, 'phx_close')
    wire.unread.splice(0)
  }
  await wire.close()
})

t.test('the official client leaves and joins again at once, on one topic', async (t) => {
  const socket = phoenixSocket(base, {}, { path: '/socket' })
  socket.connect()
  let last = socket.channel('room:official', {})
  t.equal((await outcome(last.join()))[0], 'ok')
  for (let round = 0; round < 10; round++) {
    last.leave()
    last = socket.channel('room:official', {})
    t.equal((await outcome(last.join()))[0], 'ok')
    t.match(await outcome(last.push('ping', { round })), ['ok', { pong: { round } }])
    t.equal(last.state, 'joined')
  }
  // Without a leave: the newer one takes over, the older one hears of its end.
  const closed = new Promise<void>((resolve) => last.onClose(resolve))
  const newer = socket.channel('room:official', {})
  t.equal((await outcome(newer.join()))[0], 'ok')
  await closed
  t.match(await outcome(newer.push('ping', { last: true })), ['ok', { pong: { last: true } }])
  await new Promise<void>((resolve) => socket.disconnect(resolve))
})

t.test('channels 75: leaving twice and closing twice do no harm', async (t) => {
  const wire = await open()
  const { joinRef } = await wire.join('room:twofold')
  const leave = () => wire.push('room:twofold', 'phx_leave', {}, joinRef)
  const answers = await Promise.all([leave(), leave(), leave()])
  for (const answer of answers) t.same(answer, { status: 'ok', response: {} })
  t.same(await wire.push('room:never', 'phx_leave', {}, '9'), { status: 'ok', response: {} })
  await wire.close()
  await wire.close()
  const other = await open()
  await other.join('room:twofold')
  await Promise.all([other.close('terminate'), other.close()])
})

t.test('channels 20: a socket that closes ends its channels with a shutdown', async (t) => {
  for (const how of ['close', 'terminate'] as const) {
    const wire = await open()
    const { joinRef } = await wire.join(`room:${how}`)
    const down = await watch(sockets, await pidOf(wire, `room:${how}`, joinRef))
    await wire.close(how)
    t.same(await ending(sockets, `room:${how}`), { shutdown: 'closed' })
    t.same(await down(), { shutdown: 'closed' })
  }
})

t.test('channels 24, 59: a disconnect on its id ends a socket and all its channels', async (t) => {
  const [ada, bob] = [await open({ user: 'ada' }), await open({ user: 'bob' })]
  for (const topic of ['room:d1', 'room:d2']) await ada.join(topic)
  await bob.join('room:d1')
  node.self.broadcast('open:ada', 'nonsense', {})
  node.self.broadcast('open:ada', 'disconnect', {})
  t.equal((await ada.closed).code, 1001)
  for (const topic of ['room:d1', 'room:d2']) {
    t.same(await ending(sockets, topic), { shutdown: 'disconnected' })
  }
  await bob.settled()
  t.notOk(bob.isClosed)
  t.same(bob.unread, [])
  await bob.close()
})

t.test('channels 19: a crash is phx_error, its neighbours go on, a new join is new', async (t) => {
  const wire = await open()
  const first = await wire.join('room:crashes')
  const beside = await wire.join('room:beside')
  wire.send({
    joinRef: first.joinRef,
    ref: 'c',
    topic: 'room:crashes',
    event: 'crash',
    payload: {},
  })
  t.same(await wire.nextEvent('room:crashes', 'phx_error'), {
    joinRef: first.joinRef,
    ref: first.joinRef,
    topic: 'room:crashes',
    event: 'phx_error',
    payload: { reason: 'channel_crash' },
  })
  t.match(await ending(sockets, 'room:crashes'), { error: { message: 'crashed on request' } })
  t.equal((await wire.push('room:beside', 'ping', {}, beside.joinRef)).status, 'ok')
  const late = await wire.pushFor('room:crashes', 'ping', {}, first.joinRef)
  t.same(responseOf(late), { reason: 'unmatched topic' })
  t.equal((await wire.join('room:crashes')).status, 'ok')
  t.same(wire.unread, [])
  await wire.close()
})

t.test('channels 66: an event without an answer gets none', async (t) => {
  const wire = await open()
  const { joinRef } = await wire.join('room:quiet')
  wire.send({ joinRef, ref: 'q', topic: 'room:quiet', event: 'quiet', payload: {} })
  t.equal((await wire.push('room:quiet', 'ping', {}, joinRef)).status, 'ok')
  t.same(wire.unread, [])
  await wire.close()
})

t.test('channels 71: events for a channel that was killed do nobody harm', async (t) => {
  const wire = await open()
  const { joinRef } = await wire.join('room:killed')
  const pid = await pidOf(wire, 'room:killed', joinRef)
  node.self.exit(pid, 'kill')
  for (let i = 0; i < 50; i++) {
    wire.send({ joinRef, ref: null, topic: 'room:killed', event: 'ping', payload: {} })
  }
  t.match(await wire.nextEvent('room:killed', 'phx_error'), { joinRef })
  node.self.send(pid, { nobody: 'there' })
  node.self.broadcast('room:killed', 'said', {})
  t.equal((await wire.join('room:killed')).status, 'ok')
  await wire.close()
})

t.test('channels 76: a channel that hangs is killed in its time, without terminate', async (t) => {
  const wire = await open()
  const { joinRef } = await wire.join('stuck:1')
  const down = await watch(sockets, await pidOf(wire, 'stuck:1', joinRef))
  wire.send({ joinRef, ref: null, topic: 'stuck:1', event: 'hang', payload: {} })
  await wire.settled()
  await wire.close()
  t.equal(await down(), 'killed')
  t.notOk(await endedSoFar(sockets, 'stuck:1'), 'its terminate has not run')
})

t.test('an exit signal runs terminate only in a channel that traps exits', async (t) => {
  const wire = await open()
  for (const topic of ['room:signal', 'trap:signal']) {
    await wire.join(topic)
    await wire.join(topic)
    await wire.nextEvent(topic, 'phx_close')
  }
  t.same(await ending(sockets, 'trap:signal'), { shutdown: 'duplicate_join' })
  t.notOk(await endedSoFar(sockets, 'room:signal'))
  await wire.close()
})

t.test('channels 28: any process can be a channel: ok, error, crash, close', async (t) => {
  const wire = await open()
  const { joinRef, ...answer } = await wire.join('custom:1', { how: 'ok' })
  t.same(answer, { status: 'ok', response: { how: 'ok' } })
  t.same(await wire.push('custom:1', 'any', { n: 1 }, joinRef), {
    status: 'ok',
    response: { custom: { n: 1 } },
  })
  t.match(await wire.join('custom:2', { how: 'error' }), { status: 'error' })
  t.match(await wire.join('custom:3', { how: 'crash' }), {
    status: 'error',
    response: { reason: 'join crashed' },
  })
  wire.send({ joinRef, ref: 'x', topic: 'custom:1', event: 'close', payload: {} })
  t.match(await wire.nextEvent('custom:1', 'phx_close'), { joinRef, ref: joinRef })
  const again = await wire.join('custom:1', { how: 'ok' })
  wire.send({
    joinRef: again.joinRef,
    ref: 'y',
    topic: 'custom:1',
    event: 'crash',
    payload: {},
  })
  t.match(await wire.nextEvent('custom:1', 'phx_error'), { payload: { reason: 'channel_crash' } })
  const left = await wire.join('custom:4', { how: 'ok' })
  t.equal((await wire.push('custom:4', 'phx_leave', {}, left.joinRef)).status, 'ok')
  await wire.nextEvent('custom:4', 'phx_close')
  t.same(wire.unread, [])
  await wire.close()
})

t.test('channels 29: bytes in a push, its reply, and a push of the server', async (t) => {
  const wire = await open()
  const { joinRef } = await wire.join('room:bytes')
  const text = (frame: Uint8Array | undefined): string =>
    Buffer.from(frame ?? []).toString('latin1')
  const fields = [joinRef, 'b', 'room:bytes', 'echo']
  const header = Uint8Array.from([0, ...fields.map(({ length }) => length)])
  wire.raw(Buffer.concat([header, Buffer.from(`${fields.join('')}DATA`)]))
  wire.send({ joinRef, ref: null, topic: 'room:bytes', event: 'pushBytes', payload: {} })
  await wire.push('room:bytes', 'ping', {}, joinRef)
  t.equal(wire.binary.length, 2)
  t.equal(text(wire.binary[0]), `\x01\x01\x01\x0a\x02${joinRef}broom:bytesokDATA`)
  t.equal(text(wire.binary[1]), `\x00\x01\x0a\x05${joinRef}room:bytesbytes\x01\x02\x03`)
  await wire.close()
})
