/** What a process is born with besides its behaviour and argument (OTP spawn_opt): limits and a priority, checked at once. */
import { BeamishError } from '../errors.ts'
import { safeText } from '../exit/reason.ts'

/**
 * What happens to a message for a mailbox that is full. drop_newest: it is dropped. drop_oldest: the one that waits longest
 * is. exit: the process ends with `{ mailboxFull: { length } }`. A call that is dropped fails at once, with
 * `{ mailboxFull: { maxLength } }`. Exit signals, DOWNs and orders of supervisors are never dropped.
 */
export type MailboxPolicy = 'drop_newest' | 'drop_oldest' | 'exit'

export interface MailboxOptions {
  /** Messages that may wait. Default Infinity. */
  readonly maxLength?: number
  /** Default drop_newest. */
  readonly policy?: MailboxPolicy
  /** So many waiting messages are told by the event `mailbox`, once until fewer than half wait. Default 10,000. */
  readonly highWater?: number
}

/** How soon a process has its turn among those of its thread that are ready. None is starved (OTP process_flag). */
export type Priority = 'low' | 'normal' | 'high'

/** A priority as the run queue has it. */
export const Rank = { Low: -1, Normal: 0, High: 1 } as const
export type Rank = (typeof Rank)[keyof typeof Rank]

const RANKS: Readonly<Record<Priority, Rank>> = {
  low: Rank.Low,
  normal: Rank.Normal,
  high: Rank.High,
}

export function rankOf(priority: Priority): Rank {
  if (typeof priority === 'string' && Object.hasOwn(RANKS, priority)) return RANKS[priority]
  throw bad('priority', priority, `use one of ${Object.keys(RANKS).join(', ')}`)
}

export const priorityOf = (rank: Rank): Priority =>
  rank === Rank.Normal ? 'normal' : rank === Rank.High ? 'high' : 'low'

export interface Flags {
  /**
   * About so many bytes its state, mailbox and dictionary may take; one that is found to hold more dies `killed`, after the
   * notice `max_heap`. They are weighed once a second, by what they contain. Default: no limit.
   */
  readonly maxHeapBytes?: number | undefined
  /** Default normal. self.priority() changes it. */
  readonly priority?: Priority | undefined
  /** How many messages may wait, and what happens to further ones. Default: any number, told from 10,000 on. */
  readonly mailbox?: MailboxOptions | undefined
}

/** A mailbox's options with their defaults. */
export interface MailboxLimit {
  readonly maxLength: number
  readonly policy: MailboxPolicy
  readonly highWater: number
}

export const HIGH_WATER = 10_000

export const NO_LIMIT: MailboxLimit = {
  maxLength: Number.POSITIVE_INFINITY,
  policy: 'drop_newest',
  highWater: HIGH_WATER,
}

const POLICIES: readonly unknown[] = [
  'drop_newest',
  'drop_oldest',
  'exit',
] satisfies MailboxPolicy[]

/**
 * The flags among the options of a start; undefined where there are none, which is the rule.
 * @throws BEAMISH_BAD_OPTION
 */
export function flagsOf(options: Flags): Flags | undefined {
  const { mailbox, priority, maxHeapBytes } = options
  if (mailbox === undefined && priority === undefined && maxHeapBytes === undefined) {
    return undefined
  }
  const flags: { -readonly [K in keyof Flags]: Flags[K] } = {}
  if (mailbox !== undefined) {
    mailboxLimit(mailbox)
    flags.mailbox = mailbox
  }
  if (priority !== undefined) {
    rankOf(priority)
    flags.priority = priority
  }
  if (maxHeapBytes !== undefined) {
    if (typeof maxHeapBytes !== 'number' || !(maxHeapBytes > 0)) {
      throw bad('maxHeapBytes', maxHeapBytes, 'give a number of bytes')
    }
    flags.maxHeapBytes = maxHeapBytes
  }
  return flags
}

export function mailboxLimit(options: MailboxOptions): MailboxLimit {
  if (typeof options !== 'object' || options === null) {
    throw bad('mailbox', options, 'give { maxLength, policy, highWater }')
  }
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(NO_LIMIT, key)) {
      throw bad(`mailbox.${key}`, 'unknown', 'use maxLength, policy or highWater')
    }
  }
  const { maxLength = NO_LIMIT.maxLength, policy = NO_LIMIT.policy } = options
  const { highWater = Math.min(HIGH_WATER, maxLength) } = options
  if (maxLength !== Number.POSITIVE_INFINITY && !isCount(maxLength)) {
    throw bad('mailbox.maxLength', maxLength, 'give a whole number from 1 up, or Infinity')
  }
  if (!POLICIES.includes(policy)) {
    throw bad('mailbox.policy', policy, `use one of ${POLICIES.join(', ')}`)
  }
  if (!isCount(highWater) || highWater > maxLength) {
    throw bad('mailbox.highWater', highWater, 'give a whole number from 1 up to maxLength')
  }
  return { maxLength, policy, highWater }
}

const MAX_COUNT = 2 ** 31 - 1

const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_COUNT

function bad(option: string, got: unknown, fix: string): BeamishError {
  return new BeamishError('BEAMISH_BAD_OPTION', { option, got: safeText(got, 50), fix })
}
