/** Sessions and tokens an app gives on its own pages, and takes on its sockets. */
import t from 'tap'
import { outcome, phoenixSocket } from '../phoenixClient.ts'
import { startSockets, statusOf } from '../sockets.ts'

const site = await startSockets({}, new URL('./visitors.app.ts', import.meta.url))
t.teardown(() => site.node.stop())

interface Page {
  readonly cookie: string
  readonly cookies: readonly string[]
  readonly body: Readonly<Record<string, string>>
}

async function page(path: string, cookie = ''): Promise<Page> {
  const answer = await fetch(`${site.base}${path}`, { headers: { cookie } })
  const cookies = answer.headers.getSetCookie()
  const own = cookies.find((one) => one.startsWith('_beamish='))?.split(';')[0]
  return { cookie: own ?? cookie, cookies, body: (await answer.json()) as Page['body'] }
}

const params = ({ body }: Page) => ({ _csrf_token: body.csrfToken as string })

t.test('a page makes a session, and its token lets a socket see it', async (t) => {
  const first = await page('/page')
  t.match(first.cookies, [/^_beamish=b1\..*; Path=\/; HttpOnly; SameSite=Lax$/])
  const connects = (headers: Record<string, string>, params: Record<string, string>) =>
    statusOf(site, '/session', { headers, params })
  const { cookie } = first
  t.equal(await connects({ cookie }, params(first)), 101)
  t.equal(await connects({ cookie }, { _csrf_token: first.body.again as string }), 101)
  t.equal(await connects({ cookie }, {}), 403, 'without its token')
  t.equal(await connects({}, params(first)), 403, 'without its cookie')
  const second = await page('/page', cookie)
  t.same(second.cookies, [], 'known, it is given no other')
  t.equal(await connects({ cookie }, params(second)), 101)
  t.equal(await connects({ cookie }, params(await page('/page'))), 403, 'with a token of another')
})

t.test('what a route puts into the session is there in connect', async (t) => {
  const visitor = await page('/page')
  const login = await page('/login/ada', visitor.cookie)
  t.match(login.cookies, ['theme=dark', /^_beamish=/], 'once, beside those of others')
  t.equal(login.body.user, 'ada')
  const socket = phoenixSocket(
    site.base,
    { cookie: login.cookie },
    { path: '/session', params: params(visitor) },
  )
  socket.connect()
  t.same(await outcome(socket.channel('who', {}).join()), ['ok', { user: 'ada' }])
  await new Promise<void>((resolve) => socket.disconnect(resolve))
})

t.test('a token a route has signed is verified in connect, on any thread', async (t) => {
  const { token = '' } = (await page('/login/eve')).body
  for (let n = 0; n < 4; n++) {
    const socket = phoenixSocket(site.base, {}, { path: '/token', authToken: token })
    socket.connect()
    t.same(await outcome(socket.channel('who', {}).join()), ['ok', { user: 'eve' }])
    await new Promise<void>((resolve) => socket.disconnect(resolve))
  }
  t.equal(await statusOf(site, '/token'), 403, 'without one')
})
