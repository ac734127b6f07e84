/** What trackers broadcast to each other. On their topic anybody can: what has another form is none of theirs. */
import type { Pid } from '../../runtime/index.ts'
import type { Delta, Entry } from './orswot.ts'
import type { Tracked } from './store.ts'

/** A tracker has started: whoever hears it tells it everything. */
export interface Hello {
  readonly pid: Pid
  /** Up to here stands what it has taken over from the one before. */
  readonly clock: number
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null
const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0

export const isHello = (value: unknown): value is Hello =>
  isFields(value) && isCount(value['pid']) && isCount(value['clock'])

function isEntryOf(replica: number, value: unknown): value is Entry<Tracked<object>> {
  if (!isFields(value)) return false
  const { topic, pid, key, meta, clock } = value
  return (
    value['replica'] === replica &&
    isCount(clock) &&
    isCount(pid) &&
    typeof topic === 'string' &&
    typeof key === 'string' &&
    isFields(meta) &&
    typeof meta['phx_ref'] === 'string'
  )
}

/** `maxSize`: operations that one who tells of them tells at once. */
export function isDelta(value: unknown, maxSize: number): value is Delta<Tracked<object>> {
  if (!isFields(value)) return false
  const { replica, from, to, entries, removed, transfer } = value
  return (
    isCount(replica) &&
    isCount(from) &&
    isCount(to) &&
    from <= to &&
    typeof transfer === 'boolean' &&
    (transfer || to - from <= maxSize) &&
    Array.isArray(removed) &&
    removed.every(isCount) &&
    Array.isArray(entries) &&
    entries.every((entry) => isEntryOf(replica, entry) && entry.clock > from && entry.clock <= to)
  )
}
