/** Endpoints that send their sockets away in different ways. */
import { genServer, supervisor } from 'beamish'
import { channel, endpoint, socket, socketAt } from 'beamish/channels'

const Open = socket('drain.open', { connect: (_params, socket) => socket })

const Room = channel('drain.room', {
  join: (_topic, _payload, socket) => socket,
})

/** Ends by its own terminate, also when its supervisor tells it to. */
const Trapping = channel('drain.trapping', {
  trapExit: true,
  join: (_topic, _payload, socket) => socket,
  terminate: () => {},
})

/** Keeps the node up until the endpoints are through. */
const Idle = genServer('drain.idle', { init: () => ({}) })

const plugins = [socketAt('/socket', Open, { channels: { 'room:*': Room, 'trap:*': Trapping } })]

export default supervisor({
  children: [
    Idle.child(undefined),
    endpoint({ id: 'endpoint', port: 0, plugins }),
    endpoint({ id: 'paced', port: 0, plugins, drain: { batchSize: 2, pauseMs: 60_000 } }),
    endpoint({ id: 'never', port: 0, plugins, drain: false }),
  ],
})
