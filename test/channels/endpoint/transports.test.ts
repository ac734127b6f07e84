import { socket, socketAt } from 'beamish/channels'
import t from 'tap'
import { type TransportOptions, transportsOf } from '../../../channels/endpoint/transports.ts'

t.test('a WebSocket is on and polling off, unless said otherwise', async (t) => {
  t.same(transportsOf({ path: '/socket' }), {
    webSocket: { path: '/socket/websocket', checkOrigin: true },
    longPoll: undefined,
  })
  t.same(transportsOf({ path: '/socket', websocket: false, longpoll: true, checkOrigin: false }), {
    webSocket: undefined,
    longPoll: { path: '/socket/longpoll', checkOrigin: false, windowMs: 10_000 },
  })
  t.same(
    transportsOf({
      path: '/of/:id',
      websocket: { path: '/ws/:room', checkOrigin: ['//a'] },
      longpoll: { path: '/poll', windowMs: 5 },
    }),
    {
      webSocket: { path: '/of/:id/ws/:room', checkOrigin: ['//a'] },
      longPoll: { path: '/of/:id/poll', checkOrigin: true, windowMs: 5 },
    },
  )
})

t.test('what cannot be meant is refused where it is written', async (t) => {
  const wrong: readonly [Omit<TransportOptions, 'path'>, RegExp][] = [
    [{ websocket: false }, /leave one of them on/],
    [{ longpoll: 'yes' as never }, /true, false or its options/],
    [{ websocket: null as never }, /true, false or its options/],
    [{ longpoll: { path: 'poll' } }, /longpoll\.path/],
    [{ websocket: { path: '/' } }, /websocket\.path/],
    [{ longpoll: { windowMs: 0 } }, /longpoll\.windowMs/],
    [{ longpoll: { windowMs: Number.POSITIVE_INFINITY } }, /longpoll\.windowMs/],
  ]
  const User = socket('transports.user', { connect: (_params, socket) => socket })
  for (const [options, message] of wrong) {
    const error = { code: 'BEAMISH_BAD_OPTION', message }
    t.throws(() => transportsOf({ path: '/socket', ...options }), error)
    t.throws(() => socketAt('/socket', User, { channels: {}, ...options }), error)
  }
})
