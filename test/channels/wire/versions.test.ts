/** The versions of the wire, each by a client that speaks it. */
import t from 'tap'
import { WebSocket } from 'ws'
import { defaultDecodeLimits } from '../../../channels/wire/message.ts'
import { phoenixV1 } from '../../../channels/wire/phoenixV1.ts'
import { outcome, phoenixSocket, type Received } from '../phoenixClient.ts'
import { connectTo, startSockets } from '../sockets.ts'

const sockets = await startSockets()
t.teardown(() => sockets.node.stop())
const { base } = sockets

/** What makes the official client speak version 1, as clients of that time did. */
const versionOne = {
  vsn: '1.0.0',
  encode: (message: Received, done: (frame: string) => void) => done(JSON.stringify(message)),
  decode: (frame: string, done: (message: Received) => void) => {
    const message = JSON.parse(frame) as Received
    done({ ...message, join_ref: message.join_ref ?? null })
  },
}

t.test('a client of version 1 and one of version 2 talk in one room', async (t) => {
  const one = phoenixSocket(base, {}, { path: '/socket', ...versionOne })
  const two = phoenixSocket(base, {}, { path: '/socket' })
  const received: Received[] = []
  one.onMessage((message) => received.push(message))
  const sockets = [one, two]
  for (const socket of sockets) socket.connect()
  const rooms = sockets.map((socket) => socket.channel('room:versions', {}))
  for (const room of rooms) t.equal((await outcome(room.join()))[0], 'ok')
  const heard = rooms.map(
    (room) => new Promise((resolve) => room.on('said', ({ payload }) => resolve(payload))),
  )
  const [first, second] = rooms
  first?.push('say', { by: 'version 1' })
  for (const payload of await Promise.all(heard)) t.same(payload, { by: 'version 1' })
  const again = rooms.map(
    (room) => new Promise((resolve) => room.on('said', ({ payload }) => resolve(payload))),
  )
  second?.push('say', { by: 'version 2' })
  for (const payload of await Promise.all(again)) t.same(payload, { by: 'version 2' })
  if (first === undefined) return
  t.same(await outcome(first.push('ping', { n: 1 })), ['ok', { pong: { n: 1 } }])
  t.match(await outcome(first.push('login', {})), ['error', { reason: 'invalid payload' }])
  const closed = new Promise<void>((resolve) => first.onClose(resolve))
  t.same(await outcome(first.leave()), ['ok', {}])
  await closed
  t.ok(received.length >= 5)
  t.ok(
    received.every((message) => message.join_ref === null),
    'the server names no join in version 1',
  )
  await Promise.all(sockets.map((one) => new Promise<void>((done) => one.disconnect(done))))
})

/** Text frames of a connection of this version. */
async function frames(vsn: string): Promise<Texts> {
  const wire = await connectTo(sockets, '/socket', { params: { vsn } })
  await wire.close()
  const url = `${base.replace('http', 'ws')}/socket/websocket?vsn=${vsn}`
  const socket = new WebSocket(url)
  const waiting: ((text: string) => void)[] = []
  const come: string[] = []
  socket.on('message', (data: Buffer) => {
    const waiter = waiting.shift()
    if (waiter === undefined) come.push(data.toString())
    else waiter(data.toString())
  })
  await new Promise((resolve) => socket.once('open', resolve))
  return {
    send: (text) => socket.send(text),
    next: () =>
      come.length > 0
        ? Promise.resolve(come.shift() as string)
        : new Promise((resolve) => waiting.push(resolve)),
    close: () => socket.close(),
  }
}

interface Texts {
  send(text: string): void
  next(): Promise<string>
  close(): void
}

t.test('frames of version 1 to the letter', async (t) => {
  const wire = await frames('1.0.0')
  wire.send('{"topic":"room:v1","event":"phx_join","payload":{},"ref":"1"}')
  t.equal(
    await wire.next(),
    '{"topic":"room:v1","event":"phx_reply","ref":"1","payload":{"status":"ok","response":{}}}',
  )
  wire.send('{"topic":"room:v1","event":"say","payload":"hi","ref":"2"}')
  t.equal(
    await wire.next(),
    '{"topic":"room:v1","event":"said","ref":null,"payload":{"payload":"hi"}}',
  )
  wire.send('{"topic":"room:v1","event":"push","payload":7,"ref":null}')
  t.equal(
    await wire.next(),
    '{"topic":"room:v1","event":"pushed","ref":null,"payload":{"payload":7}}',
  )
  wire.send('{"topic":"room:v1","event":"phx_leave","payload":{},"ref":"3"}')
  t.equal(
    await wire.next(),
    '{"topic":"room:v1","event":"phx_reply","ref":"3","payload":{"status":"ok","response":{}}}',
  )
  // A client that names no join hears of its end without one.
  t.equal(await wire.next(), '{"topic":"room:v1","event":"phx_close","ref":null,"payload":{}}')
  wire.close()
})

const unreadable = [
  '{"event":"e","payload":{},"ref":"1"}',
  '{"topic":"t","payload":{},"ref":"1"}',
  '{"topic":"t","event":"e","ref":"1"}',
  '{"topic":"t","event":"e","payload":{}}',
  '[1,2]',
  'null',
  '"text"',
  'no json',
]

t.test('differs: channels 53: what is no message of version 1 is an error reply', async (t) => {
  const wire = await frames('1.0.0')
  for (const text of unreadable) {
    t.equal(phoenixV1.decode(text, defaultDecodeLimits).ok, false, text)
    wire.send(text)
    t.match(JSON.parse(await wire.next()), {
      topic: 'phoenix',
      event: 'phx_reply',
      payload: { status: 'error', response: { reason: 'malformed frame' } },
    })
  }
  wire.send('{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"h"}')
  t.match(JSON.parse(await wire.next()), { ref: 'h', payload: { status: 'ok' } })
  wire.close()
})

t.test('a serializer of somebody else is spoken by its version', async (t) => {
  const turned = (text: string): string => [...text].reverse().join('')
  const wire = await frames('9.0.0')
  wire.send(turned('["1","1","room:turned","phx_join",{}]'))
  t.equal(
    turned(await wire.next()),
    '["1","1","room:turned","phx_reply",{"status":"ok","response":{}}]',
  )
  const other = await connectTo(sockets, '/socket')
  const { joinRef } = await other.join('room:turned')
  other.send({ joinRef, ref: null, topic: 'room:turned', event: 'say', payload: 1 })
  t.equal(turned(await wire.next()), '[null,null,"room:turned","said",{"payload":1}]')
  t.match(await other.nextEvent('room:turned', 'said'), { payload: { payload: 1 } })
  wire.close()
  await other.close()
})
