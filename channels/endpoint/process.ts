/**
 * The endpoint: one process per thread that listens on the node's port, serves its plugins over HTTP, and turns upgrade
 * requests into transports. Transports and channels live under two dynamic supervisors of its own.
 */
import type { FastifyReply } from 'fastify'
import { errorData } from '../../runtime/exit/reason.ts'
import {
  BeamishError,
  dynamicSupervisor,
  type ExitMessage,
  genServer,
  type Pid,
  type Self,
  stop,
} from '../../runtime/index.ts'
import { localNode } from '../../runtime/node/local.ts'
import { PORTS_NAME, type PortGrant, Ports } from '../../runtime/node/ports.ts'
import { findBehaviour } from '../../runtime/process/behaviour.ts'
import { findChannel } from '../channel/channel.ts'
import { startKeeper } from '../history/histories.ts'
import { longPollMount } from '../longPoll/mount.ts'
import type { UpgradeLimits } from '../transport/limits.ts'
import { type Acceptor, acceptor } from './acceptor.ts'
import { type DrainPace, drain, refuseConnecting } from './drain.ts'
import { pageSession } from './pageSession.ts'
import { PathPattern } from './pathPattern.ts'
import { findPlugin, type PluginContext, type PluginSpec, type SocketMount } from './plugin.ts'
import { createServer, type FastifyPlugin, listen, requestsDone, stopListening } from './server.ts'
import { transportsOf } from './transports.ts'
import { refuseUpgrade } from './upgrade.ts'
import { TICK, UpgradeLine } from './upgradeLine.ts'

/** What an endpoint's process starts with. */
export interface Settings {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly plugins: readonly PluginSpec[]
  readonly cookie: string
  readonly reusePort: boolean
  readonly limits: UpgradeLimits
  readonly drain: DrainPace | false
}

interface State {
  readonly transports: Pid
  readonly channels: Pid
  readonly line: UpgradeLine
  stop(): Promise<void>
  listen(port: number): Promise<void>
}

const PORT_CLAIM_MS = 15_000

export const Endpoint = genServer('beamish.endpoint', {
  trapExit: true,
  // Its listener is no data, and wakes it at any time.
  hibernateAfterMs: Number.POSITIVE_INFINITY,
  // What a plugin's routes leave behind ends the listener, which is restarted, and not the thread.
  containStrays: true,
  async init(settings: Settings, self: Self) {
    try {
      return await open(settings, self)
    } catch (error) {
      // A known mistake goes to whoever starts the endpoint, as data; no crash report is needed to find it.
      if (isKnown(error)) return stop({ error: errorData(error) })
      throw error
    }
  },
  handleInfo: {
    /** One of its supervisors gave up: so does the endpoint, and its own supervisor starts all three anew. */
    EXIT: (_state, message: ExitMessage) => stop({ shutdown: { endpoint: message.reason } }),
    [TICK]: (state) => state.line.tick(),
    'ports:listen': (state, message: { port: number }) => state.listen(message.port),
  },
  async terminate(_reason, state) {
    await state.stop()
  },
})

const isKnown = (error: unknown): error is Error =>
  error instanceof Error && /^(BEAMISH|CHN)_/.test((error as { code?: string }).code ?? '')

async function open(settings: Settings, self: Self): Promise<State> {
  const transports = await startSupervisor(self, 'transports')
  const channels = await startSupervisor(self, 'channels')
  const node = localNode(self)
  const mounts: { readonly pattern: PathPattern; readonly accept: Acceptor }[] = []
  const fastify = createServer((request, socket, head) => {
    const path = (request.url ?? '').split('?')[0] ?? ''
    for (const { pattern, accept } of mounts) {
      const variables = pattern.match(path)
      if (variables === undefined) continue
      accept(request, socket, head, variables)
      return
    }
    refuseUpgrade(socket, 404, `nothing is mounted at ${path.slice(0, 200)}`)
  })
  let keepsHistories = false
  const line = new UpgradeLine(self, settings.id, settings.limits)
  let forget = (): void => {}
  // Killed, it runs no terminate: a listener without its process would take requests that nobody answers.
  self.signal.addEventListener('abort', () => {
    forget()
    line.close()
    fastify.server.close()
    fastify.server.closeAllConnections()
  })
  const { cookie, reusePort } = settings
  const place = reusePort ? 'here' : 'any'
  const parts = { line, transports, channels, place } as const
  const polled: FastifyPlugin[] = []
  const session: PluginContext['session'] = (request, reply) =>
    pageSession(node.secret, cookie, request, reply)
  for (const { plugin, options } of settings.plugins) {
    const mount = (socket: SocketMount): void => {
      const { webSocket, longPoll } = transportsOf(socket)
      keepsHistories ||= socket.routes.some(
        ({ behaviour }) => findChannel(behaviour)?.history !== undefined,
      )
      if (webSocket !== undefined) {
        const { path, checkOrigin } = webSocket
        const accept = acceptor(self, node, cookie, socket, { ...parts, checkOrigin })
        mounts.push({ pattern: new PathPattern(path), accept })
        fastify.route({
          method: fastify.supportedMethods as string[],
          url: path,
          exposeHeadRoute: false,
          // Before a body is read, whatever it is.
          onRequest: async (_request, reply) => notAnUpgrade(reply),
          handler: () => {},
        })
      }
      if (longPoll !== undefined) {
        polled.push(longPollMount(socket, longPoll, cookie, { self, node, ...parts }))
      }
    }
    const setup = findPlugin(plugin)
    // A Fastify plugin like any other: its hooks and decorators stay its own.
    await fastify.register(async (instance) => {
      await setup({ fastify: instance, self, node, cookie, session, mount }, options)
    })
  }
  // Outside of the plugins that mounted them: a plugin's hooks are not for a socket's clients.
  for (const route of polled) await fastify.register(route)
  if (keepsHistories) await startKeeper(self, self.scheduler)
  const listenOn = async (port: number): Promise<void> => {
    const bound = await listen(fastify, { host: settings.host, port, reusePort })
    const { id } = settings
    self.cast(Ports.named(PORTS_NAME), 'bound', { id, port: bound })
  }
  const { id, host, port } = settings
  const claim = { id, host, port, share: reusePort }
  const options = { timeoutMs: PORT_CLAIM_MS }
  const grant = (await self.call(Ports.named(PORTS_NAME), 'claim', claim, options)) as PortGrant
  if (grant.do === 'error') throw Object.assign(new Error(grant.message), { code: grant.code })
  if (grant.do === 'listen') await listenOn(grant.port)
  if (grant.do === 'bind') await listenOn(0)
  forget = node.drainers.add({
    stopAccepting: async () => {
      await stopListening(fastify)
      line.close()
    },
    drain: async (timeoutMs) => {
      const pace = settings.drain
      await Promise.all([
        pace === false
          ? refuseConnecting(self, transports)
          : drain(self, transports, channels, pace, timeoutMs),
        Promise.race([requestsDone(fastify), self.sleep(timeoutMs)]),
      ])
    },
  })
  // Without its process it would keep the node from stopping: what the dead await never comes.
  self.signal.addEventListener('abort', forget)
  return {
    transports,
    channels,
    line,
    listen: listenOn,
    stop: async () => {
      forget()
      await stopListening(fastify)
      line.close()
      // In this order: a channel says its last words through its transport.
      for (const part of [channels, transports]) await self.stop(part, 'shutdown').catch(() => {})
      fastify.server.closeAllConnections()
      await fastify.close()
    },
  }
}

const notAnUpgrade = (reply: FastifyReply): FastifyReply =>
  reply.code(400).type('text/plain').send('this path is for WebSockets: send an upgrade request\n')

async function startSupervisor(self: Self, id: string): Promise<Pid> {
  const spec = dynamicSupervisor({ id })
  const behaviour = findBehaviour(spec.behaviour)
  if (behaviour === undefined)
    throw new BeamishError('BEAMISH_BEHAVIOUR_UNKNOWN', { name: spec.behaviour })
  return self.startLink(behaviour, spec.argument)
}
