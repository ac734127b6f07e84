/** A scenario: what must hold under every schedule; and what scenarios share. */
import type { Pid } from 'beamish'
import type { ExploreOptions, TestNode } from 'beamish/testing'

export interface Scenario {
  readonly name: string
  readonly options: ExploreOptions
  run(node: TestNode): Promise<void>
}

export const THREADS = 3

export const threadOf = (i: number): { scheduler: number } => ({ scheduler: 1 + (i % THREADS) })

/** In one of `parts` of all schedules. */
export const inSome = (node: TestNode, parts: number): boolean => node.self.random() < 1 / parts

/** Loses one thread at some point of the run; the schedulers that were. */
export async function loseOne(node: TestNode): Promise<void> {
  const all = node.schedulers()
  const one = all[Math.floor(node.self.random() * all.length)] as number
  node.faults.killThread(one)
}

/** Whether the node has come to rest with nothing of these left. */
export const living = (node: TestNode, behaviour: string): Pid[] => {
  const { events } = node.timeline
  const ended = new Set(events.flatMap((event) => (event.kind === 'exit' ? [event.pid] : [])))
  return events.flatMap((event) =>
    (event.kind === 'spawn' || event.kind === 'restart') &&
    event.behaviour === behaviour &&
    !ended.has(event.pid)
      ? [event.pid]
      : [],
  )
}
