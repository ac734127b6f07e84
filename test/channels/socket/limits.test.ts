/** Limits of a socket, and what happens at each. */
import t from 'tap'
import { WebSocket } from 'ws'
import { outcome, phoenixSocket } from '../phoenixClient.ts'
import { connectTo, ending, startSockets, told } from '../sockets.ts'
import type { WireClient } from '../wireClient.ts'

const sockets = await startSockets()
t.teardown(() => sockets.node.stop())

t.test('channels 7: the 101st join on a socket is refused, a leave makes room', async (t) => {
  const wire = await connectTo(sockets, '/socket')
  const joins = await Promise.all(Array.from({ length: 100 }, (_, i) => wire.join(`room:${i}`)))
  t.ok(joins.every(({ status }) => status === 'ok'))
  const ref = wire.ref()
  const answer = wire.replyTo(ref)
  wire.send({ joinRef: ref, ref, topic: 'room:101st', event: 'phx_join', payload: {} })
  t.match(await answer, {
    joinRef: ref,
    payload: { status: 'error', response: { reason: 'too many channels joined' } },
  })
  t.equal((await wire.join('room:5')).status, 'ok', 'a new join of a joined one is no more')
  await wire.push('room:7', 'phx_leave', {}, joins[7]?.joinRef)
  await wire.nextEvent('room:7', 'phx_close')
  await wire.settled()
  t.equal((await wire.join('room:101st')).status, 'ok')
  await wire.close()
  const few = await connectTo(sockets, '/few')
  const statuses: string[] = []
  for (const topic of ['room:a', 'room:b', 'room:c']) statuses.push((await few.join(topic)).status)
  t.same(statuses, ['ok', 'ok', 'error'])
  await few.close()
})

t.test('channels 27: a silent client is closed, one with a heartbeat stays', async (t) => {
  const beating = await connectTo(sockets, '/idle')
  const silent = await connectTo(sockets, '/idle')
  await silent.join('room:silent')
  const beat = setInterval(() => {
    beating.push('phoenix', 'heartbeat').then(
      (answer) => t.same(answer, { status: 'ok', response: {} }),
      () => {},
    )
  }, 100)
  const { code } = await silent.closed
  t.not(code, 1000, 'no code after which clients stay away')
  t.equal(code, 1001)
  t.same(await ending(sockets, 'room:silent'), { shutdown: 'idle' })
  t.notOk(beating.isClosed)
  clearInterval(beat)
  await beating.closed
})

/** A pong with these bytes, or the end of the connection. */
const pong = (wire: WireClient, data: string): Promise<string> =>
  new Promise((resolve, reject) => {
    wire.socket.once('pong', (bytes: Buffer) => resolve(bytes.toString()))
    wire.socket.once('close', reject)
    wire.socket.ping(data)
  })

t.test('channels 34: a ping is answered by a pong with its bytes', async (t) => {
  const wire = await connectTo(sockets, '/socket')
  t.equal(await pong(wire, 'are you there'), 'are you there')
  t.equal(await pong(wire, ''), '')
  await wire.settled()
  await wire.close()
})

t.test('channels 35: who wants to sees pings and pongs', async (t) => {
  const wire = await connectTo(sockets, '/controlled', { params: { user: 'eve' } })
  t.equal(await pong(wire, 'one'), 'one')
  wire.socket.pong('two')
  const seen: object[] = []
  while (seen.length < 2) seen.push(await told(sockets, 'control', () => true))
  t.same(seen, [
    { type: 'ping', text: 'one', user: 'eve' },
    { type: 'pong', text: 'two', user: 'eve' },
  ])
  wire.socket.ping('crash')
  t.equal((await wire.closed).code, 1011, 'a throw there ends the connection')
})

t.test('a ping shows that the client is there', async (t) => {
  const wire = await connectTo(sockets, '/idle')
  const ping = setInterval(() => wire.socket.ping(), 100)
  // Opened later: without its pings the other one would be closed first.
  const silent = await connectTo(sockets, '/idle')
  await silent.closed
  clearInterval(ping)
  if (wire.isClosed) return t.fail('it was closed in spite of its pings')
  t.equal(await pong(wire, 'still here'), 'still here')
  await wire.closed
})

t.test('a frame over the limit closes with 1009, a payload too deep is an error', async (t) => {
  const wire = await connectTo(sockets, '/small')
  const { joinRef } = await wire.join('room:small')
  const frame = (bytes: number): string => {
    const start = `["${joinRef}","s","room:small","ping","`
    return `${start}${'x'.repeat(bytes - start.length - 2)}"]`
  }
  wire.raw(frame(2_000))
  t.match((await wire.replyTo('s')).payload, { status: 'ok' })
  t.equal((await wire.push('room:small', 'ping', [[[[1]]]], joinRef)).status, 'ok', 'four levels')
  wire.raw(`["${joinRef}","d","room:small","ping",[[[[[1]]]]]]`)
  t.match((await wire.nextEvent('phoenix', 'phx_reply')).payload, {
    status: 'error',
    response: { reason: 'malformed frame', detail: /deeper than 4 levels/ },
  })
  wire.raw(frame(2_001))
  t.equal((await wire.closed).code, 1009)
  t.same(await ending(sockets, 'room:small'), { shutdown: 'closed' })
})

t.test('a join that is not answered in time is refused, and its channel gone', async (t) => {
  const wire = await connectTo(sockets, '/hasty')
  t.match(await wire.join('room:hasty', { how: 'never' }), {
    status: 'error',
    response: { reason: 'join timeout' },
  })
  const late = await wire.pushFor('room:hasty', 'ping', {}, null)
  t.match(late.payload, { status: 'error', response: { reason: 'unmatched topic' } })
  t.equal((await wire.join('room:hasty')).status, 'ok')
  await wire.close()
})

t.test('more events or joins a second than a socket may send are errors', async (t) => {
  const wire = await connectTo(sockets, '/slow')
  const joins = await Promise.all(['1', '2', '3'].map((n) => wire.join(`room:rate${n}`)))
  t.match(joins, [
    { status: 'ok' },
    { status: 'ok' },
    { status: 'error', response: { reason: 'too many joins' } },
  ])
  const joinRef = joins[0]?.joinRef ?? ''
  const push = () => wire.push('room:rate1', 'ping', {}, joinRef)
  const answers = await Promise.all(Array.from({ length: 20 }, push))
  t.ok(answers.slice(0, 3).every(({ status }) => status === 'ok'))
  const refused = answers.filter(({ status }) => status === 'error')
  t.ok(refused.length > 0)
  for (const { response } of refused) t.same(response, { reason: 'too many events' })
  await wire.settled()
  t.notOk(wire.isClosed, 'heartbeats are not counted')
  while ((await push()).status === 'error') await new Promise((resolve) => setTimeout(resolve, 50))
  t.pass('the rate comes back')
  await wire.close()
})

t.test('strict: a frame that cannot be read ends its socket with 1011', async (t) => {
  for (const frame of ['no json', '["1","2"]', Uint8Array.of(9, 9)]) {
    const wire = await connectTo(sockets, '/strict')
    const beside = await connectTo(sockets, '/strict')
    await wire.join('room:strict')
    wire.raw(frame)
    t.equal((await wire.closed).code, 1011)
    t.match(await ending(sockets, 'room:strict'), { malformedFrame: String })
    await beside.settled()
    await beside.close()
  }
})

t.test('token_expiring comes before the end of a token, 4001 at its end', async (t) => {
  const wire = await connectTo(sockets, '/expiring', { params: { ms: '1500' } })
  await wire.join('room:expires')
  t.same((await wire.closed).code, 4001)
  t.same(await ending(sockets, 'room:expires'), { shutdown: 'expired' })
  const soon = await connectTo(sockets, '/expiring', { params: { ms: '61000' } })
  const joined = await soon.join('room:expiring')
  const told = await soon.nextEvent('room:expiring', 'token_expiring')
  t.match(told, { joinRef: joined.joinRef, ref: null, payload: { expires_in_ms: Number } })
  const { expires_in_ms: left } = told.payload as { expires_in_ms: number }
  t.ok(left > 0 && left <= 60_000, `${left} ms are left`)
  await soon.close()
})

t.test('an official client comes back by itself after its token has expired', async (t) => {
  let connections = 0
  class Counted extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols)
      connections++
    }
  }
  const params = { ms: '700' }
  const options = { path: '/expiring', params, transport: Counted }
  const socket = phoenixSocket(sockets.base, {}, options)
  const codes: number[] = []
  const closed = new Promise<void>((resolve) => {
    socket.onClose(({ code }) => {
      codes.push(code)
      if (codes.length === 2) resolve()
    })
  })
  socket.connect()
  t.equal((await outcome(socket.channel('room:back', {}).join()))[0], 'ok')
  await closed
  t.same(codes, [4001, 4001])
  t.ok(connections >= 2)
  await new Promise<void>((resolve) => socket.disconnect(resolve))
})
