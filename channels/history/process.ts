/**
 * The keeper of histories: one per thread, for the topics whose names hash to that thread. Every kept broadcast of
 * a topic goes through its keeper, which numbers it, keeps it, and sends it to all: so there is one order for clients on all
 * threads. One that ends takes its histories along; what was said is then lost to those who were away, and they are told.
 */
import { genServer, type Pid } from '../../runtime/index.ts'
import { Self } from '../../runtime/process/self.ts'
import { Book, type ChannelLimits, type Missed } from './book.ts'
import type { Position } from './position.ts'

const SWEEP_MS = 30_000

export interface Keep {
  readonly topic: string
  readonly event: string
  /** The payload as JSON. */
  readonly json: string
  readonly limits: ChannelLimits
  /** Who does not get it, or NO_PID. */
  readonly except: Pid
}

export interface Since {
  readonly topic: string
  readonly after: Position | undefined
  readonly limits: ChannelLimits
  /** Of messages in the answer; 0: none. */
  readonly maxCharacters: number
}

/** No two keepers make the same: the time is longer than any run of a node, the pid is one of this run. */
function newEpoch(self: Self): string {
  const random = Math.floor(self.random() * 36 ** 4).toString(36)
  return `${Date.now().toString(36)}${Number(self.pid).toString(36)}${random}`
}

export const HistoryKeeper = genServer('beamish.history', {
  init(_: undefined, self) {
    self.sendAfter(SWEEP_MS, 'sweep')
    return new Book(newEpoch(self))
  },
  handleCall: {
    since: (book, { topic, after, limits, maxCharacters }: Since, self): Missed =>
      book.since(topic, after, limits, self.now(), maxCharacters),
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
