/** The stack of a thread that does not answer; asking for it must not keep the thread from ending. */
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { stackOf } from '../../../runtime/node/stack.ts'

const WAYS: Readonly<Record<string, string>> = {
  spin: 'for (;;);',
  regex: "/^(a+)+$/.test('a'.repeat(64) + 'b')",
  microtasks: 'const f = () => Promise.resolve().then(f); f()',
  wait: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
}
/** Milliseconds between asking and terminating: before, while and after the thread stops for the debugger. */
const MOMENTS = [0, 2, 5, 10, 20, 40, 80, 160]

async function stuck(code: string): Promise<Worker> {
  const source = `setImmediate(function stuckHere() { require('node:worker_threads').parentPort.postMessage(1); ${code} })`
  const worker = new Worker(source, { eval: true, execArgv: [] })
  await new Promise((resolve) => worker.once('message', resolve))
  return worker
}

for (const [way, code] of Object.entries(WAYS)) {
  t.test(`${way}: its stack is told, and it goes on as it was`, async (t) => {
    const worker = await stuck(code)
    const { signal } = new AbortController()
    const [first, second] = [
      await stackOf(worker.threadId, signal),
      await stackOf(worker.threadId, signal),
    ]
    t.match(first?.join(), way === 'microtasks' ? /f \(/ : /stuckHere \(/)
    t.ok(second, 'it was not left standing')
    await worker.terminate()
  })
  t.test(`${way}: it can be ended at any moment of being asked`, async (t) => {
    for (const moment of MOMENTS) {
      const worker = await stuck(code)
      const asking = new AbortController()
      const asked = stackOf(worker.threadId, asking.signal)
      await new Promise((resolve) => setTimeout(resolve, moment))
      asking.abort()
      await worker.terminate()
      await asked
    }
    t.pass('all have ended')
  })
}

t.test('a native call has no stack to tell', async (t) => {
  const worker = await stuck("require('node:child_process').execSync('sleep 1')")
  const asking = new AbortController()
  const asked = stackOf(worker.threadId, asking.signal)
  setImmediate(() => asking.abort())
  t.equal(await asked, undefined)
  await worker.terminate()
})
