/** What handlers may answer, row by row of the table in docs/channels.md, and what is refused with the fix. */
import type { BroadcastMessage, Pid } from 'beamish'
import t from 'tap'
import { connectTo, startSockets } from '../sockets.ts'
import type { Frame, Reply, WireClient } from '../wireClient.ts'
import { ENDS, orders, products } from './answers.app.ts'

const sockets = await startSockets({}, new URL('./answers.app.ts', import.meta.url))
t.teardown(() => sockets.node.stop())
const { self } = sockets.node
self.subscribe(ENDS)

const wire = await connectTo(sockets, '/socket')
t.teardown(() => wire.close())
const params = { age: 7 }

/** A channel of its own for what it answers to one event. */
async function fresh(event: string): Promise<{ topic: string; joinRef: string; frames: Frame[] }> {
  const topic = `answers:${event}`
  const { joinRef, status } = await wire.join(topic, params)
  t.equal(status, 'ok')
  const frames: Frame[] = []
  wire.listen(topic, (frame) => {
    frames.push(frame)
    return false
  })
  return { topic, joinRef, frames }
}

const send = (wire: WireClient, topic: string, joinRef: string, event: string): void =>
  wire.send({ joinRef, ref: 'r', topic, event, payload: {} })

async function pidOf(topic: string, joinRef: string): Promise<Pid> {
  return (await wire.push(topic, 'who', {}, joinRef)).response.pid as Pid
}

async function next(event: string, topic: string): Promise<unknown> {
  const message = await self.receive((one): one is BroadcastMessage => {
    const { event: of, payload } = one as Partial<BroadcastMessage>
    return of === event && (payload as { topic?: string }).topic === topic
  }, 10_000)
  return (message?.payload as { reason?: unknown } | undefined)?.reason
}

t.test('nothing, the socket: no answer', async (t) => {
  for (const event of ['nothing', 'socket']) {
    const { topic, joinRef, frames } = await fresh(event)
    send(wire, topic, joinRef, event)
    await pidOf(topic, joinRef)
    t.notOk(
      frames.some(({ ref }) => ref === 'r'),
      event,
    )
  }
})

t.test('objects, statuses, and what has a then, are replies', async (t) => {
  const answers: Readonly<Record<string, Reply>> = {
    plain: { status: 'ok', response: { plain: true } },
    ok: { status: 'ok', response: { fine: 1 } },
    error: { status: 'error', response: { why: 'so' } },
    status: { status: 'busy', response: { retryInMs: 5 } },
    thenable: { status: 'ok', response: { rows: 1 } },
    thenableReply: { status: 'ok', response: { rows: 2 } },
  }
  const { topic, joinRef } = await fresh('replies')
  for (const [event, answer] of Object.entries(answers)) {
    t.same(await wire.push(topic, event, {}, joinRef), answer, event)
  }
  send(wire, topic, joinRef, 'bytes')
  await pidOf(topic, joinRef)
  t.same([...(wire.binary.at(-1) ?? [])].slice(-2), [7, 8])
})

t.test('stop, stopWithReply: the end, after the reply', async (t) => {
  for (const [event, seen] of [
    ['stop', ['phx_close']],
    ['stopWithReply', ['phx_reply', 'phx_close']],
  ] as const) {
    const { topic, joinRef, frames } = await fresh(event)
    send(wire, topic, joinRef, event)
    await wire.nextEvent(topic, 'phx_close')
    t.same(
      frames.map(({ event }) => event),
      seen,
    )
  }
})

t.test("noreply: 'timeout' is a message once idle for so long, or it hibernates", async (t) => {
  for (const event of ['nap', 'napOfServers']) {
    const { topic, joinRef, frames } = await fresh(event)
    send(wire, topic, joinRef, event)
    await wire.nextEvent(topic, 'timeout')
    t.equal(frames.length, 1, 'and no reply')
  }
  const { topic, joinRef } = await fresh('sleep')
  const pid = await pidOf(topic, joinRef)
  send(wire, topic, joinRef, 'sleep')
  while ((await self.info(pid))?.status !== 'hibernated') await self.sleep(1)
  t.pass('it hibernates')
})

t.test(
  'what is meant for somebody else ends the channel with an error that names the fix',
  async (t) => {
    const fixes: Readonly<Record<string, RegExp>> = {
      wrongReply: /handleIn answered reply\(\).*use ok\(payload\)/,
      wrongState: /a state that is not its socket.*noreply\(\{ timeoutMs, hibernate \}\)/,
      wrongStop: /a state that is not its socket/,
      wrongContinue: /the option continue: send yourself a message/,
      wrongJoined: /handleIn answered what only a start may/,
    }
    for (const [event, message] of Object.entries(fixes)) {
      const { topic, joinRef, frames } = await fresh(event)
      send(wire, topic, joinRef, event)
      await wire.nextEvent(topic, 'phx_error')
      t.match(await next('terminated', topic), { error: { code: 'CHN_ANSWER', message } }, event)
      t.notOk(
        frames.some(({ event }) => event === 'phx_reply'),
        'nothing of it reaches the client',
      )
    }
    const { topic, joinRef } = await fresh('list')
    send(wire, topic, joinRef, 'list')
    await wire.nextEvent(topic, 'phx_error')
    t.match(await next('terminated', topic), { badReturn: { callback: 'handleIn' } })
  },
)

t.test('a call is answered by a value, or by reply() as in a server', async (t) => {
  const { topic, joinRef } = await fresh('calls')
  const pid = await pidOf(topic, joinRef)
  t.equal(await self.call(pid, 'value', {}), 7)
  t.equal(await self.call(pid, 'reply', {}), 'a value')
  t.equal(await self.call(pid, 'replyLater', {}), 'a value')
  await wire.nextEvent(topic, 'timeout')
  for (const event of ['ok', 'socket']) {
    const { topic, joinRef } = await fresh(event)
    const pid = await pidOf(topic, joinRef)
    const failed = { reason: { reason: { error: { code: 'CHN_ANSWER' } } } }
    t.match(await self.call(pid, event, {}).catch((error: unknown) => error), failed)
    await next('terminated', topic)
  }
})

t.test('stopWithReply of a call: terminate, then the reply, then the end', async (t) => {
  const { topic, joinRef } = await fresh('order')
  const pid = await pidOf(topic, joinRef)
  t.equal(await self.call(pid, 'stop', {}), 'bye')
  const seen: string[] = []
  for (;;) {
    const message = await self.receive(
      (one): one is BroadcastMessage =>
        (one as { payload?: { topic?: string } }).payload?.topic === topic,
      0,
    )
    if (message === undefined) break
    seen.push(message.event)
  }
  t.same(seen, ['terminates', 'terminated'], 'both were told before the reply')
})

t.test('handleInfo gets events of the declared topics alone', async (t) => {
  const { topic, joinRef, frames } = await fresh('topics')
  self.send(await pidOf(topic, joinRef), 'orders')
  await wire.nextEvent(topic, 'subscribed')
  self.broadcast(orders, 'changed', { state: 'sent' })
  self.broadcast('answers.undeclared', 'changed', { any: 'thing' })
  self.broadcast(products, 'changed', { price: 5 })
  t.match(await wire.nextEvent(topic, 'price'), { payload: { price: '5.00' } })
  t.same(
    frames.filter(({ event }) => event === 'message').map(({ payload }) => payload),
    [{ event: 'changed' }, { event: 'changed' }],
    'what comes from elsewhere is a message',
  )
})
