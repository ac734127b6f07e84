import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { connect, LiveClient, visit } from '../../liveview/liveClient.ts'
import { baseOf, startApp } from '../../liveview/startApp.ts'
import { WireClient } from '../wireClient.ts'

const file = join(t.testdir(), 'log')
const node = await startApp({ log: { file } })
t.teardown(() => node.stop())
const base = await baseOf(node)

const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`
const complaints = async (pattern: RegExp): Promise<string[]> =>
  (await readFile(file, 'utf8')).split('\n').filter((line) => pattern.test(line))

const malformed: readonly [what: string, frame: string, detail: RegExp][] = [
  ['no JSON', 'hello', /not JSON/],
  ['half a frame', '["1","2","lv:a"', /not JSON/],
  ['an empty text', '', /not JSON/],
  ['an object', '{"topic":"lv:a","event":"phx_join","payload":{},"ref":"1"}', /not an array/],
  ['a short array', '["1","2","lv:a","phx_join"]', /not an array/],
  ['null', 'null', /not an array/],
  ['a number for join_ref', '[1,"2","lv:a","phx_join",{}]', /join_ref/],
  ['an object for ref', '["1",{},"lv:a","phx_join",{}]', /ref is neither/],
  ['a list for the topic', '["1","2",["lv:a"],"phx_join",{}]', /topic/],
  ['null for the event', '["1","2","lv:a",null,{}]', /event/],
  ['half a surrogate pair', '["1","2","\\ud800","phx_join",{}]', /topic/],
  ['a payload that nests too deep', `["1","2","lv:a","phx_join",${deep(65)}]`, /deeper than 64/],
  ['a nesting that overflows stacks', deep(50_000), /deeper than 64/],
  ['a topic too long', `["1","2","${'a'.repeat(1_025)}","phx_join",{}]`, /topic is longer/],
  ['an event too long', `["1","2","lv:a","${'a'.repeat(256)}",{}]`, /event is longer/],
  ['a ref too long', `["1","${'a'.repeat(256)}","lv:a","x",{}]`, /ref is longer/],
]

for (const [what, frame, detail] of malformed) {
  t.test(`${what} is answered; the socket and its channels live on`, async (t) => {
    const view = await LiveClient.open(base, '/counter/malformed')
    view.wire.raw(frame)
    const answer = await view.wire.nextEvent('phoenix', 'phx_reply')
    t.match(answer, { joinRef: null, ref: null, payload: { status: 'error' } })
    t.match(answer.payload, { response: { reason: 'malformed frame', detail } })
    await view.click('add', { n: 1 })
    t.equal(view.text('count'), '1')
    await view.close()
  })
}

t.test('a payload as deep as the limit is no malformed frame', async (t) => {
  const view = await LiveClient.open(base, '/counter/deep')
  view.wire.raw(`["${view.joinRef}","d","${view.topic}","event",${deep(64)}]`)
  t.match((await view.wire.replyTo('d')).payload, { status: 'ok', response: {} })
  await view.close()
})

t.test('a binary frame is answered; the socket and its channels live on', async (t) => {
  const view = await LiveClient.open(base, '/counter/binary')
  view.wire.raw(Uint8Array.of(1, 1, 1, 1, 1, 49, 50, 51, 52, 0))
  view.wire.raw(new Uint8Array(0))
  for (let i = 0; i < 2; i++) {
    const answer = await view.wire.nextEvent('phoenix', 'phx_reply')
    t.match(answer.payload, { status: 'error', response: { reason: 'malformed frame' } })
  }
  const fields = [view.joinRef, 'b', view.topic, 'event'].map((field) => Buffer.from(field))
  const header = [0, ...fields.map(({ length }) => length)]
  view.wire.raw(Buffer.concat([Uint8Array.from(header), ...fields, Buffer.from('bytes')]))
  t.match((await view.wire.replyTo('b')).payload, { status: 'ok', response: {} })
  await view.click('add', { n: 1 })
  t.equal(view.text('count'), '1')
  await view.close()
})

t.test('a socket that sends rubbish is logged once, the next one once more', async (t) => {
  const before = (await complaints(/bad frame/)).length
  for (let socket = 1; socket <= 2; socket++) {
    const wire = await WireClient.connect(base)
    for (let i = 0; i < 20; i++) wire.raw('rubbish')
    for (let i = 0; i < 20; i++) await wire.nextEvent('phoenix', 'phx_reply')
    await wire.close()
    t.equal((await complaints(/bad frame/)).length, before + socket)
  }
  t.same(await complaints(/crashed/), [], 'and nothing has crashed in this file')
})

t.test('a view that is sent rubbish is logged once, without what was sent', async (t) => {
  const pattern = /live view test\.counter.*not logged/
  const before = (await complaints(pattern)).length
  const view = await LiveClient.open(base, '/counter/rubbish')
  for (const payload of [null, 7, [], {}, { event: 1 }, { event: 'add', cid: 1 }]) {
    t.same(await view.push('event', payload), { status: 'ok', response: {} })
  }
  t.same(await view.click('add', { n: 'secret words' }), { status: 'ok', response: {} })
  t.equal(view.text('count'), '0')
  t.equal((await complaints(pattern)).length, before + 1)
  t.same(await complaints(/secret words/), [])
  await view.close()
})

t.test('a ref may be null: nothing is answered, and the page changes all the same', async (t) => {
  const view = await LiveClient.open(base, '/counter/no-ref')
  const { wire, topic, joinRef } = view
  const payload = { type: 'click', event: 'add', value: { n: 3 } }
  wire.send({ joinRef, ref: null, topic, event: 'event', payload })
  await view.until((html) => html.includes('<p id="count">3</p>'))
  await wire.settled()
  t.same(wire.unread, [])
  await view.close()
})

t.test('bytes that are no UTF-8 close the socket with 1007', async (t) => {
  const page = await visit(base, '/counter/utf8')
  const wire = await connect(page)
  const neighbour = await LiveClient.open(base, '/counter/utf8-neighbour')
  wire.socket.send(Buffer.from([0x22, 0xff, 0xfe, 0x22]), { binary: false })
  t.equal((await wire.closed).code, 1007)
  await neighbour.click('add', { n: 1 })
  t.equal(neighbour.text('count'), '1')
  await neighbour.close()
})
