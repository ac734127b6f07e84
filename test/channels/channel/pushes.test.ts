/** After a change of code a channel declares, and keeps, what its new version does. */
import { sys } from 'beamish'
import t from 'tap'
import { connectTo, pidOf, startSockets } from '../sockets.ts'

const sockets = await startSockets(
  { development: true, schedulers: 1 },
  new URL('./pushes.app.ts', import.meta.url),
)
t.teardown(() => sockets.node.stop())
const { self } = sockets.node

t.test('a push that only the new version declares is sent in development, too', async (t) => {
  const wire = await connectTo(sockets, '/socket')
  const topic = 'push:1'
  const { joinRef } = await wire.join(topic)
  const pid = await pidOf(wire, topic, joinRef)
  const tell = { joinRef, ref: null, topic, event: 'tell', payload: {} }
  wire.send(tell)
  t.match(await wire.nextEvent(topic, 'old'), { payload: { n: 1 } })
  await sys.suspend(self, pid)
  const { href } = new URL('./pushes2.ts', import.meta.url)
  await sys.changeCode(self, pid, { module: href, direction: 'up' })
  await sys.resume(self, pid)
  wire.send(tell)
  t.match(await wire.nextEvent(topic, 'new'), { payload: { n: 'was 1' } })
  t.match(
    await wire.nextEvent(topic, 'kept'),
    { payload: { history: String } },
    'by way of its history, with its position',
  )
  await wire.close()
})
