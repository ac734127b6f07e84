import { BeamishError } from '../../runtime/index.ts'

/** Limits of one socket, with their defaults. */
export interface SocketLimits {
  /** Bytes of one incoming frame; a larger one closes the socket with 1009. */
  readonly maxFrameBytes: number
  /** Bytes waiting for a client that does not read; over it the socket is closed. */
  readonly maxQueueBytes: number
  /** Channels on one socket. */
  readonly maxChannels: number
  /** Milliseconds without any data from the client. */
  readonly idleTimeoutMs: number
  /** Messages the transport may have to handle before it stops reading from the socket. */
  readonly maxInboundQueue: number
}

export const DEFAULT_LIMITS: SocketLimits = {
  maxFrameBytes: 1_000_000,
  maxQueueBytes: 4_194_304,
  maxChannels: 100,
  idleTimeoutMs: 60_000,
  maxInboundQueue: 1_000,
}

/** The limits given, over the defaults. @throws BEAMISH_BAD_OPTION for one that is unknown or no whole number from 1 up. */
export function socketLimits(given: Partial<SocketLimits> = {}): SocketLimits {
  const limits: Record<string, number> = { ...DEFAULT_LIMITS }
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (!Object.hasOwn(limits, name))
      throw badLimit(name, `use one of ${Object.keys(limits).join(', ')}`)
    if (!Number.isInteger(value) || value < 1) throw badLimit(name, 'give a whole number from 1 up')
    limits[name] = value
  }
  return limits as unknown as SocketLimits
}

const badLimit = (name: string, fix: string): BeamishError =>
  new BeamishError('BEAMISH_BAD_OPTION', { option: `limits.${name}`, got: 'not usable', fix })
