/** The signed token of a page: which view it is, for which route. The page shows it again when it connects or comes back. */
import { signToken, verifyToken } from '../../channels/token.ts'
import type { Join } from '../../channels/wire/link.ts'

const SALT = 'beamish live view'
/** A tab may stay open this long (Phoenix: two weeks). */
const MAX_AGE_MS: number = 14 * 86_400_000

export interface PageToken {
  /** Id of the page's root element; its topic is `lv:` + id. */
  readonly id: string
  readonly view: string
  /** Route of the page, as declared. */
  readonly path: string
}

export function makePageToken(secret: string, token: PageToken): string {
  return signToken(secret, SALT, token, { nowMs: Date.now() })
}

/** The token of a join, if we signed it, it is for this topic, and the page belongs to a session of ours. */
export function readPageToken(secret: string, join: Join): PageToken | undefined {
  if (join.connect.session === undefined) return undefined
  const payload = join.payload as { session?: unknown } | null
  const given = typeof payload === 'object' && payload !== null ? payload.session : undefined
  const verified = verifyToken(secret, SALT, given, { nowMs: Date.now(), maxAgeMs: MAX_AGE_MS })
  if (!verified.ok) return undefined
  const token = verified.data as PageToken
  return join.topic === `lv:${token.id}` ? token : undefined
}
