/** Who may connect to the tour, and by which wire. */
import t from 'tap'
import { outcome, type Received } from '../../channels/phoenixClient.ts'
import { UpgradeRefused, WireClient } from '../../channels/wireClient.ts'
import { Client, startTour } from './kit.ts'

const tour = await startTour(t)

t.test(
  'a bad token is refused on the WebSocket and by long polling, any other is taken',
  async (t) => {
    const open = (token: string) =>
      WireClient.connect(tour.base, {
        path: '/socket/websocket',
        params: { token, user_id: 'ada' },
      })
    const refused = await open('bad').catch((error: unknown) => error)
    t.ok(refused instanceof UpgradeRefused)
    t.match(refused, { status: 403 })
    await (await open('good')).close()
    const poll = async (token: string) =>
      (await fetch(`${tour.base}/socket/longpoll?vsn=2.0.0&token=${token}`)).json()
    t.match(await poll('bad'), { status: 403 })
    t.match(await poll('good'), { status: 410, token: String })
  },
)

t.test('version 1 of the wire is spoken', async (t) => {
  const ada = await Client.open(tour, 'ada', {
    vsn: '1.0.0',
    encode: (message, done) => done(JSON.stringify(message)),
    decode: (frame, done) => done(JSON.parse(frame) as Received),
  })
  let frame = ''
  ada.socket.conn.on('message', (data) => {
    frame = String(data)
  })
  const room = await ada.join('room:old')
  t.match(JSON.parse(frame), {
    topic: 'room:old',
    event: 'phx_reply',
    payload: { status: 'ok', response: {} },
  })
  t.same(await outcome(room.push('ping', { n: 1 })), ['ok', { n: 1 }])
  room.push('say', { n: 2 })
  t.same((await ada.next('say')).payload, { n: 2 })
  await ada.close()
})
