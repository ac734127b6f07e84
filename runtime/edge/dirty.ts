/**
 * Dirty CPU jobs on piscina: what would block a scheduler runs on threads that have none. Each scheduler thread has a pool of
 * its own, made at the first job and ended with that thread, so no job passes through another one and a lost thread takes its
 * jobs along. The line is ours: piscina starts no worker for what waits when the one before was ended.
 *
 * The workers load this file too: they find the job in it (`runJob`).
 */
import { fileURLToPath } from 'node:url'
import { move, Piscina } from 'piscina'
import { BeamishError } from '../errors.ts'
import { publish } from '../events.ts'
import { Exit, type ExitReason, formatReason, plain, reasonOf } from '../exit/reason.ts'
import { type ExportedFunction, importFunction } from '../process/remoteFunction.ts'
import { asNobody } from '../process/strays.ts'
import { Moved } from '../task/moved.ts'

export interface DirtySettings {
  /** Workers at most. */
  readonly threads: number
  /** Jobs that wait for one, at most. */
  readonly maxQueue: number
}

/** Structural: lib.dom is not among our types. */
type Transfer = NonNullable<NonNullable<Parameters<Piscina['run']>[1]>['transferList']>

interface Job {
  readonly call: ExportedFunction
  readonly transfer: Transfer
  readonly signal: AbortSignal
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}

/** What a worker answers: errors as data, since a clone of one keeps neither its class nor its code. */
type Answer = { readonly value: unknown } | { readonly failed: ExitReason }

/** A worker that had nothing to do for so long is ended. */
const IDLE_MS = 30_000

export class DirtyPool {
  readonly #settings: DirtySettings
  readonly #waiting: Job[] = []
  readonly #running = new Set<AbortController>()
  #pool: Piscina | undefined
  #broken: unknown

  constructor(settings: DirtySettings) {
    this.#settings = settings
  }

  /** Jobs that run, and jobs that wait. */
  get jobs(): { readonly running: number; readonly waiting: number } {
    return { running: this.#running.size, waiting: this.#waiting.length }
  }

  /**
   * Rejects with an Exit whose reason says why as data: what the job threw, or how its worker ended. An abort ends the worker
   * that runs it.
   * @throws BEAMISH_DIRTY_QUEUE
   */
  run(call: ExportedFunction, transfer: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    const { threads, maxQueue } = this.#settings
    // Aborted while the pool was being loaded: no abort event comes any more.
    if (signal.aborted) return Promise.reject(new Exit('killed'))
    if (this.#running.size >= threads && this.#waiting.length >= maxQueue) {
      throw new BeamishError('BEAMISH_DIRTY_QUEUE', { limit: maxQueue })
    }
    return new Promise((resolve, reject) => {
      const job: Job = { call, transfer: transfer as Transfer, signal, resolve, reject }
      this.#waiting.push(job)
      signal.addEventListener('abort', () => {
        const at = this.#waiting.indexOf(job)
        if (at < 0) return
        this.#waiting.splice(at, 1)
        reject(new Exit('killed'))
      })
      this.#next()
    })
  }

  #next(): void {
    while (this.#running.size < this.#settings.threads) {
      const job = this.#waiting.shift()
      if (job === undefined) return
      void this.#work(job)
    }
  }

  async #work({ call, transfer, signal, resolve, reject }: Job): Promise<void> {
    const controller = new AbortController()
    const abort = (): void => controller.abort()
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    this.#running.add(controller)
    try {
      const options = { transferList: transfer, signal: controller.signal }
      const answer = (await asNobody(() => this.#poolOrNew().run(call, options))) as Answer
      if ('value' in answer) resolve(answer.value)
      else reject(new Exit(answer.failed))
    } catch (error) {
      reject(new Exit(signal.aborted ? 'killed' : plain(reasonOf(this.#broken ?? error))))
    } finally {
      signal.removeEventListener('abort', abort)
      this.#running.delete(controller)
      this.#next()
    }
  }

  #poolOrNew(): Piscina {
    if (this.#pool !== undefined) return this.#pool
    const pool = new Piscina({
      filename: fileURLToPath(import.meta.url),
      name: 'runJob',
      minThreads: 0,
      maxThreads: this.#settings.threads,
      idleTimeout: IDLE_MS,
      // Waiting in Atomics.wait would keep what a job left behind from running, and from failing where it can be seen.
      atomics: 'disabled',
    })
    this.#pool = pool
    this.#broken = undefined
    const ready = new Set<unknown>()
    let unborn = false
    pool.on('workerCreate', (worker: unknown) => ready.add(worker))
    pool.on('workerDestroy', (worker: unknown) => {
      unborn = !ready.delete(worker)
    })
    pool.on('error', (error: unknown) => {
      const reason = plain(reasonOf(error))
      publish('notice', () => ({
        level: 'error',
        code: 'dirty_worker',
        message: `a dirty worker ended without a job: ${formatReason(reason)}`,
      }))
      // One that cannot boot is not tried again by piscina: what waits for it would wait for ever.
      if (unborn) this.#fail(error)
    })
    return pool
  }

  #fail(error: unknown): void {
    this.#broken = error
    void this.close()
  }

  /** Ends what runs. */
  async close(): Promise<void> {
    const pool = this.#pool
    this.#pool = undefined
    await pool?.destroy()
  }
}

/** In a worker: runs one job. */
export async function runJob(call: ExportedFunction): Promise<unknown> {
  try {
    const found = await importFunction(call)
    const value: unknown = await found(...call.args)
    if (!(value instanceof Moved)) return { value } satisfies Answer
    return move({
      [Piscina.transferableSymbol]: [...value.transfer],
      [Piscina.valueSymbol]: { value: value.value } satisfies Answer,
    } as unknown as Parameters<typeof move>[0])
  } catch (thrown) {
    return { failed: plain(reasonOf(thrown)) } satisfies Answer
  }
}
