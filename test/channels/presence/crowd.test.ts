// Ten thousand in one topic: diffs of a bounded size, nobody is forgotten, and no thread is taken for blocked.
import t from 'tap'
import { startNode } from '../../runtime/kit.ts'
import { guest, until } from './guests.ts'
import { Sizes } from './presence.app.ts'

const COUNT = 10_000
/** The maxDiffSize of these presences. */
const MAX = 100

t.test(
  '10,000 presences in a topic join and leave in bounded diffs, on both threads',
  async (t) => {
    const node = await startNode(new URL('./presence.app.ts', import.meta.url), 2, {
      maxBlockedMs: 2_000,
    })
    t.teardown(() => node.stop())
    const { self } = node
    const [a, b] = [await guest(node, 1), await guest(node, 2)]
    for (const who of [a, b]) await self.call(who, 'listen', 'crowd')

    let startedMs = performance.now()
    const crowd = { topic: 'crowd', count: COUNT }
    const { pids, tracked } = await self.call(a, 'crowd', crowd, { timeoutMs: 60_000 })
    t.equal(tracked, COUNT)
    /** Changes told so far, in how many diffs, and the largest. */
    const told = async (who: typeof a) => {
      const sizes = await self.call(who, 'sizes', 'crowd')
      return {
        sum: sizes.reduce((sum, n) => sum + n, 0),
        count: sizes.length,
        max: Math.max(...sizes),
      }
    }
    const all = (sum: number) => async (who: typeof a, what: string) => {
      const { count, max } = await until(
        () => told(who),
        (one) => one.sum >= sum,
      )
      t.comment(
        `${what} on thread ${who === a ? 1 : 2}: ${count} diffs, ${Math.round(performance.now() - startedMs)} ms`,
      )
      t.equal((await told(who)).sum, sum, 'each once')
      t.ok(max <= MAX, 'none is larger than allowed')
      t.ok(count >= sum / MAX)
      // Far fewer than changes: what comes together goes together.
      t.ok(count <= sum / 10, `${count} diffs`)
    }
    for (const who of [a, b]) await all(COUNT)(who, 'joins')
    t.equal(Object.keys(await Sizes.list(self, 'crowd')).length, COUNT)

    const late = await guest(node, 2)
    t.equal(await self.call(late, 'count', 'crowd'), COUNT)

    startedMs = performance.now()
    self.call(a, 'kill', pids).catch(() => {})
    for (const who of [a, b]) await all(2 * COUNT)(who, 'leaves')
    t.equal(await self.call(b, 'count', 'crowd'), 0)
    t.same(node.schedulers(), [1, 2], 'no thread was lost')
  },
)

t.test(
  'a lost thread with thousands of presences: those on the others leave in bounded diffs',
  async (t) => {
    const node = await startNode(new URL('./presence.app.ts', import.meta.url), 2)
    t.teardown(() => node.stop())
    const { self } = node
    const [a, b] = [await guest(node, 1), await guest(node, 2)]
    await self.call(b, 'listen', 'gone')
    await self.call(a, 'crowd', { topic: 'gone', count: 3_000 }, { timeoutMs: 60_000 })
    await until(
      () => self.call(b, 'count', 'gone'),
      (count) => count === 3_000,
    )
    node.killThread(1)
    await until(
      () => self.call(b, 'count', 'gone'),
      (count) => count === 0,
    )
    const sizes = await until(
      () => self.call(b, 'sizes', 'gone'),
      (all) => all.reduce((sum, n) => sum + n, 0) >= 6_000,
    )
    t.equal(
      sizes.reduce((sum, n) => sum + n, 0),
      6_000,
    )
    t.ok(Math.max(...sizes) <= MAX)
  },
)
