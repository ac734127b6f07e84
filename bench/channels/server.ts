/** The room of the bench, as an application writes it: PORT and SCHEDULERS come from the environment. */
import { supervisor } from 'beamish'
import { any, channel, endpoint, ok, shape, socket, socketAt, string } from 'beamish/channels'

const body = shape({ body: string(0, 1_000) })

const Room = channel('bench-room', {
  events: { new_msg: body, ping: body, gc: any() },
  join: (_topic, _payload, socket) => socket,
  logJoin: false,
  logHandleIn: false,
  handleIn: {
    new_msg(payload, socket) {
      socket.broadcast('new_msg', payload)
      return ok()
    },
    ping: (payload) => ok(payload),
    /** Memory is weighed without garbage. */
    gc() {
      ;(globalThis as { gc?: () => void }).gc?.()
      return ok()
    },
  },
})

const User = socket('bench-user', { connect: (_params, socket) => socket })

export default supervisor({
  strategy: 'one_for_one',
  children: [
    endpoint({
      // What a join costs is measured, not how long it is kept waiting.
      limits: { maxUpgradesPerSecond: 1_000_000, maxUpgradeBurst: 10_000 },
      plugins: [socketAt('/socket', User, { channels: { 'room:*': Room } })],
    }),
  ],
})
