/**
 * A page whose token or session does not pass is told `stale`, and the official client then reloads at once: with cookies
 * blocked that would go on for ever. So main counts, and from the third within a minute on the page is served static, with
 * an explanation in the page and in the log.
 */

import type { Join } from '../../channels/wire/link.ts'
import type { Self } from '../../runtime/index.ts'
import { logLine } from '../../runtime/log.ts'
import { COUNTERS_NAME, Counters } from '../../runtime/node/counters.ts'

const WINDOW_MS = 60_000
const STATIC_FROM = 3

const counters = Counters.named(COUNTERS_NAME)

const keyOf = (address: string | undefined, agent: string | undefined, path: string): string =>
  `stale ${address ?? ''} ${(agent ?? '').slice(0, 200)} ${path.slice(0, 200)}`

/** Counts a stale join. */
export async function noteStale(self: Self, join: Join): Promise<void> {
  const { remoteAddress, userAgent } = join.connect
  const path = pathOf(join.payload)
  const count = await self.call(counters, 'add', {
    key: keyOf(remoteAddress, userAgent, path),
    windowMs: WINDOW_MS,
  })
  if (count === STATIC_FROM) {
    logLine(
      'warn',
      `page ${path} is served static: ${STATIC_FROM} of its joins were stale within a minute; ${EXPLANATION}`,
      () => ({
        remoteAddress,
        userAgent,
      }),
    )
  }
}

export const EXPLANATION =
  'the session cookie does not come back with the page, or the secret has changed: allow cookies for this site, and give all nodes one SECRET_KEY_BASE'

/** Whether a page is to be served static now. */
export async function isStale(
  self: Self,
  address: string | undefined,
  agent: string | undefined,
  path: string,
): Promise<boolean> {
  const key = keyOf(address, agent, path)
  return (await self.call(counters, 'read', { key, windowMs: WINDOW_MS })) >= STATIC_FROM
}

function pathOf(payload: unknown): string {
  const url = (payload as { url?: unknown } | null)?.url
  if (typeof url !== 'string') return ''
  try {
    return new URL(url).pathname
  } catch {
    return ''
  }
}
