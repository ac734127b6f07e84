/** What logs, reports and status show of what clients sent: no secrets, and not too much. */
import { join } from 'node:path'
import { sys, type TreeNode } from 'beamish'
import t from 'tap'
import { connectTo, logged, pidOf, startSockets } from '../sockets.ts'

const file = join(t.testdir(), 'log')
const sockets = await startSockets(
  { log: { file, level: 'info' } },
  new URL('./secrets.app.ts', import.meta.url),
)
t.teardown(() => sockets.node.stop())
const { self } = sockets.node
const wire = await connectTo(sockets, '/socket')
t.teardown(() => wire.close())
const params = { token: 'sesame-token', age: 7 }

/** The only line of the log like this, once it is there. */
async function line(pattern: RegExp): Promise<Record<string, unknown>> {
  const [found = ''] = await logged(file, pattern)
  return JSON.parse(found) as Record<string, unknown>
}

t.test(
  'a crash report shows neither passwords of the event nor tokens of the assigns',
  async (t) => {
    const topic = 'login:1'
    const { joinRef } = await wire.join(topic, params)
    const payload = { password: 'sesame-password', name: 'ada' }
    wire.send({ joinRef, ref: null, topic, event: 'fail', payload })
    await wire.nextEvent(topic, 'phx_error')
    const report = await line(/secrets\.login .* crashed: .*the database is down/)
    t.same(JSON.parse(String(report.lastMessage)), {
      type: 'phx:event',
      ref: null,
      event: 'fail',
      payload: { password: '[FILTERED]', name: 'ada' },
    })
    t.same(JSON.parse(String(report.state)), { apiToken: '[FILTERED]', shown: 'seen-state' })
    t.same(await logged(file, /sesame/, 0), [])
  },
)

t.test('nor does the reason of a channel that answers what it may not', async (t) => {
  const { joinRef } = await wire.join('login:odd', params)
  const payload = { password: 'sesame-password', name: 'ada' }
  wire.send({ joinRef, ref: null, topic: 'login:odd', event: 'odd', payload })
  await wire.nextEvent('login:odd', 'phx_error')
  t.match((await logged(file, /bad return from handleIn/))[0], /FILTERED/)
  t.same(await logged(file, /sesame/, 0), [])
})

t.test('status shows none either', async (t) => {
  const { joinRef } = await wire.join('login:status', params)
  const pid = await pidOf(wire, 'login:status', joinRef)
  const { state } = await sys.getStatus(self, pid)
  t.same(state, { apiToken: '[FILTERED]', shown: 'seen-state' })
})

t.test('a channel says how it is shown, and its secrets are left out of that, too', async (t) => {
  for (const [topic, state] of [
    ['formatted:1', { cards: 1, userToken: '[FILTERED]' }],
    ['formatFails:1', /formatStatus failed: .*cannot format/],
  ] as const) {
    const { joinRef } = await wire.join(topic)
    wire.send({ joinRef, ref: null, topic, event: 'fail', payload: { card: 'sesame' } })
    await wire.nextEvent(topic, 'phx_error')
    const report = await line(new RegExp(`crashed: .*${topic.split(':')[0]} fails`))
    const shown = String(report.state)
    t.match(state instanceof RegExp ? shown : JSON.parse(shown), state)
  }
  t.same(await logged(file, /sesame/, 0), [])
})

t.test('which words are secret is up to the socket or its channel', async (t) => {
  const careful = await connectTo(sockets, '/careful', {
    params: { PIN: '1234', password: 'told' },
  })
  t.match(await line(/CONNECTED TO secrets\.careful/), {
    parameters: { PIN: '[FILTERED]', password: 'told' },
  })
  const { joinRef } = await careful.join('pins:1', { iban: 'DE12' })
  await careful.push('pins:1', 'pay', { to: { ibanOfOther: 'DE13', name: 'bob' } }, joinRef)
  t.match(await line(/JOINED pins:1/), { parameters: { iban: '[FILTERED]' } })
  t.match(await line(/HANDLED pay/), {
    parameters: { to: { ibanOfOther: '[FILTERED]', name: 'bob' } },
  })
  await careful.close()
})

t.test('a line about what a client sent is short, however much that was', async (t) => {
  const topic = `login:${'t'.repeat(1_000)}`
  const { joinRef } = await wire.join(topic, { ...params, long: 'x'.repeat(100_000) })
  const many = Object.fromEntries(
    Array.from({ length: 200 }, (_, n) => [`field ${n}`, Array(10).fill('y'.repeat(300))]),
  )
  await wire.push(topic, 'take', many, joinRef)
  await wire.push(topic, 'n'.repeat(250), 'z'.repeat(100_000), joinRef)
  for (const pattern of [/"JOINED login:t/, /HANDLED take/, /REFUSED nnn/]) {
    const [text = ''] = await logged(file, pattern)
    t.ok(text.length < 4_000, `${pattern} has ${text.length}`)
    t.match(text, /…/)
  }
})

t.test('joins and events that are refused are logged and told, too', async (t) => {
  const refused = await wire.join('login:refused', { token: 'sesame', age: 700 })
  t.equal(refused.status, 'error')
  t.match(await line(/REFUSED JOIN login:refused in/), {
    parameters: { token: '[FILTERED]', age: 700 },
  })
  const { joinRef } = await wire.join('login:events', params)
  await wire.push('login:events', 'number', 'seven', joinRef)
  await wire.push('login:events', 'unknown', { a: 1 }, joinRef)
  t.match(await line(/REFUSED number INCOMING ON login:events .*: invalid payload/), {
    parameters: 'seven',
  })
  t.match(await line(/REFUSED unknown INCOMING ON login:events .*: unknown event/), {
    parameters: { a: 1 },
  })
})

t.test('a channel that cannot keep up ends; its client may join again', async (t) => {
  const { joinRef } = await wire.join('slow:1')
  for (let n = 0; n < 30; n++) self.broadcast('slow:1', 'seen', { n })
  t.match(await wire.nextEvent('slow:1', 'phx_error'), { joinRef })
  t.match(await line(/secrets\.slow .*mailbox full/), { reason: 'mailbox full: 20 messages' })
  t.equal((await wire.join('slow:1')).status, 'ok')
})

t.test('status of the process that holds the connection shows nothing of its client', async (t) => {
  const { joinRef } = await wire.join('login:transport', params)
  wire.send({ joinRef, ref: null, topic: 'login:transport', event: 'none', payload: params })
  const all = (nodes: readonly TreeNode[]): TreeNode[] =>
    nodes.flatMap((one) => [one, ...all(one.children)])
  const transports = all((await sockets.node.observe()).tree).flatMap(({ behaviour, figures }) =>
    behaviour === 'beamish.transport' && figures !== undefined ? [figures] : [],
  )
  t.ok(transports.length > 0)
  for (const { pid } of transports) {
    t.notMatch(JSON.stringify(await sys.getStatus(self, pid)), 'sesame')
  }
})
