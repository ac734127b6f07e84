// A view and a plugin that leave something behind; what can be left is that of the runtime's test.
import { genServer, onEvent, supervisor } from 'beamish'
import { definePlugin, endpoint, string } from 'beamish/channels'
import { html, liveRoutes, liveView } from 'beamish/liveview'
import { carryOut, type KindName, type Order } from '../../runtime/node/apps/strays.ts'

const Leaving = liveView('test.leaving', {
  events: { leave: { kind: string(1, 100), when: string(1, 20) }, exit: {}, look: {} },
  mount(params, _session, socket) {
    if (params.mount === 'dead' && !socket.connected) {
      void carryOut(socket.self, { kind: String(params.kind) as KindName, when: 'at once' })
    }
    return socket.assign({ looks: 0 })
  },
  handleEvent: {
    leave(order, socket) {
      void carryOut(socket.self, order as Order)
    },
    exit() {
      process.exit(4)
    },
    look(_payload, socket) {
      socket.update('looks', (looks) => looks + 1)
    },
  },
  render: ({ looks }) => html`<p id="looks">${looks}</p>`,
})

const stray = definePlugin('test.stray', ({ fastify, self }) => {
  fastify.get<{ Params: { kind: KindName } }>('/leave/:kind', ({ params }) => {
    void carryOut(self, { kind: params.kind, when: 'at once' })
    return 'left'
  })
})

const crashes: object[] = []
onEvent('crash', ({ behaviour, stray }) => crashes.push({ behaviour, stray }))

const { promise: noticed, resolve: notice } = Promise.withResolvers<object>()
onEvent('notice', notice)

/** What this thread was told. */
export const Crashes = genServer('test.crashes', {
  init: (_: undefined) => undefined,
  handleCall: {
    take: (): object[] => crashes.splice(0),
    nextNotice: () => noticed,
  },
})

export default supervisor({
  children: [
    Crashes.child(undefined, { name: 'crashes' }),
    endpoint({ port: 0, plugins: [liveRoutes({ '/leaving': Leaving }), stray(undefined)] }),
  ],
})
