/**
 * `beamish <app module>`: runs an app as a service. Settings come from the environment: SCHEDULERS, SECRET_KEY_BASE,
 * LOG_LEVEL, MAX_HEAP_MB, MAX_BLOCKED_MS, MAX_LOST_THREADS, SHUTDOWN_TIMEOUT_MS, CONTROL_SOCKET, and what the app itself reads (PORT, HOST).
 * SIGTERM and SIGINT stop it in order.
 */
import { pathToFileURL } from 'node:url'
import { logLevels } from '../edge/log.ts'
import { BeamishError } from '../errors.ts'
import type { StartOptions } from '../node/options.ts'
import { start } from '../node/start.ts'

type Level = NonNullable<Exclude<StartOptions['log'], false | undefined>['level']>

function fromEnvironment(): StartOptions {
  const { SCHEDULERS, SECRET_KEY_BASE, LOG_LEVEL, CONTROL_SOCKET } = process.env
  const bad = (name: string, got: string, fix: string): BeamishError =>
    new BeamishError('BEAMISH_BAD_ENV', { name, got: JSON.stringify(got), fix })
  if (SCHEDULERS && !/^[1-9]\d*$/.test(SCHEDULERS)) {
    throw bad('SCHEDULERS', SCHEDULERS, 'give a whole number of threads from 1 up')
  }
  if (SECRET_KEY_BASE && SECRET_KEY_BASE.length < 32) {
    throw new BeamishError('BEAMISH_BAD_ENV', {
      name: 'SECRET_KEY_BASE',
      got: 'too short',
      fix: 'give at least 32 random characters, as from: openssl rand -base64 48',
    })
  }
  if (LOG_LEVEL && !logLevels.includes(LOG_LEVEL)) {
    throw bad('LOG_LEVEL', LOG_LEVEL, `use one of ${logLevels.join(', ')}`)
  }
  if (CONTROL_SOCKET && !['on', 'off'].includes(CONTROL_SOCKET)) {
    throw bad('CONTROL_SOCKET', CONTROL_SOCKET, 'use on or off')
  }
  const number = (name: string): number | undefined => {
    const value = process.env[name]
    if (!value) return undefined
    if (!/^\d+$/.test(value)) throw bad(name, value, 'give a whole number')
    return Number(value)
  }
  const maxHeapMb = number('MAX_HEAP_MB')
  const given = {
    maxBlockedMs: number('MAX_BLOCKED_MS'),
    maxLostThreads: number('MAX_LOST_THREADS'),
    shutdownTimeoutMs: number('SHUTDOWN_TIMEOUT_MS'),
    resourceLimits: maxHeapMb === undefined ? undefined : { maxOldGenerationSizeMb: maxHeapMb },
  }
  return {
    ...(Object.fromEntries(
      Object.entries(given).filter(([, value]) => value !== undefined),
    ) as StartOptions),
    ...(SCHEDULERS ? { schedulers: Number(SCHEDULERS) } : {}),
    ...(SECRET_KEY_BASE ? { secretKeyBase: SECRET_KEY_BASE } : {}),
    ...(LOG_LEVEL ? { log: { level: LOG_LEVEL as Level } } : {}),
    signals: true,
    controlSocket: CONTROL_SOCKET !== 'off',
  }
}

export async function run(module: string | undefined): Promise<void> {
  if (module === undefined) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: 'module',
      got: 'missing',
      fix: 'name the app module: beamish app.ts; or look at a node that runs: beamish tree, beamish trace',
    })
  }
  const options = fromEnvironment()
  const node = await start(pathToFileURL(module), options)
  const urls = (await node.addresses()).map(({ host, port }) =>
    host.includes(':') ? `http://[${host}]:${port}` : `http://${host}:${port}`,
  )
  const threads = node.schedulers().length
  console.log(
    `${urls.join(' ') || module} on ${threads} scheduler thread${threads === 1 ? '' : 's'}, pid ${process.pid}`,
  )
  if (options.secretKeyBase === undefined) {
    console.log(
      'SECRET_KEY_BASE is not set: a random one is used, so open pages and sessions end with this process',
    )
  }
}
