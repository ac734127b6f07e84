/** What connect and join of a test reject with, beside a failed assertion. */
import { safeText } from '../../runtime/exit/reason.ts'

/**
 * The socket's connect refused.
 *
 * @example
 * ```ts
 * import { refuse, socket } from 'beamish/channels'
 * import { ConnectRefused, connect } from 'beamish/channels/testing'
 * import { testNode } from 'beamish/testing'
 * const Closed = socket('doc-test-closed', { connect: () => refuse(429) })
 * const node = await testNode()
 * const refused = await connect(node, Closed).catch((error: unknown) => error)
 * console.assert(refused instanceof ConnectRefused && refused.status === 429)
 * ```
 */
export class ConnectRefused extends Error {
  /** The HTTP status of the refusal. */
  readonly status: number

  constructor(status: number, reason: string) {
    super(`the connection was refused with ${status}: ${reason}`)
    this.name = 'ConnectRefused'
    this.status = status
  }
}

/**
 * A join that was answered with another status than ok.
 *
 * @example
 * ```ts
 * import { channel, error } from 'beamish/channels'
 * import { clientOf, JoinRefused } from 'beamish/channels/testing'
 * import { testNode } from 'beamish/testing'
 * const Shut = channel('doc-test-shut', { join: () => error({ reason: 'unauthorized' }) })
 * const client = await clientOf(await testNode(), {})
 * const refused = await client.join('room:1', {}, Shut).catch((error: unknown) => error)
 * console.assert(refused instanceof JoinRefused && refused.reason === 'unauthorized')
 * ```
 */
export class JoinRefused extends Error {
  readonly topic: string
  /** What the refusal says. */
  readonly response: unknown
  readonly reason: string | undefined

  constructor(topic: string, response: unknown) {
    const reason = (response as { readonly reason?: unknown } | undefined)?.reason
    // Of an invalid payload the issues say which field.
    const only = typeof reason === 'string' && Object.keys(response as object).length === 1
    super(`the join of ${topic} was refused: ${only ? reason : safeText(response, 500)}`)
    this.name = 'JoinRefused'
    this.topic = topic
    this.response = response
    this.reason = typeof reason === 'string' ? reason : undefined
  }
}
