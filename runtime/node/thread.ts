/** One scheduler thread, as main sees it: its worker, its ports, its boot and its end. */
import { MessageChannel, type MessagePort, Worker, type WorkerOptions } from 'node:worker_threads'
import { ControlClient } from '../edge/control.ts'
import { BeamishError } from '../errors.ts'
import type { LostCause } from '../exit/reason.ts'
import { type Observed, ranLastOf } from '../observe/observe.ts'
import type { Board } from '../scheduler/board.ts'
import type { Journal } from '../scheduler/journal.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { BootData } from './bootData.ts'
import type { NodeIdentity } from './local.ts'
import type { Settings } from './options.ts'
import { connectPort } from './port.ts'
import { stackOf } from './stack.ts'
import { Watchdog } from './watchdog.ts'

// tsc does not rewrite URLs: the sources run .ts, the published package .js.
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js',
  import.meta.url,
)

/** What boot() tells in its own words. */
const KEPT: readonly string[] = ['BEAMISH_APP_UNCLONEABLE', 'BEAMISH_BAD_ENV', 'BEAMISH_BAD_OPTION']

export interface ThreadEnd {
  readonly cause: LostCause
  readonly message: string
  /** It was declared dead after this long without a sign of life. */
  readonly blockedMs?: number
  /** What it executed then, innermost frame first, if it could be interrupted. */
  readonly stack?: readonly string[]
}

export class Thread {
  readonly id: number
  readonly slot: number
  readonly control: ControlClient
  /** What the thread tells of itself on shared memory. */
  readonly journal: Journal
  /** Resolves when the thread is dead to everybody: it has ended, or was declared so. */
  readonly lost: Promise<ThreadEnd>
  /** Resolves when nothing of it runs any more. */
  readonly ended: Promise<void>
  /** It has loaded the app. */
  booted = false
  readonly #worker: Worker
  #lose: (end: ThreadEnd) => void = () => {}
  #stopping = false
  #inspection: AbortController | undefined

  constructor(
    main: Scheduler,
    settings: Settings,
    identity: NodeIdentity,
    id: number,
    slot: number,
    peers: readonly { readonly id: number; readonly port: MessagePort }[],
  ) {
    this.id = id
    this.slot = slot
    this.journal = main.board.journal(slot)
    const data = new MessageChannel()
    const control = new MessageChannel()
    const boot: BootData = {
      scheduler: id,
      slot,
      board: main.board.buffer,
      module: settings.module,
      development: settings.development,
      log: settings.log,
      beatMs: Watchdog.lookMs(settings.maxBlockedMs),
      identity,
      dirty: settings.dirty,
      mainPort: data.port2,
      controlPort: control.port2,
      peers,
    }
    this.#worker = makeWorker({
      name: `beamish-${id}`,
      workerData: boot,
      // Not given, they are inherited; given, those that a thread cannot have would be refused.
      ...(settings.execArgv === undefined ? {} : { execArgv: [...settings.execArgv] }),
      resourceLimits: settings.resourceLimits,
      transferList: [data.port2, control.port2, ...peers.map((peer) => peer.port)],
    })
    this.control = new ControlClient(id, control.port1)
    this.lost = new Promise((resolve) => {
      this.#lose = resolve
    })
    void this.lost.then(({ message }) => this.control.gone(message))
    this.ended = this.#watch()
    connectPort(main, id, data.port1)()
  }

  #watch(): Promise<void> {
    let failure: Error | undefined
    this.#worker.on('error', (error: Error) => {
      failure = error
    })
    return new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#inspection?.abort()
        const fullMb = this.journal.fullHeapMb
        const heap =
          fullMb > 0 ||
          (failure as { code?: string } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
        const cause = this.#stopping
          ? 'stopped'
          : heap
            ? 'heap'
            : failure !== undefined
              ? 'error'
              : 'exit'
        const message =
          fullMb > 0
            ? `${fullMb} MB of its heap were in use after a collection`
            : failure === undefined
              ? `exit code ${code}`
              : failureText(failure)
        this.#lose({ cause, message })
        resolve()
      })
    })
  }

  /** Loads the app module; its default export. */
  async boot(settings: Settings): Promise<unknown> {
    try {
      const answer = await this.control.boot(settings.bootTimeoutMs)
      if ('exported' in answer) {
        this.booted = true
        return answer.exported
      }
      if ('failed' in answer) throw new BeamishError(answer.failed.code, answer.failed.fields)
      throw new BeamishError('BEAMISH_APP_UNCLONEABLE', {
        module: settings.module,
        ...answer.uncloneable,
      })
    } catch (error) {
      if (error instanceof BeamishError && KEPT.includes(error.code)) throw error
      if (error instanceof BeamishError && error.code === 'BEAMISH_CONTROL_TIMEOUT') {
        throw new BeamishError('BEAMISH_BOOT_TIMEOUT', {
          scheduler: this.id,
          timeoutMs: settings.bootTimeoutMs,
        })
      }
      if (error instanceof BeamishError && error.code === 'BEAMISH_CONTROL_GONE') {
        const { message } = await this.lost
        throw new BeamishError('BEAMISH_BOOT_EXIT', { scheduler: this.id, message })
      }
      const message = error instanceof Error ? error.message : String(error)
      throw new BeamishError('BEAMISH_APP_LOAD', { module: settings.module, message }, error)
    }
  }

  /** As observe() looks at it. */
  observed(board: Board): Observed {
    const { id, slot, journal } = this
    return {
      scheduler: id,
      utilization: () => this.#worker.performance.eventLoopUtilization(),
      look: (options, timeoutMs) => this.control.look(options, timeoutMs),
      processes: () => board.load(slot),
      ranLast: () => ranLastOf({ journal }),
    }
  }

  /** Ends the thread, as planned. A native call it is in has to return first. */
  async terminate(): Promise<void> {
    this.#stopping = true
    this.#inspection?.abort()
    await this.#worker.terminate()
    await this.ended
  }

  /** It is dead from now on, and ended as soon as that is possible. */
  declareDead(end: ThreadEnd): void {
    this.#lose(end)
    this.#inspection?.abort()
    void this.#worker.terminate()
  }

  /** What it executes right now; undefined when it cannot be interrupted, or ends before it is. */
  async stack(): Promise<readonly string[] | undefined> {
    if (this.#inspection !== undefined) return undefined
    this.#inspection = new AbortController()
    const stack = await stackOf(this.#worker.threadId, this.#inspection.signal)
    this.#inspection = undefined
    return stack
  }

  /** Kills it without a word, as an accident would: for tests of what the survivors see. */
  kill(): void {
    this.#inspection?.abort()
    void this.#worker.terminate()
  }
}

function makeWorker(options: WorkerOptions): Worker {
  try {
    return new Worker(ENTRY, options)
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_WORKER_INVALID_EXEC_ARGV') throw error
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: 'execArgv',
      got: JSON.stringify(options.execArgv),
      fix: `leave out what a thread cannot have (${(error as Error).message}); limits of its heap go into resourceLimits`,
    })
  }
}

function failureText(error: Error): string {
  return error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error)
}
