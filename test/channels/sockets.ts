/** The sockets of `sockets.app.ts` on a node, and clients for them. */
import { readFile } from 'node:fs/promises'
import {
  type BeamishNode,
  type BroadcastMessage,
  type Pid,
  type StartOptions,
  start,
} from 'beamish'
import { baseOf } from '../liveview/startApp.ts'
import { ENDINGS } from './sockets.app.ts'
import { type ConnectOptions, UpgradeRefused, WireClient } from './wireClient.ts'

export interface Sockets {
  readonly node: BeamishNode
  readonly base: string
}

export async function startSockets(
  options: StartOptions = {},
  app = new URL('./sockets.app.ts', import.meta.url),
): Promise<Sockets> {
  const node = await start(app, {
    schedulers: 2,
    log: false,
    development: false,
    execArgv: ['--conditions=beamish-source'],
    ...options,
  })
  node.self.subscribe(ENDINGS)
  return { node, base: await baseOf(node) }
}

export const connectTo = (
  { base }: Pick<Sockets, 'base'>,
  mount: string,
  options: ConnectOptions = {},
): Promise<WireClient> => WireClient.connect(base, { path: `${mount}/websocket`, ...options })

/** 101, or what the upgrade was answered instead. */
export async function statusOf(
  sockets: Pick<Sockets, 'base'>,
  mount: string,
  options: ConnectOptions = {},
): Promise<number> {
  try {
    await (await connectTo(sockets, mount, options)).close()
    return 101
  } catch (error) {
    if (error instanceof UpgradeRefused) return error.status
    throw error
  }
}

const PATIENCE_MS = 30_000

/** What a channel or socket of this node told next, under this event, that is as wanted. */
export async function told<T extends object>(
  { node }: Sockets,
  event: string,
  wanted: (payload: T) => boolean,
): Promise<T> {
  const message = await node.self.receive((one): one is BroadcastMessage => {
    const { topic, event: of, payload } = one as Partial<BroadcastMessage>
    return topic === ENDINGS && of === event && wanted(payload as T)
  }, PATIENCE_MS)
  if (message === undefined) throw new Error(`nobody told of such a ${event}`)
  return message.payload as T
}

/** The reason its terminate saw. */
export const ending = async (sockets: Sockets, topic: string): Promise<unknown> =>
  (
    await told<{ topic: string; reason: unknown }>(
      sockets,
      'ended',
      (ended) => ended.topic === topic,
    )
  ).reason

/** Whether anything was told of the end of a topic, up to now. */
export const endedSoFar = async ({ node }: Sockets, topic: string): Promise<boolean> => {
  const message = await node.self.receive(
    (one): one is BroadcastMessage =>
      (one as { payload?: { topic?: string } }).payload?.topic === topic,
    0,
  )
  return message !== undefined
}

/** The process of a channel that answers `who`. */
export async function pidOf(wire: WireClient, topic: string, joinRef: string): Promise<Pid> {
  const { response } = await wire.push(topic, 'who', {}, joinRef)
  return response.pid as Pid
}

/** Watches a process; what it gives waits for its end, and answers the reason. */
export async function watch({ node }: Sockets, pid: Pid): Promise<() => Promise<unknown>> {
  const ref = node.self.monitor(pid)
  // A round trip behind it: the monitor is there.
  await node.self.alive(pid)
  return async () => {
    const down = await node.self.receive(
      (one): one is { reason: unknown } => (one as { ref?: unknown }).ref === ref,
      PATIENCE_MS,
    )
    return down?.reason
  }
}

/** Lines of a log file that match, as soon as there are so many. */
export async function logged(file: string, pattern: RegExp, count = 1): Promise<string[]> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => pattern.test(line))
    if (lines.length >= count) return lines
    if (Date.now() > deadline) throw new Error(`the log has ${lines.length} lines like ${pattern}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
