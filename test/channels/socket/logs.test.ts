/** What sockets and channels write to the log, and what they keep out of it. */
import { join } from 'node:path'
import t from 'tap'
import { connectTo, logged, startSockets, statusOf } from '../sockets.ts'

const file = join(t.testdir(), 'log')
const sockets = await startSockets({ log: { file, level: 'debug' } })
t.teardown(() => sockets.node.stop())

t.test('channels 16: a connection is logged, taken or refused, without its secrets', async (t) => {
  const params = { user: 'logged', token: 'a-secret-token' }
  await (await connectTo(sockets, '/socket', { params })).close()
  const [line = ''] = await logged(file, /CONNECTED TO sockets\.open/)
  t.match(JSON.parse(line), {
    transport: 'websocket',
    serializer: 'phoenix.v2',
    parameters: { user: 'logged', token: '[FILTERED]' },
  })
  t.equal(await statusOf(sockets, '/refusing', { params: { how: 'no' } }), 403)
  await logged(file, /REFUSED CONNECTION TO sockets\.refusing/)
  t.equal(await statusOf(sockets, '/refusing', { params: { how: 'throw' } }), 403)
  await logged(file, /sockets\.refusing: connect threw: .*connect crashes/)
  t.same(await logged(file, /a-secret-token/, 0), [])
})

t.test('channels 17: the log of connections can be turned off', async (t) => {
  const wire = await connectTo(sockets, '/hushed')
  await wire.join('room:hushed')
  await logged(file, /JOINED room:hushed/)
  t.same(await logged(file, /sockets\.hushed/, 0), [])
  await wire.close()
})

t.test('channels 18: joins and events are logged without passwords', async (t) => {
  const wire = await connectTo(sockets, '/socket')
  const joinPayload = { password: 'sesame-1', nested: { userToken: 'sesame-2' }, plain: 'seen-1' }
  const { joinRef } = await wire.join('room:logs', joinPayload)
  const [joined = ''] = await logged(file, /JOINED room:logs in/)
  t.match(JSON.parse(joined), {
    parameters: { password: '[FILTERED]', nested: { userToken: '[FILTERED]' }, plain: 'seen-1' },
  })
  await wire.push('room:logs', 'login', { name: 'ada', password: 'sesame-3' }, joinRef)
  const [handled = ''] = await logged(file, /HANDLED login INCOMING ON room:logs \(sockets\.room\)/)
  t.match(JSON.parse(handled), { parameters: { name: 'ada', password: '[FILTERED]' } })
  t.equal((await wire.join('room:logs-no', { how: 'error' })).status, 'error')
  await logged(file, /REFUSED JOIN room:logs-no/)
  t.same(await logged(file, /sesame/, 0), [])
  await wire.close()
})

t.test('channels 6: a join without a route is a warning', async () => {
  const wire = await connectTo(sockets, '/socket')
  await wire.join('nowhere:unheard')
  await logged(file, /a join of \\"nowhere:unheard\\", to which no channel is routed/)
  await wire.close()
})

t.test('channels 26: a version nobody speaks is a warning', async (t) => {
  t.equal(await statusOf(sockets, '/socket', { params: { vsn: '7.0.0' } }), 403)
  // One line a second is enough: this one may be counted in a later one.
  await logged(file, /socket refused with 403|more since the last such line/)
})

t.test('channels 78: a message nobody handles is a warning and nothing else', async (t) => {
  const wire = await connectTo(sockets, '/socket')
  const { joinRef } = await wire.join('deaf:1')
  const who = (await wire.push('deaf:1', 'who', {}, joinRef)).response
  sockets.node.self.send(who.pid as never, { odd: 'of it' })
  await logged(file, /sockets\.deaf has no handleMessage: dropped a message/)
  t.same((await wire.push('deaf:1', 'who', {}, joinRef)).response, who, 'it is still the same')
  t.equal((await logged(file, /of it/)).length, 1)
  await wire.close()
})

t.test('a channel that crashes is reported with its reason', async (t) => {
  const wire = await connectTo(sockets, '/socket')
  const { joinRef } = await wire.join('room:reported')
  wire.send({ joinRef, ref: null, topic: 'room:reported', event: 'crash', payload: {} })
  await wire.nextEvent('room:reported', 'phx_error')
  const [crash = ''] = await logged(file, /crashed on request/)
  t.match(crash, /sockets\.room/)
  await wire.close()
})
