/** The tour over HTTP. */
import t from 'tap'
import { Client, post, startTour } from './kit.ts'

const tour = await startTour(t)

t.test('a broadcast from outside reaches those who joined and those who listen', async (t) => {
  const ada = await Client.open(tour, 'ada')
  await ada.join('room:outside')
  await ada.join('notification:ada', { ids: ['1'] })
  const sent = { topic: 'room:outside', event: 'news', payload: { n: 1 } }
  t.equal((await post(tour, '/broadcast', sent)).status, 204)
  t.match(await ada.next('news'), { topic: 'room:outside', payload: { n: 1 } })
  t.equal((await post(tour, '/broadcast', { topic: 'product:1', event: 'sold' })).status, 204)
  t.match(await ada.next('sold'), { topic: 'notification:ada', payload: {} })
  await ada.close()
})

t.test('what cannot be broadcast is refused with what is wrong, and reaches nobody', async (t) => {
  const ada = await Client.open(tour, 'ada')
  const bell = await ada.join('notification:bell', { ids: ['2'] })
  for (const payload of [5, 'x', true, [1]]) {
    const answer = await post(tour, '/broadcast', { topic: 'product:2', event: 'sold', payload })
    t.equal(answer.status, 422)
    t.match(await answer.json(), { issues: [{ path: 'payload', message: /must be an object/ }] })
  }
  const wrong: readonly (readonly [path: string, body: unknown, issue: string])[] = [
    ['/broadcast', { event: 'sold' }, 'topic'],
    ['/broadcast', { topic: 'product:2' }, 'event'],
    ['/broadcast', [1], ''],
    ['/broadcast', { topic: 'beamish.tracker:tour.visitors', event: 'changes' }, 'topic'],
    ['/disconnect', { user_id: 5 }, 'user_id'],
    ['/rooms/lobby/messages', { body: 5 }, 'body'],
    ['/rooms/lobby/messages', { uid: {} }, 'uid'],
    ['/rooms/lobby/messages', [1], ''],
  ]
  for (const [path, body, issue] of wrong) {
    const answer = await post(tour, path, body)
    t.equal(answer.status, 422, `${path} ${JSON.stringify(body)}`)
    t.match(await answer.json(), { issues: [{ path: issue }] })
  }
  await post(tour, '/broadcast', { topic: 'product:2', event: 'last', payload: {} })
  await ada.next('last')
  t.notOk(ada.rest.some(({ event }) => event === 'sold' || event === 'phx_error'))
  t.equal(bell.state, 'joined')
  await ada.close()
})

t.test('a message posted to a room reaches it and room:superadmin, and leads back', async (t) => {
  const ada = await Client.open(tour, 'ada')
  const admin = await ada.join('room:superadmin')
  await ada.join('room:posted')
  const answer = await post(tour, '/rooms/posted/messages', { uid: 'ada', body: 'hi', odd: 1 })
  t.same([answer.status, answer.headers.get('location')], [302, '/'])
  const message = { uid: 'ada', body: 'hi', is_editable: true }
  for (const topic of ['room:posted', 'room:superadmin']) {
    t.same((await ada.next('new_msg', topic)).payload, message)
  }
  // As the form of a page sends it.
  const form = await fetch(`${tour.base}/rooms/superadmin/messages`, {
    method: 'POST',
    body: new URLSearchParams({ uid: 'form', body: 'a & b' }),
    redirect: 'manual',
  })
  t.equal(form.status, 302)
  const got = await ada.next('new_msg', 'room:superadmin')
  t.same(got.payload, { uid: 'form', body: 'a & b', is_editable: false })
  await ada.settled(admin)
  t.notOk(
    ada.rest.some(({ event }) => event === 'new_msg'),
    'once',
  )
  await ada.close()
})
