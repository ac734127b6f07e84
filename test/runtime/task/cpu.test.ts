// task.cpu: jobs beside the schedulers, from main's outside and from a process on a thread.
import { execFile } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type BeamishNode, type Self, task } from 'beamish'
import t, { type Test } from 'tap'
import { downReason, rejection, SOURCE, startNode } from '../kit.ts'

const APP = new URL('./cpu.app.ts', import.meta.url)
const JOBS = new URL('./jobs.ts', import.meta.url)
const cell = (): Int32Array => new Int32Array(new SharedArrayBuffer(4))
const why = (reason: unknown): unknown => (reason as { reason?: unknown }).reason

/** Why a job failed: the reason inside its call's. */
const failure = async (job: Promise<unknown>): Promise<unknown> => why(await rejection(job))

type Run = <R>(name: string, args?: unknown[], options?: object) => Promise<R>

t.test('dirty jobs', async (t) => {
  const node = await startNode(APP, 2, { dirtyThreads: 1, maxDirtyQueue: 2 })
  t.teardown(() => node.stop())
  const { self } = node
  await t.test('asked for outside of the threads', (t) =>
    suite(t, node, (name, args, options) => task.cpu(self, JOBS, name, args, options)),
  )
  await t.test('asked for by a process on a thread', (t) =>
    suite(t, node, async (name, args = [], options = {}) => {
      const run = { module: APP, name: 'run', args: [name, args, options] }
      const result = await task.yield(
        self,
        task.asyncNoLink<never>(self, run, { place: { scheduler: 1 } }),
        { timeoutMs: 20_000 },
      )
      if (result !== undefined && 'ok' in result) return result.ok
      throw Object.assign(new Error('exit'), { reason: result?.exit })
    }),
  )
  await t.test('limits and cancellation', (t) => limits(t, node))
})

async function suite(t: Test, node: BeamishNode, run: Run): Promise<void> {
  await t.test('a job runs on a thread of its own; its result comes back', async (t) => {
    t.equal(await run('add', [1, 2]), 3)
    t.equal(await run('default', [4]), 8)
    t.ok((await run<number>('where')) > 2, 'it is none of the schedulers')
  })

  await t.test('what it throws is a reason as data', async (t) => {
    t.match(await failure(run('fail')), {
      error: { name: 'TypeError', message: 'not a number', code: 'EBAD' },
    })
  })

  await t.test('process.exit in it ends its worker; the next job has another one', async (t) => {
    const first = await run('where')
    t.match(JSON.stringify(await rejection(run('exits'))), /worker exited with code: 3/)
    t.not(await run('where'), first)
  })

  await t.test('a result that cannot leave it is its failure', async (t) => {
    t.match(JSON.stringify(await rejection(run('uncloneable'))), /could not be cloned/)
    t.equal(await run('add', [1, 1]), 2)
  })

  await t.test('a missing export is an error that names it', async (t) => {
    t.match(await failure(run('nothing')), { error: { code: 'BEAMISH_NO_EXPORT' } })
  })

  await t.test('past its time a job ends with its worker, be it in a loop', async (t) => {
    const spinning = cell()
    t.equal(await failure(run('spin', [spinning], { timeoutMs: 500 })), 'timeout')
    await stands(spinning)
    t.equal(await run('add', [2, 2]), 4, 'and the next one runs')
  })

  await t.test('buffers of the result move', async (t) => {
    const bytes = await run<Uint8Array>('filled', [1_000])
    t.equal(bytes.length, 1_000)
    t.equal(bytes[999], 7)
  })
  t.ok(node.schedulers().length === 2, 'no thread was lost')
}

/** Resolves when a cell does not count on any more. */
async function stands(counting: Int32Array): Promise<void> {
  for (let before = -1; before !== counting[0]; ) {
    before = counting[0] as number
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const counts = async (counting: Int32Array): Promise<void> => {
  await Atomics.waitAsync(counting, 0, 0).value
}

async function limits(t: Test, node: BeamishNode): Promise<void> {
  const { self } = node

  await t.test('buffers of the arguments move', async (t) => {
    const buffer = new ArrayBuffer(100)
    t.equal(await task.cpu(self, JOBS, 'lengthOf', [buffer], { transfer: [buffer] }), 100)
    t.equal(buffer.byteLength, 0)
  })

  await t.test('one job more than may wait is refused with an error that says so', async (t) => {
    const closed = cell()
    const asked = [0, 1, 2].map(() => task.cpu(self, JOBS, 'gate', [closed]))
    t.match(await rejection(task.cpu(self, JOBS, 'add', [1, 1])), { code: 'BEAMISH_DIRTY_QUEUE' })
    Atomics.store(closed, 0, 1)
    Atomics.notify(closed, 0)
    t.same(await Promise.all(asked), ['through', 'through', 'through'])
  })

  await t.test('a job that ends by force leaves those behind it in line', async (t) => {
    const spinning = cell()
    const stuck = failure(task.cpu(self, JOBS, 'spin', [spinning], { timeoutMs: 300 }))
    const behind = task.cpu(self, JOBS, 'add', [5, 5])
    const given = new AbortController()
    const cancelled = failure(task.cpu(self, JOBS, 'add', [1, 1], { signal: given.signal }))
    given.abort()
    t.match(await cancelled, { error: { name: 'AbortError' } })
    t.equal(await stuck, 'timeout')
    t.equal(await behind, 10)
    const aborted = AbortSignal.abort(new Error('never mind'))
    t.match(await failure(task.cpu(self, JOBS, 'add', [1, 1], { signal: aborted })), {
      error: { message: 'never mind' },
    })
  })

  await t.test('a job given up in the turn it was asked for in never runs', async (t) => {
    const never = cell()
    const given = new AbortController()
    const aborted = failure(task.cpu(self, JOBS, 'spin', [never], { signal: given.signal }))
    given.abort(new Error('never mind'))
    t.match(await aborted, { error: { message: 'never mind' } })
    const kept = new AbortController()
    const { ref } = self.spawnMonitor((own: Self) => {
      void task.cpu(own, JOBS, 'spin', [never], { signal: kept.signal })
    })
    t.equal(await downReason(node, ref), 'normal')
    t.equal(getEventListeners(kept.signal, 'abort').length, 0, 'nobody listens for the dead')
    kept.abort()
    t.equal(await task.cpu(self, JOBS, 'add', [3, 3]), 6, 'the one worker there is is free')
    t.equal(never[0], 0)
  })

  await t.test('one given up in that turn takes no place in line', async (t) => {
    const closed = cell()
    const busy = task.cpu(self, JOBS, 'gate', [closed])
    const given = new AbortController()
    const aborted = [1, 2].map((n) =>
      failure(task.cpu(self, JOBS, 'add', [n, n], { signal: given.signal })),
    )
    given.abort()
    const behind = [3, 4].map((n) => task.cpu(self, JOBS, 'add', [n, n]))
    const results = Promise.all(behind)
    t.match(await Promise.all(aborted), [{ error: {} }, { error: {} }])
    Atomics.store(closed, 0, 1)
    Atomics.notify(closed, 0)
    t.same(await results, [6, 8])
    t.equal(await busy, 'through')
  })

  await t.test('the end of whoever asked ends the job', async (t) => {
    for (const place of [undefined, { scheduler: 2 }]) {
      const spinning = cell()
      const owner = place
        ? task.async(self, { module: APP, name: 'run', args: ['spin', [spinning], {}] }, { place })
        : task.async(self, (own: Self) => task.cpu(own, JOBS, 'spin', [spinning]))
      await counts(spinning)
      await task.shutdown(self, owner, 'brutal_kill')
      await stands(spinning)
      t.ok((spinning[0] as number) > 0)
    }
  })

  await t.test('a lost thread takes its jobs along', async (t) => {
    const spinning = cell()
    const run = { module: APP, name: 'run', args: ['spin', [spinning], { timeoutMs: 60_000 }] }
    const one = task.asyncNoLink(self, run, { place: { scheduler: 2 } })
    await counts(spinning)
    node.killThread(2)
    const result = await task.yield(self, one)
    t.match(result, { exit: { noconnection: { scheduler: 2 } } })
    await stands(spinning)
  })
}

t.test('a node with a pool stops, and its process ends', async (t) => {
  const program = fileURLToPath(new URL('./cpuProgram.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [...SOURCE, program], {
    timeout: 30_000,
  })
  t.equal(stdout, '2 number\n')
})

t.test(
  'a worker that cannot boot is told, and is the end of the jobs that wait for it',
  async (t) => {
    const program = fileURLToPath(new URL('./bootProgram.ts', import.meta.url))
    const fails = `import { isMainThread } from 'node:worker_threads'
    if (!isMainThread) throw new Error('it cannot boot')`
    const preload = `--import=data:text/javascript,${encodeURIComponent(fails)}`
    const { stdout } = await promisify(execFile)(process.execPath, [...SOURCE, preload, program], {
      timeout: 30_000,
    })
    const { notices, reasons } = JSON.parse(stdout)
    t.match(notices, [/it cannot boot/])
    t.match(reasons, [
      { error: { message: 'it cannot boot' } },
      { error: { message: 'it cannot boot' } },
    ])
  },
)
