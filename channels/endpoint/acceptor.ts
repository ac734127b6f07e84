/** From an upgrade request to a transport: checks, the line, the socket, its process. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Pid, Self, StartResult } from '../../runtime/index.ts'
import { logLine } from '../../runtime/log.ts'
import type { LocalNode } from '../../runtime/node/local.ts'
import { socketLimits } from '../transport/limits.ts'
import { handOver, TransportProcess, takeBack } from '../transport/process.ts'
import { Upgrader } from '../transport/webSocket.ts'
import type { ConnectInfo } from '../wire/link.ts'
import { originRule } from '../wire/origin.ts'
import type { SocketMount } from './plugin.ts'
import type { UpgradeHandler } from './server.ts'
import { checkUpgrade, refuseUpgrade } from './upgrade.ts'
import type { UpgradeLine } from './upgradeLine.ts'

/** Handles the upgrades of one mount. */
export function acceptor(
  self: Self,
  node: LocalNode,
  cookie: string,
  mount: SocketMount,
  parts: { line: UpgradeLine; transports: Pid; channels: Pid; place: 'here' | 'any' },
): UpgradeHandler {
  const limits = socketLimits(mount.limits)
  const upgrader = new Upgrader(limits.maxFrameBytes)
  const rules = { origin: originRule(mount.checkOrigin ?? true), secret: node.secret, cookie }
  const accept =
    (request: IncomingMessage, raw: Duplex, head: Buffer, connect: ConnectInfo) => (): void => {
      upgrader.accept(request, raw, head, (socket) => {
        const { channels, place } = parts
        const ticket = handOver(socket, { routes: mount.routes, connect, limits, channels, place })
        const spec = TransportProcess.child(ticket, { restart: 'temporary' })
        const started = self.call(parts.transports, 'startChild', spec, {
          timeoutMs: Number.POSITIVE_INFINITY,
        }) as Promise<StartResult>
        const refuse = (reason: unknown): void => {
          takeBack(ticket)
          socket.close(1013, 'try again later')
          logLine('error', 'no process for a socket', () => ({ reason: String(reason) }))
        }
        started.then((result) => {
          if (!result.ok) refuse(result.reason)
        }, refuse)
      })
    }
  return (request, raw, head) => {
    const checked = checkUpgrade(request, rules)
    if (!checked.ok) {
      refuseUpgrade(raw, checked.status, checked.reason)
      return
    }
    const { connect } = checked
    const client = connect.remoteAddress ?? ''
    parts.line.enter({ client, raw, head, accept: accept(request, raw, head, connect) })
  }
}
