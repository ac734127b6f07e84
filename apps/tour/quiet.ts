/** Channels that differ in their options alone. */
import { any, channel, integer, ok } from 'beamish/channels'

const events = { ping: any() }
const handleIn = { ping: () => ok({ pong: true }) }

export const Drowsy = channel('tour.drowsy', {
  events,
  hibernateAfterMs: 60_000,
  join: (_topic, _payload, socket) => socket,
  handleIn,
})

export const Sleepless = channel('tour.sleepless', {
  events,
  hibernateAfterMs: Number.POSITIVE_INFINITY,
  join: (_topic, _payload, socket) => socket,
  handleIn,
})

/** Told to end, it may take ten seconds: as long as its client said, it says goodbye. */
export const Patient = channel('tour.patient', {
  events: { ...events, linger: { ms: integer(0, 60_000) } },
  shutdown: 10_000,
  trapExit: true,
  join: (_topic, _payload, socket) => socket.assign({ lingerMs: 0 }),
  handleIn: {
    ...handleIn,
    linger({ ms }, socket) {
      socket.assign({ lingerMs: ms })
      return ok()
    },
  },
  terminate: (_reason, socket) => socket.self.sleep(socket.assigns.lingerMs),
})

export const Silent = channel('tour.silent', {
  events,
  logHandleIn: false,
  join: (_topic, _payload, socket) => socket,
  handleIn,
})
