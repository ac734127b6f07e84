/** Who may connect, and what is known of them. */
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import t from 'tap'
import { createCsrf, csrfSessionKey, csrfToken } from '../../../channels/csrf.ts'
import { encodeSession } from '../../../channels/session.ts'
import { ConnectSocket } from '../../../channels/socket/userSocket.ts'
import { LongPoll, phoenixSocket } from '../phoenixClient.ts'
import { connectTo, startSockets, statusOf } from '../sockets.ts'
import type { ConnectOptions } from '../wireClient.ts'

const secretKeyBase = 'a secret that stays the same from node to node'
const sockets = await startSockets({ secretKeyBase })
t.teardown(() => sockets.node.stop())
const { base } = sockets

/** What connect sees of a connection. */
async function seen(
  mount: string,
  options: ConnectOptions = {},
): Promise<Record<string, unknown> & { readonly protocol: string }> {
  const wire = await connectTo(sockets, mount, options)
  const { response } = await wire.join('seen')
  const { protocol } = wire.socket
  await wire.close()
  return { ...response, protocol }
}

t.test('channels 1: two mounts of one socket both work', async (t) => {
  const first = await connectTo(sockets, '/socket')
  const second = await connectTo(sockets, '/again')
  const joins = [await first.join('room:mounts'), await second.join('room:mounts')]
  t.match(joins, [{ status: 'ok' }, { status: 'ok' }])
  first.send({ joinRef: null, ref: null, topic: 'room:mounts', event: 'say', payload: 1 })
  t.match(await second.nextEvent('room:mounts', 'said'), { payload: { payload: 1 } })
  await Promise.all([first.close(), second.close()])
})

t.test('channels 8: x-headers can be read while connecting', async (t) => {
  const { xHeaders } = await seen('/seeing', { headers: { 'X-Application': 'Tour', 'x-two': '2' } })
  t.same(xHeaders, [
    ['x-application', 'Tour'],
    ['x-two', '2'],
  ])
})

t.test('channels 9: so can sec-websocket-headers', async (t) => {
  const { secWebSocketHeaders } = await seen('/seeing')
  const names = (secWebSocketHeaders as [string, string][]).map(([name]) => name)
  t.ok(names.includes('sec-websocket-key') && names.includes('sec-websocket-version'))
  t.ok(names.every((name) => name.startsWith('sec-websocket-')))
})

t.test('channels 10: so can the trace context', async (t) => {
  const expected = [
    ['traceparent', '00-0af7-b7ad-01'],
    ['tracestate', 'congo=t61'],
  ] as const
  const headers = { ...Object.fromEntries(expected), trace: 'no' }
  const { traceContextHeaders } = await seen('/seeing', { headers })
  t.same(new Map(traceContextHeaders as [string, string][]), new Map(expected))
})

t.test('channels 11: so can address and port of the peer', async (t) => {
  const wire = await connectTo(sockets, '/seeing')
  const { localPort } = (wire.socket as unknown as { _socket: { localPort: number } })._socket
  const { response } = await wire.join('seen')
  t.same(response.peer, { address: '127.0.0.1', port: localPort })
  await wire.close()
})

t.test('channels 12: so can the parts of the address that was asked for', async (t) => {
  const { uri, params } = await seen('/seeing', { params: { key: 'a b', 'user[name]': 'Ada' } })
  const { hostname, port } = new URL(base)
  t.match(uri, {
    scheme: 'http',
    host: hostname,
    port: Number(port),
    path: '/seeing/websocket',
    query: /vsn=2\.0\.0&key=a\+b/,
  })
  t.match(params, { key: 'a b', user: { name: 'Ada' } })
})

t.test('channels 13: so can the user agent', async (t) => {
  const { userAgent } = await seen('/seeing', { headers: { 'user-agent': 'custom/1.0' } })
  t.equal(userAgent, 'custom/1.0')
})

t.test('channels 14: the session comes with its cookie and a CSRF token of its own', async (t) => {
  const csrf = createCsrf(randomBytes)
  const data = { [csrfSessionKey]: csrf, userId: 7 }
  const cookie = `_beamish=${encodeSession(secretKeyBase, data, { nowMs: Date.now() })}`
  const _csrf_token = csrfToken(csrf, randomBytes)
  const session = async (options: ConnectOptions): Promise<unknown> =>
    (await seen('/seeing', options)).session
  t.match(await session({ headers: { cookie }, params: { _csrf_token } }), { userId: 7 })
  t.equal(await session({ headers: { cookie } }), undefined, 'without a token')
  t.equal(await session({ params: { _csrf_token } }), undefined, 'without a cookie')
  const other = csrfToken(createCsrf(randomBytes), randomBytes)
  t.equal(
    await session({ headers: { cookie }, params: { _csrf_token: other } }),
    undefined,
    'with the token of another session',
  )
  const forged = cookie.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
  t.equal(await session({ headers: { cookie: forged }, params: { _csrf_token } }), undefined)
})

t.test('channels 15: what the mount adds is there, too', async (t) => {
  t.same((await seen('/seeing')).custom, { tenant: 'acme' })
})

t.test('channels 21 and 60: origins that may connect, and others', async (t) => {
  const status = (mount: string, origin: string) =>
    statusOf(sockets, mount, { headers: { origin } })
  t.equal(await status('/socket', base), 101, 'its own')
  t.equal(await status('/socket', 'https://example.com'), 403, 'a foreign one')
  t.equal(await status('/anywhere', 'https://example.com'), 101, 'where all may come')
  t.equal(await statusOf(sockets, '/again'), 101, 'none at all')
})

t.test('channels 61: each mount of one socket has its own origins', async (t) => {
  const status = (mount: string, origin: string) =>
    statusOf(sockets, mount, { headers: { origin } })
  for (let round = 0; round < 2; round++) {
    t.equal(await status('/again', 'https://example.com'), 101)
    t.equal(await status('/socket', 'https://example.com'), 403)
    t.equal(await status('/again', base), 403)
    t.equal(await status('/socket', base), 101)
  }
})

t.test('connect sees the origin as it came; a list may name one without a host', async (t) => {
  for (const origin of ['null', 'app://.']) {
    t.equal((await seen('/desktop', { headers: { origin } })).origin, origin)
  }
  t.equal(await statusOf(sockets, '/desktop', { headers: { origin: 'file://' } }), 403)
  t.equal((await seen('/seeing', { headers: { origin: base } })).origin, base)
  t.equal((await seen('/seeing')).origin, undefined)
})

t.test('an end that has passed, or is none, refuses: its client backs off', async (t) => {
  const status = (ms: string) => statusOf(sockets, '/expiring', { params: { ms } })
  t.equal(await status('60000'), 101)
  t.equal(await status('Infinity'), 101)
  t.equal(await status('-1'), 403)
  t.equal(await status('-Infinity'), 403)
  t.equal(await status('none'), 403)
  for (const wrong of [Number.NaN, '2030-01-01', undefined, new Date()]) {
    const socket = new ConnectSocket({})
    t.throws(() => socket.expires(wrong as number), {
      code: 'BEAMISH_BAD_OPTION',
      message: /epoch/,
    })
  }
})

t.test('channels 22 and 23: a connect may refuse, with a status of its own', async (t) => {
  const status = (how?: string) => statusOf(sockets, '/refusing', { params: { how } })
  t.equal(await status(), 101)
  t.equal(await status('no'), 403)
  t.equal(await status('429'), 429)
  t.equal(await status('503'), 503)
  t.equal(await status('throw'), 403, 'a throw refuses')
  t.equal(await status('nonsense'), 403, 'so does an answer that is none')
  t.equal(await status('200'), 403, 'and a status that would be no refusal')
  t.equal(await statusOf(sockets, '/badId'), 403, 'and an id that is no string')
})

t.test(
  'what connect leaves behind ends its process alone, and its client is answered',
  async (t) => {
    const before = sockets.node.schedulers()
    t.equal(await statusOf(sockets, '/stray'), 503)
    t.equal(await statusOf(sockets, '/socket'), 101)
    t.same(sockets.node.schedulers(), before, 'no thread was lost')
  },
)

t.test('channels 26: a version nobody speaks is 403', async (t) => {
  const status = (vsn: string | undefined) => statusOf(sockets, '/socket', { params: { vsn } })
  for (const vsn of ['1.0.0', '2.0.0', '2.0.9', '9.3.1', undefined]) {
    t.equal(await status(vsn), 101, String(vsn))
  }
  for (const vsn of ['2.1.0', '3.0.0', '2.0', 'two', '', '2.0.0-rc', '02.0.0']) {
    t.equal(await status(vsn), 403, vsn)
  }
})

t.test('channels 30: a plain GET of the path is 400, another method too', async (t) => {
  const answer = await fetch(`${base}/socket/websocket?vsn=2.0.0`)
  t.equal(answer.status, 400)
  t.match(await answer.text(), /WebSocket/)
  const { hostname, port } = new URL(base)
  const status = await new Promise((resolve, reject) => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }
    const path = '/socket/websocket?vsn=2.0.0'
    const post = request({ hostname, port, path, method: 'POST', headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    post.on('error', reject)
    post.end()
  })
  t.equal(status, 400)
})

t.test(
  'every method of a socket path is 400 without an upgrade, and its body is not read',
  async (t) => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
      const body = method === 'POST' ? '{}' : undefined
      const headers: Record<string, string> =
        body === undefined ? {} : { 'content-type': 'application/none' }
      const answer = await fetch(`${base}/socket/websocket`, {
        method,
        headers,
        body: body ?? null,
      })
      t.equal(answer.status, 400, method)
    }
  },
)

t.test(
  'an upgrade to another protocol is left alone: the request is answered as it is',
  async (t) => {
    const asked = (method: string, path: string): Promise<number | undefined> => {
      const { hostname, port } = new URL(base)
      const headers = {
        connection: 'Upgrade, HTTP2-Settings',
        upgrade: 'h2c',
        'http2-settings': 'AAMAAABkAARAAAAAAAIAAAAA',
      }
      return new Promise((resolve, reject) => {
        const sent = request({ hostname, port, path, method, headers }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
        sent.on('error', reject)
        sent.end()
      })
    }
    t.equal(await asked('GET', '/token/longpoll?vsn=2.0.0'), 200)
    t.equal(await asked('POST', '/token/longpoll?vsn=2.0.0'), 200)
    t.equal(await asked('GET', '/nothing'), 404)
    t.equal(await asked('GET', '/socket/websocket?vsn=2.0.0'), 400)
  },
)

t.test('channels 31: unknown subprotocols alone are 403; none may connect', async (t) => {
  t.equal(await statusOf(sockets, '/spoken', { subprotocols: ['mqtt', 'amqp'] }), 403)
  t.equal((await seen('/spoken')).protocol, '')
})

t.test('channels 32: the first subprotocol that is known is answered', async (t) => {
  t.equal((await seen('/spoken', { subprotocols: ['mqtt', 'xmpp', 'sip'] })).protocol, 'xmpp')
})

t.test('differs: channels 33: variables of a nested path are parameters', async (t) => {
  const { params } = await seen('/nested/chat/deep/a%20b', { params: { id: 'query', x: '1' } })
  t.match(params, { kind: 'chat', id: 'a b', x: '1' }, 'the path wins over the query')
  t.equal(await statusOf(sockets, '/nested/chat/deep'), 404)
  t.equal(await statusOf(sockets, '/nested//deep/1'), 404, 'a variable is not empty')
  t.equal(await statusOf(sockets, '/nested/chat/deep/%zz'), 404)
  const wire = { path: '/seeing/ws' }
  t.equal(await statusOf(sockets, '/seeing', wire), 404, 'the last part is websocket')
})

const hidden = (token: string, encoding: 'base64' | 'base64url'): string[] => [
  'phoenix',
  `base64url.bearer.phx.${Buffer.from(token).toString(encoding).replaceAll('=', '')}`,
]

t.test('a token among the subprotocols is taken in either base64, and not echoed', async (t) => {
  const token = 'ÿÿ?>~ token ~~~' // has both characters in which the two alphabets differ
  t.match(Buffer.from(token).toString('base64'), /[+/]/)
  // RFC 6455 forbids a slash there, and so do clients: only a hand-made one sends standard base64 with one.
  const url = await seen('/token', { subprotocols: hidden(token, 'base64url') })
  t.match(url, { authToken: token, protocol: 'phoenix' })
  const plain = await seen('/token', { subprotocols: hidden('a plain token', 'base64') })
  t.match(plain, { authToken: 'a plain token', protocol: 'phoenix' })
  t.match(await seen('/token'), { authToken: undefined, protocol: '' }, 'none at all')
  const broken = ['phoenix', 'base64url.bearer.phx.$$']
  t.equal(await statusOf(sockets, '/token', { subprotocols: broken }), 403)
})

t.test(
  'channels 105: the official client reads its token anew for each connection, by either transport',
  async (t) => {
    for (const transport of [{}, { transport: LongPoll }]) {
      let opened = 0
      const socket = phoenixSocket(
        base,
        {},
        { ...transport, path: '/token', authToken: () => `token ${++opened}` },
      )
      const channel = socket.channel('seen', {})
      const joins: Record<string, unknown>[] = []
      let joined = () => {}
      channel.join().receive('ok', (response) => {
        joins.push(response)
        joined()
      })
      for (const authToken of ['token 1', 'token 2']) {
        const answered = new Promise<void>((resolve) => {
          joined = resolve
        })
        socket.connect()
        await answered
        t.match(joins.at(-1), { authToken })
        await new Promise<void>((resolve) => socket.disconnect(resolve))
      }
    }
  },
)
