/** The options of an endpoint, over what the environment says. */
import { BeamishError, type ChildOptions, type ChildSpec } from '../../runtime/index.ts'
import { type UpgradeLimits, upgradeLimits } from '../transport/limits.ts'
import { type DrainPace, drainPace } from './drain.ts'
import type { PluginSpec } from './plugin.ts'
import { Endpoint, type Settings } from './process.ts'

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
  /** How fast each thread takes in sockets: docs/live-views.md, "When many come at once". */
  readonly limits?: Partial<UpgradeLimits>
  /**
   * How sockets are told to go when the node stops (Phoenix `drainer`): 200 of a thread, and the next after 20 ms. false: they
   * are not told, and close with 1001 when the endpoint ends.
   */
  readonly drain?: Partial<DrainPace> | false
}

const DEFAULT_PORT = 4_000
const DEFAULT_HOST = '127.0.0.1'

/** REUSEPORT exists in these; Node throws where it does not. */
const REUSE_PORT_PLATFORMS: readonly string[] = ['linux', 'freebsd', 'sunos', 'aix']

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
    limits: upgradeLimits(options.limits),
    drain: drainPace(options.drain),
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
