/** The tour: every sample of the Phoenix.Channel document, and a peer for clients of the Phoenix wire. `npm run tour`. */
import { supervisor } from 'beamish'
import { endpoint, socketAt } from 'beamish/channels'
import { History } from './history.ts'
import { http } from './http.ts'
import { janitors } from './janitor.ts'
import { Notification } from './notification.ts'
import { PresenceChannel, Visitors } from './presence.ts'
import { Drowsy, Patient, Silent, Sleepless } from './quiet.ts'
import { Room } from './room.ts'
import { User } from './user.ts'
import { foremen } from './work.ts'

const channels = {
  'room:*': Room,
  'notification:*': Notification,
  'presence:*': PresenceChannel,
  'drowsy:*': Drowsy,
  'sleepless:*': Sleepless,
  'patient:*': Patient,
  'silent:*': Silent,
  'history:*': History,
}

export default supervisor({
  strategy: 'one_for_one',
  children: [
    janitors,
    foremen,
    Visitors.child(),
    endpoint({
      plugins: [socketAt('/socket', User, { channels, longpoll: true }), http(undefined)],
    }),
  ],
})
