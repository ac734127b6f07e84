/** A list that falls asleep soon, and one that cannot. */
import { duplicateRegistry, supervisor, topic } from 'beamish'
import { endpoint, integer, string } from 'beamish/channels'
import { attr, each, html, liveRoutes, liveView, unsafeHtml } from 'beamish/liveview'

export const living = duplicateRegistry('hibernation.living')

interface Row {
  readonly id: number
  readonly text: string
}
const news = topic<{ row: Row }>('hibernation.news')

const rowsOf = (count: number): Row[] =>
  Array.from({ length: count }, (_, id) => ({ id, text: `row ${id}, which has something to say` }))

export const List = liveView('sleeping list', {
  topics: [news],
  events: { add: { text: string(1, 50) }, change: { id: integer(0, 1_000) }, broadcast: {} },
  hibernateAfterMs: 20,
  mount: (_params, _session, socket) => {
    if (socket.connected) living.register(socket.self, 'list')
    return socket.subscribe(news).assign({ rows: rowsOf(60) as readonly Row[], renders: 0 })
  },
  handleEvent: {
    add({ text }, socket) {
      socket.update('rows', (rows) => [...rows, { id: rows.length, text }])
    },
    change({ id }, socket) {
      const changed = (row: Row): Row => (row.id === id ? { ...row, text: 'changed' } : row)
      socket.update('rows', (rows) => rows.map(changed))
    },
    broadcast(_payload, socket) {
      socket.broadcast(news, 'row', { id: 1_000, text: 'news' })
    },
  },
  handleInfo: {
    row(row, socket) {
      socket.update('rows', (rows) => [...rows, row])
    },
  },
  render: ({ rows }) => html`<p id="count" ${attr('title', String(rows.length))}>${rows.length}</p>
    ${unsafeHtml('<hr>')}${rows.length > 1_000 ? html`<p>many</p>` : ''}
    <ul id="rows">${each(rows, ({ text }) => html`<li>${text}</li>`)}</ul>
    <ol>${each(rows, ({ text }) => html`<li>${text}</li>`, { key: ({ id }) => id })}</ol>`,
})

const Stubborn = liveView('stubborn', {
  hibernateAfterMs: 20,
  mount: (_params, _session, socket) => {
    if (socket.connected) living.register(socket.self, 'stubborn')
    return socket.assign({ at: { now: () => 1 } })
  },
  render: ({ at }) => html`<p id="now">${at.now()}</p>`,
})

export default supervisor({
  children: [endpoint({ port: 0, plugins: [liveRoutes({ '/': List, '/stubborn': Stubborn })] })],
})
