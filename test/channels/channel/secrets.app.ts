/** Channels that are sent secrets and fail, and a channel that cannot keep up. */
import { supervisor } from 'beamish'
import { any, channel, endpoint, integer, ok, socket, socketAt, string } from 'beamish/channels'

const Anybody = socket('secrets.anybody', { connect: (_params, socket) => socket })
const Careful = socket('secrets.careful', {
  connect: (_params, socket) => socket,
  filterParameters: ['pin', 'iban'],
})

const events = {
  fail: { password: string(), name: string() },
  number: integer(),
  who: any(),
  take: any(),
  odd: any(),
}

export const Login = channel('secrets.login', {
  events,
  params: { token: string(), age: integer(1, 99) },
  logHandleIn: 'info',
  join: (_topic, { token }, socket) => socket.assign({ apiToken: token, shown: 'seen-state' }),
  handleIn: {
    fail() {
      throw new Error('the database is down')
    },
    number: () => ok(),
    who: (_payload, { self }) => ok({ pid: self.pid }),
    take: () => ok(),
    odd: (payload) => [payload] as never,
  },
})

const failing = { events: { fail: any() } }

/** Says itself how it is shown. */
const Formatted = channel('secrets.formatted', {
  ...failing,
  join: (_topic, _payload, socket) =>
    socket.assign({ cards: ['4111-sesame'], userToken: 'sesame' }),
  handleIn: {
    fail() {
      throw new Error('formatted fails')
    },
  },
  formatStatus: ({ state }) => ({
    state: { cards: state.cards.length, userToken: state.userToken },
    message: 'hidden by itself',
  }),
})

const FormatFails = channel('secrets.formatFails', {
  ...failing,
  join: (_topic, _payload, socket) => socket.assign({ card: 'sesame' }),
  handleIn: {
    fail() {
      throw new Error('formatFails fails')
    },
  },
  formatStatus: () => {
    throw new Error('cannot format')
  },
})

/** Its words are those of its socket. */
const Pins = channel('secrets.pins', {
  socket: Careful,
  events: { pay: any() },
  logHandleIn: 'info',
  join: (_topic, _payload, socket) => socket,
  handleIn: { pay: () => ok() },
})

export const Slow = channel('secrets.slow', {
  mailbox: { maxLength: 20 },
  join: (_topic, _payload, socket) => socket,
  handleOut: { seen: () => new Promise<never>(() => {}) },
})

const channels = {
  'login:*': Login,
  'formatted:*': Formatted,
  'formatFails:*': FormatFails,
  'pins:*': Pins,
  'slow:*': Slow,
}

export default supervisor({
  children: [
    endpoint({
      port: 0,
      plugins: [
        socketAt('/socket', Anybody, { channels }),
        socketAt('/careful', Careful, { channels }),
      ],
    }),
  ],
})
