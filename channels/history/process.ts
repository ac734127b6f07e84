/**
 * The keeper of histories: one per thread that listens, for the topics whose names hash to that thread. Every kept broadcast of
 * a topic goes through its keeper, which numbers it, keeps it, and sends it to all: so there is one order for clients on all
 * threads. One that ends takes its histories along; what was said is then lost to those who were away, and they are told.
 */
import { genServer, type Pid } from '../../runtime/index.ts'
import { Self } from '../../runtime/process/self.ts'
import { Book, type Missed } from './book.ts'
import { THREAD_LIMITS } from './options.ts'
import type { Position } from './position.ts'
import type { HistoryLimits } from './ring.ts'

const SWEEP_MS = 30_000

export interface Keep {
  readonly topic: string
  readonly event: string
  /** The payload as JSON. */
  readonly json: string
  readonly limits: HistoryLimits
  /** Who does not get it, or NO_PID. */
  readonly except: Pid
}

export interface Since {
  readonly topic: string
  readonly after: Position | undefined
  readonly limits: HistoryLimits
}

/** Longer than any run of a node: no two keepers make the same epoch. */
function epochs(self: Self): () => string {
  const random = (): string => Math.floor(self.random() * 2 ** 52).toString(36)
  const keeper = `${Date.now().toString(36)}${random().slice(0, 8)}`
  let count = 0
  return () => `${keeper}${(count++).toString(36).padStart(4, '0')}`
}

export const HistoryKeeper = genServer('beamish.history', {
  init(_: undefined, self) {
    self.sendAfter(SWEEP_MS, 'sweep')
    return new Book(THREAD_LIMITS, epochs(self))
  },
  handleCall: {
    since: (book, { topic, after, limits }: Since, self): Missed =>
      book.since(topic, after, limits, self.now()),
  },
  handleCast: {
    keep(book, { topic, event, json, limits, except }: Keep, self) {
      const text = book.keep(topic, event, json, limits, self.now())
      const { pubsub } = Self.processOf(self).scheduler
      pubsub.broadcast(self.pid, topic, event, JSON.parse(text), except, false)
    },
  },
  handleInfo: {
    sweep(book, _message: 'sweep', self) {
      book.sweep(self.now())
      self.sendAfter(SWEEP_MS, 'sweep')
    },
  },
})

/** The name of the keeper on a thread. */
export const keeperName = (scheduler: number): string => `beamish.history.${scheduler}`
