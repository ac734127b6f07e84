/** One scheduler thread, as main sees it: its worker, its ports, its boot and its end. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { ControlClient } from '../edge/control.ts'
import { BeamishError } from '../errors.ts'
import type { LostCause } from '../exit/reason.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { BootData } from './bootData.ts'
import type { Settings } from './options.ts'
import { connectPort } from './port.ts'

// tsc does not rewrite URLs: the sources run .ts, the published package .js.
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js',
  import.meta.url,
)

/** What boot() tells in its own words. */
const KEPT: readonly string[] = ['BEAMISH_APP_UNCLONEABLE', 'BEAMISH_BAD_ENV', 'BEAMISH_BAD_OPTION']

export interface ThreadEnd {
  readonly cause: LostCause
  readonly message: string | undefined
}

export class Thread {
  readonly id: number
  readonly slot: number
  readonly control: ControlClient
  /** Resolves when the thread has ended, for whatever reason. */
  readonly ended: Promise<ThreadEnd>
  readonly #worker: Worker
  #stopping = false

  constructor(
    main: Scheduler,
    settings: Settings,
    secret: string,
    id: number,
    slot: number,
    peers: readonly { readonly id: number; readonly port: MessagePort }[],
  ) {
    this.id = id
    this.slot = slot
    const data = new MessageChannel()
    const control = new MessageChannel()
    const boot: BootData = {
      scheduler: id,
      slot,
      board: main.board.buffer,
      module: settings.module,
      development: settings.development,
      log: settings.log,
      secret,
      mainPort: data.port2,
      controlPort: control.port2,
      peers,
    }
    this.#worker = new Worker(ENTRY, {
      name: `beamish-${id}`,
      workerData: boot,
      execArgv: [...settings.execArgv],
      transferList: [data.port2, control.port2, ...peers.map((peer) => peer.port)],
    })
    this.control = new ControlClient(id, control.port1)
    this.ended = this.#watch()
    connectPort(main, id, data.port1)()
  }

  #watch(): Promise<ThreadEnd> {
    let failure: Error | undefined
    this.#worker.on('error', (error: Error) => {
      failure = error
    })
    return new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        const heap = (failure as { code?: string } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
        const cause = this.#stopping
          ? 'stopped'
          : heap
            ? 'heap'
            : failure !== undefined
              ? 'error'
              : 'exit'
        const message = failure === undefined ? `exit code ${code}` : failureText(failure)
        this.control.gone(message)
        resolve({ cause, message })
      })
    })
  }

  /** Loads the app module; its default export. */
  async boot(settings: Settings): Promise<unknown> {
    try {
      const answer = await this.control.boot(settings.bootTimeoutMs)
      if ('exported' in answer) return answer.exported
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
        const { message } = await this.ended
        throw new BeamishError('BEAMISH_BOOT_EXIT', { scheduler: this.id, message })
      }
      const message = error instanceof Error ? error.message : String(error)
      throw new BeamishError('BEAMISH_APP_LOAD', { module: settings.module, message }, error)
    }
  }

  /** Rejects if the thread ends by itself: nothing on it will answer any more. */
  async lostDuringBoot(): Promise<never> {
    const { cause, message } = await this.ended
    if (cause === 'stopped') return new Promise(() => {})
    throw new BeamishError('BEAMISH_BOOT_EXIT', { scheduler: this.id, message })
  }

  /** Ends the thread, whatever it does. */
  async terminate(): Promise<void> {
    this.#stopping = true
    await this.#worker.terminate()
    await this.ended
  }

  /** Kills it without a word, as an accident would: for tests of what the survivors see. */
  kill(): void {
    void this.#worker.terminate()
  }
}

function failureText(error: Error): string {
  return error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error)
}
