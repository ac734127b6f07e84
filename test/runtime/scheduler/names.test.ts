import t from 'tap'
import { Op } from '../../../runtime/scheduler/ops.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'

t.test('a name is on every port before the thread that asked for it is answered', async (t) => {
  const sim = new Simulation(4)
  const owner = sim.idle(1)
  sim.settle()
  sim.posted.length = 0
  // Something for thread 1 is on its way already, so its batch is the first to leave.
  sim.idle(0).self.send(owner.pid, 'hello')
  const registered = owner.self.register('hits')
  sim.settle()
  await registered
  const told = sim.posted.filter(
    (p) => p.from === 0 && p.batch.includes(Op.NameSet) && p.batch.includes('hits'),
  )
  const answer = sim.posted.findIndex((p) => p.from === 0 && p.to === 1 && p.batch[0] === Op.Reply)
  t.strictSame(told.map((p) => p.to).sort(), [1, 2, 3])
  t.ok(
    told.every((p) => sim.posted.indexOf(p) < answer),
    'the answer is posted last',
  )
})

t.test('a process of main that registers goes on once every thread can know', async (t) => {
  const sim = new Simulation(3)
  const owner = sim.idle(0)
  sim.settle()
  let told = false
  const registered = owner.self.register('hits').then(() => {
    told = true
  })
  await Promise.resolve()
  t.equal(told, false)
  sim.settle()
  await registered
  t.equal(await sim.idle(2).self.whereis('hits'), owner.pid)
})

t.test(
  'otp 30: after a DOWN the name is free, even if main has yet to hear of the end',
  async (t) => {
    const sim = new Simulation(3)
    const [owner, watcher] = [sim.idle(2), sim.idle(1)]
    sim.settle()
    const registered = owner.self.register('hits')
    sim.settle()
    await registered
    watcher.self.monitor(owner.pid)
    sim.settle()
    sim.scheduler(2).exit(owner, 'boom')
    sim.scheduler(2).peers.flush()
    sim.deliver(2, 1)
    t.match(watcher.mailbox.toArray(), [{ type: 'DOWN', reason: 'boom' }])
    const [where, claimed] = [watcher.self.whereis('hits'), watcher.self.register('hits')]
    // Main hears the questions first and the end of the owner last.
    sim.scheduler(1).peers.flush()
    sim.deliver(1, 0)
    sim.scheduler(0).peers.flush()
    sim.settle()
    t.equal(await where, undefined)
    await claimed
    t.equal(watcher.name, 'hits', 'and can be taken over at once')
    for (const id of [0, 1, 2]) {
      t.equal(await sim.idle(id).self.whereis('hits'), watcher.pid, `thread ${id} knows`)
    }
  },
)

t.test('otp 37: two names asked for at once: one is given, the other refused', async (t) => {
  const sim = new Simulation(3)
  const owner = sim.idle(1)
  sim.settle()
  const both = Promise.allSettled([owner.self.register('one'), owner.self.register('two')])
  sim.settle()
  const [one, two] = await both
  t.equal(one.status, 'fulfilled')
  t.match(two, { status: 'rejected', reason: { code: 'BEAMISH_NAME_SECOND' } })
  sim.scheduler(1).exit(owner, 'normal')
  sim.settle()
  t.equal(sim.scheduler(0).names.size, 0, 'nothing of it is left when it ends')
})
