/** Bytes of every kind leave as what they show, and not a byte more. */
import { typedChannel } from 'beamish/channels/client'
import t from 'tap'
import { framed } from '../../../channels/client/bytes.ts'
import { Client } from '../../apps/tour/kit.ts'
import { startSockets } from '../sockets.ts'
import type { Desk } from './desk.app.ts'

const text = 'the file'
const inShared = (bytes: Uint8Array): Uint8Array => {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  return shared
}
const amid = new Uint8Array([
  ...Buffer.from('secret'),
  ...Buffer.from(text),
  ...Buffer.from('secret'),
])

const views: Readonly<Record<string, ArrayBufferView>> = {
  'a small Buffer, from the pool': Buffer.from(text),
  'part of a Buffer': Buffer.from(amid).subarray(6, 14),
  'part of an array': amid.subarray(6, 14),
  'a whole array': new Uint8Array(Buffer.from(text)),
  'a DataView': new DataView(amid.buffer, 6, 8),
  'words of two bytes': new Uint16Array(amid.buffer, 6, 4),
  'shared memory': inShared(Buffer.from(text)),
  'part of shared memory': inShared(amid).subarray(6, 14),
}

t.test('a view becomes a buffer of its bytes alone', async (t) => {
  t.ok(Buffer.from(text).buffer.byteLength > text.length, 'the pool is there')
  for (const [what, view] of Object.entries(views)) {
    const sent = framed(view)
    t.equal(sent.constructor, ArrayBuffer, what)
    t.equal(Buffer.from(sent as ArrayBuffer).toString(), text, what)
  }
  const buffer = new ArrayBuffer(2)
  t.equal(framed(buffer), buffer, 'a buffer is sent as it is')
})

t.test('channels 29: the channel gets what the view shows', async (t) => {
  const desk = await startSockets({}, new URL('./desk.app.ts', import.meta.url))
  t.teardown(() => desk.node.stop())
  const client = await Client.open(desk, 'ada')
  const channel = typedChannel<typeof Desk>(client.socket, 'desk:bytes')
  await channel.join()
  for (const [what, view] of Object.entries(views)) {
    t.same(await channel.push('file', view), { size: text.length, text }, what)
  }
  await client.close()
})
