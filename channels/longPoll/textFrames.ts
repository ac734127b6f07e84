/**
 * Bytes for a client that polls: its answers are JSON, and its protocol knows no binary message on the way down. Phoenix raises
 * there; here neither the sender nor the session has to end for what its client cannot get.
 */
import { logLine } from '../../runtime/log.ts'
import { binaryReplyOf } from '../wire/binaryV2.ts'
import type { Frame, Serializer } from '../wire/serializer.ts'

const RESPONSE = { reason: 'bytes need a WebSocket' }

export class TextFrames {
  readonly #serializer: Serializer
  #told = false

  constructor(serializer: Serializer) {
    this.#serializer = serializer
  }

  /** The frame as text: a reply of bytes becomes an error reply, as somebody waits for it. undefined: left out, and logged once. */
  textOf(frame: Frame): string | undefined {
    if (typeof frame === 'string') return frame
    this.#tell()
    const answered = binaryReplyOf(frame)
    if (answered === undefined) return undefined
    const { joinRef, ref, topic } = answered
    const text = this.#serializer.encodeReply(joinRef, ref, topic, 'error', RESPONSE)
    return typeof text === 'string' ? text : undefined
  }

  #tell(): void {
    if (this.#told) return
    this.#told = true
    logLine('warn', 'bytes for a client that polls were left out: it needs a WebSocket to get them')
  }
}
