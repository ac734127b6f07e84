/** Metas at the door: a tracker keeps a copy of its own, and only of what can go wherever it is to go. */
import { BeamishError } from '../../runtime/index.ts'
import { findUncloneable } from '../../runtime/scheduler/isolate.ts'
import { ChannelError } from '../errors.ts'
import { encodePayload } from '../wire/serializerV2.ts'

/** What else a kind of tracker asks of metas. It throws. */
export type MetaCheck = (meta: object) => void

/** @throws BEAMISH_BAD_OPTION for what is no object, or cannot cross threads */
export function metaOf<M extends object>(tracker: string, meta: unknown, check?: MetaCheck): M {
  const option = `meta of "${tracker}"`
  if (typeof meta !== 'object' || meta === null || Array.isArray(meta)) {
    const fix = 'give an object, such as { onlineAt }'
    throw new BeamishError('BEAMISH_BAD_OPTION', { option, got: typeof meta, fix })
  }
  let copy: object
  try {
    copy = structuredClone(meta)
  } catch (cause) {
    const { path, what } = findUncloneable(meta, 'meta')
    const [got, fix] = [`${what} at ${path}`, 'give plain data, which every thread can be told']
    throw new BeamishError('BEAMISH_BAD_OPTION', { option, got, fix }, cause)
  }
  check?.(copy)
  return copy as M
}

/** Clients are told of it. @throws CHN_PAYLOAD */
export const jsonCheck =
  (presence: string): MetaCheck =>
  (meta) => {
    try {
      encodePayload(meta)
    } catch (cause) {
      const { message } = cause as ChannelError
      throw new ChannelError(
        'CHN_PAYLOAD',
        `Clients cannot be told of a meta of presence "${presence}". ${message}`,
        { cause },
      )
    }
  }
