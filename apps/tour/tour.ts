/** The tour: every sample of the Phoenix.Channel document, and a peer for clients of the Phoenix wire. `npm run tour`. */
import { supervisor } from 'beamish'
import { endpoint, socketAt } from 'beamish/channels'
import { History } from './history.ts'
import { http } from './http.ts'
import { JANITOR, Janitor } from './janitor.ts'
import { Notification } from './notification.ts'
import { PresenceChannel, Visitors } from './presence.ts'
import { Drowsy, Patient, Silent, Sleepless } from './quiet.ts'
import { Room } from './room.ts'
import { NAME, Terminations } from './terminations.ts'
import { User } from './user.ts'

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
    Terminations.child(undefined, { name: NAME }),
    Janitor.child(undefined, { name: JANITOR }),
    Visitors.child(),
    endpoint({
      plugins: [socketAt('/socket', User, { channels, longpoll: true }), http(undefined)],
    }),
  ],
})
