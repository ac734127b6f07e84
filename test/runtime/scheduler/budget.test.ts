/** A turn ends when its time is up, within one process's messages too; no process keeps the loop from I/O. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { genServer, type Pid } from 'beamish'
import t from 'tap'
import { startNode } from '../kit.ts'

const WORK_MS = 2

const Busy = genServer('budget.busy', {
  init: () => ({ handled: 0 }),
  handleCast: {
    work(state) {
      const until = performance.now() + WORK_MS
      while (performance.now() < until);
      state.handled++
    },
  },
  handleCall: { handled: (state) => state.handled },
})

const Greedy = genServer('fairness.greedy', {
  init: () => ({ handled: 0 }),
  handleCall: { handled: (state) => state.handled },
  handleInfo: {
    again(state, message: 'again', self) {
      state.handled++
      self.send(self.pid, message)
    },
  },
})

const node = await startNode(new URL('./empty.app.ts', import.meta.url), 1)
t.teardown(() => node.stop())
const { self } = node

t.test('200 messages of 2 ms each are handled over many turns', async (t) => {
  const pid = self.spawn(Busy, undefined)
  for (let i = 0; i < 200; i++) self.cast(pid, 'work')
  let rounds = 0
  const done = self.call(pid, 'handled', undefined, { timeoutMs: 30_000 }).then(() => true)
  while (!(await Promise.race([done, nextTurn(false)]))) rounds++
  t.ok(rounds > 5, `the loop went round ${rounds} times`)
})

t.test('a raw process that always finds a message lets the loop go round', async (t) => {
  const pid = self.spawn(async (its) => {
    its.send(its.pid, 'again')
    for (;;) {
      await its.receive()
      its.send(its.pid, 'again')
    }
  })
  for (let i = 0; i < 20; i++) await nextTurn()
  t.equal(await self.alive(pid), true)
  self.exit(pid, 'kill')
  t.equal(await self.alive(pid), false)
})

t.test('beside a process with endless messages, others are served and I/O goes on', async (t) => {
  const greedy = self.spawn(Greedy, undefined)
  self.send(greedy, 'again')
  const modest = self.spawn(Greedy, undefined)
  let served = 0
  for (let i = 0; i < 50; i++) {
    await self.call(modest, 'handled')
    await nextTurn()
    served++
  }
  t.equal(served, 50)
  const before = await self.call(greedy, 'handled')
  await nextTurn()
  t.ok((await self.call(greedy, 'handled')) > before, 'and the greedy one goes on, too')
  self.exit(greedy, 'kill')
})

const Asker = genServer('fairness.asker', {
  init: () => ({ asked: 0 }),
  handleCall: { asked: (state) => state.asked },
  handleInfo: {
    async ask(state, { of, times }: { of: Pid; times: number }, self) {
      for (let i = 0; i < times; i++) {
        await self.call(of, 'handled' as never)
        state.asked++
      }
    },
  },
})

t.test('handlers that await each other go on within the turn', async (t) => {
  const [asker, answers] = [self.spawn(Asker, undefined), self.spawn(Greedy, undefined)]
  self.send(asker, { type: 'ask', of: answers, times: 50 })
  const done = self.call(asker, 'asked')
  let rounds = 0
  const ended = done.then(() => true)
  while (!(await Promise.race([ended, nextTurn(false)]))) rounds++
  t.equal(await done, 50)
  t.ok(rounds < 50, `the loop went round ${rounds} times for 50 calls`)
})

t.test('two that await each other for ever keep the loop from nothing', async (t) => {
  const [asker, answers] = [self.spawn(Asker, undefined), self.spawn(Greedy, undefined)]
  self.send(asker, { type: 'ask', of: answers, times: Number.POSITIVE_INFINITY })
  for (let i = 0; i < 20; i++) await nextTurn()
  t.equal(await self.alive(asker), true)
  self.exit(asker, 'kill')
  t.equal(await self.alive(asker), false)
})
