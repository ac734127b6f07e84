/** Pushes that wait for their answer. Each ends once: with an answer, or with the reason why none will come. */
import { framed } from './bytes.ts'
import type { PhoenixChannel, PhoenixPush } from './phoenix.ts'

/** How a push ended. */
export interface Ended {
  readonly status: string
  readonly response: unknown
}

/** A timer cannot be set for longer: one that is would be over at once. */
const MAX_TIMEOUT_MS = 2_147_483_647

export const bounded = (timeoutMs: number): number => Math.min(timeoutMs, MAX_TIMEOUT_MS)

interface Waiting {
  readonly push: PhoenixPush
  settle(status: string, response: unknown): void
}

export class Answers {
  readonly #channel: PhoenixChannel
  readonly #waiting = new Set<Waiting>()

  constructor(channel: PhoenixChannel) {
    this.#channel = channel
    // A push hears only the statuses it asks for: this hears the others, and is told after it.
    channel.on('phx_reply', (reply, ref) => {
      const { status, response } = reply as Ended
      for (const { push, settle } of [...this.#waiting]) {
        if (ref !== undefined && push.ref === ref) settle(status, response)
      }
    })
    // What was sent is not sent again by the join that follows; what was not is still to be sent.
    channel.on('phx_error', () => this.#end('lost', ({ sent }) => sent === true))
    channel.onClose(() => this.#end('closed', () => true))
  }

  #end(status: string, ends: (push: PhoenixPush) => boolean): void {
    for (const { push, settle } of [...this.#waiting]) if (ends(push)) settle(status, undefined)
  }

  /** Rejects only where the official client throws: before the channel was joined. */
  send(event: string, payload: unknown, timeoutMs: number): Promise<Ended> {
    return new Promise((resolve) => {
      const ms = bounded(timeoutMs)
      const push = this.#channel.push(event, framed(payload), ms)
      const waiting: Waiting = {
        push,
        settle: (status, response) => {
          clearTimeout(timer)
          // Its own marks one that is yet to be sent: not to be, any more.
          if (status !== 'timeout') push.cancelTimeout?.()
          this.#waiting.delete(waiting)
          resolve({ status, response })
        },
      }
      // One of ours: the official client's own ends with the connection.
      const timer = setTimeout(() => waiting.settle('timeout', undefined), ms)
      this.#waiting.add(waiting)
      // One that was over before it came to us.
      if (this.#channel.state === 'closed') return waiting.settle('closed', undefined)
      for (const status of ['ok', 'error']) {
        push.receive(status, (response) => waiting.settle(status, response))
      }
    })
  }
}
