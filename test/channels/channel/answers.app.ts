/** Channels whose handlers answer everything that may be answered, and what may not. */
import { noreply as noreplyOfServers, reply, stop, stopWithReply, supervisor, topic } from 'beamish'
import {
  any,
  channel,
  endpoint,
  error,
  integer,
  joined,
  noreply,
  ok,
  replyWith,
  socket,
  socketAt,
} from 'beamish/channels'

export const ENDS = 'answers.ends'
export const products = topic<{ changed: { price: number } }>('answers.products')
export const orders = topic<{ changed: { state: string } }>('answers.orders')

const Anybody = socket('answers.anybody', { connect: (_params, socket) => socket })

/** Somebody's query: no Promise, but it has a then. */
const thenable = <T>(value: T): PromiseLike<T> => ({
  // biome-ignore lint/suspicious/noThenProperty: that is what it is about
  then: (resolve, reject) => Promise.resolve(value).then(resolve, reject),
})

export const Answers = channel('answers.answers', {
  topics: [products],
  params: { age: integer(1, 9) },
  hibernateAfterMs: Number.POSITIVE_INFINITY,
  events: {
    nothing: any(),
    socket: any(),
    plain: any(),
    ok: any(),
    error: any(),
    status: any(),
    bytes: any(),
    stop: any(),
    stopWithReply: any(),
    nap: any(),
    sleep: any(),
    napOfServers: any(),
    thenable: any(),
    thenableReply: any(),
    who: any(),
    wrongReply: any(),
    wrongState: any(),
    wrongStop: any(),
    wrongContinue: any(),
    wrongJoined: any(),
    list: any(),
    number: integer(),
  },
  join: (_topic, _payload, socket) => thenable(joined(socket.subscribe('answers.undeclared'), {})),
  handleIn: {
    nothing() {},
    socket: (_payload, socket) => socket,
    plain: () => ({ plain: true }),
    ok: () => ok({ fine: 1 }),
    error: () => error({ why: 'so' }),
    status: () => replyWith('busy', { retryInMs: 5 }),
    bytes: () => Uint8Array.of(7, 8),
    stop: () => stop('normal'),
    stopWithReply: () => stopWithReply('normal', ok({ last: true })),
    nap: () => noreply({ timeoutMs: 1 }),
    sleep: () => noreply({ hibernate: true }),
    napOfServers: (_payload, socket) => noreplyOfServers(socket, { timeoutMs: 1 }),
    thenable: () => thenable({ rows: 1 }),
    thenableReply: () => thenable(ok({ rows: 2 })),
    who: (_payload, { self }) => ok({ pid: self.pid }),
    wrongReply: () => reply({ secret: 1 }) as never,
    wrongState: () => noreplyOfServers({ timeoutMs: 1 }),
    wrongStop: () => stop('normal', { count: 1 }),
    wrongContinue: (_payload, socket) => noreplyOfServers(socket, { continue: 'go on' }),
    wrongJoined: (_payload, socket) => joined(socket) as never,
    list: () => [1] as never,
    number: () => ok(),
  },
  handleCall: {
    value: () => 7,
    reply: () => reply('a value'),
    replyLater: () => thenable(reply('a value', undefined, { timeoutMs: 1 })),
    stop: () => stopWithReply('normal', 'bye'),
    ok: () => ok({ for: 'a client' }),
    socket: (_payload, socket) => socket,
  },
  handleInfo: {
    changed: ({ price }, socket) => socket.push('price', { price: price.toFixed(2) }),
  },
  handleMessage(message, socket) {
    if (message === 'timeout') return socket.push('timeout')
    if (message === 'orders') return socket.subscribe(orders).subscribe(products).push('subscribed')
    return socket.push('message', { event: (message as { event: string }).event })
  },
  async terminate(reason, { self, topic }) {
    self.broadcast(ENDS, 'terminates', { topic, reason })
    await self.sleep(1)
    self.broadcast(ENDS, 'terminated', { topic, reason })
  },
})

export default supervisor({
  children: [
    endpoint({
      port: 0,
      plugins: [socketAt('/socket', Anybody, { channels: { 'answers:*': Answers } })],
    }),
  ],
})
