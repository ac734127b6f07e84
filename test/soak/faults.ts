/** The ways a thread of the soak app can be brought down from inside. */
import { execSync } from 'node:child_process'

/** `terminate` comes from outside: killThread(). */
export type Way =
  | 'terminate'
  | 'exit'
  | 'throw'
  | 'rejection'
  | 'heap'
  | 'spin'
  | 'regex'
  | 'microtasks'
  | 'wait'
  | 'native'

/** What the survivors are told for each. */
export const causesOf: Readonly<Record<Way, readonly string[]>> = {
  terminate: ['exit'],
  exit: ['exit'],
  throw: ['error'],
  rejection: ['error'],
  // On a busy machine the collector fights for the last bytes for longer than the watchdog waits.
  heap: ['heap', 'stuck'],
  spin: ['stuck'],
  regex: ['stuck'],
  microtasks: ['stuck'],
  wait: ['stuck'],
  native: ['stuck'],
}

let wanted: Way | undefined

// Armed before any process ran: what happens in here can be attributed to none.
setInterval(() => {
  const way = wanted
  wanted = undefined
  if (way === 'exit') process.exit(7)
  if (way === 'throw') throw new Error('a stray throw')
  if (way === 'rejection') void Promise.reject(new Error('a stray rejection'))
  if (way === 'heap') hoard()
}, 2).unref()

interface Hoarded {
  readonly next: Hoarded | undefined
  readonly more: readonly number[]
}
let hoarded: Hoarded | undefined

/**
 * Fast, but never blocked for long, and by small pieces: Node gives a thread at its limit 16 MB more to end in, and one that
 * takes arrays of 80 kB has ended the whole process (Node 26, about one time in ten).
 */
function hoard(): void {
  const until = performance.now() + 100
  while (performance.now() < until) {
    for (let i = 0; i < 1_000; i++) hoarded = { next: hoarded, more: [i] }
  }
  setImmediate(hoard)
}

/** Runs in a handler. The first four come back; what they caused happens in nobody's name. */
export function fault(way: Way): void {
  switch (way) {
    case 'terminate':
      return
    case 'exit':
    case 'throw':
    case 'rejection':
    case 'heap':
      wanted = way
      return
    case 'spin':
      for (;;);
    case 'regex':
      ;/^(a+)+$/.test(`${'a'.repeat(60)}!`)
      return
    case 'microtasks':
      again()
      return
    case 'wait':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
      return
    case 'native':
      execSync('sleep 6')
  }
}

function again(): void {
  void Promise.resolve().then(again)
}
