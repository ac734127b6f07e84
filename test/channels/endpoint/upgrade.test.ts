import { request } from 'node:http'
import t from 'tap'
import { connect, LiveClient, visit } from '../../liveview/liveClient.ts'
import { baseOf, startApp } from '../../liveview/startApp.ts'
import { type ConnectOptions, UpgradeRefused, WireClient } from '../wireClient.ts'

const node = await startApp()
t.teardown(() => node.stop())
const base = await baseOf(node)
const open = await baseOf(node, 'open')

async function statusOf(at: string, options: ConnectOptions): Promise<number> {
  try {
    await (await WireClient.connect(at, options)).close()
    return 101
  } catch (error) {
    if (error instanceof UpgradeRefused) return error.status
    throw error
  }
}

const processes = async (): Promise<number> =>
  (await node.stats()).reduce((sum, one) => sum + one.processes, 0)
/** As long as nobody has come. */
const idle = await processes()

t.test('versions of the wire: 2.0.x is spoken, everything else is 403', async (t) => {
  for (const vsn of ['2.0.0', '2.0.7']) {
    t.equal(await statusOf(base, { params: { vsn } }), 101, vsn)
  }
  for (const vsn of [undefined, '', '1.0.0', '2.1.0', '3.0.0', '2.0', 'two', '2.0.0-rc']) {
    t.equal(await statusOf(base, { params: { vsn } }), 403, String(vsn))
  }
  t.equal(await statusOf(base, { params: { vsn: undefined, 'vsn[]': '2.0.0' } }), 403, 'a list')
})

t.test('origins: its own and none pass, foreign ones are 403', async (t) => {
  const own = new URL(base)
  for (const origin of [base, `http://${own.host}`]) {
    t.equal(await statusOf(base, { headers: { origin } }), 101, origin)
  }
  t.equal(await statusOf(base, {}), 101, 'no browser')
  const foreign = [
    'http://example.com',
    `http://example.com:${own.port}`,
    `http://${own.hostname}:1`,
    `http://${own.host}.example.com`,
    'null',
    'file://',
  ]
  for (const origin of foreign) {
    t.equal(await statusOf(base, { headers: { origin } }), 403, origin)
  }
})

t.test('a list of origins stands in place of its own', async (t) => {
  t.equal(await statusOf(open, { headers: { origin: 'https://example.com' } }), 101)
  t.equal(await statusOf(open, { headers: { origin: open } }), 403)
  t.equal(await statusOf(open, { headers: { origin: 'http://example.com' } }), 403)
})

t.test('a plain GET of the socket path is 400 and says why', async (t) => {
  const response = await fetch(`${base}/live/websocket?vsn=2.0.0`)
  t.equal(response.status, 400)
  t.match(await response.text(), /WebSocket/)
})

t.test('an upgrade of a path that mounts nothing is 404', async (t) => {
  for (const path of ['/', '/live', '/live/longpoll', '/where', '/live/websocket/']) {
    t.equal(await statusOf(base, { path }), 404, path)
  }
})

t.test('a query that cannot be decoded is 400', async (t) => {
  const status = (query: string): Promise<number> =>
    statusOf(base, { path: `/live/websocket?vsn=2.0.0&${query}`, params: { vsn: undefined } })
  t.equal(await status('x=%E0%A4%A9'), 101)
  t.equal(await status('x=%E0%A4%A'), 400)
  t.equal(await status(Array.from({ length: 1_100 }, (_, i) => `a${i}=1`).join('&')), 400)
})

/** An upgrade written by hand: its answer, status line first. */
function upgrade(method: string, headers: Record<string, string>): Promise<number> {
  const { hostname, port } = new URL(base)
  const all = { connection: 'Upgrade', upgrade: 'websocket', ...headers }
  return new Promise((resolve, reject) => {
    const path = '/live/websocket?vsn=2.0.0'
    const sent = request({ hostname, port, path, method, headers: all }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end()
  })
}

t.test('an upgrade with broken headers is an answer, not a crash', async (t) => {
  const key = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' }
  t.equal(await upgrade('POST', key), 400)
  t.equal(await upgrade('GET', {}), 400, 'no key')
  t.equal(await upgrade('GET', { ...key, 'sec-websocket-key': 'short' }), 400)
  const view = await LiveClient.open(base, '/counter/after-broken-upgrades')
  t.equal((await view.click('add', { n: 1 })).status, 'ok')
  await view.close()
})

t.test('a hundred sockets that come and go at once leave no process behind', async (t) => {
  const page = await visit(base, '/where')
  // Sockets of the tests before may still be closing.
  let before = await processes()
  while (before > idle) before = await processes()
  const wires = await Promise.all(Array.from({ length: 100 }, () => connect(page)))
  await Promise.all(wires.map((wire) => wire.settled()))
  t.equal(await processes(), before + 100)
  await Promise.all(wires.map((wire, i) => wire.close(i % 2 === 0 ? 'close' : 'terminate')))
  const settled = await LiveClient.open(base, '/where')
  while ((await processes()) > before + 2) await settled.click('look')
  await settled.close()
  t.pass('only the last client was left')
})
