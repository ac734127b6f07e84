/** Channels that differ in their options alone. */
import { any, channel, ok } from 'beamish/channels'

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

export const Patient = channel('tour.patient', {
  events,
  shutdown: 10_000,
  trapExit: true,
  join: (_topic, _payload, socket) => socket,
  handleIn,
  terminate: (_reason, socket) => socket.self.sleep(200),
})

export const Silent = channel('tour.silent', {
  events,
  logHandleIn: false,
  join: (_topic, _payload, socket) => socket,
  handleIn,
})
