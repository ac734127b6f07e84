/** Endpoints that take in few sockets a second, and whoever listens to `test.upgrades` hears what their lines see. */
import { type ChildSpec, duplicateRegistry, genServer, onEvent, supervisor } from 'beamish'
import { definePlugin, endpoint, type UpgradeLimits } from 'beamish/channels'
import { html, liveRoutes, liveView } from 'beamish/liveview'

/** Endpoints have no names: tests find theirs here, by id. */
export const endpoints = duplicateRegistry('paced.endpoints')

const known = definePlugin('paced.known', ({ self }, id: string) => {
  endpoints.register(self, id)
})

const Reporter = genServer('paced.reporter', {
  init(_: undefined, self) {
    const off = onEvent('upgrades', (report) => self.broadcast('test.upgrades', 'seen', report))
    self.signal.addEventListener('abort', off)
    return {}
  },
})

const Page = liveView('paced.page', {
  events: { add: {} },
  mount: (_params, _session, socket) =>
    socket.assign({ scheduler: socket.self.scheduler, count: 0 }),
  handleEvent: {
    add(_payload, socket) {
      socket.update('count', (count) => count + 1)
    },
  },
  render: ({ scheduler, count }) =>
    html`<p id="scheduler">${scheduler}</p><p id="count">${count}</p>`,
})

const paced = (id: string, limits: Partial<UpgradeLimits>): ChildSpec =>
  endpoint({
    id,
    port: 0,
    plugins: [liveRoutes({ '/': Page }), known(id)],
    limits: { maxUpgradeWaitMs: 60_000, ...limits },
  })

/** Two may wait. */
const narrow = { maxUpgradesPerSecond: 1, maxUpgradeBurst: 1, maxUpgradeWaitMs: 2_400 }

export default supervisor({
  children: [
    Reporter.child(undefined, { id: 'reporter', place: 'each' }),
    paced('slow', { maxUpgradesPerSecond: 100, maxUpgradeBurst: 20 }),
    paced('shared', { maxUpgradesPerSecond: 20, maxUpgradeBurst: 5 }),
    paced('crowded', { maxUpgradesPerSecond: 10, maxUpgradeBurst: 10, maxUpgradeWaitMs: 10_000 }),
    paced('impatient', { maxUpgradesPerSecond: 20, maxUpgradeBurst: 1, maxUpgradeWaitMs: 500 }),
    paced('early', { maxUpgradesPerSecond: 1, maxUpgradeBurst: 1 }),
    // One for each test that fills it.
    ...['bound', 'hangUp', 'strict', 'official', 'firstJoin', 'killed', 'stopping'].map((id) =>
      paced(id, narrow),
    ),
  ],
})
