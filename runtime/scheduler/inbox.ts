/**
 * The receiving half of a connection, as a pure structure: batches are worked off one at a time and in order, also when the
 * work on one of them asks for the rest to be drained.
 */
export class Inbox {
  readonly #next: () => { readonly message: unknown } | undefined
  readonly #handle: (message: unknown) => void
  readonly #waiting: (() => void)[] = []
  #receiving = false

  /** `next` takes what has arrived and was not seen yet, `handle` works it off. */
  constructor(
    next: () => { readonly message: unknown } | undefined,
    handle: (message: unknown) => void,
  ) {
    this.#next = next
    this.#handle = handle
  }

  receive(message: unknown): void {
    this.#receiving = true
    try {
      this.#handle(message)
    } finally {
      this.#receiving = false
    }
    for (let done = this.#waiting.shift(); done !== undefined; done = this.#waiting.shift()) {
      this.drain(done)
    }
  }

  /**
   * Works off what has arrived, then runs `done`. Within one of its own batches the rest has to wait its turn, order per
   * connection is the promise: `done` runs once that batch and what is behind it are through.
   */
  drain(done?: () => void): void {
    if (this.#receiving) {
      if (done !== undefined) this.#waiting.push(done)
      return
    }
    for (;;) {
      const next = this.#next()
      if (next === undefined) break
      this.receive(next.message)
    }
    done?.()
  }
}
