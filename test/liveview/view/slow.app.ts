/** Views that take their time, and a route that fails: what a client must not be able to make of them. */
import { duplicateRegistry, supervisor } from 'beamish'
import { definePlugin, endpoint, string } from 'beamish/channels'
import { html, liveRoutes, liveView } from 'beamish/liveview'

export const living = duplicateRegistry('slow.living')
const forever = new Promise<never>(() => {})

const Hanging = liveView('hanging', {
  events: { hang: {}, note: { text: string() } },
  async mount(_params, _session, socket) {
    if (socket.connected) living.register(socket.self, 'hanging')
    return socket.assign({ notes: 0 })
  },
  handleEvent: {
    async hang(_payload, socket) {
      living.register(socket.self, 'hung')
      await forever
    },
    note(_payload, socket) {
      socket.update('notes', (notes) => notes + 1)
    },
  },
  render: ({ notes }) => html`<p id="notes">${notes}</p>`,
})

const failing = definePlugin('slow.failing', ({ fastify }, path: string) => {
  fastify.get(path, () => {
    throw new Error('the password is hunter2')
  })
})

/** Endpoints have no names: tests find theirs here. */
const known = definePlugin('slow.known', ({ self }) => {
  living.register(self, 'endpoint')
})

export default supervisor({
  children: [
    endpoint({
      port: 0,
      plugins: [liveRoutes({ '/': Hanging }), failing('/fails'), known(undefined)],
    }),
  ],
})
