/** Rooms for a crowd, and an endpoint that lets it in at once. */
import { supervisor } from 'beamish'
import { any, channel, endpoint, ok, socket, socketAt } from 'beamish/channels'

const Anybody = socket('crowd.socket', { connect: (_params, socket) => socket, log: false })

const Room = channel('crowd.room', {
  events: { say: any(), where: any() },
  logJoin: false,
  logHandleIn: false,
  join: (_topic, _payload, socket) => socket,
  handleIn: {
    say(payload, socket) {
      socket.broadcast('said', payload as object)
    },
    where: (_payload, { self }) => ok({ scheduler: self.scheduler }),
  },
})

export default supervisor({
  children: [
    endpoint({
      port: 0,
      plugins: [socketAt('/socket', Anybody, { channels: { 'room:*': Room } })],
      limits: { maxUpgradesPerSecond: 10_000, maxUpgradeBurst: 10_000 },
    }),
  ],
})
