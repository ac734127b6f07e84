/** Two pages for the crash test: a counter whose view can be made to throw, and a neighbour that hears of it. */
import { supervisor, topic } from 'beamish'
import { endpoint } from 'beamish/channels'
import { html, liveRoutes, liveView } from 'beamish/liveview'

const news = topic<{ counted: { count: number } }>('news')

const Fragile = liveView('fragile', {
  topics: [news],
  events: { add: {}, crash: {} },
  mount: (_params, _session, socket) => socket.subscribe(news).assign({ count: 0, heard: 0 }),
  handleEvent: {
    add(_payload, socket) {
      socket.update('count', (count) => count + 1)
      socket.broadcastFrom(news, 'counted', { count: socket.assigns.count })
    },
    crash() {
      throw new TypeError('the handler of this event is broken')
    },
  },
  handleInfo: {
    counted({ count }, socket) {
      socket.assign({ heard: count })
    },
  },
  render: ({ count, heard }) => html`<div>
    <p id="count">${count}</p>
    <p id="heard">${heard}</p>
    <button id="add" phx-click="add">add</button>
    <button id="crash" phx-click="crash">crash</button>
  </div>`,
})

export default supervisor({
  children: [endpoint({ port: 0, plugins: [liveRoutes({ '/': Fragile })] })],
})
