/** Version 1 of a channel that sleeps soon; its assigns are enough to be worth serializing. */
import { noreply, uniqueRegistry } from 'beamish'
import { any, channel, ok } from 'beamish/channels'

export const sleeping = uniqueRegistry('test.sleeping')

const rows = () => Array.from({ length: 60 }, (_, id) => ({ id, text: `row ${id}, to be kept` }))

export const Sleeper = channel('test.sleeper', {
  hibernateAfterMs: 20,
  events: { add: any(), count: any(), nap: any() },
  async join(topic, _payload, socket) {
    await sleeping.register(socket.self, topic)
    return socket.assign({ rows: rows(), heard: 0 })
  },
  handleIn: {
    add(_payload, socket) {
      socket.update('rows', (all) => [...all, { id: all.length, text: 'added' }])
      return ok({ count: socket.assigns.rows.length })
    },
    count: (_payload, { assigns }) => ok({ count: assigns.rows.length, heard: assigns.heard }),
    nap: (_payload, socket) => noreply(socket, { hibernate: true }),
  },
  handleOut: {
    counted(payload: object, socket) {
      socket.update('heard', (heard) => heard + 1).push('counted', payload)
    },
  },
})

export const Waking = channel('test.waking', {
  hibernateAfterMs: Number.POSITIVE_INFINITY,
  events: { nap: any() },
  async join(topic, _payload, socket) {
    await sleeping.register(socket.self, topic)
    return socket
  },
  handleIn: { nap: (_payload, socket) => noreply(socket, { hibernate: true }) },
})
