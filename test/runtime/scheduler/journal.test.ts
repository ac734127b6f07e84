/** What main can read of a thread that does not answer. */
import { genServer } from 'beamish'
import t from 'tap'
import { NO_PID } from '../../../runtime/process/pid.ts'
import { Board } from '../../../runtime/scheduler/board.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'

const Told = genServer('told', {
  init: (_: undefined) => 0,
  handleInfo: () => undefined,
  handleCast: { add: (state: number, _n: number) => void state },
})

const Late = genServer('late', { init: (_: undefined) => 0 })

t.test('names the process that ran last and the message it was given', async (t) => {
  const sim = new Simulation(2)
  const [main, thread] = [sim.scheduler(0), sim.scheduler(1)]
  const read = main.board.journal(thread.slot)
  t.equal(read.ranLast(), undefined, 'nothing has run')
  const process = thread.spawn(Told, undefined, { parent: NO_PID, ancestors: [] })
  sim.settle()
  t.strictSame(read.ranLast(), { pid: process.pid, behaviour: 'told', message: 'init' })
  process.self.cast(process.pid, 'add', 1)
  sim.settle()
  t.strictSame(read.ranLast(), { pid: process.pid, behaviour: 'told', message: 'add' })
})

t.test('a message that is text is no name, but for those of the kernel', async (t) => {
  const sim = new Simulation(2)
  const thread = sim.scheduler(1)
  const process = thread.spawn(Told, undefined, { parent: NO_PID, ancestors: [] })
  sim.settle()
  const read = sim.scheduler(0).board.journal(thread.slot)
  for (const [message, name] of [
    ['ada@example.com', 'string'],
    ['timeout', 'timeout'],
    [{ type: 'tick' }, 'tick'],
  ]) {
    thread.deliver(process, message)
    sim.settle()
    t.equal(read.ranLast()?.message, name)
  }
})

t.test('beats are counted, and a slot that is cleared starts anew', async (t) => {
  const board = Board.create(1)
  const journal = board.journal(1)
  journal.beat()
  journal.beat()
  t.equal(board.journal(1).beats, 2)
  t.equal(board.journal(0).beats, 0, 'each slot has its own')
  board.clear(1)
  t.equal(board.journal(1).beats, 0)
  t.equal(board.journal(1).ranLast(), undefined)
})

t.test('a full lexicon, or a name that is too long, costs the name and nothing else', async (t) => {
  const sim = new Simulation(2)
  const thread = sim.scheduler(1)
  const process = thread.spawn(Told, undefined, { parent: NO_PID, ancestors: [] })
  sim.settle()
  const read = sim.scheduler(0).board.journal(thread.slot)
  thread.journal.notes('x'.repeat(500))
  t.strictSame(read.ranLast(), { pid: process.pid, behaviour: 'told', message: undefined })
  for (let i = 0; i < 5_000; i++) thread.journal.notes(`ünique ${i}`)
  t.strictSame(read.ranLast(), { pid: process.pid, behaviour: 'told', message: undefined })
  thread.journal.notes('ünique 1')
  t.equal(read.ranLast()?.message, 'ünique 1', 'what was known before is')
  process.self.cast(process.pid, 'add', 1)
  sim.settle()
  t.equal(process.alive, true)
  const late = thread.spawn(Late, undefined, { parent: NO_PID, ancestors: [] })
  sim.settle()
  t.match(read.ranLast(), { pid: late.pid, behaviour: 'late' }, 'behaviours keep their room')
})
