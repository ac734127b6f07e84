/** What a test node has not got, and says so when it is asked for: what only real threads, sockets and clocks can do. */
import { BeamishError } from '../errors.ts'
import { Dirty } from '../node/dirty.ts'
import type { Behaviour } from '../process/behaviour.ts'

const REAL = 'test it on a real node, start(), with asserts(node)'

const OPTIONS: readonly string[] = [
  'schedulers',
  'seed',
  'draws',
  'children',
  'app',
  'development',
  'autoAdvance',
  'maxSteps',
]

/** Behaviours of layers above that need sockets. */
const NEED_SOCKETS: Readonly<Record<string, string>> = {
  'beamish.endpoint': 'an endpoint with its sockets',
}

const notSimulated = (what: string, fix: string): BeamishError =>
  new BeamishError('BEAMISH_TEST_NOT_SIMULATED', { what, fix })

/** Options of a real node, or misspelt ones, would do nothing. */
export function checkKnown(options: object): void {
  for (const name of Object.keys(options)) {
    if (OPTIONS.includes(name)) continue
    const fix = `a test node has ${OPTIONS.join(', ')}; threads that block, run out of heap or are lost too often are faults of the test (faults.killThread, faults.freezeThread) or of a real node`
    throw new BeamishError('BEAMISH_BAD_OPTION', { option: name, got: 'unknown', fix })
  }
}

/** Why a behaviour cannot start on a test node. */
export function needsReal({ name }: Behaviour): BeamishError | undefined {
  const what = Object.hasOwn(NEED_SOCKETS, name) ? NEED_SOCKETS[name] : undefined
  if (what === undefined) return undefined
  return notSimulated(what, `leave it out of the tree of the test, or ${REAL}`)
}

/** task.cpu of a test node: its threads would work in real time, which virtual time does not wait for. */
export class NoDirty extends Dirty {
  constructor() {
    super({ threads: 1, maxQueue: 1 })
  }

  override pool(): Promise<never> {
    const fix = `call the function itself, put it behind a process that the test replaces, or ${REAL}`
    return Promise.reject(notSimulated('task.cpu', fix))
  }
}
