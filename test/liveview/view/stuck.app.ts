/** A view that never comes back: from an event, or already from mount. */
import { supervisor } from 'beamish'
import { endpoint } from 'beamish/channels'
import { html, liveRoutes, liveView } from 'beamish/liveview'

function forEver(): never {
  for (;;);
}

const Stuck = liveView('stuck', {
  events: { spin: {}, count: {} },
  mount(params: { at?: string }, _session, socket) {
    if (socket.connected && params.at === 'mount') forEver()
    return socket.assign({ count: 0 })
  },
  handleEvent: {
    spin: () => forEver(),
    count: (_payload, socket) => void socket.update('count', (n) => n + 1),
  },
  render: ({ count }) => html`<p id="count">${count}</p>`,
})

export default supervisor({
  children: [endpoint({ port: 0, host: '127.0.0.1', plugins: [liveRoutes({ '/': Stuck })] })],
})
