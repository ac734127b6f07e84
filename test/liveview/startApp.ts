/** Starts the test app on a node of two scheduler threads. */
import { type BeamishNode, type Pid, type StartOptions, start } from 'beamish'

/** Base URL of an endpoint of the app: endpoint, tight, idle or open. */
export async function baseOf(node: BeamishNode, id = 'endpoint'): Promise<string> {
  const address = (await node.addresses()).find((one) => one.id === id)
  if (address === undefined) throw new Error(`no endpoint "${id}" listens`)
  return `http://${address.host}:${address.port}`
}

export function startApp(options: StartOptions = {}): Promise<BeamishNode> {
  return start(new URL('./app.ts', import.meta.url), {
    schedulers: 2,
    log: false,
    development: false,
    execArgv: ['--conditions=beamish-source'],
    ...options,
  })
}

/** How the view with this id ended; `watchEndings` must have been called before. */
export async function ending(node: BeamishNode, id: string): Promise<unknown> {
  const message = await node.self.receive(
    (one): one is { payload: { id: string; reason: unknown } } => isEnding(one, id),
    15_000,
  )
  if (message === undefined) throw new Error(`view ${id} did not tell how it ended`)
  return message.payload.reason
}

export function watchEndings(node: BeamishNode): void {
  node.self.subscribe('test.endings')
}

function isEnding(message: unknown, id: string): boolean {
  const { event, payload } = message as { event?: string; payload?: { id?: string } }
  return event === 'ended' && payload?.id === id
}

/** Collects garbage on every thread; the heap each uses then, by scheduler id. */
export async function heaps(node: BeamishNode): Promise<Map<number, number>> {
  const to: Pid = node.self.pid
  node.self.broadcast('test.collect', 'collect', { to })
  for (const scheduler of node.schedulers()) {
    const done = await node.self.receive(
      (one) => (one as { type?: string; scheduler?: number }).scheduler === scheduler,
      15_000,
    )
    if (done === undefined) throw new Error(`scheduler ${scheduler} did not collect its garbage`)
  }
  return new Map((await node.stats()).map((one) => [one.scheduler, one.heapUsedBytes]))
}
