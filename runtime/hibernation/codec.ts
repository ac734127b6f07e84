/**
 * A state at rest: serialized, and deflated, where that pays, as text of one byte per character, for a Buffer of its own costs some 300
 * bytes beside its content. Pure: what is kept, what is not and why is decided here, and measured in bench/hibernation.ts.
 */
import { DefaultDeserializer, serialize } from 'node:v8'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { freezeAgain, type Owners, type Survey, survey, type Unserializable } from './survey.ts'

/** A serialized state. */
export interface Encoded {
  readonly bytes: string
  readonly deflated: boolean
  readonly frozen: readonly number[]
}

export type Rest =
  | Unserializable
  /** Left as it is: small, shared, too large, or no smaller when serialized. */
  | { readonly kind: 'kept' }
  | { readonly kind: 'encoded'; readonly encoded: Encoded }

/** Below this the record of what was serialized takes what is saved. */
const MIN_HEAP_BYTES = 1_024
/** It pays when a third is saved, by an estimate of the heap that is right to a fifth. */
const MAX_SHARE = 2 / 3
/** Below this, deflating takes longer than it is worth. A small window: a state repeats itself within it. */
const MIN_DEFLATE_BYTES = 1_024
const DEFLATE = { level: 1, memLevel: 4, windowBits: 12 }
/** The record of it: four words and the header of the text. */
const RECORD_BYTES = 96

/** Decides on the state of a process, and serializes it if that pays. */
export function rest(state: unknown, owner: number, owners: Owners): Rest {
  let found: Survey
  try {
    found = survey(state, owner, owners)
  } catch (error) {
    const what = `something that cannot be looked at (${(error as Error).message})`
    return { kind: 'unserializable', path: 'state', what }
  }
  if (found.kind === 'unserializable') return found
  if (found.kind !== 'own' || found.heapBytes < MIN_HEAP_BYTES) return { kind: 'kept' }
  let buffer: Buffer
  try {
    buffer = serialize(state)
  } catch (error) {
    // What the survey does not see: a Proxy, or nesting deeper than the stack.
    const what = `something that cannot be serialized (${(error as Error).message})`
    return { kind: 'unserializable', path: 'state', what }
  }
  const { heapBytes, frozen } = found
  const packed = buffer.length < MIN_DEFLATE_BYTES ? buffer : deflateRawSync(buffer, DEFLATE)
  const deflated = packed.length < buffer.length
  const bytes = (deflated ? packed : buffer).toString('latin1')
  if (bytes.length + RECORD_BYTES > heapBytes * MAX_SHARE) return { kind: 'kept' }
  return { kind: 'encoded', encoded: { bytes, deflated, frozen } }
}

/** The state as it was. */
export function wakeUp({ bytes, deflated, frozen }: Encoded): unknown {
  const packed = Buffer.from(bytes, 'latin1')
  const deserializer = new OwnViews(deflated ? inflateRawSync(packed) : packed)
  deserializer.readHeader()
  const state: unknown = deserializer.readValue()
  freezeAgain(state, frozen)
  return state
}

/** V8's views would lie in the serialized bytes, and keep all of them; these have buffers of their own, as they had. */
class OwnViews extends DefaultDeserializer {
  _readHostObject(): ArrayBufferView {
    const read = DefaultDeserializer.prototype as unknown as { _readHostObject(): Uint8Array }
    const view = read._readHostObject.call(this)
    const { buffer, byteOffset, byteLength } = view
    if (Buffer.isBuffer(view)) return Buffer.from(view)
    const copy = buffer.slice(byteOffset, byteOffset + byteLength)
    return new (view.constructor as new (of: ArrayBufferLike) => ArrayBufferView)(copy)
  }
}
