/** How channels end by their own doing, and what their clients see, in order. */
import t from 'tap'
import { connectTo, endedSoFar, ending, pidOf, startSockets, watch } from '../sockets.ts'
import type { WireClient } from '../wireClient.ts'

const sockets = await startSockets()
t.teardown(() => sockets.node.stop())

const open = (): Promise<WireClient> => connectTo(sockets, '/socket')

/** Events of a topic in the order they come, until the last of these. */
async function until(wire: WireClient, topic: string, last: string): Promise<string[]> {
  const events: string[] = []
  wire.listen(topic, ({ event }) => {
    events.push(event)
    return false
  })
  await wire.nextEvent(topic, last)
  return events
}

t.test('channels 69: a stop in order closes; what terminate pushes comes after that', async (t) => {
  const wire = await open()
  for (const reason of ['normal', 'shutdown']) {
    const topic = `strict:${reason}`
    const { joinRef } = await wire.join(topic)
    wire.send({ joinRef, ref: null, topic, event: 'stop', payload: { reason } })
    t.same(await until(wire, topic, 'last words'), ['phx_close', 'last words'])
    t.equal(await ending(sockets, topic), reason)
  }
  await wire.close()
})

t.test('channels 69: any other reason is a phx_error, after the last words', async (t) => {
  const wire = await open()
  const topic = 'strict:odd'
  const { joinRef } = await wire.join(topic)
  wire.send({ joinRef, ref: null, topic, event: 'stop', payload: { reason: 'odd' } })
  t.same(await until(wire, topic, 'phx_error'), ['last words', 'phx_error'])
  t.equal(await ending(sockets, topic), 'odd')
  await wire.close()
})

t.test('channels 70: a stop with a reply replies, then closes', async (t) => {
  const wire = await open()
  const topic = 'strict:bye'
  const { joinRef } = await wire.join(topic)
  const events = until(wire, topic, 'phx_close')
  t.same(await wire.push(topic, 'bye', {}, joinRef), { status: 'ok', response: { last: true } })
  t.same((await events).slice(0, 2), ['phx_reply', 'phx_close'])
  await wire.close()
})

t.test(
  'a plain object is a reply of status ok; what is no answer crashes the channel',
  async (t) => {
    const wire = await open()
    const topic = 'strict:bare'
    const { joinRef } = await wire.join(topic)
    t.same(await wire.push(topic, 'bare', {}, joinRef), { status: 'ok', response: { bare: true } })
    wire.send({ joinRef, ref: 'w', topic, event: 'wrong', payload: {} })
    await wire.nextEvent(topic, 'phx_error')
    t.match(await ending(sockets, topic), { badReturn: { callback: 'handleIn' } })
    await wire.close()
  },
)

t.test('an unknown event is an error, and the end of a strict channel alone', async (t) => {
  const wire = await open()
  const lenient = await wire.join('room:lenient')
  t.same(await wire.push('room:lenient', 'unknown', {}, lenient.joinRef), {
    status: 'error',
    response: { reason: 'unknown event' },
  })
  const { joinRef } = await wire.join('strict:unknown')
  wire.send({ joinRef, ref: 'u', topic: 'strict:unknown', event: 'unknown', payload: {} })
  t.match(await wire.nextEvent('strict:unknown', 'phx_error'), { joinRef })
  t.match(await ending(sockets, 'strict:unknown'), { error: { code: 'BEAMISH_NO_HANDLER' } })
  t.equal((await wire.push('room:lenient', 'ping', {}, lenient.joinRef)).status, 'ok')
  await wire.close()
})

t.test('a kill runs no terminate, and is a phx_error to the client', async (t) => {
  const wire = await open()
  const { joinRef } = await wire.join('strict:killed')
  const pid = await pidOf(wire, 'strict:killed', joinRef)
  const down = await watch(sockets, pid)
  sockets.node.self.exit(pid, 'kill')
  t.equal(await down(), 'killed')
  t.match(await wire.nextEvent('strict:killed', 'phx_error'), { joinRef })
  t.notOk(await endedSoFar(sockets, 'strict:killed'))
  await wire.close()
})
