// A program whose dirty threads cannot boot: what is told of that, and what becomes of the jobs.
import { onEvent, start, task } from 'beamish'

const APP = new URL('./cpu.app.ts', import.meta.url)
const JOBS = new URL('./jobs.ts', import.meta.url)
const notices: string[] = []
onEvent('notice', ({ code, message }) => {
  if (code === 'dirty_worker') notices.push(message)
})
// Schedulers boot: what this process was started with is not for them.
const execArgv = ['--conditions=beamish-source']
const node = await start(APP, { schedulers: 1, log: false, dirtyThreads: 1, execArgv })
const jobs = [1, 2].map((n) =>
  task.cpu(node.self, JOBS, 'add', [n, n], { timeoutMs: 20_000 }).catch((error) => error.reason),
)
const reasons = (await Promise.all(jobs)).map((one) => (one as { reason?: unknown }).reason)
console.log(JSON.stringify({ notices: notices.slice(0, 1), reasons }))
await node.stop()
