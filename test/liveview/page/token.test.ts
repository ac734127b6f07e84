import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { signToken } from '../../../channels/token.ts'
import { connect, joinPayload, type Page, visit } from '../liveClient.ts'
import { baseOf, startApp } from '../startApp.ts'

const file = join(t.testdir(), 'log')
const secretKeyBase = 'a secret of the tests, long enough to sign with'
const node = await startApp({ log: { file }, secretKeyBase })
t.teardown(() => node.stop())
const base = await baseOf(node)

/** Joins with a page as it is told; every one with an agent of its own, or the page would be served static. */
async function joinStatus(page: Page, topic = `lv:${page.id}`): Promise<unknown> {
  const wire = await connect(page)
  const { status, response } = await wire.join(topic, joinPayload(page))
  await wire.settled()
  t.same(wire.unread, [], 'nothing follows')
  await wire.close()
  return status === 'ok' ? 'ok' : response
}

const stale = { reason: 'stale' }

t.test('a session token that was not signed by us is stale', async (t) => {
  const page = await visit(base, '/where', { agent: 'forger' })
  t.equal(await joinStatus(page), 'ok')
  const data = { id: page.id, view: 'test.where', path: '/where' }
  const nowMs = Date.now()
  const other = 'another secret, which is also long enough to sign with'
  const forged = [
    '',
    'rubbish',
    page.session.slice(0, -1),
    `${page.session}x`,
    signToken(other, 'beamish live view', data, { nowMs }),
    signToken(secretKeyBase, 'another use', data, { nowMs }),
  ]
  for (const session of forged) t.same(await joinStatus({ ...page, session }), stale, session)
})

t.test('a session token is good for two weeks', async (t) => {
  const page = await visit(base, '/where', { agent: 'late' })
  const day = 86_400_000
  const aged = (days: number): Page => {
    const data = { id: page.id, view: 'test.where', path: '/where' }
    const nowMs = Date.now() - days * day
    return { ...page, session: signToken(secretKeyBase, 'beamish live view', data, { nowMs }) }
  }
  t.equal(await joinStatus(aged(13.9)), 'ok')
  t.same(await joinStatus(aged(14.1)), stale)
})

t.test('a session token is good for its own topic alone', async (t) => {
  const page = await visit(base, '/where', { agent: 'thief' })
  const other = await visit(base, '/counter/other', { agent: 'thief', cookie: page.cookie })
  t.same(await joinStatus(page, `lv:${other.id}`), stale)
  t.same(await joinStatus({ ...page, session: other.session }), stale)
})

t.test('without the cookie, or with a CSRF token that is not of it, a join is stale', async (t) => {
  const page = await visit(base, '/where', { agent: 'crosser' })
  const stranger = await visit(base, '/where', { agent: 'crosser' })
  t.same(await joinStatus({ ...page, cookie: undefined }), stale)
  t.same(await joinStatus({ ...page, csrf: '' }), stale)
  t.same(await joinStatus({ ...page, csrf: stranger.csrf }), stale)
  t.same(await joinStatus({ ...page, cookie: stranger.cookie }), stale)
  t.equal(await joinStatus(page), 'ok')
})

t.test('from the third stale join within a minute on, a page is served static', async (t) => {
  const agent = 'without cookies'
  const path = '/counter/static?tab=a'
  for (let i = 0; i < 3; i++) {
    const page = await visit(base, path, { agent })
    t.ok(page.live, `live at visit ${i + 1}`)
    t.notMatch(page.body, /role="alert"/)
    t.same(await joinStatus({ ...page, cookie: undefined }), stale)
  }
  const page = await visit(base, path, { agent })
  t.equal(page.status, 200)
  t.equal(page.live, false, 'no script')
  t.match(page.body, /<p role="alert">This page is shown without live updates: .*cookie/)
  t.match(page.html, '<h1>Counter static</h1>')
  const lines = (await readFile(file, 'utf8')).split('\n')
  const said = lines.filter((line) => line.includes('page /counter/static is served static'))
  t.equal(said.length, 1)
  t.match(said[0], /"level":40.*SECRET_KEY_BASE/)

  t.ok((await visit(base, path, { agent: 'with cookies' })).live, 'others are served as ever')
  t.ok((await visit(base, '/where', { agent })).live, 'and so are other pages')
})

t.test('a page whose cookie comes back keeps its session', async (t) => {
  const first = await visit(base, '/where')
  const second = await visit(base, '/where', { cookie: first.cookie })
  t.same(second.headers.getSetCookie(), [])
  t.not(second.csrf, first.csrf, 'the token is masked anew')
  t.equal(await joinStatus(second), 'ok')
  t.equal(await joinStatus({ ...first, csrf: second.csrf }), 'ok', 'either token serves both')
})

t.test('what a page is served with', async (t) => {
  const page = await visit(base, '/where')
  t.match(page.headers.getSetCookie()[0], /^_beamish=.+; Path=\/; HttpOnly; SameSite=Lax$/)
  t.match(page.headers.get('content-security-policy'), /default-src 'self'/)
  t.equal(page.headers.get('cache-control'), 'no-store')
  const scripts = [...page.body.matchAll(/<script defer src="([^"]+)"/g)].map(([, src]) => src)
  t.equal(scripts.length, 3)
  for (const src of scripts) {
    const response = await fetch(new URL(src ?? '', base))
    t.equal(response.status, 200)
    t.match(response.headers.get('cache-control'), /immutable/)
    t.ok((await response.text()).length > 100)
  }
  const redirect = await visit(base, '/')
  t.equal(redirect.status, 302)
  t.equal(redirect.headers.get('location'), '/where')
})
