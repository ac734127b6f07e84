import t from 'tap'
import { connect, joinPayload, LiveClient, visit } from '../liveClient.ts'
import { baseOf, ending, startApp, watchEndings } from '../startApp.ts'

const node = await startApp()
t.teardown(() => node.stop())
const base = await baseOf(node)
watchEndings(node)

t.test('the page over HTTP and the connected one show the same', async (t) => {
  const paths = ['/counter/7?tab=two', '/room/same', '/counter/%3Cb%3E%22%26?tab=%27']
  for (const path of paths) {
    const view = await LiveClient.open(base, path)
    // Where it runs is the one thing a room shows that may differ.
    const shown = (html: string): string => html.replace(/(id="scheduler">)\d+/, '$1')
    t.equal(shown(view.html()), shown(view.page.html), path)
    await view.close()
  }
})

t.test('parameters of the path and the query reach mount, escaped in the page', async (t) => {
  const page = await visit(base, '/counter/%3Cscript%3E?tab=%3Ci%3E')
  t.match(page.html, '&lt;script&gt;')
  t.notMatch(page.html, /<script>|<i>/)
})

t.test('a click and a form change what they change, and nothing else is sent', async (t) => {
  const view = await LiveClient.open(base, '/counter/changes')
  t.same((await view.click('add', { n: 2 })).response, { diff: { 2: '2' } })
  t.same((await view.click('add', { n: '3' })).response, { diff: { 2: '5' } })
  t.same((await view.submit('say', { text: ' hi & bye ' })).response, {
    diff: { 3: 'hi &amp; bye' },
  })
  t.same((await view.submit('say', { text: 'hi & bye' })).response, {}, 'nothing has changed')
  t.same((await view.change('say', { text: 'x', tag: 'a' }, 'text')).response, {
    diff: { 3: 'a: x' },
  })
  t.match(view.html(), /<p id="count">5<\/p>\s*<p id="said">a: x<\/p>/)
  await view.close()
})

t.test('a payload that does not fit never reaches its handler, and is answered ok', async (t) => {
  const view = await LiveClient.open(base, '/counter/invalid')
  const unfit = [{}, { n: 0 }, { n: 11 }, { n: 'many' }, { n: 1.5 }, { n: [1] }, { n: null }]
  for (const value of unfit) {
    t.same(await view.click('add', value), { status: 'ok', response: {} }, JSON.stringify(value))
  }
  for (const value of [
    '',
    'text=',
    `text=${'x'.repeat(51)}`,
    'text[]=a',
    'text=%E0%A4',
    'other=1',
  ]) {
    const answer = await view.push('event', { type: 'form', event: 'say', value })
    t.same(answer, { status: 'ok', response: {} }, value)
  }
  t.equal(view.text('count'), '0')
  t.equal(view.text('said'), '')
  t.same(await view.click('nobody knows this'), { status: 'ok', response: {} })
  t.same(await view.click('toString'), { status: 'ok', response: {} })
  t.same(await view.click('__proto__'), { status: 'ok', response: {} })
  t.same(await view.click('add', { n: 1 }), { status: 'ok', response: { diff: { 2: '1' } } })
  await view.close()
})

t.test('fields that were not declared do not reach a handler', async (t) => {
  const view = await LiveClient.open(base, '/counter/extra')
  await view.submit('say', { text: 'hi', admin: 'true', _csrf: 'x' })
  t.equal(view.text('said'), 'hi')
  await view.close()
})

t.test('a URL that changes in place runs handleParams', async (t) => {
  const view = await LiveClient.open(base, '/counter/patch?tab=a')
  t.equal(view.text('tab'), 'a')
  t.same((await view.patch('/counter/patch?tab=b')).response, { diff: { 1: 'b' } })
  t.same((await view.patch('/counter/patch?tab=b')).response, {})
  t.same((await view.patch('/counter/patch')).response, { diff: { 1: 'none' } })
  t.same(await view.push('live_patch', { url: 7 }), { status: 'ok', response: {} })
  t.same(await view.push('live_patch', null), { status: 'ok', response: {} })
  t.equal((await view.push('live_patch', { url: 'http://[' })).status, 'ok')
  await view.close()
})

t.test('a title comes as t, once per change, and events as e', async (t) => {
  const view = await LiveClient.open(base, '/counter/title')
  t.same((await view.click('title', { to: 'New <title>' })).response, {
    diff: { t: 'New <title>' },
  })
  t.equal(view.title, 'New <title>')
  t.same((await view.click('title', { to: 'New <title>' })).response, {})
  t.same((await view.click('notify', { name: 'hello' })).response, {
    diff: { e: [['hello', { count: 0 }]] },
  })
  t.same(view.events, [['hello', { count: 0 }]])
  await view.close()
})

t.test('component bookkeeping of the client is answered', async (t) => {
  const view = await LiveClient.open(base, '/counter/cids')
  t.same(await view.push('cids_will_destroy', { cids: [1] }), { status: 'ok', response: {} })
  t.same(await view.push('cids_destroyed', { cids: [1] }), {
    status: 'ok',
    response: { cids: [] },
  })
  await view.close()
})

const crashes: readonly [event: string, message: string][] = [
  ['crash', 'crash was clicked'],
  ['crashLater', 'crashLater was clicked'],
  ['crashInRender', 'cannot render this'],
]
for (const [event, message] of crashes) {
  t.test(`${event}: the event gets an error reply, then phx_error; terminate runs`, async (t) => {
    const view = await LiveClient.open(base, `/counter/${event}`)
    t.same(await view.click(event), { status: 'error', response: { reason: 'event crashed' } })
    const end = await view.ended
    t.match(end, { event: 'phx_error', joinRef: view.joinRef })
    t.match(await ending(node, event), { error: { name: 'Error', message } })
    const again = await LiveClient.join(view.wire, view.page)
    t.equal((await again.click('add', { n: 1 })).status, 'ok', 'and it can be joined again')
    await view.close()
  })
}

t.test('a throw in handleParams is an error reply, then phx_error', async (t) => {
  const view = await LiveClient.open(base, '/counter/crash-patch')
  const answer = await view.patch('/counter/crash-patch?tab=crash')
  t.same(answer, { status: 'error', response: { reason: 'event crashed' } })
  t.equal((await view.ended).event, 'phx_error')
  t.match(await ending(node, 'crash-patch'), { error: { message: 'no such tab' } })
  await view.close()
})

t.test('terminate runs with left, closed or the reason the view gave itself', async (t) => {
  const leaving = await LiveClient.open(base, '/counter/leaves')
  await leaving.leave()
  t.same(await ending(node, 'leaves'), { shutdown: 'left' })
  await leaving.close()
  const closing = await LiveClient.open(base, '/counter/closes')
  await closing.close()
  t.same(await ending(node, 'closes'), { shutdown: 'closed' })
  const cut = await LiveClient.open(base, '/counter/is-cut')
  await cut.close('terminate')
  t.same(await ending(node, 'is-cut'), { shutdown: 'closed' })
  const dying = await LiveClient.open(base, '/counter/dies')
  void dying.click('die').catch(() => {})
  t.same(await ending(node, 'dies'), { shutdown: 'asked to' })
  t.ok(await dying.ended)
  await dying.close()
})

t.test('a mount that throws is a 500 over HTTP and a crashed join over the socket', async (t) => {
  t.equal((await visit(base, '/broken/always')).status, 500)
  const page = await visit(base, '/broken/connected')
  const wire = await connect(page)
  t.same((await wire.join(`lv:${page.id}`, joinPayload(page))).response, { reason: 'join crashed' })
  await wire.close()
})

t.test('an event that hangs delays the events of its own view alone', async (t) => {
  const page = await visit(base, '/counter/hangs')
  const wire = await connect(page)
  const view = await LiveClient.join(wire, page)
  const beside = await LiveClient.join(
    wire,
    await visit(base, '/counter/beside-hang', { cookie: page.cookie }),
  )
  const hanging = view.click('hang', { gate: 'hang' })
  const behind = view.click('add', { n: 1 })
  await node.self.call('gates', 'reached', 'hang')
  t.equal((await beside.click('add', { n: 2 })).status, 'ok')
  t.equal(view.text('count'), '0')
  await node.self.call('gates', 'open', 'hang')
  t.same((await hanging).response, {})
  t.same((await behind).response, { diff: { 2: '1' } })
  await wire.close()
})
