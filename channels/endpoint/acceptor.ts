/** From an upgrade request to a transport: checks, the line, its process. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Pid, Self, StartResult } from '../../runtime/index.ts'
import { logLine } from '../../runtime/log.ts'
import type { LocalNode } from '../../runtime/node/local.ts'
import { ConnectDetails } from '../socket/details.ts'
import { findSocket } from '../socket/userSocket.ts'
import { handOver, pickUp } from '../transport/connecting.ts'
import { socketLimits } from '../transport/limits.ts'
import { overflowOption } from '../transport/overflow.ts'
import { TransportProcess } from '../transport/process.ts'
import { Upgrader } from '../transport/webSocket.ts'
import { defaultDecodeLimits } from '../wire/message.ts'
import { originRule } from '../wire/origin.ts'
import { phoenixV2 } from '../wire/phoenixV2.ts'
import { Versions } from '../wire/serializer.ts'
import type { SocketMount } from './plugin.ts'
import { type Checked, checkUpgrade, refuseUpgrade } from './upgrade.ts'
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
}

/** Handles the upgrades of one mount. */
export function acceptor(
  self: Self,
  node: LocalNode,
  cookie: string,
  mount: SocketMount,
  parts: Parts,
): Acceptor {
  const { routes, subprotocols = [], authToken = false, strict = false, connectInfo = {} } = mount
  const limits = socketLimits(mount.limits)
  const overflow = overflowOption(mount.overflow)
  const decodeLimits = { ...defaultDecodeLimits, maxDepth: limits.maxDepth }
  const chosen = new WeakMap<IncomingMessage, string>()
  const upgrader = new Upgrader(limits.maxFrameBytes, (request) => chosen.get(request))
  const definition = mount.socket === undefined ? undefined : findSocket(mount.socket)
  const rules = {
    origin: originRule(mount.checkOrigin ?? true),
    secret: node.secret,
    cookie,
    versions: new Versions(mount.serializers ?? [{ serializer: phoenixV2, versions: '2.0.x' }]),
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
    const { channels, place } = parts
    const ticket = handOver({
      definition,
      details: new ConnectDetails(
        {
          headers: request.headers,
          url: request.url ?? '/',
          encrypted: 'encrypted' in request.socket,
          address: request.socket.remoteAddress,
          port: request.socket.remotePort,
        },
        connect.session,
        token,
        connectInfo,
      ),
      settings: {
        routes,
        serializer,
        strict,
        connect,
        limits,
        decodeLimits,
        overflow,
        channels,
        place,
      },
      accept: () => upgrader.accept(request, raw, head),
      refuse: (status, reason) => refuseUpgrade(raw, status, reason),
    })
    const started = self.call(
      parts.transports,
      'startChild',
      TransportProcess.child(ticket, { restart: 'temporary' }),
      { timeoutMs: Number.POSITIVE_INFINITY },
    ) as Promise<StartResult>
    const failed = (reason: unknown): void => {
      pickUp(ticket)
      refuseUpgrade(raw, 503, 'there is no process for it')
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
    parts.line.enter({ client, raw, head, accept })
  }
}
