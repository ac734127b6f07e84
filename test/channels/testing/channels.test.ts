/** What a channel may and may not do, by the test kit, with channels made for it. */
import { formatReason, genServer, noreply, stop } from 'beamish'
import { any, bytes, channel, integer, joined, ok, socket, string } from 'beamish/channels'
import { clientOf, connect } from 'beamish/channels/testing'
import { explore, type TestNode, testNode } from 'beamish/testing'
import t, { type Test } from 'tap'

async function opened(t: Test, options = {}): Promise<TestNode> {
  const node = await testNode(options)
  t.teardown(() => node.close())
  return node
}

const codeOf = (deed: () => unknown): string => {
  try {
    deed()
    return 'done'
  } catch (error) {
    return (error as { code: string }).code
  }
}

const Assigns = channel('kit.assigns', {
  events: { read: any(), set: { name: string() }, add: any() },
  join: (_topic, _payload, socket) => socket.assign({ count: 1, name: 'none' }),
  handleIn: {
    read: (_payload, socket) => ok(socket.assigns),
    set: ({ name }, socket) => socket.assign({ name }),
    add: (_payload, socket) => socket.assign(({ count }) => ({ count: count + 1 })),
  },
})

t.test('channels 57: assigns are merged, from values and from functions', async (t) => {
  const client = await clientOf(await opened(t), { userId: 'ada' })
  const channel = await client.join('assigns:1', {}, Assigns)
  channel.push('set', { name: 'ada' })
  channel.push('add')
  channel.push('add')
  const read = await channel.assertReply(channel.push('read'), 'ok')
  t.same(read, { userId: 'ada', count: 3, name: 'ada' })
})

const Early = channel('kit.early', {
  events: { late: any() },
  join(_topic, _payload, socket) {
    const codes = [
      codeOf(() => socket.push('x', {})),
      codeOf(() => socket.broadcast('x', {})),
      codeOf(() => socket.broadcastFrom('x', {})),
      codeOf(() => socket.ref()),
    ]
    socket.self.send(socket.self.pid, 'afterJoin')
    return joined(socket, { codes })
  },
  handleIn: { late: () => noreply() },
  handleMessage(_message, socket) {
    socket.push('code', { code: codeOf(() => socket.ref()) })
  },
})

t.test('channels 64: what needs a join or a push says so where there is none', async (t) => {
  const client = await clientOf(await opened(t), {})
  const channel = await client.join('early:1', {}, Early)
  t.same(channel.response, {
    codes: ['CHN_NOT_JOINED', 'CHN_NOT_JOINED', 'CHN_NOT_JOINED', 'CHN_NO_REF'],
  })
  await channel.assertPush('code', { code: 'CHN_NO_REF' })
})

const Messages = channel('kit.messages', {
  join: (_topic, _payload, socket) => socket.assign({ total: 0 }),
  handleCall: {
    total: (_payload: undefined, socket) => socket.assigns.total,
    last: () => stop('normal'),
  },
  handleCast: {
    add(n: number, socket) {
      socket.update('total', (total) => total + n)
    },
  },
  handleMessage(message, socket) {
    if (message === 'push') socket.push('pushed', { ok: true })
    else if (message === 'broadcast') socket.broadcast('told', { ok: true })
    else return stop({ shutdown: 'asked' })
  },
})

t.test('channels 73: a message has it push, broadcast and stop', async (t) => {
  const node = await opened(t)
  const client = await clientOf(node, {})
  const channel = await client.subscribeAndJoin('messages:1', {}, Messages)
  node.self.send(channel.pid, 'push')
  await channel.assertPush('pushed', { ok: true })
  node.self.send(channel.pid, 'broadcast')
  await channel.assertPush('told', { ok: true })
  await channel.assertBroadcast('told', { ok: true })
  node.self.send(channel.pid, 'stop')
  await channel.assertPush('phx_close')
  await channel.assertEnded({ shutdown: 'asked' })
})

t.test('channels 74: it is called and cast to as any server', async (t) => {
  const node = await opened(t)
  const channel = await (await clientOf(node, {})).join('messages:2', {}, Messages)
  node.self.cast(channel.pid, 'add', 3)
  node.self.cast(channel.pid, 'add', 4)
  t.equal(await node.self.call(channel.pid, 'total'), 7)
  await t.rejects(node.self.call(channel.pid, 'last'))
  await channel.assertEnded('normal')
})

const Slow = channel('kit.slow', {
  join: (_topic, _payload, socket) => socket,
  terminate: (_reason, socket) => socket.self.sleep(10_000),
})
const Stuck = channel('kit.stuck', {
  events: { hang: any() },
  join: (_topic, _payload, socket) => socket,
  handleIn: { hang: (_payload, socket) => socket.self.sleep(60_000) },
  terminate() {},
})

t.test('channels 76: one that does not close in time is killed', async (t) => {
  const node = await opened(t)
  const client = await clientOf(node, {})
  const slow = await client.join('slow:1', {}, Slow)
  t.same(await slow.close(20_000), { shutdown: 'closed' })
  t.equal(node.now, 10_000, 'its terminate is awaited')
  const again = await client.join('slow:2', {}, Slow)
  t.equal(await again.close(), 'killed')
  t.equal(node.now, 15_000, '5 s by default')
  const stuck = await client.join('stuck:1', {}, Stuck)
  stuck.push('hang')
  await node.runUntilIdle()
  t.equal(await stuck.close(1_000), 'killed')
  await node.assertTerminated(stuck.pid, { reason: 'killed', terminateRan: false })
})

const Deaf = channel('kit.deaf', {
  events: { ping: any() },
  join: (_topic, _payload, socket) => socket,
  handleIn: { ping: () => ok() },
})

t.test('channels 78: a message that nobody handles is dropped', async (t) => {
  const node = await opened(t)
  const channel = await (await clientOf(node, {})).join('deaf:1', {}, Deaf)
  node.self.send(channel.pid, { any: 'thing' })
  await channel.assertReply(channel.push('ping'), 'ok')
})

const Roled = channel('kit.roled', {
  join: (_topic, _payload, socket) => joined(socket, { assigns: socket.assigns }),
})

t.test('channels 79: a route assigns, over what connect assigned', async (t) => {
  const channels = {
    'admin:*': { channel: Roled, assigns: { role: 'admin' } },
    'guest:1': Roled,
  }
  const client = await clientOf(await opened(t), { role: 'guest', name: 'ada' }, { channels })
  t.same((await client.join('admin:1')).response, { assigns: { role: 'admin', name: 'ada' } })
  t.same((await client.join('guest:1')).response, { assigns: { role: 'guest', name: 'ada' } })
  await t.rejects(client.join('guest:2'), {
    message: 'the join of guest:2 was refused: unmatched topic',
  })
})

const Declared = channel('kit.declared', {
  events: { push: any(), broadcast: any(), undeclared: any() },
  pushes: { scored: { by: string(1), points: integer() }, blob: bytes(4) },
  join: (_topic, _payload, socket) => socket,
  handleIn: {
    push(payload, socket) {
      socket.push('scored', payload as { by: string; points: number })
    },
    broadcast(payload, socket) {
      socket.broadcast('scored', payload as { by: string; points: number })
    },
    undeclared(_payload, socket) {
      // @ts-expect-error it is not among pushes
      socket.push('lost', {})
    },
  },
})

t.test('in development a push that is not what was declared throws where it is sent', async (t) => {
  const client = await clientOf(await opened(t), {})
  const channel = await client.join('declared:1', {}, Declared)
  channel.push('push', { by: 'ada', points: 3 })
  t.same(await channel.assertPush('scored'), { by: 'ada', points: 3 })
  channel.push('broadcast', { by: 'ada', points: 4 })
  await channel.assertPush('scored', { points: 4 })
  channel.push('push', { by: 'ada', points: 'many' })
  const reason = formatReason(await channel.assertEnded())
  t.match(reason, /payload of push "scored" of channel "kit\.declared" .* points must be a whole/)
  const other = await client.join('declared:2', {}, Declared)
  other.push('undeclared')
  t.match(formatReason(await other.assertEnded()), /declares no push "lost": add it to pushes/)
})

t.test('in production nobody looks', async (t) => {
  const client = await clientOf(await opened(t, { development: false }), {})
  const channel = await client.join('declared:1', {}, Declared)
  channel.push('push', { by: 'ada', points: 'many' })
  await channel.assertPush('scored', { points: 'many' })
})

const Shown = socket('kit.shown', {
  connect: ({ room }, socket, info) =>
    socket.assign({
      room,
      agent: info.userAgent,
      headers: info.xHeaders,
      peer: info.peer,
      query: info.uri.query,
      session: info.session,
      token: info.authToken,
      custom: info.custom,
    }),
})

t.test('channels 8 and 11 to 15: connect is told what a request would tell', async (t) => {
  const info = {
    headers: { 'User-Agent': 'kit', 'X-One': '1', Host: 'example.com' },
    url: '/socket/websocket?a=1',
    address: '10.0.0.1',
    port: 99,
    session: { user: 'ada' },
    authToken: 'secret',
    custom: { region: 'eu' },
  }
  const { assigns } = await connect(await opened(t), Shown, { room: 'one' }, info)
  t.same(assigns, {
    room: 'one',
    agent: 'kit',
    headers: [['x-one', '1']],
    peer: { address: '10.0.0.1', port: 99 },
    query: 'a=1',
    session: { user: 'ada' },
    token: 'secret',
    custom: { region: 'eu' },
  })
})

const Tally = genServer('kit.tally', {
  init: () => ({ seen: 0 }),
  handleCast: {
    seen(state) {
      state.seen++
    },
  },
  handleCall: { seen: (state) => state.seen },
})
const Racing = channel('kit.racing', {
  events: { count: any() },
  join: (_topic, _payload, socket) => socket,
  handleIn: {
    async count(_payload, socket) {
      // Two clients that read before either writes lose a count.
      const seen = (await socket.self.call('tally', 'seen')) as number
      socket.self.cast('tally', 'seen')
      return ok({ seen })
    },
  },
})

t.test('explore finds the schedule under which two channels meet', async (t) => {
  const children = [Tally.child(undefined, { name: 'tally' })]
  const reports: string[] = []
  const race = async (node: TestNode): Promise<void> => {
    const channels = { 'race:*': Racing }
    const clients = [
      await clientOf(node, {}, { channels, scheduler: 1 }),
      await clientOf(node, {}, { channels, scheduler: 2 }),
    ]
    const racing = [await clients[0]!.join('race:1'), await clients[1]!.join('race:2')]
    const refs = racing.map((channel) => channel.push('count'))
    const seen = [
      await racing[0]!.assertReply<{ seen: number }>(refs[0]!, 'ok'),
      await racing[1]!.assertReply<{ seen: number }>(refs[1]!, 'ok'),
    ].map(({ seen }) => seen)
    if (seen[0] === seen[1]) throw new Error('both were first')
  }
  const report = (text: string): void => {
    reports.push(text)
  }
  const options = { runs: 200, schedulers: 2, children, report }
  await t.rejects(explore(race, options), { message: 'both were first' })
  t.match(reports[0], /to run it alone: testNode\(/)
  const [, again] = /testNode\((\{.*\})\)/.exec(reports[0] ?? '') ?? []
  const node = await testNode({ ...JSON.parse(again ?? '{}'), children })
  await t.rejects(race(node), { message: 'both were first' }, 'the seed alone brings it back')
  node.close()
})

t.test('a channel whose thread is lost is an error to its client alone', async (t) => {
  const lost = async (node: TestNode): Promise<void> => {
    const channels = { 'deaf:*': Deaf }
    const client = await clientOf(node, {}, { channels, scheduler: 1, place: { scheduler: 2 } })
    const other = await clientOf(node, {}, { channels, scheduler: 1 })
    const channel = await client.join('deaf:lost')
    const stays = await other.join('deaf:lost')
    node.faults.killThread(2, 'heap')
    await channel.assertPush('phx_error', { reason: 'channel_crash' })
    await channel.assertEnded({ noconnection: { scheduler: 2 } })
    await stays.refutePush('phx_error')
    await stays.assertReply(stays.push('ping'), 'ok')
  }
  const children = [Tally.child(undefined, { name: 'tally' })]
  const { runs } = await explore(lost, { runs: 20, schedulers: 2, children })
  t.equal(runs, 20)
})
