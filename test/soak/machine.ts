/**
 * How much of the machine was ours. The bounds hold on a machine that is: where other programs take three quarters of it,
 * everything takes four times as long, and the times are not judged (judge.ts).
 */
import { readFileSync } from 'node:fs'

/** USER_HZ is 100 wherever Linux runs Node. */
const TICK_MS = 10
/** idle and iowait of the line in /proc/stat. */
const IDLE = [3, 4]

interface Reading {
  readonly totalMs: number
  readonly busyMs: number
}

/** From its making on. */
export class Machine {
  readonly #before = read()
  readonly #ownMs: number

  /** `ownMs` is the processor time that all our processes have used so far. */
  constructor(ownMs: number) {
    this.#ownMs = ownMs
  }

  /** From 0 to 1: all cores, less what others took since. 1 where the system does not tell. */
  available(ownMs: number): number {
    const [before, now] = [this.#before, read()]
    if (before === undefined || now === undefined || now.totalMs === before.totalMs) return 1
    const others = now.busyMs - before.busyMs - (ownMs - this.#ownMs)
    return 1 - Math.max(0, others) / (now.totalMs - before.totalMs)
  }
}

/** Processor time of this process, all threads. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

function read(): Reading | undefined {
  if (process.platform !== 'linux') return undefined
  const [line] = readFileSync('/proc/stat', 'utf8').split('\n', 1)
  // Time of guests, behind the eighth field, is in user time already.
  const times = (line ?? '').split(/\s+/).slice(1, 9).map(Number)
  const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0)
  const totalMs = TICK_MS * sum(times)
  return { totalMs, busyMs: totalMs - TICK_MS * sum(IDLE.map((i) => times[i] ?? 0)) }
}
