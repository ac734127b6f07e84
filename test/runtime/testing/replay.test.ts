/** Any program of processes: the same seed is the same timeline, byte for byte, whatever it does. */
import { agent, Exit, type Pid, process, type Self, task } from 'beamish'
import { type TestNode, testNode } from 'beamish/testing'
import fc from 'fast-check'
import t from 'tap'
import { Counter } from './servers.ts'

/** What an actor does at a message. `to` is one of the actors, modulo their number. */
type Deed =
  | {
      readonly do: 'send' | 'later' | 'link' | 'monitor' | 'exit' | 'call' | 'cast'
      readonly to: number
    }
  | { readonly do: 'sleep'; readonly ms: number }
  | { readonly do: 'subscribe' | 'broadcast' | 'spawn' | 'crash' | 'task' | 'agent' | 'random' }

interface Program {
  readonly actors: readonly (readonly Deed[])[]
  readonly faults: readonly ('drop' | 'delay' | 'duplicate' | 'kill' | 'thread')[]
}

const to = fc.nat(5)
const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constantFrom('send', 'later', 'link', 'monitor', 'exit', 'call', 'cast'),
      to,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: fc.nat(3) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('subscribe', 'broadcast', 'spawn', 'crash', 'task', 'agent', 'random'),
    }),
  },
)

const program: fc.Arbitrary<Program> = fc.record({
  actors: fc.array(fc.array(deed, { minLength: 1, maxLength: 6 }), { minLength: 2, maxLength: 5 }),
  faults: fc.array(fc.constantFrom('drop', 'delay', 'duplicate', 'kill', 'thread'), {
    maxLength: 2,
  }),
})

const Actor = process(
  'replay.actor',
  async (self, given: { deeds: readonly Deed[]; counter: Pid; trap: boolean }) => {
    self.trapExit(given.trap)
    const others = (await self.receive()) as Pid[]
    const counter = given.counter as Pid<never>
    for (const one of given.deeds) {
      const other = 'to' in one ? (others[one.to % others.length] as Pid) : self.pid
      await act(self, one, other, counter)
    }
    for (;;) if ((await self.receive(() => true, 20)) === undefined) return
  },
)

async function act(self: Self, one: Deed, other: Pid, counter: Pid): Promise<void> {
  switch (one.do) {
    case 'send':
      return self.send(other, 'hello')
    case 'later':
      self.sendAfter(2, 'later', other)
      return
    case 'link':
      return self.link(other)
    case 'monitor':
      self.monitor(other)
      return
    case 'exit':
      return self.exit(other, 'boom')
    case 'cast':
      return self.cast(counter as never, 'add' as never, 1 as never)
    case 'call':
      await self.call(counter as never, 'read' as never, undefined as never).catch(quiet)
      return
    case 'sleep':
      return self.sleep(one.ms)
    case 'subscribe':
      return self.subscribe('news')
    case 'broadcast':
      return self.broadcast('news', 'told', { by: self.pid })
    case 'spawn':
      self.spawnLink((child) => child.sleep(1))
      return
    case 'crash':
      throw new RangeError('planted')
    case 'task':
      await task.yield(
        self,
        task.asyncNoLink(self, (mine) => mine.sleep(1)),
      )
      return
    case 'agent': {
      const kept = await agent.start(self, () => 1)
      await agent.update(self, kept, (n) => n + 1)
      return
    }
    case 'random':
      return self.send(other, self.random())
  }
}

const quiet = (error: unknown): void => {
  if (!(error instanceof Exit)) throw error
}

function strike(node: TestNode, faults: Program['faults'], pids: readonly Pid[]): void {
  const [first, second] = pids as [Pid, Pid]
  for (const fault of faults) {
    if (fault === 'drop') node.faults.drop('any', first, { count: 2 })
    if (fault === 'delay') node.faults.delay('any', second, 2, { count: 2 })
    if (fault === 'duplicate') node.faults.duplicate('any', second, { count: 2 })
    if (fault === 'kill') node.faults.kill(first, { atMessage: 2 })
    if (fault === 'thread') node.faults.killThread(node.schedulers()[0] as number)
  }
}

async function timelineOf({ actors, faults }: Program, seed: number, draws?: number) {
  const node = await testNode({ seed, schedulers: 2, ...(draws === undefined ? {} : { draws }) })
  const counter = await node.spawn(Counter, 0)
  const pids: Pid[] = []
  for (const [i, deeds] of actors.entries()) {
    const argument = { deeds, counter, trap: i % 2 === 0 }
    pids.push(await node.spawn(Actor, argument, { place: { scheduler: 1 + (i % 2) } }))
  }
  for (const pid of pids) node.self.send(pid, pids)
  strike(node, faults, pids)
  await node.advance(200)
  const text = `${node.timeline()}\n${node.timeline.toMermaid()}`
  node.close()
  return { text, drawn: node.drawn, steps: node.steps }
}

async function always(
  t: { ok(value: unknown, message: string): unknown },
  property: fc.IAsyncProperty<unknown[]>,
): Promise<void> {
  const outcome = await fc.check(property as fc.IAsyncProperty<unknown>, { numRuns: 60 })
  t.ok(!outcome.failed, fc.defaultReportMessage(outcome as never) ?? 'the property holds')
}

t.test('the same seed is the same timeline, byte for byte', async (t) => {
  let different = 0
  await always(
    t,
    fc.asyncProperty(program, fc.nat(1_000), async (one, seed) => {
      const [first, again] = [await timelineOf(one, seed), await timelineOf(one, seed)]
      if (first.text !== (await timelineOf(one, seed + 1)).text) different++
      return first.text === again.text && first.drawn === again.drawn && first.steps === again.steps
    }),
  )
  t.ok(different > 20, `another seed was another timeline ${different} times`)
})

t.test('as many draws as were drawn are the same timeline', async (t) => {
  await always(
    t,
    fc.asyncProperty(program, fc.nat(1_000), async (one, seed) => {
      const { text, drawn } = await timelineOf(one, seed)
      return (await timelineOf(one, seed, drawn)).text === text
    }),
  )
})
