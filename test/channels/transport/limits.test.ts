import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { connect, joinPayload, LiveClient, visit } from '../../liveview/liveClient.ts'
import { baseOf, ending, heaps, startApp, watchEndings } from '../../liveview/startApp.ts'
import { WireClient } from '../wireClient.ts'

const file = join(t.testdir(), 'log')
const node = await startApp({ log: { file } })
t.teardown(() => node.stop())
const base = await baseOf(node)
const tight = await baseOf(node, 'tight')
const idle = await baseOf(node, 'idle')
watchEndings(node)

const MEBIBYTE = 1_048_576

t.test('a frame over the limit closes the socket with 1009', async (t) => {
  const view = await LiveClient.open(tight, '/counter/oversized')
  const neighbour = await LiveClient.open(tight, '/counter/oversized-neighbour')
  const frame = (bytes: number): string => {
    const start = `["${view.joinRef}","s","${view.topic}","event","`
    return `${start}${'x'.repeat(bytes - start.length - 2)}"]`
  }
  view.wire.raw(frame(5_000))
  t.match((await view.wire.replyTo('s')).payload, { status: 'ok' }, 'one as large as the limit')
  view.wire.raw(frame(5_001))
  t.equal((await view.wire.closed).code, 1009)
  t.same(await ending(node, 'oversized'), { shutdown: 'closed' })
  await neighbour.click('add', { n: 1 })
  t.equal(neighbour.text('count'), '1')
  await neighbour.close()
})

t.test('a frame over the default limit of 1,000,000 bytes too', async (t) => {
  const wire = await WireClient.connect(base)
  wire.raw('x'.repeat(1_000_000))
  t.match((await wire.nextEvent('phoenix', 'phx_reply')).payload, { status: 'error' })
  wire.raw('x'.repeat(1_000_001))
  t.equal((await wire.closed).code, 1009)
})

t.test('more channels than a socket may have are refused; a leave makes room', async (t) => {
  const first = await visit(tight, '/counter/0')
  const wire = await connect(first)
  const views = [await LiveClient.join(wire, first)]
  for (const i of [1, 2]) {
    const page = await visit(tight, `/counter/${i}`, { cookie: first.cookie })
    views.push(await LiveClient.join(wire, page))
  }
  const page = await visit(tight, '/counter/3', { cookie: first.cookie })
  const refused = await wire.join(`lv:${page.id}`, joinPayload(page))
  t.match(refused, { status: 'error', response: { reason: 'too many channels joined' } })
  const [view] = views
  await view?.leave()
  await wire.nextEvent(view?.topic ?? '', 'phx_close')
  await wire.settled()
  t.match(await wire.join(`lv:${page.id}`, joinPayload(page)), { status: 'ok' })
  await wire.close()
})

t.test('a socket that is silent is closed; one that speaks is not', async (t) => {
  const speaking = await LiveClient.open(idle, '/counter/speaking')
  const beat = setInterval(() => {
    const { wire } = speaking
    wire.send({ joinRef: null, ref: null, topic: 'phoenix', event: 'heartbeat', payload: {} })
  }, 50)
  for (const id of ['silent', 'silent-too']) {
    const silent = await LiveClient.open(idle, `/counter/${id}`)
    t.equal((await silent.wire.closed).code, 1001)
    t.same(await ending(node, id), { shutdown: 'idle' })
  }
  t.equal(speaking.wire.isClosed, false, 'after twice the limit')
  await speaking.click('add', { n: 1 })
  t.equal(speaking.text('count'), '1')
  clearInterval(beat)
  t.equal((await speaking.wire.closed).code, 1001, 'until it falls silent, too')
})

t.test('a client that does not read is cut off with bounded memory', async (t) => {
  const slow = await LiveClient.open(tight, '/flood')
  const neighbour = await LiveClient.open(tight, '/counter/slow-neighbour')
  const before = await heaps(node)
  slow.wire.socket.pause()
  const flood = { type: 'click', event: 'flood', value: { bytes: 10_000, times: 20 } }
  for (let i = 0; i < 1_000; i++) {
    const { topic, joinRef, wire } = slow
    wire.send({ joinRef, ref: `f${i}`, topic, event: 'event', payload: flood })
    if (i % 50 === 0) await neighbour.click('add', { n: 1 })
  }
  t.equal(neighbour.text('count'), '20')
  const cut = async (): Promise<boolean> =>
    (await readFile(file, 'utf8')).includes('socket closed: its client does not read')
  while (!(await cut())) await neighbour.click('add', { n: 1 })
  const after = await heaps(node)
  for (const [scheduler, bytes] of after) {
    const grown = bytes - (before.get(scheduler) ?? 0)
    // 200 MB were meant for it; what is left is its last frames, and code compiled meanwhile.
    t.ok(grown < 20 * MEBIBYTE, `scheduler ${scheduler} holds ${grown} bytes more`)
  }
  slow.wire.socket.resume()
  t.not((await slow.wire.closed).code, 1000, 'a close after which the official client comes back')
  await neighbour.click('add', { n: 1 })
  await neighbour.close()
})
