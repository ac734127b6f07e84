/** Endpoints that send their sockets away in different ways. */
import { appendFileSync } from 'node:fs'
import { genServer, supervisor } from 'beamish'
import { channel, endpoint, error, socket, socketAt } from 'beamish/channels'

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

/** Outlives the node. */
const note = (what: string): void => {
  if (process.env.DRAIN_NOTES !== undefined) appendFileSync(process.env.DRAIN_NOTES, `${what}\n`)
}

/** Notes each join that was taken, and its end. */
const Noting = channel('drain.noting', {
  join(topic, _payload, socket) {
    note(`joined ${topic}`)
    return socket
  },
  terminate: (reason, { topic }) => note(`ended ${topic} ${JSON.stringify(reason)}`),
})

/** Tells that its join runs; its answer takes longer than it takes a node to begin its drain. */
const Joining = channel('drain.joining', {
  async join(topic, _payload, socket) {
    socket.self.broadcast('test.joining', 'runs', { topic })
    await socket.self.sleep(topic.endsWith('never') ? Number.POSITIVE_INFINITY : 300)
    return topic.endsWith('refused') ? error({ reason: 'no' }) : socket
  },
  terminate: (reason, { topic }) => note(`ended ${topic} ${JSON.stringify(reason)}`),
})

/** Keeps the node up until the endpoints are through. */
const Idle = genServer('drain.idle', { init: () => ({}) })

const channels = { 'room:*': Room, 'trap:*': Trapping, 'noting:*': Noting, 'joining:*': Joining }
const plugins = [socketAt('/socket', Open, { channels })]

export default supervisor({
  children: [
    Idle.child(undefined),
    endpoint({ id: 'endpoint', port: 0, plugins }),
    endpoint({ id: 'paced', port: 0, plugins, drain: { batchSize: 2, pauseMs: 60_000 } }),
    endpoint({ id: 'never', port: 0, plugins, drain: false }),
  ],
})
