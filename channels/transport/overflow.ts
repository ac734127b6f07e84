/** What is told of a client that does not keep up, where its socket leaves frames out. */
import { eventChannel } from '../../runtime/events.ts'
import { BeamishError, type Pid, type Self } from '../../runtime/index.ts'
import { OVERFLOWS, type Overflow } from './outbox.ts'
import type { TransportSettings } from './transport.ts'

/** A socket whose client does not get all; at most once a second for each, and when it ends. */
export interface SocketOverflow {
  readonly pid: Pid
  readonly remoteAddress: string | undefined
  readonly overflow: Overflow
  /** Pushes and broadcasts left out since the socket opened. */
  readonly dropped: number
  /** Bytes that wait for the client now. */
  readonly waitingBytes: number
  readonly maxQueueBytes: number
}

declare module '../../runtime/events.ts' {
  interface RuntimeEvents {
    socketOverflow: SocketOverflow
  }
}

const REPORT_MS = 1_000

const reports = eventChannel('socketOverflow')

/** What an outbox can tell of itself. */
interface Figures {
  readonly dropped: number
  readonly waitingBytes: number
}

export class OverflowReport {
  readonly #about: Omit<SocketOverflow, keyof Figures>
  readonly #now: () => number
  #toldMs = Number.NEGATIVE_INFINITY
  #told = 0

  constructor(about: Omit<SocketOverflow, keyof Figures>, now: () => number) {
    this.#about = about
    this.#now = now
  }

  readonly leftOut = (figures: Figures): void => {
    if (!reports.hasSubscribers) return
    const nowMs = this.#now()
    if (nowMs - this.#toldMs < REPORT_MS) return
    this.#toldMs = nowMs
    this.#tell(figures)
  }

  /** Its socket ends: the last word. */
  end(figures: Figures): void {
    if (figures.dropped > this.#told && reports.hasSubscribers) this.#tell(figures)
  }

  #tell({ dropped, waitingBytes }: Figures): void {
    this.#told = dropped
    reports.publish({ ...this.#about, dropped, waitingBytes } satisfies SocketOverflow)
  }
}

export function overflowReport(
  self: Self,
  { connect, overflow, limits }: Pick<TransportSettings, 'connect' | 'overflow' | 'limits'>,
): OverflowReport {
  const { remoteAddress } = connect
  const { maxQueueBytes } = limits
  return new OverflowReport({ pid: self.pid, remoteAddress, overflow, maxQueueBytes }, () =>
    self.now(),
  )
}

/** @throws BEAMISH_BAD_OPTION */
export function overflowOption(given: Overflow = 'close'): Overflow {
  if (OVERFLOWS.includes(given)) return given
  throw new BeamishError('BEAMISH_BAD_OPTION', {
    option: 'overflow',
    got: String(given),
    fix: `use one of ${OVERFLOWS.join(', ')}`,
  })
}
