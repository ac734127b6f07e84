/** A value whose buffers leave the thread that made it, instead of being copied. */
export class Moved<R = unknown> {
  readonly value: R
  readonly transfer: readonly unknown[]
  constructor(value: R, transfer: readonly unknown[]) {
    this.value = value
    this.transfer = transfer
  }

  get [Symbol.for('beamish.moved')](): true {
    return true
  }

  /** Told by a symbol: a job's module may have a copy of the library of its own. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && Symbol.for('beamish.moved') in value
  }
}
