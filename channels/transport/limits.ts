import { BeamishError } from '../../runtime/index.ts'

/** Limits of one socket, with their defaults. */
export interface SocketLimits {
  /** Bytes of one incoming frame; a larger one closes the socket with 1009. */
  readonly maxFrameBytes: number
  /** Bytes waiting for a client that does not read; over it the socket's `overflow` decides, over twice as much it is closed. */
  readonly maxQueueBytes: number
  /** Levels of arrays and objects a payload may have. */
  readonly maxDepth: number
  /** Channels on one socket. */
  readonly maxChannels: number
  /** Milliseconds `connect` may take; then the connection is refused with 503. Infinity: any. */
  readonly connectTimeoutMs: number
  /** Milliseconds a join may take to be answered. Infinity: any. */
  readonly joinTimeoutMs: number
  /** Milliseconds without any data from the client. */
  readonly idleTimeoutMs: number
  /** Messages the transport may have to handle before it stops reading from the socket. */
  readonly maxInboundQueue: number
  /**
   * Bytes of what the client has sent and nobody has handled yet. Over it the transport stops reading from the socket until it
   * has handled what it read, and refuses what would wait at its channels.
   */
  readonly maxUnhandledBytes: number
  /** Events a second once the burst is used up; more get an error reply. Default: any number. */
  readonly maxEventsPerSecond: number
  readonly maxEventBurst: number
  /** The same for joins. */
  readonly maxJoinsPerSecond: number
  readonly maxJoinBurst: number
}

export const DEFAULT_LIMITS: SocketLimits = {
  maxFrameBytes: 1_000_000,
  maxQueueBytes: 4_194_304,
  maxDepth: 64,
  maxChannels: 100,
  connectTimeoutMs: 30_000,
  joinTimeoutMs: 60_000,
  idleTimeoutMs: 60_000,
  maxInboundQueue: 1_000,
  maxUnhandledBytes: 4_194_304,
  maxEventsPerSecond: Number.POSITIVE_INFINITY,
  maxEventBurst: 100,
  maxJoinsPerSecond: Number.POSITIVE_INFINITY,
  maxJoinBurst: 100,
}

/** How fast one thread takes in sockets, and how long they may wait for it: docs/live-views.md, "When many come at once". */
export interface UpgradeLimits {
  /** Sockets opened per second once the burst is used up. */
  readonly maxUpgradesPerSecond: number
  /** Sockets opened without a wait after a quiet time. */
  readonly maxUpgradeBurst: number
  /** Milliseconds an upgrade may wait; one whose turn cannot come by then is answered 503 at once. */
  readonly maxUpgradeWaitMs: number
}

/** An upgrade and its join take 0.5 to 1.5 ms of a thread: the sockets that are open keep a quarter of it at the least. */
const DEFAULT_UPGRADE_LIMITS: UpgradeLimits = {
  maxUpgradesPerSecond: 500,
  maxUpgradeBurst: 100,
  maxUpgradeWaitMs: 15_000,
}

/** The limits given, over the defaults. @throws BEAMISH_BAD_OPTION for one that is unknown or no whole number from 1 up. */
export function socketLimits(given: Partial<SocketLimits> = {}): SocketLimits {
  return limitsOver(DEFAULT_LIMITS, given)
}

/** The same for upgrades. @throws BEAMISH_BAD_OPTION */
export function upgradeLimits(given: Partial<UpgradeLimits> = {}): UpgradeLimits {
  return limitsOver(DEFAULT_UPGRADE_LIMITS, given)
}

function limitsOver<L extends object>(defaults: L, given: Partial<L>): L {
  const limits = { ...defaults } as Record<string, unknown>
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (!Object.hasOwn(limits, name))
      throw badLimit(name, `use one of ${Object.keys(limits).join(', ')}`)
    // What counts time or rates may be endless; what bounds memory may not.
    if (value === Number.POSITIVE_INFINITY && ENDLESS.includes(name)) limits[name] = value
    else if (!Number.isInteger(value) || (value as number) < 1)
      throw badLimit(name, 'give a whole number from 1 up')
    limits[name] = value
  }
  return limits as L
}

const ENDLESS: readonly string[] = [
  'connectTimeoutMs',
  'joinTimeoutMs',
  'idleTimeoutMs',
  'maxEventsPerSecond',
  'maxJoinsPerSecond',
]

const badLimit = (name: string, fix: string): BeamishError =>
  new BeamishError('BEAMISH_BAD_OPTION', { option: `limits.${name}`, got: 'not usable', fix })
