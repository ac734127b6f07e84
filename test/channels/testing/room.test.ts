/** The tour's room by the test kit: in virtual time, on several schedulers, under many schedules. */
import { ConnectRefused, connect, JoinRefused, type TestClient } from 'beamish/channels/testing'
import { explore, type TestNode, testNode } from 'beamish/testing'
import t, { type Test } from 'tap'
import { allEnds, type End, janitors } from '../../../apps/tour/janitor.ts'
import { Notification } from '../../../apps/tour/notification.ts'
import { Room } from '../../../apps/tour/room.ts'
import { User } from '../../../apps/tour/user.ts'
import { foremen } from '../../../apps/tour/work.ts'

const children = [janitors, foremen]
const channels = { 'room:*': Room, 'notification:*': Notification }

/** One behaviour, beside the connection and anywhere, under schedules of its own. */
function behaves(name: string, test: (t: Test, node: TestNode) => Promise<void>): void {
  t.test(name, async (t) => {
    await explore((node) => test(t, node), { runs: 5, schedulers: 3, children })
  })
}

let place: 'here' | 'any' = 'any'

/** Connected as this user; every other time its channels are anywhere. */
function user(node: TestNode, userId: string): Promise<TestClient> {
  place = place === 'any' ? 'here' : 'any'
  return connect(node, User, { user_id: userId }, {}, { channels, place })
}

behaves('connect runs the socket: it assigns and names, or refuses', async (t, node) => {
  const ada = await user(node, 'ada')
  t.same([ada.assigns, ada.id], [{ userId: 'ada' }, 'user:ada'])
  const refused = await connect(node, User, { token: 'bad' }).catch((error: unknown) => error)
  t.ok(refused instanceof ConnectRefused)
  t.match(refused, { status: 403 })
})

behaves('channels 62: broadcastFrom skips its own client and reaches others', async (t, node) => {
  const [ada, bob] = [await user(node, 'ada'), await user(node, 'bob')]
  const room = await ada.subscribeAndJoin('room:62')
  const his = await bob.join('room:62')
  await room.assertPush('user_joined', { user_id: 'bob' })
  await room.assertBroadcast('user_joined', { user_id: 'bob' })
  room.push('shout', { n: 1 })
  t.same(await his.assertPush('shout'), { n: 1 })
  await room.assertBroadcast('shout', { n: 1 })
  await room.refutePush('shout')
  room.broadcastFrom('say', { said: 'by the test' })
  await his.assertPush('say', { said: 'by the test' })
  await room.refutePush('say')
})

behaves('channels 63: replies and pushes, with and without a payload', async (t, node) => {
  const room = await (await user(node, 'ada')).join('room:63')
  t.same(room.response, {})
  t.same(await room.assertReply(room.push('new_msg', { uid: 'ada', body: 'hi' }), 'ok'), {})
  const ref = room.push('current_rank')
  await room.assertReply(ref, 'ok', { rank: 7 })
  await room.assertPush('leaders', { leaders: ['ada', 'grace'] })
  t.same(await room.assertPush('badge'), Uint8Array.of(1, 2, 3), 'bytes stay bytes')
  await room.assertReply(room.push('create:post', { title: '' }), 'error', {
    reason: 'invalid payload',
    issues: [{ path: 'title' }],
  })
  await room.assertReply(room.push('nonsense'), 'error', { reason: 'unknown event' })
})

behaves('channels 65: a join is taken, refused or crashes', async (t, node) => {
  const ada = await user(node, 'ada')
  const refused = await ada
    .join('room:closed', { password: 'wrong' })
    .catch((error: unknown) => error)
  t.ok(refused instanceof JoinRefused)
  t.match(refused, { reason: 'unauthorized', response: { reason: 'unauthorized' } })
  await t.rejects(ada.join('room:crash-join'), {
    message: 'the join of room:crash-join was refused: join crashed',
  })
  await t.rejects(ada.join('nowhere'), {
    message: 'the join of nowhere was refused: unmatched topic',
  })
  const start = node.now
  await ada.join('room:slow-join')
  t.equal(node.now - start, 2_000, 'it takes two seconds of virtual time')
})

behaves('channels 66: an event without an answer gets none', async (_t, node) => {
  const room = await (await user(node, 'ada')).join('room:66')
  const ref = room.push('say', { n: 1 })
  await room.assertPush('say', { n: 1 })
  await room.refuteReply(ref)
})

behaves('channels 67: a reply comes later, from another process', async (_t, node) => {
  const room = await (await user(node, 'ada')).join('room:67')
  const late = room.push('work', { ms: 3_000 })
  await room.assertReply(room.push('ping', { first: true }), 'ok', { first: true })
  await room.refuteReply(late, 'ok', undefined, { withinMs: 2_000 })
  await room.assertReply(late, 'ok', { done: true })
})

behaves('channels 68: a crash is an error to its client, and no close', async (_t, node) => {
  const ada = await user(node, 'ada')
  const [room, other] = [await ada.join('room:68'), await ada.join('room:stays')]
  room.push('crash')
  await room.assertEnded(/crashed on request/)
  await room.assertPush('phx_error', { reason: 'channel_crash' })
  await room.refutePush('phx_close')
  await other.assertReply(other.push('ping', { n: 1 }), 'ok', { n: 1 })
})

behaves('channels 69 and 70: a stop in order closes; a reply goes first', async (_t, node) => {
  const ada = await user(node, 'ada')
  for (const reason of ['normal', 'shutdown']) {
    const room = await ada.join(`room:69-${reason}`)
    room.push('stop', { reason })
    await room.assertPush('phx_close')
    await room.assertEnded(reason)
  }
  const room = await ada.join('room:70')
  await room.assertReply(room.push('bye'), 'ok', { bye: true })
  await room.assertPush('phx_close')
  await room.assertEnded({ shutdown: 'left' })
})

behaves('channels 71: what is pushed to a dead channel crashes nobody', async (_t, node) => {
  const ada = await user(node, 'ada')
  const room = await ada.join('room:71')
  node.exit(room.pid, 'kill')
  await room.assertEnded('killed')
  await room.assertPush('phx_error')
  await room.assertReply(room.push('ping'), 'error', { reason: 'unmatched topic' })
  room.broadcastFrom('say', {})
  const again = await ada.join('room:71')
  await again.assertReply(again.push('ping', { n: 1 }), 'ok', { n: 1 })
})

behaves('channels 72: an intercepted broadcast is what handleOut makes of it', async (t, node) => {
  const [ada, bob] = [await user(node, 'ada'), await user(node, 'bob')]
  const room = await ada.subscribeAndJoin('room:72')
  const his = await bob.join('room:72')
  room.push('new_msg', { uid: 'ada', body: 'hi' })
  await room.assertBroadcast(
    'new_msg',
    (payload: unknown) => !('is_editable' in (payload as object)),
  )
  t.same(await room.assertPush('new_msg'), { uid: 'ada', body: 'hi', is_editable: true })
  t.same(await his.assertPush('new_msg'), { uid: 'ada', body: 'hi', is_editable: false })
  await his.assertReply(his.push('ignore', { user_id: 'eve' }), 'ok')
  await (await user(node, 'eve')).join('room:72')
  await room.assertPush('user_joined', { user_id: 'eve' })
  await his.refutePush('user_joined', { user_id: 'eve' })
})

behaves('channels 75: to leave twice, or to close what is closed, is harmless', async (t, node) => {
  const room = await (await user(node, 'ada')).join('room:75')
  const [first, second] = [room.leave(), room.leave()]
  await room.assertReply(first, 'ok', {})
  await room.assertReply(second, 'ok', {})
  await room.assertPush('phx_close')
  await room.assertEnded({ shutdown: 'left' })
  t.same(await room.close(), { shutdown: 'left' })
})

behaves('channels 77: broadcasts of other topics reach who listens to them', async (_t, node) => {
  const bell = await (await user(node, 'ada')).join('notification:ada', { ids: ['1'] })
  node.self.broadcast('product:1', 'price', { price: 5 })
  await bell.assertPush('price', { price: 5 })
  await bell.assertReply(bell.push('unwatch', { product_id: '1' }), 'ok')
  node.self.broadcast('product:1', 'price', { price: 6 })
  await bell.refutePush('price')
})

behaves('channels 20: the end of the connection ends its channels', async (t, node) => {
  const ada = await user(node, 'ada')
  const room = await ada.join('room:20')
  ada.disconnect()
  await room.assertEnded({ shutdown: 'closed' })
  await node.runUntilIdle()
  const ends: readonly End[] = await allEnds(node.self)
  t.match(
    ends.filter(({ topic }) => topic === 'room:20'),
    [{ reason: { shutdown: 'closed' } }, { reason: { shutdown: 'closed' } }],
  )
})

behaves('channels 24 and 59: a broadcast of disconnect on its id closes it', async (_t, node) => {
  const ada = await user(node, 'ada')
  const room = await ada.join('room:24')
  node.self.broadcast('user:ada', 'disconnect', {})
  await ada.assertClosed(1001)
  await room.assertEnded({ shutdown: 'disconnected' })
})

t.test('a failed assert tells what came instead, and all that happened', async (t) => {
  const node = await testNode({ seed: 3, children })
  t.teardown(() => node.close())
  const room = await (await user(node, 'ada')).join('room:fails')
  room.push('say', { n: 1 })
  const failed = await room.assertPush('say', { n: 2 }).then(
    () => undefined,
    (error: Error & { code?: string }) => error,
  )
  t.equal(failed?.code, 'BEAMISH_TEST_ASSERTION')
  t.match(failed?.stack, /room\.test\.ts/, 'it points at the test')
  const message = failed?.message ?? ''
  t.match(message, /"event":"say","payload":\{"n":2\}\} did not come in time/)
  t.match(message, /its mailbox has .*"payload":\{"n":1\}/)
  t.match(message, /tour\.room <[\d.]+> on thread \d/, 'the timeline has the channel')
  t.match(message, /\n\nseed 3\n$/)
  const refuted = await room.refutePush('say').catch((error: Error) => error.message)
  t.match(refuted, /the test got .*"event":"say".*, which was not to come/)
})
