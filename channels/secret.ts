/** Where the secret for tokens comes from. */
import type { Self } from '../runtime/index.ts'
import { localNode } from '../runtime/node/local.ts'

/**
 * The secret of the node a process is on, for signToken() and verifyToken(): what it was started with as `secretKeyBase`
 * (SECRET_KEY_BASE of the command), the same on every thread; without one, random for each start, so that no token outlives it.
 * In connect it is `info.secret`. Never send or log it.
 *
 * @example
 * ```ts
 * import { secretOf, signToken } from 'beamish/channels'
 * import { testNode } from 'beamish/testing'
 * const { self } = await testNode()
 * const token = signToken(secretOf(self), 'user socket', { userId: 7 }, { nowMs: Date.now() })
 * console.assert(token.startsWith('b1.'))
 * ```
 */
export const secretOf = (self: Self): string => localNode(self).secret
