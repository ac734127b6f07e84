/** What a promise of the typed client rejects with. */

/** One thing wrong with a payload: which field, and what about it. */
export interface FieldIssue {
  readonly path: string
  readonly message: string
}

interface Refused {
  readonly reason?: unknown
  readonly issues?: unknown
}

const field = <K extends keyof Refused>(response: unknown, name: K): unknown =>
  typeof response === 'object' && response !== null ? (response as Refused)[name] : undefined

/** `unauthorized`, or `invalid payload: body must be text`. */
function reasonOf(response: unknown): string | undefined {
  const reason = field(response, 'reason')
  if (typeof reason !== 'string') return undefined
  const issues = issuesOf(response).map(({ path, message }) => `${path} ${message}`.trim())
  return issues.length === 0 ? reason : `${reason}: ${issues.join(', ')}`
}

function issuesOf(response: unknown): readonly FieldIssue[] {
  const issues = field(response, 'issues')
  return Array.isArray(issues) ? (issues as readonly FieldIssue[]) : []
}

/**
 * A join that was refused, or not answered in time. The official client goes on trying by itself: leave() ends that.
 *
 * @example
 * ```ts no-run
 * import { JoinError, typedChannel } from 'beamish/channels/client'
 * try {
 *   await typedChannel<typeof Room>(socket, 'room:lobby').join()
 * } catch (error) {
 *   if (error instanceof JoinError && error.reason === 'unauthorized') location.assign('/login')
 * }
 * ```
 */
export class JoinError extends Error {
  readonly topic: string
  readonly status: 'error' | 'timeout' | 'closed'
  /** What the refusal says; `timeout` or `closed` if nothing was answered. */
  readonly reason: string | undefined
  /** All of it. */
  readonly response: unknown
  /** What is wrong with the params, if that is why. */
  readonly issues: readonly FieldIssue[]

  constructor(topic: string, status: 'error' | 'timeout' | 'closed', response: unknown) {
    super(`join of ${topic} failed: ${reasonOf(response) ?? status}`)
    this.name = 'JoinError'
    this.topic = topic
    this.status = status
    this.reason = status === 'error' ? plainReason(response) : status
    this.response = response
    this.issues = issuesOf(response)
  }
}

const plainReason = (response: unknown): string | undefined => {
  const reason = field(response, 'reason')
  return typeof reason === 'string' ? reason : undefined
}

/**
 * A push that was answered with another status than `ok`, or not in time.
 *
 * @example
 * ```ts no-run
 * import { PushError } from 'beamish/channels/client'
 * await room.push('new_msg', { body: '' }).catch((error) => {
 *   if (error instanceof PushError) for (const { path, message } of error.issues) console.warn(path, message)
 * })
 * ```
 */
export class PushError extends Error {
  readonly topic: string
  readonly event: string
  /** The answer's own, or `timeout`, `closed` or `lost`. */
  readonly status: string
  /** What the answer says; `timeout`, `closed` or `lost` if nothing was answered. */
  readonly reason: string | undefined
  /** All of it. */
  readonly response: unknown
  /** What is wrong with the payload, if that is why: which field, and what about it. */
  readonly issues: readonly FieldIssue[]

  constructor(topic: string, event: string, status: string, response: unknown) {
    super(`push of ${event} to ${topic} failed: ${status} ${reasonOf(response) ?? ''}`.trimEnd())
    this.name = 'PushError'
    this.topic = topic
    this.event = event
    this.status = status
    this.reason = response === undefined ? status : plainReason(response)
    this.response = response
    this.issues = issuesOf(response)
  }
}
