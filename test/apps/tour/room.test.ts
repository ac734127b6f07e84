/** room:* of the tour, by the official client: what the Phoenix.Channel document promises. */
import t from 'tap'
import { outcome } from '../../channels/phoenixClient.ts'
import { Client, post, startTour, threadOf } from './kit.ts'

const tour = await startTour(t)

t.test('channels 2: the join is answered, then what was sent after it arrives', async (t) => {
  const [ada, bob] = [await Client.open(tour, 'ada'), await Client.open(tour, 'bob')]
  await ada.join('room:two')
  await bob.join('room:two')
  const { payload, join_ref, ref } = await ada.next('user_joined')
  t.match(
    { payload, join_ref: typeof join_ref, ref },
    { payload: { user_id: 'bob' }, join_ref: 'string', ref: null },
  )
  t.same(
    bob.rest.filter(({ event }) => event === 'user_joined'),
    [],
    'not to itself',
  )
  await Promise.all([ada.close(), bob.close()])
})

t.test('channels 65: a join is refused with its reason, or crashes', async (t) => {
  const ada = await Client.open(tour, 'ada')
  const join = (topic: string, params: unknown) => outcome(ada.socket.channel(topic, params).join())
  t.same(await join('room:closed', { password: 'wrong' }), ['error', { reason: 'unauthorized' }])
  t.same(await join('room:crash-join', {}), ['error', { reason: 'join crashed' }])
  t.same(await join('nowhere', {}), ['error', { reason: 'unmatched topic' }])
  t.same((await join('room:lobby', { password: 'wrong' }))[0], 'ok', 'the lobby takes everybody')
  await ada.close()
})

t.test('a slow join holds up neither other topics nor the heartbeat', async (t) => {
  const ada = await Client.open(tour, 'ada', { heartbeatIntervalMs: 800 })
  const slow = outcome(ada.socket.channel('room:slow-join', {}).join())
  let answered = false
  void slow.then(() => {
    answered = true
  })
  const lobby = await ada.join('room:lobby')
  t.same(await outcome(lobby.push('ping', { a: 1 })), ['ok', { a: 1 }])
  await ada.next('phx_reply', 'phoenix')
  t.notOk(answered)
  t.equal((await slow)[0], 'ok')
  await ada.close()
})

t.test('channels 63: replies of every kind', async (t) => {
  const ada = await Client.open(tour, 'ada')
  const room = await ada.join('room:replies')
  t.same(await outcome(room.push('ping', { deep: [1, { x: null }] })), [
    'ok',
    { deep: [1, { x: null }] },
  ])
  t.same(await outcome(room.push('new_msg', { uid: 'ada', body: 'hi' })), ['ok', {}])
  t.same(await outcome(room.push('create:post', { title: 'one' })), ['ok', { title: 'one' }])
  t.match(await outcome(room.push('create:post', { title: '' })), [
    'error',
    { reason: 'invalid payload', issues: [{ path: 'title' }] },
  ])
  t.same(await outcome(room.push('current_rank', {})), ['ok', { rank: 7 }])
  t.same((await ada.next('leaders')).payload, { leaders: ['ada', 'grace'] })
  const badge = (await ada.next('badge')).payload as unknown as ArrayBuffer
  t.same(new Uint8Array(badge), Uint8Array.of(1, 2, 3))
  t.match(await outcome(room.push('nonsense', {})), ['error', { reason: 'unknown event' }])
  await ada.close()
})

t.test('channels 29: bytes in pushes, replies and broadcasts', async (t) => {
  const [ada, bob] = [await Client.open(tour, 'ada'), await Client.open(tour, 'bob')]
  const room = await ada.join('room:bytes')
  await bob.join('room:bytes')
  const data = Uint8Array.from({ length: 300 }, (_, i) => i % 256)
  t.same(await outcome(room.push('file_chunk', data.buffer)), ['ok', { size: 300 }])
  const [status, echoed] = await outcome(room.push('echo_binary', data.buffer))
  t.same([status, new Uint8Array(echoed as unknown as ArrayBuffer)], ['ok', data])
  room.push('blob', data.buffer)
  for (const client of [ada, bob]) {
    const { payload } = await client.next('blob')
    t.same(new Uint8Array(payload as unknown as ArrayBuffer), data)
  }
  await Promise.all([ada.close(), bob.close()])
})

t.test(
  'channels 62 and 72: broadcasts reach all, others alone, or what handleOut makes of them',
  async (t) => {
    const [ada, bob] = [await Client.open(tour, 'ada'), await Client.open(tour, 'bob')]
    const room = await ada.join('room:casts')
    const his = await bob.join('room:casts')
    await ada.next('user_joined')
    room.push('say', { n: 1 })
    room.push('shout', { n: 2 })
    t.same((await bob.next('say')).payload, { n: 1 })
    t.same((await bob.next('shout')).payload, { n: 2 })
    t.same((await ada.next('say')).payload, { n: 1 })
    await ada.settled(room)
    t.same(
      ada.rest.filter(({ event }) => event === 'shout'),
      [],
    )
    room.push('new_msg', { uid: 'ada', body: 'mine' })
    t.same((await ada.next('new_msg')).payload, { uid: 'ada', body: 'mine', is_editable: true })
    t.same((await bob.next('new_msg')).payload, { uid: 'ada', body: 'mine', is_editable: false })
    t.same(await outcome(his.push('ignore', { user_id: 'eve' })), ['ok', {}])
    const eve = await Client.open(tour, 'eve')
    await eve.join('room:casts')
    t.same((await ada.next('user_joined')).payload, { user_id: 'eve' })
    await bob.settled(his)
    t.same(
      bob.rest.filter(({ event }) => event === 'user_joined'),
      [],
    )
    await Promise.all([ada.close(), bob.close(), eve.close()])
  },
)

t.test('channels 67: a reply comes later, from another process on another thread', async (t) => {
  const ada = await Client.open(tour, 'ada')
  const room = await ada.join('room:later')
  const late = outcome(room.push('work', { ms: 50 }))
  t.same(await outcome(room.push('ping', { first: true })), ['ok', { first: true }])
  const thread = await threadOf(ada)
  for (const work of [late, ...Array.from({ length: 5 }, () => outcome(room.push('work', {})))]) {
    const [status, { done, scheduler }] = await work
    t.same([status, done], ['ok', true])
    t.not(scheduler, thread)
  }
  await ada.close()
})

t.test('channels 19 and 68: a crash is the end of one channel, which comes back', async (t) => {
  const ada = await Client.open(tour, 'ada')
  const [room, other] = [await ada.join('room:crashes'), await ada.join('room:stays')]
  const crashed = new Promise((resolve) => room.onError(resolve))
  room.push('crash', {})
  t.match((await ada.next('phx_error')).payload, { reason: 'channel_crash' })
  await crashed
  t.same(await outcome(other.push('ping', {})), ['ok', {}])
  // The official client joins again by itself.
  t.match(await ada.next('phx_reply', 'room:crashes'), { payload: { status: 'ok' } })
  t.same(await outcome(room.push('ping', { back: true })), ['ok', { back: true }])
  const killed = new Promise((resolve) => room.onError(resolve))
  room.push('kill_me', {})
  await killed
  await ada.close()
})

t.test(
  'channels 69 and 70: a stop in order closes, another one is an error; a reply goes first',
  async (t) => {
    const ada = await Client.open(tour, 'ada')
    for (const reason of ['normal', 'shutdown', 'left']) {
      const room = await ada.join(`room:stop-${reason}`)
      const closed = new Promise<void>((resolve) => room.onClose(resolve))
      room.push('stop', { reason })
      await closed
      await ada.next('phx_close', `room:stop-${reason}`)
    }
    const room = await ada.join('room:stop-odd')
    room.push('stop', { reason: 'odd' })
    await ada.next('phx_error', 'room:stop-odd')
    const bye = await ada.join('room:bye')
    const answered = outcome(bye.push('bye', {}))
    const closed = new Promise<void>((resolve) => bye.onClose(resolve))
    t.same(await answered, ['ok', { bye: true }])
    await closed
    await ada.close()
  },
)

t.test('channels 3 and 4: after a leave there is no channel', async (t) => {
  const ada = await Client.open(tour, 'ada')
  const room = await ada.join('room:left')
  t.same(await outcome(room.leave()), ['ok', {}])
  await ada.next('phx_close', 'room:left')
  ada.socket.conn.send(JSON.stringify([null, 'late', 'room:left', 'ping', {}]))
  for (;;) {
    const { ref, payload } = await ada.next('phx_reply', 'room:left')
    if (ref !== 'late') continue
    t.same(payload, { status: 'error', response: { reason: 'unmatched topic' } })
    break
  }
  await ada.close()
})

t.test(
  'channels 77: broadcasts of other topics reach the channel that listens to them',
  async (t) => {
    const ada = await Client.open(tour, 'ada')
    const bell = await ada.join('notification:ada', { ids: ['1'] })
    const tell = (topic: string) =>
      post(tour, '/broadcast', { topic, event: 'price', payload: { topic } })
    await tell('product:1')
    t.same((await ada.next('price')).payload, { topic: 'product:1' })
    t.same(await outcome(bell.push('watch', { product_id: '2' })), ['ok', {}])
    t.same(await outcome(bell.push('unwatch', { product_id: '1' })), ['ok', {}])
    await tell('product:1')
    await tell('product:2')
    t.same((await ada.next('price')).payload, { topic: 'product:2' })
    t.same(await outcome(bell.push('watch', { product_id: '1' })), ['ok', {}], 'again')
    await tell('product:1')
    t.same((await ada.next('price')).payload, { topic: 'product:1' })
    await ada.close()
  },
)

t.test(
  'channels 24 and 59: a broadcast of disconnect on the socket id closes it with 1001',
  async (t) => {
    const ada = await Client.open(tour, 'leaver')
    await ada.join('room:out')
    const closed = new Promise<{ code: number }>((resolve) => ada.socket.onClose(resolve))
    await post(tour, '/disconnect', { user_id: 'leaver' })
    t.equal((await closed).code, 1001)
    await ada.close()
  },
)

t.test(
  'what cannot be answered or sent on is an error that says why, and ends nothing',
  async (t) => {
    const ada = await Client.open(tour, 'ada')
    const room = await ada.join('room:odd')
    const answers = async (event: string, payload: unknown) => {
      const [status, { reason, issues }] = await outcome(room.push(event, payload))
      return [status, reason, (issues as { path: string }[]).map(({ path }) => path)]
    }
    for (const event of ['ping', 'say', 'shout', 'announce']) {
      for (const payload of [5, 'x', true, [1]]) {
        t.same(
          await answers(event, payload),
          ['error', 'invalid payload', ['']],
          `${event} ${payload}`,
        )
      }
    }
    for (const ms of [-5, 1.5, 60_001, 'long']) {
      t.same(await answers('work', { ms }), ['error', 'invalid payload', ['ms']], `work ${ms}`)
    }
    for (const reason of [5, {}, undefined]) {
      t.same(await answers('stop', { reason }), ['error', 'invalid payload', ['reason']])
    }
    t.same(await answers('new_msg', { uid: 'ada' }), ['error', 'invalid payload', ['body']])
    const frame = (ref: string | null) => JSON.stringify([null, ref, 'room:odd', 'work', { ms: 0 }])
    ada.socket.conn.send(frame(null))
    t.same(await outcome(room.push('ping', {})), ['ok', {}], 'nobody waits for that work')
    t.notOk(ada.rest.some(({ event }) => event === 'phx_error'))
    await ada.close()
  },
)

t.test('announce reaches the room and room:superadmin, each once', async (t) => {
  const [ada, eve] = [await Client.open(tour, 'ada'), await Client.open(tour, 'eve')]
  const room = await ada.join('room:announces')
  const admin = await eve.join('room:superadmin')
  t.same(await outcome(room.push('announce', { n: 1 })), ['ok', {}])
  t.same((await ada.next('announce', 'room:announces')).payload, { n: 1 })
  t.same((await eve.next('announce', 'room:superadmin')).payload, { n: 1 })
  t.same(await outcome(admin.push('announce', { n: 2 })), ['ok', {}])
  t.same((await eve.next('announce')).payload, { n: 2 })
  await eve.settled(admin)
  for (const client of [ada, eve]) {
    t.notOk(
      client.rest.some(({ event }) => event === 'announce'),
      'and no more',
    )
  }
  await Promise.all([ada.close(), eve.close()])
})

t.test('ids of a notification count once each, and are checked like those of watch', async (t) => {
  const ada = await Client.open(tour, 'ada')
  const bell = await ada.join('notification:twice', { ids: ['9', '9'] })
  await post(tour, '/broadcast', { topic: 'product:9', event: 'price', payload: { n: 1 } })
  t.same((await ada.next('price')).payload, { n: 1 })
  t.match(await outcome(bell.push('watch', { product_id: '' })), [
    'error',
    { issues: [{ path: 'product_id' }] },
  ])
  t.notOk(
    ada.rest.some(({ event }) => event === 'price'),
    'heard once',
  )
  const refused = (ids: unknown) =>
    outcome(ada.socket.channel(`notification:${JSON.stringify(ids)}`, { ids }).join())
  t.match(await refused([1]), ['error', { issues: [{ path: 'ids.0' }] }])
  t.match(await refused(['']), ['error', { issues: [{ path: 'ids.0' }] }])
  t.match(await refused('9'), ['error', { issues: [{ path: 'ids' }] }])
  await ada.close()
})
