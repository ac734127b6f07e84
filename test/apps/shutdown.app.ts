/** Pages that note how they end, in the file that ENDINGS names: one that ends at once, one that never gets done. */
import { appendFileSync } from 'node:fs'
import { supervisor } from 'beamish'
import { endpoint } from 'beamish/channels'
import { html, liveRoutes, liveView } from 'beamish/liveview'

const note = (name: string, reason: unknown): void =>
  appendFileSync(process.env.ENDINGS ?? '/dev/null', `${JSON.stringify({ name, reason })}\n`)

const Page = liveView('page', {
  mount: (_params, _session, socket) => socket.assign({ connected: socket.connected }),
  render: ({ connected }) => html`<p id="connected">${connected}</p>`,
  terminate: (reason) => note('page', reason),
})

const Thorough = liveView('thorough', {
  mount: (_params, _session, socket) => socket.assign({}),
  render: () => html`<p>one moment</p>`,
  async terminate(reason, socket) {
    note('thorough begins', reason)
    await socket.self.sleep(300)
    note('thorough is done', reason)
  },
})

const Stubborn = liveView('stubborn', {
  mount: (_params, _session, socket) => socket.assign({}),
  render: () => html`<p>here to stay</p>`,
  async terminate(reason) {
    note('stubborn begins', reason)
    await new Promise(() => {})
    note('stubborn is done', reason)
  },
})

export default supervisor({
  children: [
    endpoint({
      port: 0,
      plugins: [liveRoutes({ '/': Page, '/thorough': Thorough, '/stubborn': Stubborn })],
    }),
  ],
})
