/**
 * What must end in order when the node stops: first every thread stops accepting, then all drain at once. Listeners and
 * transports register here; the runtime knows nothing else of them.
 */
export interface Drainer {
  /** No new work from here on. */
  stopAccepting(): Promise<void>
  /** Ends what is there, orderly, within `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>
}

export class Drainers {
  readonly #drainers = new Set<Drainer>()

  /** Returns the function that takes it away again. */
  add(drainer: Drainer): () => void {
    this.#drainers.add(drainer)
    return () => this.#drainers.delete(drainer)
  }

  async stopAccepting(): Promise<void> {
    await Promise.all([...this.#drainers].map((drainer) => drainer.stopAccepting()))
  }

  async drain(timeoutMs: number): Promise<void> {
    await Promise.all([...this.#drainers].map((drainer) => drainer.drain(timeoutMs)))
  }
}
