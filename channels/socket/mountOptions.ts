/** What socketAt() may be given: a mistake is found where it is written, and not by a client that is refused. */
import { BeamishError } from '../../runtime/index.ts'
import { DEFAULT_LIMITS } from '../transport/limits.ts'
import type { SocketAtOptions } from './socketAt.ts'

const KNOWN: readonly string[] = [
  'channels',
  'websocket',
  'longpoll',
  'checkOrigin',
  'limits',
  'overflow',
  'authToken',
  'subprotocols',
  'strict',
  'connectInfo',
  'serializers',
] satisfies (keyof SocketAtOptions)[]

/** An exact topic, or a prefix with a star. */
const TOPIC = /^[^*]*\*$|^[^*]+$/

/** @throws BEAMISH_BAD_OPTION for what is unknown, and for routes that lead nowhere */
export function checkMountOptions(path: string, options: SocketAtOptions): void {
  const given: unknown = options
  if (!isObject(given)) {
    throw bad(`options of the socket at ${path}`, given, 'give an object with channels')
  }
  for (const name of Object.keys(given)) {
    if (!KNOWN.includes(name)) {
      throw bad(`${name} of the socket at ${path}`, 'unknown', fixOf(name))
    }
  }
  const { channels } = given
  if (!isObject(channels)) {
    const fix = "give topics with their channels, as { 'room:*': Room }"
    throw bad(`channels of the socket at ${path}`, channels, fix)
  }
  for (const [topic, route] of Object.entries(channels)) {
    if (!TOPIC.test(topic)) {
      const fix = 'write an exact topic, or a prefix with one star at its end, as room:*'
      throw bad(`a topic of the socket at ${path}`, JSON.stringify(topic), fix)
    }
    const channel = isObject(route) && 'channel' in route ? route.channel : route
    if (!isObject(channel) || typeof channel.name !== 'string') {
      const fix =
        'give a channel() or { channel, assigns }; undefined may be an import that goes in a circle'
      throw bad(`the channel of ${JSON.stringify(topic)} at ${path}`, channel, fix)
    }
  }
}

function fixOf(name: string): string {
  if (Object.hasOwn(DEFAULT_LIMITS, name)) return `write limits: { ${name} }`
  const meant = KNOWN.find((known) => known.toLowerCase() === name.toLowerCase())
  return meant === undefined ? `use one of ${KNOWN.join(', ')}` : `write ${meant}`
}

/** A behaviour may be a function as well as an object. */
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

const bad = (option: string, got: unknown, fix: string): BeamishError =>
  new BeamishError('BEAMISH_BAD_OPTION', { option, got: String(got), fix })
