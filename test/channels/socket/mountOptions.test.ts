/** socketAt refuses what it does not know, and says what was meant. */
import { channel, socket, socketAt } from 'beamish/channels'
import t from 'tap'

const User = socket('mountOptions.user', { connect: (_params, socket) => socket })
const Room = channel('mountOptions.room', {
  join: (_topic, _payload, socket) => socket,
})
const channels = { 'room:*': Room }

const mount = (options: unknown) => () => socketAt('/socket', User, options as never)
const bad = (message: RegExp) => ({ code: 'BEAMISH_BAD_OPTION', message })

t.test('an option that is unknown is refused with the one that was meant', async (t) => {
  t.throws(
    mount({ channels, longPoll: true }),
    bad(/longPoll .*\/socket is unknown: write longpoll/),
  )
  t.throws(
    mount({ channels, maxFrameBytes: 10 }),
    bad(/maxFrameBytes .* is unknown: write limits: \{ maxFrameBytes \}/),
  )
  t.throws(mount({ channels, colour: 'red' }), bad(/colour .* is unknown: use one of channels, /))
  t.doesNotThrow(mount({ channels, longpoll: true, limits: { maxFrameBytes: 10 }, strict: true }))
})

t.test('a topic has one star at its end, or none', async (t) => {
  for (const topic of ['room:*:x', '*:x', 'room:**', '']) {
    t.throws(
      mount({ channels: { [topic]: Room } }),
      bad(/write an exact topic, or a prefix with one star at its end/),
      topic,
    )
  }
  for (const topic of ['room:*', 'room:lobby', '*']) {
    t.doesNotThrow(mount({ channels: { [topic]: Room } }), topic)
  }
})

t.test('channels have to be there', async (t) => {
  t.throws(mount(undefined), bad(/give an object with channels/))
  t.throws(mount({}), bad(/channels .* is undefined: give topics with their channels/))
  t.throws(mount({ channels: null }), bad(/channels .* is null/))
  for (const missing of [undefined, { channel: undefined }, 'room']) {
    t.throws(mount({ channels: { 'room:*': missing } }), bad(/the channel of "room:\*"/))
  }
  t.doesNotThrow(mount({ channels: { 'room:*': { channel: Room, assigns: { n: 1 } } } }))
})
