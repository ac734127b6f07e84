/** Who runs next: the queue alone, against a model, then processes of a scheduler whose turns the test makes. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { genServer, type Pid } from 'beamish'
import fc from 'fast-check'
import t from 'tap'
import { Rank, rankOf } from '../../../runtime/process/flags.ts'
import { RunQueue } from '../../../runtime/scheduler/runQueue.ts'
import { holds } from '../../channels/property.ts'
import { startNode } from '../kit.ts'
import { Slow } from './overload.app.ts'

const ranks = fc.constantFrom(Rank.Low, Rank.Normal, Rank.High)
/** A push of that rank, or a shift. */
const steps = fc.array(fc.oneof(ranks, fc.constant('shift' as const)), { maxLength: 400 })

t.test('nothing is lost, and those of one priority keep their order', async (t) => {
  holds(
    t,
    fc.property(steps, (all) => {
      const queue = new RunQueue<{ rank: Rank; n: number }>()
      const model: Record<number, number[]> = { [-1]: [], 0: [], 1: [] }
      const length = () => [-1, 0, 1].reduce((sum, rank) => sum + (model[rank]?.length ?? 0), 0)
      for (const [n, step] of all.entries()) {
        if (step !== 'shift') {
          queue.push({ rank: step, n })
          model[step]?.push(n)
        } else {
          const item = queue.shift()
          if (item === undefined ? length() > 0 : model[item.rank]?.shift() !== item.n) return false
        }
        if (queue.empty !== (length() === 0)) return false
      }
      return true
    }),
  )
})

t.test('without other priorities it is first come, first served, over any length', async (t) => {
  const queue = new RunQueue<{ rank: Rank; n: number }>()
  let [pushed, shifted] = [0, 0]
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 1_000; i++) queue.push({ rank: Rank.Normal, n: pushed++ })
    for (let i = 0; i < 900; i++) if (queue.shift()?.n !== shifted++) t.fail('out of order')
  }
  while (queue.shift()?.n === shifted) shifted++
  t.equal(shifted, 50_000)
  t.equal(queue.empty, true)
})

t.test(
  'high ones go first, low ones last, and each kind has a turn within its share',
  async (t) => {
    const queue = new RunQueue<{ rank: Rank }>()
    const [high, normal, low] = [Rank.High, Rank.Normal, Rank.Low].map((rank) => ({ rank }))
    const seen = { [-1]: 0, 0: 0, 1: 0 }
    for (const one of [low, normal, high]) queue.push(one as { rank: Rank })
    const first = queue.shift()
    t.equal(first, high)
    queue.push(high as { rank: Rank })
    // Each that has run is ready again at once.
    for (let i = 0; i < 8_100; i++) {
      const next = queue.shift() as { rank: Rank }
      seen[next.rank]++
      queue.push(next)
    }
    t.match(seen, { 1: 7_200, 0: 800, [-1]: 100 }, 'eight to one, and eight to one again')
  },
)

const log: string[] = []
const Worker = genServer('priority.worker', {
  init: (name: string) => name,
  handleCast: {
    work(name) {
      log.push(name)
    },
    change(_state, to: 'low' | 'normal' | 'high', self) {
      log.push(self.priority(to))
    },
  },
  handleCall: { ping: () => 'pong' },
})

const node = await startNode(new URL('./overload.app.ts', import.meta.url), 2)
t.teardown(() => node.stop())
const { self } = node

/** What one turn of this thread runs, each process having one message. */
async function turn(...workers: readonly Pid[]): Promise<string[]> {
  log.length = 0
  for (const pid of workers) self.cast(pid as never, 'work' as never)
  await nextTurn()
  await nextTurn()
  return [...log]
}

t.test('processes that are ready run by priority, then in the order they became so', async (t) => {
  const spawn = (name: string, priority?: 'low' | 'normal' | 'high') =>
    self.spawn(Worker, name, { priority })
  const workers = [
    spawn('low', 'low'),
    spawn('first'),
    spawn('high', 'high'),
    spawn('second', 'normal'),
  ]
  await turn()
  t.strictSame(await turn(...workers), ['high', 'first', 'second', 'low'])
})

t.test('a process may change its priority; it counts from its next turn on', async (t) => {
  const [one, two] = [self.spawn(Worker, 'one'), self.spawn(Worker, 'two')]
  await turn()
  t.strictSame(await turn(one, two), ['one', 'two'])
  self.cast(two, 'change', 'high')
  t.strictSame(await turn(), ['normal'], 'and hears what it was')
  t.strictSame(await turn(one, two), ['two', 'one'])
  t.equal((await self.info(two))?.priority, 'high')
})

t.test('a process keeps the priority it was started with on another thread', async (t) => {
  const pid = await self.spawn(Slow, undefined, { priority: 'low', place: { scheduler: 2 } })
  t.equal((await self.info(pid))?.priority, 'low')
  const plain = await self.spawn(Slow, undefined, { place: { scheduler: 2 } })
  t.equal((await self.info(plain))?.priority, 'normal')
})

t.test('beside a high one that is always ready, a low one is served', async (t) => {
  const greedy = self.spawn(
    async (its) => {
      for (;;) {
        its.send(its.pid, 'again')
        await its.receive()
      }
    },
    undefined,
    { priority: 'high' },
  )
  const low = self.spawn(Worker, 'low', { priority: 'low' })
  for (let i = 0; i < 20; i++) t.equal(await self.call(low, 'ping'), 'pong')
  self.exit(greedy, 'kill')
})

t.test('another priority is refused', async (t) => {
  t.throws(() => rankOf('max' as never), { code: 'BEAMISH_BAD_OPTION' })
  t.throws(() => self.spawn(Worker, 'x', { priority: 'constructor' as never }), {
    message: /priority is constructor: use one of low, normal, high/,
  })
})
