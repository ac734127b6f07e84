// Several tracers on one scheduler.
import t from 'tap'
import { ThreadTrace } from '../../../runtime/observe/threadTrace.ts'
import { checkTrace, type NodeTraceEvent } from '../../../runtime/observe/traceOptions.ts'
import { anonymous } from '../../../runtime/process/raw.ts'
import { send } from '../../../runtime/scheduler/calls.ts'
import { addTracer } from '../../../runtime/scheduler/tracers.ts'
import { Recorder } from '../../../runtime/testing/recorder.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'

t.test('a trace stands beside the recorder of a test, and goes without it noticing', async (t) => {
  const recorder = new Recorder(() => 0)
  const simulation = new Simulation(2, { tracer: recorder })
  const scheduler = simulation.scheduler(1)
  const from = simulation.idle(1)
  const to = simulation.idle(1)
  const seen: NodeTraceEvent[] = []
  const { spec } = checkTrace({ pid: from.pid })
  const end = addTracer(
    scheduler,
    new ThreadTrace(scheduler, spec, (event) => seen.push(event) > 0),
  )
  send(scheduler, from.pid, to.pid, { type: 'hello' })
  end()
  send(scheduler, from.pid, to.pid, { type: 'again' })
  t.same(
    seen.map(({ kind, event, text }) => [kind, event, text]),
    [['send', 'hello', '{type: "hello"}']],
  )
  const told = recorder.events.flatMap((event) => ('name' in event ? [event.name] : []))
  t.match(told.slice(-2), ['hello', 'again'])
  t.equal(scheduler.tracer, recorder)
})

t.test(
  'a trace never throws into what it looks at, and tells no more than its limit',
  async (t) => {
    const simulation = new Simulation(2)
    const scheduler = simulation.scheduler(1)
    const process = simulation.idle(1)
    const { spec } = checkTrace({ pid: process.pid, limit: 2 })
    const left: number[] = []
    const off = addTracer(
      scheduler,
      new ThreadTrace(scheduler, spec, (_event, more) => {
        left.push(more)
        throw new Error('a port that is closed')
      }),
    )
    for (let i = 0; i < 3; i++) send(scheduler, process.pid, process.pid, i)
    t.same(left, [1, 0])
    off()
    t.equal(scheduler.tracer, undefined)
  },
)

t.test('an event that is not taken is none of those it may tell', async (t) => {
  const simulation = new Simulation(2)
  const scheduler = simulation.scheduler(1)
  const process = simulation.idle(1)
  const { spec } = checkTrace({ pid: process.pid, limit: 2 })
  const taken: (string | undefined)[] = []
  let full = true
  const tell = ({ text }: NodeTraceEvent): boolean => {
    if (!full) taken.push(text)
    return !full
  }
  addTracer(scheduler, new ThreadTrace(scheduler, spec, tell))
  for (let i = 0; i < 6; i++) {
    full = i < 3
    send(scheduler, process.pid, process.pid, i)
  }
  t.same(taken, ['3', '4'])
})

t.test('the sample is drawn from the randomness of the scheduler', async (t) => {
  const count = (seed: number): number => {
    const simulation = new Simulation(2, { seed })
    const scheduler = simulation.scheduler(1)
    const body = anonymous(() => new Promise(() => {}))
    const process = scheduler.spawn(body, undefined, { parent: 0 as never, ancestors: [] })
    const { spec } = checkTrace({ pid: process.pid, sample: 0.5, limit: 1_000 })
    let seen = 0
    addTracer(scheduler, new ThreadTrace(scheduler, spec, () => ++seen > 0))
    for (let i = 0; i < 200; i++) send(scheduler, process.pid, process.pid, i)
    return seen
  }
  t.equal(count(7), count(7))
  t.ok(count(7) > 60 && count(7) < 140, String(count(7)))
})
