/**
 * The journal of one thread, in memory that main can read when the thread cannot speak any more: a beat from its loop, the
 * process that ran last, and the message it was given. Names stand in a lexicon beside it, written once and referred to by
 * number, so that noting one costs a store.
 */
import { messageName } from '../process/messages.ts'
import { NO_PID, type Pid } from '../process/pid.ts'
import type { Process } from '../process/process.ts'

/** What a thread did last, as far as its journal tells. */
export interface RanLast {
  readonly pid: Pid
  /** Undefined when the lexicon was full before it came up. */
  readonly behaviour: string | undefined
  readonly message: string | undefined
}

const HEADER_BYTES = 24
const LEXICON_BYTES = 16_384
const BYTES: number = HEADER_BYTES + LEXICON_BYTES
/** Int32 cells of a board that one journal takes. */
export const JOURNAL_CELLS: number = BYTES / 4

/** Cells of the header; the pid is a float in the first eight bytes. */
const BEAT = 2
const LABEL = 3
const MESSAGE = 4
const HEAP_MB = 5
/** A number that stands for no name: offsets in the lexicon are counted from one. */
const NONE = 0
/** Longer names are no names but data. */
const MAX_NAME_BYTES = 96
/** What names of messages may fill, of which there may be any number: the rest of the lexicon is kept for behaviours. */
const MESSAGE_BYTES = 12_288

export class Journal {
  readonly #pid: Float64Array
  readonly #cells: Int32Array
  readonly #text: Uint8Array
  readonly #known = new Map<string, number>()
  #used = 0
  /** Its end for messages; 0 once a name has not fitted. */
  #messageEnd = MESSAGE_BYTES
  #lastName: string | undefined

  constructor(buffer: SharedArrayBuffer, byteOffset: number) {
    this.#pid = new Float64Array(buffer, byteOffset, 1)
    this.#cells = new Int32Array(buffer, byteOffset, HEADER_BYTES / 4)
    this.#text = new Uint8Array(buffer, byteOffset + HEADER_BYTES, LEXICON_BYTES)
  }

  /** The loop of the thread turns. */
  beat(): void {
    Atomics.add(this.#cells, BEAT, 1)
  }

  /** The thread ends by itself: so much is in use after a collection. */
  heapFull(usedBytes: number): void {
    Atomics.store(this.#cells, HEAP_MB, Math.ceil(usedBytes / 2 ** 20))
  }

  /** Megabytes that were in use, or 0: it did not end for that. */
  get fullHeapMb(): number {
    return Atomics.load(this.#cells, HEAP_MB)
  }

  get beats(): number {
    return Atomics.load(this.#cells, BEAT)
  }

  /** A process begins or goes on to run. */
  runs(process: Process): void {
    this.#pid[0] = process.pid
    if (process.label === NONE) {
      const name = process.behaviour.describe?.(process) ?? process.behaviour.name
      process.label = this.#number(name, LEXICON_BYTES)
    }
    this.#cells[LABEL] = process.label
    this.#cells[MESSAGE] = NONE
    this.#lastName = undefined
  }

  /** It is given a message. */
  handles(message: unknown): void {
    // Text is data of the app, but for what the kernel sends itself.
    const name =
      typeof message === 'string' && message !== 'timeout' ? 'string' : messageName(message)
    if (name !== this.#lastName) this.notes(name)
  }

  /** A better name for what is handled now than its message has. */
  notes(name: string): void {
    this.#lastName = name
    this.#cells[MESSAGE] = this.#number(name, this.#messageEnd)
  }

  #number(name: string, end: number): number {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    if (end === 0 || name.length > MAX_NAME_BYTES) return NONE
    const bytes = Buffer.from(name)
    const at = this.#used
    if (bytes.length > MAX_NAME_BYTES) return NONE
    if (at + 1 + bytes.length > end) {
      if (end === this.#messageEnd) this.#messageEnd = 0
      return NONE
    }
    this.#text[at] = bytes.length
    this.#text.set(bytes, at + 1)
    this.#used = at + 1 + bytes.length
    this.#known.set(name, at + 1)
    return at + 1
  }

  /** What ran last; undefined when nothing has run yet. */
  ranLast(): RanLast | undefined {
    const pid = this.#pid[0] as Pid
    if (pid === NO_PID) return undefined
    return { pid, behaviour: this.#name(LABEL), message: this.#name(MESSAGE) }
  }

  #name(cell: number): string | undefined {
    const number = this.#cells[cell] as number
    if (number === NONE) return undefined
    const length = this.#text[number - 1] as number
    return Buffer.from(this.#text.slice(number, number + length)).toString()
  }
}
