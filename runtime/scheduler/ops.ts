/**
 * The signals that cross threads, as they lie in a batch: flat, `[op, from, …]`, with a fixed number of fields per op, so
 * that a batch is one array and one clone. `from` is the process that answers for what the signal carries: if it cannot
 * be cloned, that process exits.
 */

export const Op = {
  /** to, message */
  Send: 0,
  /** to, event, payload */
  Cast: 1,
  /** to, ref, event, payload; also monitors `to` under ref */
  Call: 2,
  /** to, ref, value, watched: 1 when the callee's monitor is still to be removed */
  Reply: 3,
  /** to, reason */
  Exit: 4,
  /** to, id */
  Link: 5,
  /** to, mine, theirs */
  Unlink: 6,
  /** to, mine, theirs, reason */
  LinkExit: 7,
  /** to, ref */
  Monitor: 8,
  /** to, ref */
  Demonitor: 9,
  /** to, ref, reason */
  Down: 10,
  /** ref, request */
  Spawn: 11,
  /** to, ref, pid or 0, reason */
  Spawned: 12,
  /** to, ref, result: outcome of init */
  Started: 13,
  /** name, pid */
  NameSet: 14,
  /** name, pid */
  NameGone: 15,
  /** topic, event, payload, except pid */
  Broadcast: 16,
  /** ref, query, argument: answered with Reply */
  Query: 17,
  /** scheduler, cause: main only */
  Lost: 18,
  /** timer ref, unused */
  CancelTimer: 19,
  /** to, stop reason, ref */
  Stop: 20,
  /** registry, key, message */
  Dispatch: 21,
  /** to, alias ref, message */
  SendAlias: 22,
  /** to, ref, request, argument; also monitors `to` under ref */
  System: 23,
} as const

/** Fields of each op, `op` and `from` included. */
export const ARITY: readonly number[] = [
  4, 5, 6, 6, 4, 4, 5, 6, 4, 4, 5, 4, 6, 5, 4, 4, 6, 5, 4, 4, 5, 5, 5, 6,
]

/** Human word for what an op carries, for the report about a message that cannot be cloned. */
export const OP_NAMES: readonly string[] = Object.keys(Op)
