/** The body of a POST: one frame, or a line for each (the official client sends batches). */
import type { Frame } from '../wire/serializer.ts'

/** Lines that are read of a batch; an official client sends no more in one. */
export const MAX_BATCH_LINES = 100

const BATCH_TYPE = /^application\/x-ndjson(?:\s*;|\s*$)/i
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export type Batch =
  | { readonly ok: true; readonly frames: readonly Frame[] }
  | { readonly ok: false; readonly status: 400 | 413 }

/**
 * The frames of a body. In a batch each line is one, the first 100 count: a line of base64 is a binary frame, any other one
 * text. Of any other content type, or none, it is one text frame. Refused: bytes that are no UTF-8 with 400, a frame over the
 * limit with 413.
 *
 * @example
 * readBatch(Buffer.from('["1","1","a","phx_join",{}]\nAAEBA…'), 'application/x-ndjson', 1_000_000)
 * // { ok: true, frames: ['["1","1","a","phx_join",{}]', Uint8Array] }
 */
export function readBatch(
  body: Uint8Array,
  contentType: string | undefined,
  maxFrameBytes: number,
): Batch {
  let text: string
  try {
    text = decoder.decode(body)
  } catch {
    return { ok: false, status: 400 }
  }
  const frames = BATCH_TYPE.test(contentType ?? '') ? linesOf(text).map(frameOf) : [text]
  const tooBig = frames.some((frame) => bytesOf(frame) > maxFrameBytes)
  return tooBig ? { ok: false, status: 413 } : { ok: true, frames }
}

/** An empty line is no frame, but counts: the work on a body of nothing else must have an end. */
const linesOf = (text: string): readonly string[] =>
  text.split(/\r?\n/, MAX_BATCH_LINES).filter((line) => line !== '')

const frameOf = (line: string): Frame =>
  BASE64.test(line) ? new Uint8Array(Buffer.from(line, 'base64')) : line

const bytesOf = (frame: Frame): number =>
  typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length
