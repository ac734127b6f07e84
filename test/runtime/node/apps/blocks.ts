/** An app whose server blocks its thread in every way there is, and one singleton that counts. */
import { execSync, type StdioOptions } from 'node:child_process'
import { genServer, type Self, supervisor } from 'beamish'

const QUIET: StdioOptions = 'ignore'

/** Named functions: the report must find the line that blocks. */
function spinning(): never {
  for (;;);
}

function backtracking(): boolean {
  return /^(a+)+$/.test(`${'a'.repeat(64)}b`)
}

function chained(): Promise<void> {
  return Promise.resolve().then(chained)
}

function waiting(): string {
  return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

const all: unknown[] = []

/** Step by step: within one turn V8 may end the whole process at the limit. */
function grow(): void {
  for (let i = 0; i < 20_000; i++) all.push({ of: i })
}

/** Milliseconds a native call takes: longer than any limit of the tests. */
export const NATIVE_MS = 4_500

export const Blocks = genServer('blocks', {
  init: (_: undefined, self) => self.scheduler,
  handleCall: { scheduler: (state) => state },
  handleCast: {
    spin: () => spinning(),
    regex: () => void backtracking(),
    microtasks: () => chained(),
    wait: () => void waiting(),
    native: () => void execSync(`sleep ${NATIVE_MS / 1_000}`, { stdio: QUIET }),
    heap(_state, _payload, self: Self) {
      grow()
      self.cast(self.pid as never, 'heap' as never)
    },
    /** Says something, blocks, and would go on to say more: in the same turn, and in the next. */
    nativeThenSend: (_state, to: number, self: Self) => {
      self.send(to as never, 'before')
      setImmediate(() => {
        execSync(`sleep ${NATIVE_MS / 1_000}`, { stdio: QUIET })
        self.send(to as never, 'after')
      })
    },
  },
})

export default supervisor({
  children: [Blocks.child(undefined, { name: 'blocks', place: { key: 'blocks' } })],
  maxRestarts: 0,
})
