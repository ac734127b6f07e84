/** What was said before a socket closes arrives before it closes. */
import t from 'tap'
import { connectTo, startSockets } from '../sockets.ts'
import type { WireClient } from '../wireClient.ts'

const sockets = await startSockets()
t.teardown(() => sockets.node.stop())
const { node } = sockets
const ROUNDS = 10

/** Runs `send` so that all it writes leaves in one segment. */
function atOnce(wire: WireClient, send: () => void): void {
  const { _socket: raw } = wire.socket as unknown as { _socket: { cork(): void; uncork(): void } }
  raw.cork()
  send()
  raw.uncork()
}

t.test('a broadcast before a disconnect', async (t) => {
  for (let i = 0; i < ROUNDS; i++) {
    const wire = await connectTo(sockets, '/socket', { params: { user: `banned${i}` } })
    await wire.join('room:banned')
    node.self.broadcast('room:banned', 'banned', { why: 'spam' })
    node.self.broadcast(`open:banned${i}`, 'disconnect', {})
    t.equal((await wire.closed).code, 1001)
    t.match(wire.unread, [{ event: 'banned', payload: { why: 'spam' } }])
  }
})

t.test('the answer to what came before a frame that a strict socket cannot read', async (t) => {
  for (let i = 0; i < ROUNDS; i++) {
    const wire = await connectTo(sockets, '/strict')
    atOnce(wire, () => {
      wire.send({ joinRef: null, ref: 'last', topic: 'phoenix', event: 'heartbeat', payload: {} })
      wire.raw('no json')
    })
    t.equal((await wire.closed).code, 1011)
    t.match(wire.unread, [{ ref: 'last', payload: { status: 'ok' } }])
  }
})

t.test('a frame that breaks the rules of WebSockets closes with 1002', async (t) => {
  const wire = await connectTo(sockets, '/socket')
  const { _socket: raw } = wire.socket as unknown as { _socket: { write(bytes: Uint8Array): void } }
  // Not masked (RFC 6455 section 5.1).
  raw.write(Uint8Array.of(0x81, 0x01, 0x78))
  t.equal((await wire.closed).code, 1002)
})
