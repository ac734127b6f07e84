/**
 * The endpoint: one process per thread that listens on the node's port, serves its plugins over HTTP, and turns upgrade
 * requests into transports. Transports and channels live under two dynamic supervisors of its own.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { errorData } from '../../runtime/exit/reason.ts'
import {
  BeamishError,
  type ChildOptions,
  type ChildSpec,
  dynamicSupervisor,
  type ExitMessage,
  genServer,
  type Pid,
  type Self,
  type StartResult,
  stop,
} from '../../runtime/index.ts'
import { logLine } from '../../runtime/log.ts'
import { type LocalNode, localNode } from '../../runtime/node/local.ts'
import { PORTS_NAME, type PortGrant, Ports } from '../../runtime/node/ports.ts'
import { findBehaviour } from '../../runtime/process/behaviour.ts'
import { socketLimits } from '../transport/limits.ts'
import { handOver, TransportProcess, takeBack } from '../transport/process.ts'
import { Upgrader } from '../transport/webSocket.ts'
import { originRule } from '../wire/origin.ts'
import { findPlugin, type PluginSpec, type SocketMount } from './plugin.ts'
import { createServer, listen, requestsDone, stopListening } from './server.ts'
import { checkUpgrade, refuseUpgrade } from './upgrade.ts'

export interface EndpointOptions extends Pick<ChildOptions, 'id' | 'restart' | 'shutdown'> {
  /** Default: PORT of the environment, else 4000; 0 takes a free one. */
  readonly port?: number
  /** Default: HOST of the environment, else 127.0.0.1. */
  readonly host?: string
  readonly plugins?: readonly PluginSpec[]
  /** Name of the session cookie. Default `_beamish`. */
  readonly cookie?: string
  /** Default: where the system has SO_REUSEPORT. Without it one thread accepts, and channels run on any. */
  readonly reusePort?: boolean
}

interface Settings {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly plugins: readonly PluginSpec[]
  readonly cookie: string
  readonly reusePort: boolean
}

interface State {
  readonly transports: Pid
  readonly channels: Pid
  stop(): Promise<void>
  listen(port: number): Promise<void>
}

const DEFAULT_PORT = 4_000
const DEFAULT_HOST = '127.0.0.1'
/** Sockets told to go in one step of a drain, and the pause to the next: their clients do not all return at once. */
const DRAIN_BATCH = 200
const DRAIN_PAUSE_MS = 20
const PORT_CLAIM_MS = 15_000

/** REUSEPORT exists in these; Node throws where it does not. */
const REUSE_PORT_PLATFORMS: readonly string[] = ['linux', 'freebsd', 'sunos', 'aix']

const Endpoint = genServer('beamish.endpoint', {
  trapExit: true,
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
  const mounts = new Map<string, (request: IncomingMessage, socket: Duplex, head: Buffer) => void>()
  const fastify = createServer((request, socket, head) => {
    const path = (request.url ?? '').split('?')[0] ?? ''
    const mount = mounts.get(path)
    if (mount === undefined)
      refuseUpgrade(socket, 404, `nothing is mounted at ${path.slice(0, 200)}`)
    else mount(request, socket, head)
  })
  // Killed, it runs no terminate: a listener without its process would take requests that nobody answers.
  self.signal.addEventListener('abort', () => {
    fastify.server.close()
    fastify.server.closeAllConnections()
  })
  const { cookie, reusePort } = settings
  const place = reusePort ? 'here' : 'any'
  for (const { plugin, options } of settings.plugins) {
    const mount = (socket: SocketMount): void => {
      const path = `${socket.path}/websocket`
      mounts.set(path, acceptor(self, node, cookie, socket, { transports, channels, place }))
      fastify.get(path, (_request, reply) => {
        reply
          .code(400)
          .type('text/plain')
          .send('this path is for WebSockets: send an upgrade request\n')
      })
    }
    const setup = findPlugin(plugin)
    // A Fastify plugin like any other: its hooks and decorators stay its own.
    await fastify.register(async (instance) => {
      await setup({ fastify: instance, self, node, cookie, mount }, options)
    })
  }
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
  const forget = node.drainers.add({
    stopAccepting: () => stopListening(fastify),
    drain: async (timeoutMs) => {
      await Promise.all([
        drain(self, transports, channels, timeoutMs),
        Promise.race([requestsDone(fastify), self.sleep(timeoutMs)]),
      ])
    },
  })
  return {
    transports,
    channels,
    listen: listenOn,
    stop: async () => {
      forget()
      await stopListening(fastify)
      // In this order: a channel says its last words through its transport.
      for (const part of [channels, transports]) await self.stop(part, 'shutdown').catch(() => {})
      fastify.server.closeAllConnections()
      await fastify.close()
    },
  }
}

async function startSupervisor(self: Self, id: string): Promise<Pid> {
  const spec = dynamicSupervisor({ id })
  const behaviour = findBehaviour(spec.behaviour)
  if (behaviour === undefined)
    throw new BeamishError('BEAMISH_BEHAVIOUR_UNKNOWN', { name: spec.behaviour })
  return self.startLink(behaviour, spec.argument)
}

function acceptor(
  self: Self,
  node: LocalNode,
  cookie: string,
  mount: SocketMount,
  parts: { transports: Pid; channels: Pid; place: 'here' | 'any' },
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const limits = socketLimits(mount.limits)
  const upgrader = new Upgrader(limits.maxFrameBytes)
  const rules = { origin: originRule(mount.checkOrigin ?? true), secret: node.secret, cookie }
  return (request, raw, head) => {
    const checked = checkUpgrade(request, rules)
    if (!checked.ok) {
      refuseUpgrade(raw, checked.status, checked.reason)
      return
    }
    upgrader.accept(request, raw, head, (socket) => {
      const ticket = handOver(socket, {
        routes: mount.routes,
        connect: checked.connect,
        limits,
        channels: parts.channels,
        place: parts.place,
      })
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
}

/** Tells every transport to go, a batch at a time, and waits until none is left. */
async function drain(self: Self, transports: Pid, channels: Pid, timeoutMs: number): Promise<void> {
  const deadline = self.now() + timeoutMs
  const children = (await self.call(transports, 'whichChildren')) as { readonly pid: Pid }[]
  for (let i = 0; i < children.length; i += DRAIN_BATCH) {
    for (const { pid } of children.slice(i, i + DRAIN_BATCH)) self.send(pid, { type: 'phx:drain' })
    if (i + DRAIN_BATCH < children.length) await self.sleep(DRAIN_PAUSE_MS)
  }
  for (;;) {
    const [sockets, pages] = (await Promise.all([
      self.call(transports, 'countChildren'),
      self.call(channels, 'countChildren'),
    ])) as { readonly active: number }[]
    if ((sockets?.active === 0 && pages?.active === 0) || self.now() >= deadline) return
    await self.sleep(DRAIN_PAUSE_MS)
  }
}

/**
 * Describes an endpoint: one listener per thread, all on one port.
 *
 * @example
 * ```ts
 * import { endpoint } from 'beamish/channels'
 * export const web = endpoint({ port: 4000, plugins: [] })
 * ```
 * @throws BEAMISH_BAD_OPTION, BEAMISH_BAD_ENV
 */
export function endpoint(options: EndpointOptions = {}): ChildSpec {
  const settings: Settings = {
    id: options.id ?? 'endpoint',
    host: options.host ?? (process.env.HOST || DEFAULT_HOST),
    port: options.port ?? portFromEnvironment() ?? DEFAULT_PORT,
    plugins: options.plugins ?? [],
    cookie: options.cookie ?? '_beamish',
    reusePort: options.reusePort ?? REUSE_PORT_PLATFORMS.includes(process.platform),
  }
  if (!isPort(settings.port)) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: 'port',
      got: String(settings.port),
      fix: 'give a whole number from 0 to 65535',
    })
  }
  return {
    ...Endpoint.child(settings, {
      id: settings.id,
      place: 'each',
      restart: options.restart ?? 'permanent',
      shutdown: options.shutdown ?? Number.POSITIVE_INFINITY,
    }),
    type: 'supervisor',
  }
}

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= 65_535

function portFromEnvironment(): number | undefined {
  const text = process.env.PORT
  if (text === undefined || text === '') return undefined
  if (!/^\d+$/.test(text) || !isPort(Number(text))) {
    throw new BeamishError('BEAMISH_BAD_ENV', {
      name: 'PORT',
      got: JSON.stringify(text),
      fix: 'give a whole number from 0 to 65535',
    })
  }
  return Number(text)
}
