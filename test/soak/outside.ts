/** The outside of the node under test: takes what the app sends to it, and hands it to whoever waits. */
import { type BeamishNode, type DownMessage, onEvent, type Pid, type Ref } from 'beamish'
import { schedulerOf } from '../../runtime/process/pid.ts'
import type { Inhabitant, StatusEvents } from './app.ts'
import { stewards } from './cast.ts'

type Status = {
  readonly [K in keyof StatusEvents]: {
    readonly type: 'broadcast'
    readonly event: K
    readonly payload: StatusEvents[K]
  }
}[keyof StatusEvents]

interface Waiter {
  readonly known: readonly number[]
  readonly resolve: () => void
}

export class Outside {
  readonly node: BeamishNode
  /** Who does on a thread what is asked for, by live thread. */
  readonly stewards = new Map<number, Pid>()
  readonly #downs = new Map<Ref, (reason: unknown) => void>()
  readonly #waiters = new Set<Waiter>()
  readonly #onStatus: (status: Status) => void

  private constructor(node: BeamishNode, onStatus: (status: Status) => void) {
    this.node = node
    this.#onStatus = onStatus
    node.self.subscribe('soak.status')
    onEvent('schedulerLost', ({ scheduler }) => this.stewards.delete(scheduler))
    void this.#run()
  }

  static async of(node: BeamishNode, onStatus: (status: Status) => void): Promise<Outside> {
    const outside = new Outside(node, onStatus)
    for (const { pid } of await stewards.lookup(node.self, 'steward')) {
      outside.stewards.set(schedulerOf(pid), pid)
    }
    return outside
  }

  async #run(): Promise<void> {
    for (;;) {
      const message = (await this.node.self.receive()) as Status | DownMessage
      if (message.type === 'DOWN') {
        this.#downs.get(message.ref)?.(message.reason)
        this.#downs.delete(message.ref)
      } else {
        if (message.event === 'serving') this.#served(message.payload)
        this.#onStatus(message)
      }
    }
  }

  #served({ scheduler, steward }: StatusEvents['serving']): void {
    // Said by a thread that is gone by now.
    if (!this.node.schedulers().includes(scheduler)) return
    this.stewards.set(scheduler, steward)
    for (const waiter of this.#waiters) {
      if (waiter.known.includes(scheduler)) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }

  /** Resolves when a thread that is not one of these has got all its children. */
  serving(known: readonly number[]): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.add({ known, resolve })
    })
  }

  /** Resolves with the reason a process ended for. */
  ended(pid: Pid): Promise<unknown> {
    return new Promise((resolve) => {
      this.#downs.set(this.node.self.monitor(pid), resolve)
    })
  }

  /** Who runs, by thread; a thread that cannot say so now is left out. */
  async census(): Promise<{ scheduler: number; inhabitants: readonly Inhabitant[] }[]> {
    const asked = [...this.stewards].map(async ([scheduler, steward]) => {
      const inhabitants = (await this.node.self.call(steward, 'census')) as Inhabitant[]
      return { scheduler, inhabitants }
    })
    const answers = await Promise.allSettled(asked)
    return answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  }

  /** Collects garbage on every thread and on main. */
  async collect(): Promise<void> {
    const { self } = this.node
    const all = this.node.schedulers().map((scheduler) => this.stewards.get(scheduler))
    await Promise.all(all.map((steward) => self.call(steward as Pid, 'collect')))
    globalThis.gc?.()
    globalThis.gc?.()
  }
}
