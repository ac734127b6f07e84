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
