/** The dirty threads of a scheduler thread: nothing of them is loaded before the first job. */
import type { DirtyPool, DirtySettings } from '../edge/dirty.ts'

export class Dirty {
  readonly #settings: DirtySettings
  #pool: Promise<DirtyPool> | undefined

  constructor(settings: DirtySettings) {
    this.#settings = settings
  }

  pool(): Promise<DirtyPool> {
    this.#pool ??= import('../edge/dirty.ts').then(({ DirtyPool }) => new DirtyPool(this.#settings))
    return this.#pool
  }

  async close(): Promise<void> {
    const pool = this.#pool
    this.#pool = undefined
    await (await pool)?.close()
  }
}
