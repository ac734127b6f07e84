// Which channel a topic goes to.
import t from 'tap'
import { matchRoute } from '../../../channels/transport/routes.ts'

const routes = [
  { topic: 'room:lobby', behaviour: 'lobby' },
  { topic: 'room:*', behaviour: 'room' },
  { topic: '*', behaviour: 'any' },
]

t.test('the first route that matches, by the whole topic or what it begins with', async (t) => {
  t.equal(matchRoute(routes, 'room:lobby')?.behaviour, 'lobby')
  t.equal(matchRoute(routes, 'room:lobby:2')?.behaviour, 'room')
  t.equal(matchRoute(routes, 'elsewhere')?.behaviour, 'any')
  t.equal(matchRoute(routes.slice(0, 2), 'elsewhere'), undefined)
})

t.test('no client gets at what the runtime tells itself, whatever the routes say', async (t) => {
  t.equal(matchRoute(routes, 'beamish.tracker:here'), undefined)
  t.equal(matchRoute([{ topic: 'beamish.*', behaviour: 'any' }], 'beamish.x'), undefined)
  t.equal(matchRoute(routes, 'beamish')?.behaviour, 'any')
})
