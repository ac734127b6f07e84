/** A channel that ends, and answers, in every way a typed client has to tell apart. */
import { stop, supervisor } from 'beamish'
import {
  any,
  bytes,
  channel,
  endpoint,
  joined,
  ok,
  replyWith,
  socket,
  socketAt,
} from 'beamish/channels'

const Clerk = socket('desk.clerk', { connect: (_params, socket) => socket })

export const Desk = channel('desk', {
  socket: Clerk,
  events: { ask: any(), wait: any(), crash: any(), close: any(), file: bytes(), ping: any() },
  async join(topic, _payload, socket) {
    if (topic === 'desk:never') await socket.self.sleep(60_000)
    return joined(socket, { at: new Date(5), open: true })
  },
  handleIn: {
    ask: () => replyWith('busy', { retryAt: new Date(7) }),
    wait(_payload, socket) {
      socket.push('waiting', { since: new Date(9) })
    },
    crash() {
      throw new Error('crashed on request')
    },
    close: () => stop('normal'),
    file: (data) => ok({ size: data.length, text: Buffer.from(data).toString('latin1') }),
    ping: () => ok({ pong: true }),
  },
})

export default supervisor({
  children: [
    endpoint({
      port: 0,
      plugins: [socketAt('/socket', Clerk, { channels: { 'desk:*': Desk } })],
    }),
  ],
})
