/** The option `history` of a channel. */
import { BeamishError } from '../../runtime/index.ts'
import type { ChannelLimits } from './book.ts'

/** Which broadcasts of a channel are kept for clients that rejoin, and how many. */
export interface HistoryOptions extends Partial<Omit<ChannelLimits, 'channel'>> {
  /** Events whose broadcasts are kept. Their payloads are objects without a field named history. */
  readonly events: readonly string[]
  /** Default 1,000. */
  readonly maxMessages?: number
  /** Milliseconds. Default 300,000. */
  readonly maxAgeMs?: number
  /** Bytes of one topic's messages as JSON. Default 1,048,576; 16,777,216 at most. */
  readonly maxBytes?: number
  /** Topics of this channel that one thread keeps something of. Default 10,000. */
  readonly maxTopicsPerThread?: number
  /** Bytes of all of them. Default 67,108,864; not below maxBytes. */
  readonly maxBytesPerThread?: number
}

/** The option as its processes use it. */
export interface ChannelHistory {
  readonly events: ReadonlySet<string>
  readonly limits: ChannelLimits
}

type Limits = Omit<ChannelLimits, 'channel'>

const DEFAULT_LIMITS: Limits = {
  maxMessages: 1_000,
  maxAgeMs: 300_000,
  maxBytes: 1_048_576,
  maxTopicsPerThread: 10_000,
  maxBytesPerThread: 67_108_864,
}

const MOST: Limits = {
  maxMessages: 100_000,
  maxAgeMs: Number.MAX_SAFE_INTEGER,
  maxBytes: 16_777_216,
  maxTopicsPerThread: 1_000_000,
  maxBytesPerThread: 1_073_741_824,
}

/** @throws BEAMISH_BAD_OPTION */
export function channelHistory(
  channel: string,
  options: HistoryOptions,
  intercepted: ReadonlySet<string>,
): ChannelHistory {
  const bad = (option: string, got: unknown, fix: string): BeamishError =>
    new BeamishError('BEAMISH_BAD_OPTION', {
      option: `history.${option} of channel "${channel}"`,
      got: String(got),
      fix,
    })
  const { events, ...given } = options
  if (!Array.isArray(events) || events.length === 0 || events.some((e) => typeof e !== 'string')) {
    throw bad('events', String(events), 'name the events whose broadcasts are kept')
  }
  for (const event of events as readonly string[]) {
    if (!intercepted.has(event)) continue
    throw bad('events', event, `remove handleOut.${event}: what is kept reaches clients as it is`)
  }
  const limits: ChannelLimits = { ...DEFAULT_LIMITS, ...given, channel }
  for (const name of Object.keys(MOST) as (keyof Limits)[]) {
    const value = limits[name]
    const least = name === 'maxBytesPerThread' ? limits.maxBytes : 1
    if (Number.isInteger(value) && value >= least && value <= MOST[name]) continue
    throw bad(name, value, `give a whole number from ${least} to ${MOST[name]}`)
  }
  return { events: new Set(events), limits }
}
