import { type Self, uniqueRegistry } from 'beamish'
import { explore, type TestNode } from 'beamish/testing'
import t from 'tap'
import { scenarios } from './scenarios.ts'
import { Adder, Counter } from './servers.ts'

/** Two add to a counter, each by reading it and writing one more: an update may be lost. */
async function racing(node: TestNode): Promise<void> {
  const counter = await node.spawn(Counter, 0)
  for (let i = 0; i < 2; i++) await node.spawn(Adder, { counter, done: node.self.pid })
  for (let i = 0; i < 2; i++) await node.assertReceive('added')
  const count = await node.self.call(counter, 'read')
  if (count !== 2) throw new Error(`an update is lost: ${count}`)
}

t.test('a planted race is found, with the smallest seed and what happened', async (t) => {
  const reports: string[] = []
  const report = (text: string): void => {
    reports.push(text)
  }
  await t.rejects(explore(racing, { runs: 50, report }), { message: 'an update is lost: 1' })
  const [text = ''] = reports
  t.equal(reports.length, 1)
  t.match(text, /^seed (\d+) fails \(run \d+ of 50\): an update is lost: 1\n/)
  t.match(text, /testing\.adder <[\d.]+> -> testing\.counter <[\d.]+>: cast write\(1\)/)
  const replay = JSON.parse(/testNode\((\{.*\})\)$/.exec(text)?.[1] ?? '{}')
  const smaller = replay.seed - 1
  if (smaller >= 1) await explore(racing, { runs: smaller, report })
  await t.rejects(
    explore(racing, { ...replay, runs: 1, report }),
    { message: 'an update is lost: 1' },
    'and it fails again',
  )
})

t.test('its replay has the options the schedule depends on', async (t) => {
  let text = ''
  const report = (said: string): void => {
    text = said
  }
  const options = { schedulers: 1, development: false, autoAdvance: false, maxSteps: 5_000 }
  await t.rejects(explore(() => Promise.reject(new Error('no')), { ...options, report }))
  const replay = JSON.parse(/testNode\((\{.*\})\)$/.exec(text)?.[1] ?? '{}')
  t.same(replay, { ...options, seed: 1, draws: 0 })
})

t.test('its replay draws no more than it needs', async (t) => {
  let text = ''
  const report = (said: string): void => {
    text = said
  }
  await t.rejects(explore(racing, { runs: 50, report }))
  const { draws } = JSON.parse(/testNode\((\{.*\})\)$/.exec(text)?.[1] ?? '{}')
  t.ok(draws < 20, `${draws} draws`)
})

t.test('a test that holds is run as often as asked', async (t) => {
  let runs = 0
  const seeds = new Set<number>()
  const explored = await explore(
    (node) => {
      runs++
      seeds.add(node.seed)
    },
    { runs: 30, seed: 100 },
  )
  t.equal(runs, 30)
  t.same(
    [...seeds],
    Array.from({ length: 30 }, (_, i) => 100 + i),
  )
  t.equal(explored.runs, 30)
})

t.test('bad options are refused', async (t) => {
  for (const options of [{ runs: 0 }, { seed: -1 }, { schedulers: 0 }]) {
    const silent = { ...options, report: () => {} }
    await t.rejects(explore(racing, silent), { code: 'BEAMISH_BAD_OPTION' })
  }
})

const RUNS = 150

for (const { name, options, run } of scenarios) {
  t.test(`${name}: holds under ${RUNS} schedules`, async (t) => {
    const { steps } = await explore(run, { ...options, runs: RUNS })
    t.ok(steps > RUNS, `${steps} steps`)
  })
}

t.test('a name or key that is given up and taken again is found on every thread', async () => {
  const rooms = uniqueRegistry('explore.rooms')
  const both = async (self: Self, give: boolean): Promise<void> => {
    if (give) {
      self.unregister()
      rooms.unregister(self, 'k')
    }
    await self.register('again')
    await rooms.register(self, 'k')
  }
  await explore(
    async (node) => {
      const holder = async (self: Self): Promise<void> => {
        await both(self, false)
        await self.receive()
        await both(self, true)
        self.send(node.self.pid, 'done')
        await self.receive()
      }
      const pid = await node.spawn(holder, { scheduler: 1 })
      await node.runUntilIdle()
      node.self.send(pid, 'again')
      await node.assertReceive('done')
      await node.runUntilIdle()
      await node.spawn(
        async (self) => {
          const found = [await self.whereis('again'), await rooms.whereis(self, 'k')]
          self.send(node.self.pid, { found })
        },
        { scheduler: 2 },
      )
      await node.assertReceive({ found: [pid, pid] })
    },
    { runs: 100 },
  )
})
