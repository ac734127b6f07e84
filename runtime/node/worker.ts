/** Entry of a scheduler thread: builds the scheduler, connects it, and answers main's control calls. */
import { workerData } from 'node:worker_threads'
import { type BootAnswer, exposeControl } from '../edge/control.ts'
import { startLog } from '../edge/log.ts'
import { BeamishError } from '../errors.ts'
import { look } from '../observe/look.ts'
import { traceTo } from '../observe/tracePort.ts'
import { Board } from '../scheduler/board.ts'
import { nodeHost } from '../scheduler/host.ts'
import { findUncloneable } from '../scheduler/isolate.ts'
import { Scheduler } from '../scheduler/scheduler.ts'
import type { BootData } from './bootData.ts'
import { watchHeap } from './heap.ts'
import { makeLocalNode } from './local.ts'
import { connectPort } from './port.ts'
import { threadStats } from './stats.ts'
import { watchStrays } from './strays.ts'
import { vacate } from './vacate.ts'

const data = workerData as BootData

if (data.log !== false) startLog(data.scheduler, data.log)

const scheduler = new Scheduler({
  id: data.scheduler,
  slot: data.slot,
  board: new Board(data.board),
  host: nodeHost(),
  development: data.development,
})
const node = makeLocalNode(scheduler, data.identity, data.dirty)
setInterval(() => scheduler.journal.beat(), data.beatMs).unref()
// Taken before watchStrays makes process.exit end the process that calls it.
const exit = process.exit
watchHeap((usedBytes) => {
  scheduler.journal.heapFull(usedBytes)
  exit(1)
})
watchStrays(scheduler)

const receivers = [
  connectPort(scheduler, 0, data.mainPort),
  ...data.peers.map(({ id, port }) => connectPort(scheduler, id, port)),
]

function answerOf(exported: unknown): BootAnswer {
  try {
    return { exported: structuredClone(exported) }
  } catch {
    return { uncloneable: findUncloneable(exported, 'default') }
  }
}

const SETTINGS: readonly string[] = ['BEAMISH_BAD_ENV', 'BEAMISH_BAD_OPTION']

exposeControl(data.controlPort, {
  boot: async () => {
    let loaded: { default?: unknown }
    try {
      loaded = (await import(data.module)) as { default?: unknown }
    } catch (error) {
      // A setting that is wrong is no fault of the module: it keeps its own line.
      if (error instanceof BeamishError && SETTINGS.includes(error.code)) {
        return { failed: { code: error.code, fields: { ...error.fields } } }
      }
      throw error
    }
    for (const receive of receivers) receive()
    return answerOf(loaded.default)
  },
  stopAccepting: () => node.drainers.stopAccepting(),
  drain: (timeoutMs) => node.drainers.drain(timeoutMs),
  vacate: (timeoutMs) => vacate(scheduler, timeoutMs),
  flush: () => scheduler.peers.flush(),
  stats: () => threadStats(scheduler),
  look: (options) => look(scheduler, options),
  trace: (spec, port) => traceTo(port, scheduler, spec),
})
