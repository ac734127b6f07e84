/** Budgets: a process that never runs out of messages takes neither the thread nor I/O from the others. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { genServer, start } from 'beamish'
import t from 'tap'

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

const node = await start(new URL('./empty.app.ts', import.meta.url), {
  schedulers: 1,
  log: false,
  development: false,
  execArgv: ['--conditions=beamish-source'],
})
t.teardown(() => node.stop())

t.test('beside a process with endless messages, others are served and I/O goes on', async (t) => {
  const { self } = node
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
