import t from 'tap'
import type { ExitReason } from '../../../runtime/exit/reason.ts'
import { NO_PID } from '../../../runtime/process/pid.ts'
import { Op } from '../../../runtime/scheduler/ops.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'

const gone: ExitReason = { noconnection: { scheduler: 2, cause: 'exit' } }

/** A watcher on scheduler 1 linked with and monitoring a process on 2, which then says `count` things, one per batch. */
function lastWords(count: number) {
  const sim = new Simulation(3)
  const [watcher, speaker] = [sim.idle(1), sim.idle(2)]
  sim.settle()
  watcher.trapExit = true
  watcher.self.link(speaker.pid)
  const ref = watcher.self.monitor(speaker.pid)
  sim.settle()
  for (let i = 0; i < count; i++) {
    speaker.self.send(watcher.pid, `word ${i}`)
    sim.scheduler(2).peers.flush()
  }
  const words = Array.from({ length: count }, (_, i) => `word ${i}`)
  sim.scheduler(0).peers.push4(1, Op.Lost, NO_PID, 2, gone)
  sim.scheduler(0).peers.flush()
  const told = [
    { type: 'DOWN', ref, object: speaker.pid, reason: gone },
    { type: 'EXIT', from: speaker.pid, reason: gone },
  ]
  return { sim, watcher, words, told }
}

const plainly = (messages: readonly unknown[]): unknown[] =>
  messages.map((m) => (typeof m === 'object' ? { ...m } : m))

t.test('on a loss notice the last words of the dead come first, then DOWN and EXIT', async (t) => {
  const { sim, watcher, words, told } = lastWords(3)
  sim.deliver(0, 1)
  t.strictSame(plainly(watcher.mailbox.toArray()), [...words, ...told])
})

t.test(
  'a loss notice found while a batch of the dead is in hand waits for it and those behind it',
  async (t) => {
    const { sim, watcher, words, told } = lastWords(3)
    // Taking this batch empties main's port first, and so comes upon the notice.
    sim.deliver(2, 1)
    t.strictSame(plainly(watcher.mailbox.toArray()), [...words, ...told])
    t.equal(sim.scheduler(1).peers.has(2), false, 'the dead thread is no peer any more')
  },
)

t.test('what those of a lost thread watched and were asked is forgotten', async (t) => {
  const sim = new Simulation(3)
  const [here, there] = [sim.idle(1), sim.idle(2)]
  sim.settle()
  there.self.monitor(here.pid)
  sim.settle()
  const asked = here.self.alive(there.pid)
  t.equal(here.watchers?.size, 1)
  t.equal(here.pending?.size, 1)
  sim.scheduler(0).peers.push4(1, Op.Lost, NO_PID, 2, gone)
  sim.scheduler(0).peers.flush()
  sim.deliver(0, 1)
  t.equal(await asked, false)
  t.equal(here.watchers?.size, 0)
  t.equal(here.pending?.size, 0)
})

t.test('the timers of a process end with it, and those it set for others do not', async (t) => {
  const sim = new Simulation(3)
  const [owner, other] = [sim.idle(1), sim.idle(1)]
  const { clock } = sim.scheduler(1)
  const before = clock.size
  for (const ms of [10, 10, 20]) owner.self.sendAfter(ms, 'late')
  owner.self.sendAfter(10, 'to another', other.pid)
  t.equal(clock.size, before + 4)
  sim.scheduler(1).exit(owner, 'over')
  t.equal(clock.size, before + 1)
  sim.pass(10)
  sim.settle()
  t.strictSame(other.mailbox.toArray(), ['to another'])
})
