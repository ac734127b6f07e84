/** From an upgrade request to a transport: checks, the line, its process. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Pid, Self, StartResult } from '../../runtime/index.ts'
import { logLine } from '../../runtime/log.ts'
import type { LocalNode } from '../../runtime/node/local.ts'
import { findSocket } from '../socket/userSocket.ts'
import { connectingSockets } from '../transport/connecting.ts'
import { TransportProcess } from '../transport/process.ts'
import { Upgrader } from '../transport/webSocket.ts'
import type { OriginOption } from '../wire/origin.ts'
import { PendingUpgrade } from './pendingUpgrade.ts'
import type { SocketMount } from './plugin.ts'
import { detailsOf, mountRules } from './request.ts'
import { mountSettings } from './settings.ts'
import { type Checked, checkUpgrade, refuseUpgrade, upgradeArrival } from './upgrade.ts'
import type { UpgradeLine } from './upgradeLine.ts'

/** Takes an upgrade whose path is the mount's; `pathParams` are the variables of that path. */
export type Acceptor = (
  request: IncomingMessage,
  raw: Duplex,
  head: Buffer,
  pathParams: Readonly<Record<string, string>>,
) => void

interface Parts {
  readonly line: UpgradeLine
  readonly transports: Pid
  readonly channels: Pid
  readonly place: 'here' | 'any'
  readonly checkOrigin: OriginOption
}

/** Handles the upgrades of one mount. */
export function acceptor(
  self: Self,
  node: LocalNode,
  cookie: string,
  mount: SocketMount,
  parts: Parts,
): Acceptor {
  const { subprotocols = [], authToken = false, connectInfo = {} } = mount
  const settings = mountSettings(mount, parts)
  const chosen = new WeakMap<IncomingMessage, string>()
  const upgrader = new Upgrader(settings.limits.maxFrameBytes, (request) => chosen.get(request))
  const definition = mount.socket === undefined ? undefined : findSocket(mount.socket)
  const rules = {
    ...mountRules(mount, parts.checkOrigin, node.secret, cookie),
    spoken: { subprotocols, authToken },
  }
  const enter = (
    request: IncomingMessage,
    raw: Duplex,
    head: Buffer,
    checked: Checked & { ok: true },
  ): void => {
    const { connect, serializer, protocol, token } = checked
    if (protocol !== undefined) chosen.set(request, protocol)
    const details = detailsOf(request, connect.session, token, connectInfo)
    const pending = new PendingUpgrade(
      { definition, details, settings: { ...settings, serializer, connect } },
      raw,
      () => upgrader.accept(request, raw, head),
    )
    const ticket = connectingSockets.give(pending)
    pending.onGone(() => connectingSockets.take(ticket))
    const started = self.call(
      parts.transports,
      'startChild',
      TransportProcess.child(ticket, { restart: 'temporary' }),
      { timeoutMs: Number.POSITIVE_INFINITY },
    ) as Promise<StartResult>
    const failed = (reason: unknown): void => {
      connectingSockets.take(ticket)
      pending.refuse(503, 'there is no process for it')
      logLine('error', 'no process for a socket', () => ({ reason: String(reason) }))
    }
    started.then((result) => {
      if (!result.ok) failed(result.reason)
    }, failed)
  }
  return (request, raw, head, pathParams) => {
    const checked = checkUpgrade(request, rules, pathParams)
    if (!checked.ok) {
      refuseUpgrade(raw, checked.status, checked.reason)
      return
    }
    const client = checked.connect.remoteAddress ?? ''
    const accept = (): void => enter(request, raw, head, checked)
    parts.line.enter(upgradeArrival(client, raw, head, accept))
  }
}
