/**
 * Frames as they stand on the wire (RFC 6455 section 5.2): one Buffer for all that leaves a socket at a time. In a room
 * nearly all sockets send the same frames in the same turn, and share the Buffer: made once, it costs each of them one write.
 */
import type { Frame } from '../wire/serializer.ts'

const FIN_TEXT = 0x81
const FIN_BINARY = 0x82

/** A way that sockets have gone in this turn: this frame after those before it. */
class Step {
  readonly frame: Frame | undefined
  readonly bytes: number
  /** The way the latest socket went from here. */
  next: Step | undefined
  buffer: Buffer | undefined

  constructor(frame: Frame | undefined, bytes: number) {
    this.frame = frame
    this.bytes = bytes
  }
}

/** A Buffer kept for another socket is kept for this turn alone. */
let root = new Step(undefined, 0)
let clearing = false

function clear(): void {
  clearing = false
  root = new Step(undefined, 0)
}

/** The bytes of these frames. The Buffer may be shared: nobody writes to it. */
export function encoded(frames: readonly Frame[]): Buffer {
  let step = root
  for (let i = 0; i < frames.length; i++) {
    const frame = frames[i] as Frame
    let next = step.next
    if (next === undefined || next.frame !== frame) {
      next = new Step(frame, step.bytes + sizeOf(frame))
      step.next = next
    }
    step = next
  }
  if (step.buffer === undefined) step.buffer = write(frames, step.bytes)
  if (!clearing) {
    clearing = true
    setImmediate(clear)
  }
  return step.buffer
}

function sizeOf(frame: Frame): number {
  const bytes = typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length
  return bytes + (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10)
}

function write(frames: readonly Frame[], bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes)
  let at = 0
  for (let i = 0; i < frames.length; i++) {
    const frame = frames[i] as Frame
    const isText = typeof frame === 'string'
    const length = isText ? Buffer.byteLength(frame) : frame.length
    buffer[at] = isText ? FIN_TEXT : FIN_BINARY
    if (length < 126) {
      buffer[at + 1] = length
      at += 2
    } else if (length < 65_536) {
      buffer[at + 1] = 126
      buffer.writeUInt16BE(length, at + 2)
      at += 4
    } else {
      buffer[at + 1] = 127
      // A frame is far below 2 ** 48 bytes.
      buffer.writeUInt16BE(0, at + 2)
      buffer.writeUIntBE(length, at + 4, 6)
      at += 10
    }
    if (isText) buffer.write(frame, at, length, 'utf8')
    else buffer.set(frame, at)
    at += length
  }
  return buffer
}
