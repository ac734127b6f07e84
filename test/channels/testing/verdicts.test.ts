/** The test kit says what a client of a real node would see: no more, no less, and nothing else. */
import { formatReason, genServer, type Self, stop } from 'beamish'
import { any, ChannelLink, channel, type Join, joined, ok, socket, string } from 'beamish/channels'
import { clientOf, connect, type TestClient } from 'beamish/channels/testing'
import { explore, testNode } from 'beamish/testing'
import t, { type Test } from 'tap'

class Money {
  readonly cents: number
  constructor(cents: number) {
    this.cents = cents
  }
  toJSON(): object {
    return { euros: this.cents / 100 }
  }
}

const Room = channel('verdicts.room', {
  events: { echo: any(), send: any(), refused: any(), bytes: any(), say: any(), slowly: any() },
  join: (_topic, payload, socket) => joined(socket, { got: kindsOf(payload) }),
  handleIn: {
    echo: (payload) => ok({ got: payload, kinds: kindsOf(payload) }),
    send(_payload, socket) {
      socket.push('out', {
        at: new Date(5),
        left: undefined,
        money: new Money(250),
        map: new Map([['a', 1]]),
        call: () => 1,
      })
    },
    refused: () => ok({ big: 1n }),
    bytes(payload, socket) {
      socket.push('bytes', Uint8Array.of(1, 2))
      return ok(payload as Uint8Array)
    },
    say(payload, socket) {
      socket.broadcast('said', payload as object)
    },
    slowly: (_payload, socket) => socket.self.sleep(60_000),
  },
})

/** Names of fields, with what kind of thing stands there. */
const kindsOf = (payload: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries((payload ?? {}) as object).map(([name, value]: [string, unknown]) => [
      name,
      value instanceof Date ? 'Date' : typeof value,
    ]),
  )

const Brief = channel('verdicts.brief', {
  join(_topic, _payload, socket) {
    socket.self.send(socket.self.pid, 'go')
    return joined(socket, { hi: 1 })
  },
  handleMessage: () => stop('normal'),
})

const channels = { 'room:*': Room, 'brief:*': Brief }

async function opened(t: Test, options = {}): Promise<TestClient> {
  const node = await testNode({ schedulers: 2, seed: 3 })
  t.teardown(() => node.close())
  return clientOf(node, {}, { channels, ...options })
}

const rejection = (promise: Promise<unknown>): Promise<Error | undefined> =>
  promise.then(
    () => undefined,
    (error: Error) => error,
  )

t.test('of two joins of a topic each hears what is for it', async (t) => {
  const client = await opened(t)
  const first = await client.join('room:1')
  const second = await client.join('room:1')
  await second.refutePush('phx_close')
  t.match(await rejection(second.assertPush('phx_close')), { code: 'BEAMISH_TEST_ASSERTION' })
  await first.assertPush('phx_close')
  second.push('say', { to: 'second' })
  await first.refutePush('said')
  await second.assertPush('said', { to: 'second' })
  second.leave()
  await first.refutePush('phx_close')
  await second.assertPush('phx_close')
})

t.test('a join that was taken is one, also of a channel that ends at once', async (t) => {
  const run = async (client: TestClient): Promise<void> => {
    const brief = await client.join('brief:1')
    t.same(brief.response, { hi: 1 })
    await brief.assertPush('phx_close')
    await brief.assertEnded('normal')
  }
  await run(await opened(t))
  await run(await opened(t, { place: 'any' }))
  await explore(async (node) => run(await clientOf(node, {}, { channels, place: 'any' })), {
    runs: 20,
    schedulers: 2,
  })
})

t.test('a client gets what JSON makes of a payload, or the sender the refusal', async (t) => {
  const client = await opened(t)
  const room = await client.join('room:json')
  room.push('send')
  const at = '1970-01-01T00:00:00.005Z'
  t.same(await room.assertPush('out'), { at, money: { euros: 2.5 }, map: {} })
  room.push('refused')
  t.match(formatReason(await room.assertEnded()), /bigints as strings/)
})

t.test('a channel gets what JSON makes of a payload, or the test the refusal', async (t) => {
  const client = await opened(t)
  const sent = { at: new Date(5), left: undefined, call: () => 1 }
  const room = await client.join('room:sent', sent)
  t.same(room.response, { got: { at: 'string' } })
  t.same(await room.assertReply(room.push('echo', sent), 'ok'), {
    got: { at: '1970-01-01T00:00:00.005Z' },
    kinds: { at: 'string' },
  })
  await room.assertReply(room.push('echo', 7), 'ok', { got: 7 })
  await room.assertReply(room.push('echo', 'text'), 'ok', { got: 'text' })
  t.throws(() => room.push('echo', { big: 5n }), TypeError)
  await t.rejects(client.join('room:big', { big: 5n }), TypeError)
})

t.test('bytes of any view go out and come in as bytes', async (t) => {
  const room = await (await opened(t)).join('room:bytes')
  const amid = Uint8Array.of(9, 1, 2, 9)
  for (const bytes of [amid.subarray(1, 3), Buffer.from([1, 2]), new DataView(amid.buffer, 1, 2)]) {
    const ref = room.push('bytes', bytes)
    t.same(await room.assertReply(ref, 'ok'), Uint8Array.of(1, 2))
    t.same(await room.assertPush('bytes'), Uint8Array.of(1, 2))
  }
  t.throws(() => room.push('é'.repeat(128), Uint8Array.of(1)), { code: 'CHN_FIELD_TOO_LONG' })
})

t.test('a broadcast of the test is refused where its channel would refuse it', async (t) => {
  const room = await (await opened(t)).subscribeAndJoin('room:broadcast')
  t.throws(() => room.broadcastFrom('x', 5n as never), { code: 'CHN_PAYLOAD' })
  t.throws(() => room.broadcastFrom('x', { big: 5n }), { code: 'CHN_PAYLOAD' })
  t.throws(() => room.broadcastFrom('x', [1]), { code: 'CHN_PAYLOAD' })
  await room.refuteBroadcast('x')
  room.broadcastFrom('x', { n: 1 })
  await room.assertBroadcast('x', { n: 1 })
  await room.refutePush('x')
})

t.test('a test that does not listen to a topic is told so', async (t) => {
  const client = await opened(t)
  const room = await client.join('room:deaf')
  const deaf = { message: /does not listen to "room:deaf": join with subscribeAndJoin/ }
  await t.rejects(room.refuteBroadcast('said'), deaf)
  await t.rejects(room.assertBroadcast('said'), deaf)
  client.node.self.subscribe('room:deaf')
  await room.refuteBroadcast('said')
  room.push('say', { n: 1 })
  await room.assertBroadcast('said', { n: 1 })
  await client.subscribeAndJoin('room:deaf')
  await room.refuteBroadcast('said', undefined, {})
})

const Told = socket('verdicts.told', {
  connect: (params, socket, { uri, session }) =>
    socket.assign({ params: structuredClone(params), query: uri.query, session }),
})

t.test('params of a connection are the text that a URL brings', async (t) => {
  const { node } = await opened(t)
  const params = {
    id: 7,
    flag: true,
    none: null,
    left: undefined,
    user: { name: 'Ada & co', tags: ['a', 'b'] },
    at: new Date(5),
  }
  const { assigns } = await connect(node, Told, params, { session: { at: new Date(5) } })
  t.same(JSON.parse(JSON.stringify(assigns.params)), {
    id: '7',
    flag: 'true',
    left: 'undefined',
    user: { name: 'Ada & co', tags: { 0: 'a', 1: 'b' } },
    vsn: '2.0.0',
  })
  t.match(assigns.query, /^id=7&flag=true&.*&vsn=2\.0\.0$/)
  t.same(assigns.session, { at: '1970-01-01T00:00:00.005Z' })
})

t.test('a join on a connection that is closed, or closes meanwhile, is refused', async (t) => {
  const client = await opened(t)
  const ticking = await client.join('room:slowly')
  ticking.push('slowly')
  client.disconnect()
  t.match(await rejection(client.join('room:2')), { reason: 'closed' })
  const other = await clientOf(client.node, {}, { channels })
  const joining = rejection(other.join('room:3'))
  other.disconnect()
  await joining
  t.match(await rejection(other.join('room:4')), { reason: 'closed' })
})

t.test('the limits of a frame are those of a real socket', async (t) => {
  const big = await opened(t, { limits: { maxFrameBytes: 100 } })
  const room = await big.join('room:big')
  room.push('echo', 'x'.repeat(100))
  await big.assertClosed(1009)
  await room.assertEnded({ shutdown: 'closed' })
  const deep = await clientOf(big.node, {}, { channels, limits: { maxDepth: 2 } })
  const other = await deep.join('room:deep')
  await other.refuteReply(other.push('echo', [[[1]]]))
  await other.assertReply(other.push('echo', [[1]]), 'ok')
  const strict = await clientOf(big.node, {}, { channels, strict: true, limits: { maxDepth: 2 } })
  const third = await strict.join('room:strict')
  third.push('echo', [[[1]]])
  await strict.assertClosed(1011)
})

const Own = genServer('verdicts.own', {
  init(join: Join, self: Self) {
    const link = new ChannelLink(self, join)
    link.joined('ok', { own: true })
    return { link }
  },
  handleInfo({ link }, message) {
    const told = message as { readonly type: string; readonly ref: string }
    if (told.type === 'phx:event') link.reply(told.ref, 'ok', { own: true })
  },
})

t.test('channels 28: a route may name a behaviour of one’s own', async (t) => {
  const client = await opened(t, { channels: { 'own:*': Own } })
  const own = await client.join('own:1')
  t.same(own.response, { own: true })
  await own.assertReply(own.push('any'), 'ok', { own: true })
})

const Strict = channel('verdicts.strict', {
  params: { token: string() },
  join: (_topic, _payload, socket) => socket,
})

t.test('a refusal says what was wrong', async (t) => {
  const client = await opened(t)
  const refused = await rejection(client.join('strict:1', {}, Strict))
  t.match(refused, { reason: 'invalid payload', message: /"path":"token"/ })
})
