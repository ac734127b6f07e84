/** Pings are the client's to send, and their answers the server's memory. */
import t from 'tap'
import { baseOf, startApp } from '../../liveview/startApp.ts'
import { WireClient } from '../wireClient.ts'

/** 25 MB of answers: a kernel keeps some 3 for a connection of its own machine. */
const PINGS = 200_000
const DATA = Buffer.alloc(125, 'p')

const node = await startApp()
t.teardown(() => node.stop())
const base = await baseOf(node)

t.test('a ping is answered with its data', async (t) => {
  const wire = await WireClient.connect(base)
  const pong = new Promise<Buffer>((resolve) => wire.socket.once('pong', resolve))
  wire.socket.ping('hello')
  t.equal((await pong).toString(), 'hello')
  await wire.close()
})

t.test('a client that pings and never reads is cut off', async (t) => {
  const wire = await WireClient.connect(base)
  let pongs = 0
  wire.socket.on('pong', () => pongs++)
  wire.socket.pause()
  for (let i = 0; i < PINGS; i++) wire.socket.ping(DATA)
  await new Promise((resolve) => wire.socket.ping(DATA, true, resolve))
  wire.socket.resume()
  t.equal((await wire.closed).code, 1006)
  t.ok(pongs < PINGS / 2, `${pongs} of ${PINGS} were answered`)
})
