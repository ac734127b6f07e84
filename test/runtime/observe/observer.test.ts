// The observer on main, with threads whose loops say what they are told to.
import type { EventLoopUtilization } from 'node:perf_hooks'
import t from 'tap'
import { type Observed, Observer } from '../../../runtime/observe/observe.ts'
import { checkObserve } from '../../../runtime/observe/options.ts'

t.test('the window of a look is its own, whoever else looks meanwhile', async (t) => {
  const loop = { active: 0, idle: 0, utilization: 0 }
  const looks: (() => void)[] = []
  const thread: Observed = {
    scheduler: 1,
    utilization: (): EventLoopUtilization => ({ ...loop }),
    look: () => new Promise((_, reject) => looks.push(() => reject(new Error('silent')))),
    processes: () => 0,
    ranLast: () => undefined,
  }
  const observer = new Observer()
  const windowed = observer.observe([thread], checkObserve({ windowMs: 1_000 }))
  loop.active = 100
  const other = observer.observe([thread], checkObserve({}))
  looks[1]?.()
  t.equal((await other).threads[0]?.utilization, 1)
  loop.idle = 100
  looks[0]?.()
  t.equal((await windowed).threads[0]?.utilization, 0.5)
})
