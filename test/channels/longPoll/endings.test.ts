/** How sessions of long polling end, and what does not end them. */
import { sys } from 'beamish'
import t from 'tap'
import { ending, okay, somebody, startPolled } from './kit.ts'
import { type Ask, ask, PollClient, sessionOf } from './pollClient.ts'

const polled = await startPolled(t)
const { node, base } = polled

t.test(
  'channels 43: a session that nobody polls ends; what is posted to it finds none',
  async (t) => {
    const params = somebody()
    const client = await PollClient.open(base, { path: '/quick/longpoll', params })
    await client.send(['1', '1', 'room:idle', 'phx_join', {}])
    t.same(await ending(polled, params.user_id), { shutdown: 'inactive' })
    t.equal((await client.send(['1', '2', 'room:idle', 'echo', {}])).status, 410)
  },
)

t.test('channels 44: a session that does not take what is posted in time is 408', async (t) => {
  const client = await PollClient.open(base, { path: '/quick/longpoll' })
  const pid = sessionOf(client.token)
  await sys.suspend(node.self, pid)
  t.equal((await client.send([null, '1', 'phoenix', 'heartbeat', {}])).status, 408)
  t.equal((await client.poll()).status, 500, 'and the poll of one is 500')
  await sys.resume(node.self, pid)
})

t.test('channels 48: a disconnect ends the session, and with it its channels', async (t) => {
  const params = somebody()
  const client = await PollClient.open(base, { params })
  await client.join('room:disconnects')
  const waiting = client.poll()
  node.self.broadcast(`user:${params.user_id}`, 'disconnect', {})
  t.same(await ending(polled, params.user_id), { shutdown: 'disconnected' })
  const { status, token } = await waiting
  t.equal(status, 410, 'the poll that waited')
  t.not(token, client.token, 'with a session that is new')
  t.equal((await new PollClient(base, token, {}).send()).status, 200)
  t.equal((await client.send()).status, 410)
})

t.test(
  'a frame or a body over the limit is 413, bad UTF-8 is 400; both end the session',
  async (t) => {
    const wrong: readonly [string, string | Uint8Array, number, unknown][] = [
      ['a frame', '['.repeat(2_001), 413, { shutdown: 'frame_too_big' }],
      ['a body', 'x\n'.repeat(10_000), 413, { shutdown: 'frame_too_big' }],
      ['half a character', Uint8Array.of(0xe2, 0x82), 400, { shutdown: 'bad_encoding' }],
    ]
    for (const [what, body, status, reason] of wrong) {
      const params = somebody()
      const client = await PollClient.open(base, { path: '/strict/longpoll', params })
      await client.join('room:limits')
      t.match(await client.post(body), { http: 200, status }, what)
      t.same(await ending(polled, params.user_id), reason)
    }
  },
)

t.test('a frame that cannot be read is answered; a strict socket ends', async (t) => {
  const client = await PollClient.open(base, { params: somebody() })
  t.equal((await client.post('{nonsense')).status, 200)
  t.match(await client.next(() => true), [null, null, 'phoenix', 'phx_reply', { status: 'error' }])
  const params = somebody()
  const strict = await PollClient.open(base, { path: '/strict/longpoll', params })
  await strict.join('room:strict')
  t.equal((await strict.post('{nonsense')).status, 410)
  t.match(await ending(polled, params.user_id), { malformedFrame: String })
})

t.test('a session whose client does not fetch what is there ends', async (t) => {
  const params = somebody()
  const client = await PollClient.open(base, { path: '/strict/longpoll', params })
  await client.join('room:floods')
  await client.send(['1', '2', 'room:floods', 'flood', {}])
  t.same(await ending(polled, params.user_id), { shutdown: 'slow_client' })
  t.equal((await client.poll()).status, 410)
})

t.test('bytes have no way down: a reply of them is an error, a push is left out', async (t) => {
  const client = await PollClient.open(base, { params: somebody() })
  await client.join('room:bytes')
  await client.send(
    ['1', '2', 'room:bytes', 'returnBytes', {}],
    ['1', '3', 'room:bytes', 'pushBytes', {}],
  )
  t.same(await client.reply('2'), {
    status: 'error',
    response: { reason: 'bytes need a WebSocket' },
  })
  t.match(await client.reply('3'), okay)
  t.same(client.unread, [])
})

t.test(
  'of two polls of one session the newer waits, the older is told to begin anew',
  async (t) => {
    const client = await PollClient.open(base, { params: somebody() })
    const polls = [client.poll(), client.poll()]
    t.equal((await Promise.race(polls)).status, 500)
    await client.send([null, '1', 'phoenix', 'heartbeat', {}])
    t.same((await Promise.all(polls)).map(({ status }) => status).sort(), [200, 500])
  },
)

t.test('a poll whose client hangs up takes nothing with it', async (t) => {
  const client = await PollClient.open(base, { params: somebody() })
  await client.join('room:hangs')
  const pid = sessionOf(client.token)
  const told = async (): Promise<number> =>
    (await sys.statistics(node.self, pid, 'get'))?.messagesIn ?? 0
  await sys.statistics(node.self, pid, true)
  const hangUp = new AbortController()
  const hungUp = client.poll({ signal: hangUp.signal }).catch(() => 'gone')
  while ((await told()) < 1) await node.self.sleep(5)
  hangUp.abort()
  t.equal(await hungUp, 'gone')
  while ((await told()) < 2) await node.self.sleep(5)
  await client.send(['1', '2', 'room:hangs', 'echo', { kept: true }])
  t.match(await client.reply('2'), { response: { kept: true } })
})

/** Resolves when the session that this opens has ended by itself. */
async function ended(params: Ask['params'] & object): Promise<void> {
  const { status, token } = await ask(base, { params })
  const client = new PollClient(base, token, {})
  // 500: it has, before anybody heard that it was open.
  if (status === 410) while ((await client.send()).status !== 410) await node.self.sleep(5)
}

t.test('what connect leaves behind ends its session, and nothing else', async (t) => {
  const bystander = await PollClient.open(base, { params: somebody() })
  await ended({ mode: 'stray' })
  t.match(await bystander.join('room:stays'), okay)
})

t.test('a session ends when what it connected with runs out', async (t) => {
  const bystander = await PollClient.open(base, { params: somebody() })
  await ended({ mode: 'expires' })
  t.match(await bystander.join('room:stays'), okay)
})
