/**
 * Serializers: how messages stand in frames. An endpoint speaks a list of them, each for a range of versions; a client names
 * its version when it connects. They are known by name on every thread, like behaviours: a channel encodes what it sends
 * wherever it runs.
 */
import { BeamishError } from '../../runtime/index.ts'
import { ChannelError } from '../errors.ts'
import type { Decoded, DecodeLimits } from './message.ts'

/** What crosses a socket: a text frame as a string, a binary one as bytes. */
export type Frame = string | Uint8Array

/** Bytes of a frame on the wire. A short text is measured by its letters. */
export const frameBytes = (frame: Frame): number =>
  typeof frame === 'string' && frame.length > 1_000 ? Buffer.byteLength(frame) : frame.length

/** What an application sends: an object that JSON can carry, or bytes. Lists, functions and promises are no objects to it. */
export type Payload = Fields | (object & NoOther) | Uint8Array

/** Written out where it is sent. */
interface Fields extends NoOther {
  readonly [name: string]: unknown
}

/** What is an object to TypeScript, and none on the wire. */
interface NoOther {
  /** Array, Map, Set. */
  readonly [Symbol.iterator]?: never
  /** Date. */
  readonly [Symbol.toPrimitive]?: never
  /** A function. */
  readonly [Symbol.hasInstance]?: never
  /** A promise. */
  readonly then?:
    | string
    | number
    | boolean
    | (object & { readonly [Symbol.hasInstance]?: never })
    | null
    | undefined
}

/** Reads and writes the frames of one version of the wire. Encoders throw `CHN_PAYLOAD` for what they cannot carry. */
export interface Serializer {
  /** The same on every thread. */
  readonly name: string
  /** Its wire has no bytes: where some are sent to its client, they are left out, and a reply of them is an error reply. */
  readonly textOnly?: boolean
  /** Never throws for what a client can send. */
  decode(frame: Frame, limits: DecodeLimits): Decoded
  /** The answer to the push `ref`. */
  encodeReply(
    joinRef: string | null,
    ref: string | null,
    topic: string,
    status: string,
    response: Payload,
  ): Frame
  /** A message to one join of a topic; `ref` is null but for the word that its channel has ended. */
  encodePush(
    joinRef: string | null,
    ref: string | null,
    topic: string,
    event: string,
    payload: Payload,
  ): Frame
  /** encodePush, without a ref, of a payload that is the JSON of an object. Without it that is read and written again. */
  encodePushJson?(joinRef: string | null, topic: string, event: string, json: string): Frame
  /** A message to all who joined a topic: one frame for all of them. */
  encodeBroadcast(topic: string, event: string, payload: Payload): Frame
}

/** A serializer and the versions it speaks, as `2.0.x` or `2.x`. */
export interface SerializerOption {
  readonly serializer: Serializer
  readonly versions: string
}

const serializers = new Map<string, Serializer>()

/**
 * Makes a serializer known on this thread, for the option `serializers` of a socket.
 *
 * @example
 * ```ts
 * import { defineSerializer, phoenixV2 } from 'beamish/channels'
 * // Text frames with a marker before them.
 * export const marked = defineSerializer({
 *   ...phoenixV2,
 *   name: 'doc-marked',
 *   encodeBroadcast: (topic, event, payload) => phoenixV2.encodeBroadcast(topic, `!${event}`, payload),
 * })
 * ```
 * @throws BEAMISH_BEHAVIOUR_DUPLICATE
 */
export function defineSerializer<S extends Serializer>(serializer: S): S {
  const known = serializers.get(serializer.name)
  if (known !== undefined && known !== serializer) {
    throw new BeamishError('BEAMISH_BEHAVIOUR_DUPLICATE', { name: `"${serializer.name}"` })
  }
  serializers.set(serializer.name, serializer)
  return serializer
}

/** @throws CHN_SERIALIZER */
export function findSerializer(name: string): Serializer {
  const found = serializers.get(name)
  if (found !== undefined) return found
  throw new ChannelError(
    'CHN_SERIALIZER',
    `No serializer "${name}" is known on this thread: call defineSerializer in a module that the app module imports.`,
  )
}

const VERSION = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})$/
const RANGE = /^(\d{1,9})\.(?:(\d{1,9})\.)?x$/

/** Which serializer speaks a version: the first whose range has it (Phoenix.Socket `serializer`). */
export class Versions {
  readonly #ranges: { readonly prefix: string; readonly serializer: Serializer }[] = []

  /** @throws CHN_SERIALIZER for a range that is not `2.x` or `2.0.x`. */
  constructor(options: readonly SerializerOption[]) {
    for (const { serializer, versions } of options) {
      if (!RANGE.test(versions)) {
        throw new ChannelError(
          'CHN_SERIALIZER',
          `The versions ${JSON.stringify(versions)} of a serializer cannot be read: write 2.0.x or 2.x.`,
        )
      }
      this.#ranges.push({ prefix: versions.slice(0, -1), serializer })
    }
  }

  /** The serializer for what a client sent as `vsn`; one that sent none speaks 1.0.0. */
  find(vsn: unknown = '1.0.0'): Serializer | undefined {
    if (typeof vsn !== 'string' || !VERSION.test(vsn)) return undefined
    return this.#ranges.find(({ prefix }) => vsn.startsWith(prefix))?.serializer
  }
}
