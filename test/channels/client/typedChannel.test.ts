/** The typed client on the official one, against the tour: its types are those of the tour's own channels. */
import { JoinError, PushError, type TypedChannel, typedChannel } from 'beamish/channels/client'
import t from 'tap'
import type { Notification } from '../../../apps/tour/notification.ts'
import type { Room } from '../../../apps/tour/room.ts'
import { Client, startTour } from '../../apps/tour/kit.ts'

const tour = await startTour(t)
type Lobby = TypedChannel<typeof Room>

/** The first event of this name. */
const next = (room: Lobby, event: string): Promise<unknown> =>
  new Promise((resolve) => {
    const off = room.on(event, (payload) => {
      off()
      resolve(payload)
    })
  })

async function entered(userId: string, topic: string): Promise<[Client, Lobby]> {
  const client = await Client.open(tour, userId)
  const room = typedChannel<typeof Room>(client.socket, topic)
  await room.join()
  return [client, room]
}

/** What a promise is rejected with. */
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

t.test('a join resolves with its answer, or rejects with the reason', async (t) => {
  const client = await Client.open(tour, 'ada')
  const room = typedChannel<typeof Room>(client.socket, 'room:typed')
  const joining = room.join()
  t.same(await joining, {})
  t.same(await room.join(), {}, 'asked again, it has joined already')
  const refused = await rejection(
    typedChannel<typeof Room>(client.socket, 'room:closed', { password: 'wrong' }).join(),
  )
  t.ok(refused instanceof JoinError)
  t.match(refused, { status: 'error', reason: 'unauthorized', topic: 'room:closed' })
  t.match(refused, { message: 'join of room:closed failed: unauthorized' })
  const nowhere = await rejection(typedChannel<typeof Room>(client.socket, 'nowhere').join())
  t.match(nowhere, { reason: 'unmatched topic' })
  const slow = await rejection(typedChannel<typeof Room>(client.socket, 'room:slow-join').join(50))
  t.match(slow, { status: 'timeout', reason: 'timeout' })
  const left = typedChannel<typeof Room>(client.socket, 'room:slow-join')
  const waiting = rejection(left.join())
  await left.leave()
  t.match(await waiting, { status: 'closed' }, 'left while it joins')
  await client.close()
})

t.test('a join that is refused at first and taken later is one that is taken', async (t) => {
  const client = await Client.open(tour, 'ada')
  let password = 'wrong'
  const room = typedChannel<typeof Room>(client.socket, 'room:later', () => ({ password }))
  const taken = new Promise((resolve) => room.onJoined(resolve))
  t.match(await rejection(room.join()), { reason: 'unauthorized' })
  password = 'right'
  t.same(await taken, {})
  t.same(await room.join(), {})
  await client.close()
})

t.test('a push resolves with its ok, and rejects with any other answer', async (t) => {
  const [client, room] = await entered('ada', 'room:pushes')
  const { rank } = await room.push('current_rank')
  t.equal(rank satisfies number, 7)
  const { title } = await room.push('create:post', { title: 'one' })
  t.equal(title satisfies string, 'one')
  t.same(await room.push('ping', { a: 1 }), { a: 1 })
  const wrong = await rejection(room.push('create:post', { title: '' }))
  t.ok(wrong instanceof PushError)
  t.match(wrong, {
    status: 'error',
    reason: 'invalid payload',
    issues: [{ path: 'title', message: 'must have at least 1 character' }],
    message:
      'push of create:post to room:pushes failed: error invalid payload: title must have at least 1 character',
  })
  const late = await rejection(room.push('say', { nobody: 'answers' }, { timeoutMs: 50 }))
  t.match(late, { status: 'timeout', reason: 'timeout', event: 'say' })
  t.same(await room.request('create:post', { title: 'two' }), {
    status: 'ok',
    response: { title: 'two' },
  })
  const outcome = await room.request('create:post', { title: '' })
  t.match(outcome, { status: 'error', response: { reason: 'invalid payload' } })
  await client.close()
})

t.test('what waits for an answer when the channel ends in order gets closed', async (t) => {
  const [client, room] = await entered('ada', 'room:closes')
  const closed = new Promise<void>((resolve) => room.onClose(resolve))
  const waiting = room.request('work', { ms: 60_000 })
  room.push('stop', { reason: 'normal' }).catch(() => {})
  t.same(await waiting, { status: 'closed', response: undefined })
  await closed
  const [other, bye] = await entered('bob', 'room:bye')
  t.same(await bye.push('bye'), { bye: true }, 'an answer that came first counts')
  await Promise.all([client.close(), other.close()])
})

t.test('channels 29: bytes go out as bytes, of any view, and come as a buffer', async (t) => {
  const [client, room] = await entered('ada', 'room:bytes')
  const whole = Uint8Array.from({ length: 300 }, (_, i) => i % 256)
  const part = whole.subarray(10, 20)
  t.same(await room.push('file_chunk', whole), { size: 300 })
  t.same(await room.push('file_chunk', part), { size: 10 })
  const echoed: ArrayBuffer = await room.push('echo_binary', part)
  t.same(new Uint8Array(echoed), Uint8Array.from(part))
  const badge = next(room, 'badge')
  await room.push('current_rank')
  t.same(new Uint8Array((await badge) as ArrayBuffer), Uint8Array.of(1, 2, 3))
  await client.close()
})

t.test('on hears events until it is called off', async (t) => {
  const [client, room] = await entered('ada', 'room:on')
  const heard: unknown[] = []
  const off = room.on('say', (payload) => heard.push(payload))
  const first = next(room, 'say')
  await rejection(room.push('say', { n: 1 }, { timeoutMs: 1 }))
  await first
  t.same(heard, [{ n: 1 }])
  off()
  const second = next(room, 'say')
  await rejection(room.push('say', { n: 2 }, { timeoutMs: 1 }))
  await second
  t.equal(heard.length, 1)
  await room.leave()
  t.equal(client.socket.channel('room:on', {}).state, 'closed')
  await client.close()
})

t.test('a crash is heard of, and so is the join after it', async (t) => {
  const [client, room] = await entered('ada', 'room:crash')
  const crashed = new Promise<void>((resolve) => room.onError(resolve))
  const back = new Promise((resolve) => room.onJoined(resolve))
  void rejection(room.push('crash', {}, { timeoutMs: 1 }))
  await crashed
  t.same(await back, {})
  t.same(await room.push('ping', { back: true }), { back: true })
  await client.close()
})

t.test('a token that expires is told as milliseconds', async (t) => {
  const [client, room] = await entered('ada', 'room:expiring')
  const told = new Promise((resolve) => room.onTokenExpiring(resolve))
  // The room pushes what the server would, when the token it connected with runs out.
  const broadcast = {
    topic: 'room:expiring',
    event: 'token_expiring',
    payload: { expires_in_ms: 5 },
  }
  await fetch(`${tour.base}/broadcast`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(broadcast),
  })
  t.same(await told, { expiresInMs: 5 })
  await client.close()
})

t.test('each channel has the types of its own', async (t) => {
  const client = await Client.open(tour, 'ada')
  const bell = typedChannel<typeof Notification>(client.socket, 'notification:ada', { ids: ['1'] })
  await bell.join()
  t.same(await bell.push('watch', { product_id: '2' }), {})
  // @ts-expect-error the event is the room's
  const wrong = await rejection(bell.push('new_msg', { uid: 'ada', body: 'hi' }))
  t.match(wrong, { reason: 'unknown event' })
  await client.close()
})
