/** The process of the node under test: the load of its clients must not be its own. Started by SoakServer. */
import { readdirSync } from 'node:fs'
import { formatReason, onEvent, start } from 'beamish'
import { type FaultRequest, Singleton } from './app.ts'
import { Churn } from './churn.ts'
import { LatencyMeter } from './latency.ts'
import { Outside } from './outside.ts'
import {
  type ChurnRequest,
  type Commands,
  clockMs,
  type FromServer,
  type ServerSettings,
  type ToServer,
} from './protocol.ts'

const settings = JSON.parse(process.argv[2] ?? '') as ServerSettings
const tell = (message: FromServer): void => {
  process.send?.(message)
}

onEvent('schedulerLost', ({ scheduler, cause, message }) =>
  tell({ event: 'lost', scheduler, at: clockMs(), cause, message }),
)
onEvent('schedulerEnded', ({ scheduler }) => tell({ event: 'ended', scheduler, at: clockMs() }))

const node = await start(new URL('./app.ts', import.meta.url), {
  schedulers: settings.schedulers,
  log: false,
  development: false,
  maxLostThreads: 1_000_000,
  execArgv: ['--conditions=beamish-source'],
  ...settings.options,
})

const outside = await Outside.of(node, ({ event, payload }) =>
  tell({ event, scheduler: payload.scheduler, at: clockMs() }),
)
const meter = new LatencyMeter(outside)

void node.closed.then((error) => {
  if (error !== undefined) tell({ event: 'closed', message: error.message })
})

const answers: {
  [K in keyof Commands]: (
    argument: Commands[K]['argument'],
  ) => Commands[K]['answer'] | Promise<Commands[K]['answer']>
} = {
  fault(request: FaultRequest) {
    node.self.broadcast('soak.faults', 'fault', request)
    return null
  },
  kill(scheduler) {
    node.killThread(scheduler)
    return null
  },
  schedulers: () => node.schedulers(),
  singleton: () => node.self.call(Singleton.named('singleton'), 'where'),
  latency: () => meter.take(),
  count: () =>
    meter.paused(async () => {
      await outside.collect()
      const descriptors =
        process.platform === 'linux' ? readdirSync('/proc/self/fd').length : undefined
      return { stats: await node.stats({ main: true }), descriptors }
    }),
  churn: (request: ChurnRequest) => new Churn(outside, request.seed).run(request),
  async stop() {
    meter.stop()
    await node.stop()
    return null
  },
}

process.on('message', async ({ id, do: command, argument }: ToServer) => {
  try {
    const answer = await answers[command](argument as never)
    tell({ event: 'answer', id, answer })
  } catch (error) {
    const reason = (error as { reason?: unknown }).reason
    const message = reason === undefined ? String(error) : formatReason(reason as never)
    tell({ event: 'refused', id, message })
  }
  if (command === 'stop') process.disconnect?.()
})
// Nobody asks any more.
process.on('disconnect', () => process.exit())

const [address] = await node.addresses()
const base = `http://${address?.host}:${address?.port}`
tell({ event: 'ready', base, schedulers: node.schedulers() })
