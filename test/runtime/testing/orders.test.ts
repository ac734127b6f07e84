/** What the semantics leave open is drawn from the seed, all of it; what they promise is kept under every seed. */
import { genServer, type Pid, process } from 'beamish'
import { type TestNode, testNode } from 'beamish/testing'
import t from 'tap'

const SEEDS = 150

/** All that a test comes to under many seeds. */
async function outcomes(
  run: (node: TestNode) => Promise<unknown>,
  { schedulers = 2, seeds = SEEDS } = {},
): Promise<string[]> {
  const all = new Set<string>()
  for (let seed = 1; seed <= seeds; seed++) {
    const node = await testNode({ schedulers, seed })
    all.add(String(await run(node)))
    node.close()
  }
  return [...all].sort()
}

/** What the outside hears, in its order. */
async function heard(node: TestNode, count: number): Promise<string> {
  let all = ''
  for (let i = 0; i < count; i++) all += String(await node.self.receive())
  return all
}

function permutations(text: string): string[] {
  if (text.length < 2) return [text]
  return [...text].flatMap((first) =>
    permutations(text.replace(first, '')).map((rest) => first + rest),
  )
}

/** All ways to shuffle two decks into one. */
function interleavings(a: string, b: string): string[] {
  if (a === '' || b === '') return [a + b]
  const [first, other] = [interleavings(a.slice(1), b), interleavings(a, b.slice(1))]
  return [...first.map((rest) => a[0] + rest), ...other.map((rest) => b[0] + rest)]
}

/** Told to go, it says each letter of a text, in a turn of its own each. */
const Speller = process('orders.speller', async (self, say: { text: string; to: Pid }) => {
  await self.receive()
  for (const _ of say.text) self.send(self.pid, 'next')
  for (const letter of say.text) {
    await self.receive()
    self.send(say.to, letter)
  }
})

/** A process that says its name after so many milliseconds, which have begun when this resolves. */
async function sleeper(node: TestNode, name: string, ms: number, scheduler: number): Promise<void> {
  await node.spawn(
    async (self) => {
      await self.sleep(ms)
      self.send(node.self.pid, name)
    },
    { scheduler },
  )
  await node.runUntilIdle()
}

for (const across of [false, true]) {
  const where = across ? 'across threads' : 'on one thread'
  const thread = (i: number) => ({ scheduler: across ? 1 + i : 1 })

  t.test(`${where}: three senders are heard in every order`, async (t) => {
    const all = await outcomes(
      async (node) => {
        for (const [i, text] of ['a', 'b', 'c'].entries()) {
          await node.spawn((self) => self.send(node.self.pid, text), thread(i))
        }
        return heard(node, 3)
      },
      { schedulers: 3 },
    )
    t.same(all, permutations('abc').sort())
  })

  t.test(`${where}: two processes interleave in every way, each in its own order`, async (t) => {
    const all = await outcomes(async (node) => {
      const pids: Pid[] = []
      for (const [i, text] of ['ab', 'xy'].entries()) {
        const to = node.self.pid
        pids.push(await node.spawn(Speller, { text, to }, { place: thread(i) }))
      }
      for (const pid of pids) node.self.send(pid, 'go')
      return heard(node, 4)
    })
    t.same(all, interleavings('ab', 'xy').sort())
  })

  t.test(`${where}: timers of three processes due at once ring in every order`, async (t) => {
    const all = await outcomes(
      async (node) => {
        for (const [i, name] of ['a', 'b', 'c'].entries()) {
          await sleeper(node, name, 10, thread(i).scheduler)
        }
        return heard(node, 3)
      },
      { schedulers: 3 },
    )
    t.same(all, permutations('abc').sort())
  })

  t.test(`${where}: a timer that is due earlier rings first`, async (t) => {
    const all = await outcomes(async (node) => {
      for (const [i, ms] of [3, 1, 2].entries()) {
        await sleeper(node, String(ms), ms, thread(i % 2).scheduler)
      }
      return heard(node, 3)
    })
    t.same(all, ['123'])
  })
}

t.test('timers of one process with equal delay ring in the order they were set', async (t) => {
  const all = await outcomes(async (node) => {
    await node.spawn(async (self) => {
      for (const text of ['a', 'b', 'c']) self.sendAfter(10, text)
      for (;;) self.send(node.self.pid, await self.receive())
    })
    return heard(node, 3)
  })
  t.same(all, ['abc'])
})

t.test('timers of one process with other delays, due at once, ring in any order', async (t) => {
  const all = await outcomes(async (node) => {
    await node.spawn(async (self) => {
      self.sendAfter(10, 'a')
      self.sendAfter(10, 'b')
      await self.sleep(4)
      self.sendAfter(6, 'c')
      for (;;) self.send(node.self.pid, await self.receive())
    })
    return heard(node, 3)
  })
  t.same(all, ['abc', 'acb', 'cab'])
})

t.test('between two timers due at once whatever is ready may come', async (t) => {
  const all = await outcomes(async (node) => {
    const waits = await node.spawn(
      async (self) => {
        node.self.send(node.self.pid, await self.receive())
      },
      { scheduler: 1 },
    )
    await node.runUntilIdle()
    await node.spawn(
      async (self) => {
        self.sendAfter(10, 'x', waits)
        self.sendAfter(10, 'b', node.self.pid)
        await self.receive()
      },
      { scheduler: 1 },
    )
    return heard(node, 2)
  })
  t.same(all, ['bx', 'xb'])
})

t.test(
  'timers that are overdue when a thread goes on again ring in the order of their times',
  async (t) => {
    const all = await outcomes(
      async (node) => {
        for (const [i, name] of ['b', 'c', 'a'].entries()) {
          await sleeper(node, name, i < 2 ? 20 : 10, 1)
        }
        node.faults.freezeThread(1)
        await node.advance(100)
        node.faults.unfreezeThread(1)
        return heard(node, 3)
      },
      { seeds: 100 },
    )
    t.same(all, ['abc', 'acb'])
  },
)

/** Says its name for each message it is given. */
const Named = genServer('orders.named', {
  init: (say: { name: string; to: Pid }) => say,
  handleCast: {
    work(say, _none: undefined, self) {
      self.send(say.to, say.name)
    },
  },
})

type Priority = 'low' | 'normal' | 'high'

/** A driver on thread 1 gives processes of these priorities one message each, all in one turn of its own. */
async function prioritized(
  node: TestNode,
  order: readonly Priority[],
  each = 1,
  scheduler = 1,
): Promise<string> {
  const pids: Pid[] = []
  for (const priority of order) {
    const name = priority.slice(0, 1)
    const options = { priority, place: { scheduler } }
    pids.push(await node.spawn(Named, { name, to: node.self.pid }, options))
  }
  await node.spawn(
    (self) => {
      for (const pid of pids) for (let i = 0; i < each; i++) self.cast(pid, 'work')
    },
    { scheduler: 1 },
  )
  return heard(node, order.length * each)
}

t.test('high ones have their turn first and low ones last, whatever the seed', async (t) => {
  const all = await outcomes((node) => prioritized(node, ['low', 'high', 'normal', 'low', 'high']))
  t.same(all, ['hhnll'])
})

t.test('those of one priority have it in any order', async (t) => {
  const all = await outcomes(async (node) => {
    const options = { priority: 'high', place: { scheduler: 1 } } as const
    const pids: Pid[] = []
    for (const name of ['a', 'b', 'c']) {
      pids.push(await node.spawn(Named, { name, to: node.self.pid }, options))
    }
    for (const pid of pids) node.self.cast(pid, 'work')
    return heard(node, 3)
  })
  t.same(all, permutations('abc').sort())
})

/** Wakes another one at its first message. */
const Waker = genServer('orders.waker', {
  init: (say: { wakes: Pid; to: Pid }) => say,
  handleCast: {
    work(say, name: string, self) {
      if (name === '1') self.cast(say.wakes, 'work')
      self.send(say.to, name)
    },
  },
})

t.test('the turn of a low one ends with any of its messages', async (t) => {
  const all = await outcomes(
    async (node) => {
      const to = node.self.pid
      const place = { scheduler: 1 }
      const wakes = await node.spawn(Named, { name: 'h', to }, { priority: 'high', place })
      const low = await node.spawn(Waker, { wakes, to }, { priority: 'low', place })
      for (const name of ['1', '2', '3']) node.self.cast(low, 'work', name)
      return heard(node, 4)
    },
    { seeds: 150 },
  )
  t.same(all, ['123h', '12h3', '1h23'])
})

t.test('the turn of a raw one does so, too', async (t) => {
  const all = await outcomes(
    async (node) => {
      const { pid } = node.self
      const wakes = await node.spawn(
        Named,
        { name: 'h', to: pid },
        { priority: 'high', place: { scheduler: 1 } },
      )
      const raw = await node.spawn(
        async (self) => {
          for (;;) {
            const name = await self.receive()
            if (name === '1') self.cast(wakes, 'work')
            self.send(pid, name)
          }
        },
        { scheduler: 1 },
      )
      for (const name of ['1', '2', '3']) node.self.send(raw, name)
      return heard(node, 4)
    },
    { seeds: 150 },
  )
  t.same(all, ['123h', '12h3', '1h23'])
})

/** Never without a message. */
const Greedy = genServer('orders.greedy', {
  init: () => 0,
  handleCast: {
    again(_state, turns: number, self) {
      if (turns > 0) self.cast(self.pid, 'again', turns - 1)
    },
  },
})

t.test('nobody starves: a low one has its turn within eighty others', async (t) => {
  const all = await outcomes(
    async (node) => {
      const place = { scheduler: 1 }
      const modest = { name: 'l', to: node.self.pid }
      const low = await node.spawn(Named, modest, { priority: 'low', place })
      const greedy: Pid[] = []
      for (let i = 0; i < 4; i++) {
        greedy.push(await node.spawn(Greedy, undefined, { priority: 'high', place }))
      }
      node.timeline.clear()
      for (const pid of greedy) node.self.cast(pid as never, 'again' as never, 100 as never)
      node.self.cast(low, 'work')
      await node.assertReceive('l')
      return node.timeline.events.filter((event) => event.kind === 'cast').length < 200
    },
    { seeds: 20 },
  )
  t.same(all, ['true'])
})
