/** Long polling of one mount on one thread. */

import type { SocketMount } from '../endpoint/plugin.ts'
import { mountRules } from '../endpoint/request.ts'
import type { FastifyPlugin } from '../endpoint/server.ts'
import type { LongPollAt } from '../endpoint/transports.ts'
import { findSocket } from '../socket/userSocket.ts'
import { socketLimits } from '../transport/limits.ts'
import { overflowOption } from '../transport/overflow.ts'
import { defaultDecodeLimits } from '../wire/message.ts'
import { longPollRoute } from './route.ts'
import { Sessions, type SessionsParts } from './sessions.ts'

export function longPollMount(
  mount: SocketMount,
  longPoll: LongPollAt,
  cookie: string,
  parts: Pick<SessionsParts, 'self' | 'node' | 'line' | 'transports' | 'channels' | 'place'>,
): FastifyPlugin {
  const { routes, authToken = false, strict = false, connectInfo = {} } = mount
  const limits = socketLimits(mount.limits)
  const sessions = new Sessions({
    ...parts,
    path: longPoll.path,
    windowMs: longPoll.windowMs,
    rules: mountRules(mount, longPoll.checkOrigin, parts.node.secret, cookie),
    definition: mount.socket === undefined ? undefined : findSocket(mount.socket),
    routes,
    limits,
    decodeLimits: { ...defaultDecodeLimits, maxDepth: limits.maxDepth },
    overflow: overflowOption(mount.overflow),
    strict,
    authToken,
    connectInfo,
  })
  return longPollRoute(longPoll, limits, sessions)
}
