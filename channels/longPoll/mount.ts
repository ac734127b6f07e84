/** Long polling of one mount on one thread. */

import type { SocketMount } from '../endpoint/plugin.ts'
import { mountRules } from '../endpoint/request.ts'
import type { FastifyPlugin } from '../endpoint/server.ts'
import { type MountSettings, mountSettings } from '../endpoint/settings.ts'
import type { LongPollAt } from '../endpoint/transports.ts'
import { findSocket } from '../socket/userSocket.ts'
import { longPollRoute } from './route.ts'
import { Sessions, type SessionsParts } from './sessions.ts'

export function longPollMount(
  mount: SocketMount,
  longPoll: LongPollAt,
  cookie: string,
  parts: Pick<SessionsParts, 'self' | 'node' | 'line' | 'transports'> &
    Pick<MountSettings, 'channels' | 'place'>,
): FastifyPlugin {
  const { authToken = false, connectInfo = {} } = mount
  const settings = mountSettings(mount, parts)
  const { self, node, line, transports } = parts
  const sessions = new Sessions({
    self,
    node,
    line,
    transports,
    path: longPoll.path,
    windowMs: longPoll.windowMs,
    rules: mountRules(mount, longPoll.checkOrigin, parts.node.secret, cookie),
    definition: mount.socket === undefined ? undefined : findSocket(mount.socket),
    settings,
    authToken,
    connectInfo,
  })
  return longPollRoute(longPoll, settings.limits, sessions)
}
