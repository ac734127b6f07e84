import { readFileSync } from 'node:fs'
import t from 'tap'
import { connect, joinPayload, LiveClient, visit } from '../../liveview/liveClient.ts'
import { baseOf, startApp } from '../../liveview/startApp.ts'
import { type Frame, type Reply, WireClient } from '../wireClient.ts'

const node = await startApp()
t.teardown(() => node.stop())
const base = await baseOf(node)
const gates = (event: 'open' | 'reached', gate: string): Promise<unknown> =>
  node.self.call('gates', event, gate)

/** The client as npm installed it: what we say we speak to must be it. */
const installed = JSON.parse(
  readFileSync(
    new URL('../../../node_modules/phoenix_live_view/package.json', import.meta.url),
    'utf8',
  ),
) as { version: string }

t.test('a heartbeat is answered, joined or not, with a null join ref', async (t) => {
  const wire = await WireClient.connect(base)
  for (const joinRef of [null, '7']) {
    const frame = await wire.pushFor('phoenix', 'heartbeat', {}, joinRef)
    t.match(frame, { joinRef: null, topic: 'phoenix', payload: { status: 'ok', response: {} } })
  }
  await wire.close()
})

t.test('another event on the topic phoenix is an error reply', async (t) => {
  const wire = await WireClient.connect(base)
  for (const event of ['phx_join', 'phx_leave', 'say']) {
    const reply = await wire.push('phoenix', event)
    t.same(reply, { status: 'error', response: { reason: 'unknown event' } })
  }
  await wire.close()
})

t.test('a join is answered with join ref and ref, and the first render', async (t) => {
  const page = await visit(base, '/counter/join')
  const wire = await connect(page)
  const topic = `lv:${page.id}`
  const reply = wire.replyTo('4')
  wire.send({ joinRef: '4', ref: '4', topic, event: 'phx_join', payload: joinPayload(page) })
  const frame = await reply
  t.match(frame, { joinRef: '4', ref: '4', topic, payload: { status: 'ok' } })
  t.match(frame.payload, {
    response: { rendered: { s: Array }, liveview_version: installed.version },
  })
  await wire.close()
})

t.test('a join of a topic without a channel is refused with a null join ref', async (t) => {
  const wire = await WireClient.connect(base)
  const frame = await wire.pushFor('room:lobby', 'phx_join', {}, '1')
  t.match(frame, { joinRef: null, topic: 'room:lobby' })
  t.same(frame.payload, { status: 'error', response: { reason: 'unmatched topic' } })
  await wire.close()
})

t.test('a leave is answered, then the channel is closed', async (t) => {
  const view = await LiveClient.open(base, '/counter/leave')
  const { wire, topic, joinRef } = view
  const order: string[] = []
  wire.listen(topic, ({ event }) => {
    order.push(event)
    return false
  })
  t.same(await view.leave(), { status: 'ok', response: {} })
  const close = await wire.nextEvent(topic, 'phx_close')
  t.same(close, { joinRef, ref: joinRef, topic, event: 'phx_close', payload: {} })
  t.same(order, ['phx_reply', 'phx_close'])
  const late = await wire.pushFor(topic, 'event', {}, joinRef)
  t.match(late, { joinRef: null, payload: { response: { reason: 'unmatched topic' } } })
  await view.close()
})

t.test('a leave with a null join ref is for the current join', async (t) => {
  const view = await LiveClient.open(base, '/counter/leave-null')
  t.same(await view.wire.push(view.topic, 'phx_leave', {}, null), { status: 'ok', response: {} })
  await view.wire.nextEvent(view.topic, 'phx_close')
  await view.close()
})

t.test('a leave of a topic that is not joined is answered ok, with its join ref', async (t) => {
  const wire = await WireClient.connect(base)
  const frame = await wire.pushFor('lv:nobody', 'phx_leave', {}, '9')
  t.match(frame, { joinRef: '9', payload: { status: 'ok', response: {} } })
  await wire.close()
})

t.test('two leaves in a row are both answered', async (t) => {
  const view = await LiveClient.open(base, '/counter/leave-twice')
  t.same(await Promise.all([view.leave(), view.leave()]), [
    { status: 'ok', response: {} },
    { status: 'ok', response: {} },
  ])
  await view.close()
})

t.test('leave and events of an earlier join are dropped without a reply', async (t) => {
  const view = await LiveClient.open(base, '/counter/stale-ref')
  const { wire, topic } = view
  const add = { type: 'click', event: 'add', value: { n: 5 } }
  wire.send({ joinRef: '999', ref: 'stale event', topic, event: 'event', payload: add })
  wire.send({ joinRef: '999', ref: 'stale leave', topic, event: 'phx_leave', payload: {} })
  wire.send({ joinRef: '', ref: 'empty ref', topic, event: 'event', payload: add })
  t.equal((await view.click('add', { n: 1 })).status, 'ok')
  t.equal(view.text('count'), '1')
  t.same(wire.unread, [])
  await view.close()
})

t.test('an event with a null join ref reaches the channel', async (t) => {
  const view = await LiveClient.open(base, '/counter/null-ref')
  const add = { type: 'click', event: 'add', value: { n: 2 } }
  const frame = await view.wire.pushFor(view.topic, 'event', add, null)
  t.match(frame, { joinRef: view.joinRef, payload: { status: 'ok', response: { diff: Object } } })
  t.equal(view.text('count'), '2')
  await view.close()
})

t.test('an event on a topic that was never joined is an error reply', async (t) => {
  const wire = await WireClient.connect(base)
  const frame = await wire.pushFor('lv:never', 'event', {}, '3')
  t.match(frame, { joinRef: null, topic: 'lv:never' })
  t.same(frame.payload, { status: 'error', response: { reason: 'unmatched topic' } })
  await wire.close()
})

t.test('an unknown event is an error reply, and the channel lives on', async (t) => {
  const view = await LiveClient.open(base, '/counter/unknown')
  t.same(await view.push('allow_upload', { ref: '1' }), {
    status: 'error',
    response: { reason: 'unknown event' },
  })
  t.equal((await view.click('add', { n: 1 })).status, 'ok')
  await view.close()
})

t.test('a second join answers first and then closes the first, by its join ref', async (t) => {
  const page = await visit(base, '/counter/twice')
  const wire = await connect(page)
  const topic = `lv:${page.id}`
  const first = await wire.join(topic, joinPayload(page))
  const order: Frame[] = []
  wire.listen(topic, (frame) => {
    order.push(frame)
    return false
  })
  const second = await wire.join(topic, joinPayload(page))
  t.match([first.status, second.status], ['ok', 'ok'])
  await wire.nextEvent(topic, 'phx_close')
  t.match(order, [
    { event: 'phx_reply', joinRef: second.joinRef, ref: second.joinRef },
    { event: 'phx_close', joinRef: first.joinRef, ref: first.joinRef },
  ])
  const add = { type: 'click', event: 'add', value: { n: 1 } }
  t.equal((await wire.push(topic, 'event', add, second.joinRef)).status, 'ok')
  await wire.close()
})

t.test('leave and join back to back: the new join stays', async (t) => {
  const view = await LiveClient.open(base, '/counter/rejoin')
  const { wire, topic, joinRef, page } = view
  const left = view.leave()
  const again = await wire.join(topic, joinPayload(page))
  t.equal(again.status, 'ok')
  t.equal((await left).status, 'ok')
  t.match(await wire.nextEvent(topic, 'phx_close'), { joinRef })
  const add = { type: 'click', event: 'add', value: { n: 1 } }
  t.equal((await wire.push(topic, 'event', add, again.joinRef)).status, 'ok')
  await view.close()
})

t.test('join, leave and join again without waiting: every push is answered', async (t) => {
  const page = await visit(base, '/counter/hurry')
  const wire = await connect(page)
  const topic = `lv:${page.id}`
  const payload = joinPayload(page)
  const sent: Promise<Frame>[] = []
  const push = (joinRef: string, ref: string, event: string): void => {
    sent.push(wire.replyTo(ref))
    wire.send({ joinRef, ref, topic, event, payload: event === 'phx_join' ? payload : {} })
  }
  push('1', '1', 'phx_join')
  push('2', '2', 'phx_join')
  push('3', '3', 'phx_join')
  push('3', 'a', 'phx_leave')
  push('4', '4', 'phx_join')
  push('4', 'b', 'phx_leave')
  const replies = await Promise.all(sent)
  const status = new Map(replies.map(({ ref, payload }) => [ref, (payload as Reply).status]))
  t.match(
    status,
    new Map([
      ['4', 'ok'],
      ['a', 'ok'],
      ['b', 'ok'],
    ]),
  )
  for (const { ref, payload } of replies) {
    const { status, response } = payload as Reply
    if (status === 'error') t.same(response, { reason: 'replaced by a newer join' }, `join ${ref}`)
  }
  t.equal((await wire.push(topic, 'event', {}, '4')).status, 'error', 'nothing is joined now')
  await wire.close()
})

t.test('a crash is a phx_error of that channel; its neighbours on the socket go on', async (t) => {
  const page = await visit(base, '/counter/crashes')
  const wire = await connect(page)
  const crashing = await LiveClient.join(wire, page)
  const other = await visit(base, '/counter/neighbour', { cookie: page.cookie })
  const neighbour = await LiveClient.join(wire, other)
  t.equal((await crashing.click('crash')).status, 'error')
  t.match(await crashing.ended, {
    joinRef: crashing.joinRef,
    ref: crashing.joinRef,
    event: 'phx_error',
    payload: { reason: 'channel_crash' },
  })
  await neighbour.click('add', { n: 4 })
  t.equal(neighbour.text('count'), '4')
  t.same(wire.unread, [await crashing.ended])
  await wire.close()
})

t.test('a crash in mount is an error reply, and no phx_error follows', async (t) => {
  const page = await visit(base, '/broken/connected')
  t.equal(page.status, 200)
  const wire = await connect(page)
  const reply = await wire.join(`lv:${page.id}`, joinPayload(page))
  t.match(reply, { status: 'error', response: { reason: 'join crashed' } })
  await wire.settled()
  t.same(wire.unread, [])
  await wire.close()
})

t.test('a join that crashes in place of another still closes the other', async (t) => {
  const view = await LiveClient.open(base, '/counter/replaced-by-crash')
  const { wire, topic, joinRef, page } = view
  const url = `${page.url}?tab=crash`
  const again = await wire.join(topic, { ...joinPayload(page), url })
  t.match(again, { status: 'error', response: { reason: 'join crashed' } })
  t.match(await wire.nextEvent(topic, 'phx_close'), { joinRef })
  await wire.close()
})

t.test('a slow join blocks neither heartbeat nor other topics; early events wait', async (t) => {
  const page = await visit(base, '/slow/transport')
  const wire = await connect(page)
  const topic = `lv:${page.id}`
  const join = wire.replyTo('j')
  wire.send({ joinRef: 'j', ref: 'j', topic, event: 'phx_join', payload: joinPayload(page) })
  await gates('reached', 'transport')
  const answered: (string | null)[] = []
  wire.listen(topic, ({ ref }) => {
    answered.push(ref)
    return false
  })
  const early = ['a', 'b', 'c'].map((n) => {
    const payload = { type: 'click', event: 'mark', value: { n } }
    const reply = wire.replyTo(n)
    wire.send({ joinRef: 'j', ref: n, topic, event: 'event', payload })
    return reply
  })
  await wire.settled()
  const other = await visit(base, '/counter/beside', { cookie: page.cookie })
  const beside = await LiveClient.join(wire, other)
  await beside.click('add', { n: 1 })
  t.equal(beside.text('count'), '1')
  t.same(answered, [], 'the slow topic has said nothing yet')
  await gates('open', 'transport')
  t.match((await join).payload, { status: 'ok' })
  const last = (await Promise.all(early)).at(-1)
  t.same(answered, ['j', 'a', 'b', 'c'])
  t.match(last?.payload, { status: 'ok', response: { diff: { 0: 'a b c' } } })
  await wire.close()
})

t.test(
  'more events than can wait for a join are refused, those that fit are handled',
  async (t) => {
    const page = await visit(base, '/slow/crowded')
    const wire = await connect(page)
    const topic = `lv:${page.id}`
    const join = wire.replyTo('j')
    wire.send({ joinRef: 'j', ref: 'j', topic, event: 'phx_join', payload: joinPayload(page) })
    await gates('reached', 'crowded')
    const replies = Array.from({ length: 120 }, (_, i) => {
      const payload = { type: 'click', event: 'mark', value: { n: String(i) } }
      return wire.pushFor(topic, 'event', payload, 'j')
    })
    const refused = await Promise.all(replies.slice(100))
    for (const frame of refused) {
      t.match(frame, { joinRef: 'j', payload: { status: 'error' } })
      t.match(frame.payload, {
        response: { reason: 'too many events before the join was answered' },
      })
    }
    await gates('open', 'crowded')
    t.match((await join).payload, { status: 'ok' })
    const handled = await Promise.all(replies.slice(0, 100))
    t.ok(handled.every(({ payload }) => (payload as { status: string }).status === 'ok'))
    const marks = Array.from({ length: 100 }, (_, i) => i).join(' ')
    t.match(handled.at(-1)?.payload, { response: { diff: { 0: marks } } })
    await wire.close()
  },
)

t.test('a leave during a slow join is answered after it', async (t) => {
  const page = await visit(base, '/slow/leaving')
  const wire = await connect(page)
  const topic = `lv:${page.id}`
  const join = wire.replyTo('j')
  wire.send({ joinRef: 'j', ref: 'j', topic, event: 'phx_join', payload: joinPayload(page) })
  await gates('reached', 'leaving')
  const left = wire.pushFor(topic, 'phx_leave', {}, 'j')
  await gates('open', 'leaving')
  t.match((await join).payload, { status: 'ok' })
  t.match((await left).payload, { status: 'ok' })
  t.match(await wire.nextEvent(topic, 'phx_close'), { joinRef: 'j' })
  await wire.close()
})

t.test('a channel that does not come to an end is replaced all the same', async (t) => {
  const page = await visit(base, '/slow/sticky')
  const wire = await connect(page)
  await gates('open', 'sticky')
  const view = await LiveClient.join(wire, page)
  t.equal((await view.leave()).status, 'ok')
  await gates('reached', 'sticky end')
  const again = await wire.join(view.topic, joinPayload(page))
  t.equal(again.status, 'ok')
  await wire.close()
})
