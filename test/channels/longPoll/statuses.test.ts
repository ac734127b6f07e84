/** Long polling request by request: what each of them is answered with. */
import t from 'tap'
import { baseOf } from '../../liveview/startApp.ts'
import { ending, okay, somebody, startPolled } from './kit.ts'
import { type Ask, ask, type Frame, PollClient } from './pollClient.ts'

const polled = await startPolled(t)
const { node, base } = polled

t.test('channels 36: what opens is answered with 410 and a token, by HTTP with 200', async (t) => {
  const { http, status, token, messages, headers } = await ask(base)
  t.match({ http, status, messages }, { http: 200, status: 410, messages: [] })
  t.match(token, /^b1\./)
  t.match(headers, {
    'content-type': /^application\/json/,
    'cache-control': 'no-store',
    'access-control-allow-origin': '*',
  })
})

t.test('channels 37: reply, broadcast and push come in order; the token is kept', async (t) => {
  const client = await PollClient.open(base, { params: somebody() })
  t.equal((await client.send(['1', '1', 'room:greets', 'phx_join', {}])).status, 200)
  const frames: Frame[] = []
  while (frames.length < 3) {
    const { status, token, messages } = await client.poll()
    t.match({ status, token }, { status: 200, token: client.token })
    frames.push(...messages.map((message) => JSON.parse(message) as Frame))
  }
  t.match(frames, [
    ['1', '1', 'room:greets', 'phx_reply', okay],
    [null, null, 'room:greets', 'joined', {}],
    ['1', null, 'room:greets', 'welcome', {}],
  ])
})

t.test('channels 37: a poll that nothing comes for is answered with 204', async (t) => {
  const client = await PollClient.open(base, { path: '/quick/longpoll' })
  const { http, status, token, messages } = await client.poll()
  t.same(
    { http, status, token, messages },
    { http: 200, status: 204, token: client.token, messages: [] },
  )
})

t.test('channels 38: what one publishes, others get', async (t) => {
  const [ada, bob] = [
    await PollClient.open(base, { params: somebody() }),
    await PollClient.open(base, { params: somebody() }),
  ]
  await ada.join('room:shared')
  await bob.join('room:shared')
  await ada.send(['1', '2', 'room:shared', 'say', { n: 1 }])
  for (const client of [ada, bob]) {
    t.same(await client.next((frame) => frame[3] === 'said'), [
      null,
      null,
      'room:shared',
      'said',
      { n: 1 },
    ])
  }
})

t.test(
  'channels 39 and 40: a batch keeps its order; a stale join_ref is dropped, none is not',
  async (t) => {
    const client = await PollClient.open(base, { params: somebody() })
    await client.join('room:batch')
    await client.send(
      ['1', '2', 'room:batch', 'echo', { n: 2 }],
      ['0', '3', 'room:batch', 'echo', { n: 3 }],
      [null, '4', 'room:batch', 'echo', { n: 4 }],
      ['1', '5', 'room:batch', 'echo', { n: 5 }],
    )
    const seen: unknown[] = []
    while (seen.length < 3) seen.push(await client.next((frame) => frame[2] === 'room:batch'))
    t.match(seen, [
      ['1', '2', 'room:batch', 'phx_reply', { response: { n: 2 } }],
      ['1', '4', 'room:batch', 'phx_reply', { response: { n: 4 } }],
      ['1', '5', 'room:batch', 'phx_reply', { response: { n: 5 } }],
    ])
  },
)

t.test('channels 41: a line of base64 is a binary frame', async (t) => {
  const client = await PollClient.open(base, { params: somebody() })
  await client.join('room:binary')
  const fields = ['1', '2', 'room:binary', 'size'].map((field) => Buffer.from(field))
  const frame = Buffer.concat([
    Uint8Array.from([0, ...fields.map(({ length }) => length)]),
    ...fields,
    Buffer.alloc(300, 7),
  ])
  await client.post(`${frame.toString('base64')}\r\n["1","3","room:binary","echo",{}]\n`)
  t.match(await client.reply('2'), { status: 'ok', response: { size: 300 } })
  t.match(await client.reply('3'), { status: 'ok' })
})

t.test('channels 42: the lines after the hundredth are left out', async (t) => {
  const client = await PollClient.open(base, { params: somebody() })
  await client.join('room:many')
  const lines = Array.from(
    { length: 130 },
    (_, i): Frame => ['1', `e${i}`, 'room:many', 'echo', {}],
  )
  await client.send(...lines)
  await client.send(['1', 'last', 'room:many', 'echo', {}])
  await client.reply('last')
  t.equal(client.unread.length, 100)
  t.same(client.unread.at(-1)?.[1], 'e99')
})

t.test(
  'channels 45: what connect, the origin or the version refuse is 403 in the body',
  async (t) => {
    const refusals: readonly Ask[] = [
      ...['400', '403', '429'].map((status) => ({ params: { mode: 'refuse', status } })),
      { params: { mode: 'throw' } },
      { params: { vsn: '3.0.0' } },
      { params: { vsn: 'two' } },
      { headers: { origin: 'https://example.org' } },
      { path: '/socket/longpoll?a=%ff' },
    ]
    for (const refusal of refusals) {
      const { http, status, messages } = await ask(base, refusal)
      t.same(
        { http, status, messages },
        { http: 200, status: 403, messages: [] },
        JSON.stringify(refusal),
      )
    }
    t.equal((await ask(base, { params: { mode: 'refuse', status: '503' } })).status, 500)
    t.equal((await ask(base, { headers: { origin: base } })).status, 410, 'its own origin')
    const client = await PollClient.open(base)
    const headers = { origin: 'https://example.org' }
    t.equal((await client.post('', { headers })).status, 403, 'of a POST, too')
    t.equal((await client.poll({ headers })).status, 403, 'and of a poll')
  },
)

t.test('a socket may let in other pages by polling', async (t) => {
  const at = (origin: string) => ask(base, { path: '/strict/longpoll', headers: { origin } })
  t.equal((await at('https://example.com')).status, 410)
  t.equal((await at(base)).status, 403)
  t.equal((await ask(base, { path: '/strict/websocket' })).http, 404, 'and none by WebSocket')
})

t.test('channels 46: a crash is told with the join it belongs to', async (t) => {
  const client = await PollClient.open(base, { params: somebody() })
  await client.join('room:crashes', '7')
  await client.send(['7', '8', 'room:crashes', 'crash', {}])
  t.same(await client.next((frame) => frame[3] === 'phx_error'), [
    '7',
    '7',
    'room:crashes',
    'phx_error',
    { reason: 'channel_crash' },
  ])
})

t.test('channels 47: a stale leave is passed over, one without join_ref is not', async (t) => {
  const client = await PollClient.open(base, { params: somebody() })
  await client.join('room:leaves', '7')
  await client.send(
    ['6', '8', 'room:leaves', 'phx_leave', {}],
    ['7', '9', 'room:leaves', 'echo', {}],
  )
  t.match(await client.reply('9'), okay)
  t.same(client.unread, [])
  await client.send([null, '10', 'room:leaves', 'phx_leave', {}])
  t.match(await client.reply('10'), okay)
  t.match(await client.next((frame) => frame[3] === 'phx_close'), ['7', '7', 'room:leaves'])
})

t.test('channels 49: one frame is posted without a content type', async (t) => {
  const client = await PollClient.open(base, { params: somebody() })
  const frame = JSON.stringify(['1', '1', 'room:plain', 'phx_join', {}])
  t.equal((await client.post(frame, { headers: {} })).status, 200)
  t.match(await client.reply('1'), okay)
  for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
    const echo = JSON.stringify(['1', type, 'room:plain', 'echo', { type }])
    t.equal((await client.post(echo, { headers: { 'content-type': type } })).status, 200)
    t.match(await client.reply(type), { status: 'ok', response: { type } })
  }
})

t.test('channels 50: a token in the header wins over the one in the query', async (t) => {
  const client = await PollClient.open(base, { params: somebody() })
  const headers = { 'x-phoenix-longpoll-token': client.token }
  const params = { token: 'bad' }
  const frame = JSON.stringify(['1', '1', 'room:header', 'phx_join', {}])
  t.equal((await client.post(frame, { headers, params })).status, 200)
  t.match(await client.poll({ headers, params }), { status: 200, token: client.token })
  t.equal((await client.poll({ headers: { 'x-phoenix-longpoll-token': 'bad' } })).status, 410)
})

t.test("a parameter of the application's may be called token, too", async (t) => {
  const params = somebody()
  const path = '/socket/longpoll?token=mine'
  const known = async (client: PollClient): Promise<unknown> => {
    await client.join('room:token')
    await client.send(['1', '2', 'room:token', 'known', {}])
    return client.reply('2')
  }
  const client = await PollClient.open(base, { path, params })
  t.match(await known(client), { response: { params: { token: 'mine' } } })
  node.self.broadcast(`user:${params.user_id}`, 'disconnect', {})
  await ending(polled, params.user_id)
  // The session is gone: connect decides again, by what the application sent.
  const { status, token } = await client.poll()
  t.equal(status, 410)
  t.match(await known(new PollClient(base, token, {})), { response: { params: { token: 'mine' } } })
})

t.test('a token is good for its mount alone, and for this life of the node', async (t) => {
  const client = await PollClient.open(base, { params: somebody() })
  await client.join('room:mine')
  t.equal((await client.post('', { path: '/quick/longpoll' })).status, 410)
  t.equal((await client.post('', { params: { token: 'forged' } })).status, 410)
})

t.test('the token of an official client reaches connect by a header', async (t) => {
  const headers = { 'x-phoenix-authtoken': 'secret', 'x-other': 'one' }
  const client = await PollClient.open(base, { params: somebody(), headers })
  await client.join('room:auth')
  await client.send(['1', '2', 'room:auth', 'known', {}])
  t.match(await client.reply('2'), { response: { authToken: 'secret', xHeaders: Array } })
  const closed = await PollClient.open(base, { path: '/quick/longpoll', headers })
  await closed.join('room:auth')
  await closed.send(['1', '2', 'room:auth', 'known', {}])
  t.notHas(await closed.reply('2'), { response: { authToken: String } }, 'where it is asked for')
})

t.test('channels 33: variables of both paths are parameters', async (t) => {
  const client = await PollClient.open(base, { path: '/of/ad%61/poll/lobby', params: { a: '1' } })
  await client.join('room:paths')
  await client.send(['1', '2', 'room:paths', 'known', {}])
  t.match(await client.reply('2'), {
    response: { params: { user_id: 'ada', room: 'lobby', a: '1' } },
  })
})

t.test('pages of other origins may ask: CORS', async (t) => {
  const { http, headers } = await ask(base, {
    method: 'OPTIONS',
    headers: { origin: 'https://example.com', 'access-control-request-headers': 'x-one, x-two' },
  })
  t.match(
    { http, headers },
    {
      http: 200,
      headers: {
        'access-control-allow-origin': '*',
        'access-control-allow-headers': 'x-one, x-two',
        'access-control-allow-methods': 'get, post, options',
        'access-control-max-age': '3600',
      },
    },
  )
})

t.test('other verbs are 400', async (t) => {
  for (const method of ['PUT', 'DELETE', 'PATCH', 'HEAD']) {
    t.equal((await ask(base, { method })).http, 400, method)
  }
})

t.test('channels 7: more channels than one socket may have are refused', async (t) => {
  const client = await PollClient.open(base, { path: '/strict/longpoll', params: somebody() })
  await client.join('room:1')
  await client.join('room:2', '2')
  t.match(await client.join('room:3', '3'), { response: { reason: 'too many channels joined' } })
})

t.test(
  'sessions are opened at the pace of sockets: who finds no place is told to try again',
  async (t) => {
    const narrow = await baseOf(node, 'narrow')
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(narrow)))
    const statuses = new Set(answers.map(({ status }) => status))
    t.same([...statuses].sort(), [410, 500])
  },
)
