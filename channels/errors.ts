/**
 * Errors of the channels layer: programmer mistakes, thrown at once, each with a code and a message that names the fix. What
 * a peer sends wrong is never thrown; it is returned as data. The codes stand in the registry, runtime/errors.ts.
 */
import { BeamishError, type ErrorCode } from '../runtime/index.ts'

export type ChannelErrorCode = Extract<ErrorCode, `CHN_${string}`>

/**
 * A mistake in code that uses the channels layer. `code` is stable, `message` names the fix.
 *
 * @example
 * ```ts
 * import { ChannelError, signToken } from 'beamish/channels'
 * try {
 *   signToken('too short', 'salt', null, { nowMs: Date.now() })
 * } catch (error) {
 *   console.assert(error instanceof ChannelError && error.code === 'CHN_SECRET')
 * }
 * ```
 */
export class ChannelError extends BeamishError {
  constructor(code: ChannelErrorCode, message: string, options?: ErrorOptions) {
    super(code, { message }, options?.cause)
    this.name = 'ChannelError'
  }
}
