/** What a polling client holds in its hand: signed, so that it names a session and nothing else of the node. */
import type { Pid } from '../../runtime/index.ts'
import type { NodeIdentity } from '../../runtime/node/local.ts'
import { signToken, verifyToken } from '../token.ts'

const MAX_AGE_MS = 14 * 86_400_000

/** Good at one mount alone: another one may let other pages in. */
const saltOf = (path: string): string => `beamish long poll ${path}`

export const makeSessionToken = ({ secret, life }: NodeIdentity, path: string, pid: Pid): string =>
  signToken(secret, saltOf(path), [life, pid], { nowMs: Date.now() })

/** foreign: not made for this mount. A token from an earlier life of the node has no pid: there it would be a stranger's. */
export type SessionToken = 'foreign' | { readonly pid: Pid | undefined }

export function readSessionToken(
  { secret, life }: NodeIdentity,
  path: string,
  token: unknown,
): SessionToken {
  const verified = verifyToken(secret, saltOf(path), token, {
    nowMs: Date.now(),
    maxAgeMs: MAX_AGE_MS,
  })
  if (!verified.ok) return verified.reason === 'expired' ? { pid: undefined } : 'foreign'
  const [of, pid] = verified.data as [string, Pid]
  return { pid: of === life ? pid : undefined }
}
