// The root of an app under each strategy: a child placed `each` is one child of the tree, wherever its processes are.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BeamishNode, onEvent, type Pid, type Strategy } from 'beamish'
import t, { type Test } from 'tap'
import { ROOT_NAME } from '../../../runtime/node/root.ts'
import { schedulerOf } from '../../../runtime/process/pid.ts'
import { downReason, nextEvent, startNode } from '../kit.ts'

interface Bench {
  readonly node: BeamishNode
  /** The pids by name, of those that live. */
  pids(): Promise<Record<string, Pid | undefined>>
  /** What was started and stopped since the last time. */
  notes(): string[]
  /** Who got a new process since. */
  renewed(before: Record<string, Pid | undefined>): Promise<string[]>
  /** Ends a process and waits for its end, then for the root to have done all that follows from the end of `witness`. */
  crash(name: string, witness?: string): Promise<void>
  /** Waits until the root has done what it knows of. */
  settled(): Promise<unknown>
  /** Waits until all run. */
  complete(): Promise<void>
  /** Loses a thread, and waits until its replacement has loaded the app. */
  lose(scheduler: number): Promise<number>
}

async function bench(
  t: Test,
  schedulers: number,
  query: Record<string, string | number>,
): Promise<Bench> {
  const directory = mkdtempSync(join(tmpdir(), 'beamish-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'notes')
  writeFileSync(file, '')
  process.env.BEAMISH_TEST_NOTES = file
  const app = new URL('./apps/tied.ts', import.meta.url)
  for (const [key, value] of Object.entries(query)) app.searchParams.set(key, String(value))
  const node = await startNode(app, schedulers)
  t.teardown(() => node.stop())
  const { self } = node
  let read = 0
  const settled = (): Promise<unknown> => self.call(ROOT_NAME, 'whichChildren')
  const pids = async () => {
    const names = ['first', ...node.schedulers().map((id) => `each ${id}`), 'last']
    const entries = names.map(async (name) => [name, await self.whereis(name)] as const)
    return Object.fromEntries(await Promise.all(entries)) as Record<string, Pid | undefined>
  }
  return {
    node,
    pids,
    settled,
    notes() {
      const all = readFileSync(file, 'utf8').trim().split('\n')
      const since = all.slice(read)
      read = all.length
      return since
    },
    async renewed(before) {
      const after = await pids()
      return Object.keys(after).filter((name) => after[name] !== before[name])
    },
    async crash(name, witness = name) {
      const [doomed, other] = [await self.whereis(name), await self.whereis(witness)]
      const refs = [...new Set([doomed, other])].map((pid) => self.monitor(pid as Pid))
      self.cast(doomed as Pid, 'crash')
      for (const ref of refs) await downReason(node, ref)
      await settled()
    },
    async complete() {
      while (Object.values(await pids()).includes(undefined)) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      await settled()
    },
    async lose(scheduler) {
      const up = nextEvent('schedulerUp')
      node.killThread(scheduler)
      return (await up).scheduler
    },
  }
}

const rounds: [Strategy, crash: string, witness: string, renewed: string[], notes: string[]][] = [
  ['one_for_one', 'first', 'first', ['first'], ['stop first', 'start first']],
  [
    'one_for_all',
    'first',
    'last',
    ['first', 'each 1', 'each 2', 'last'],
    'stop first,stop last,stop each,stop each,start first,start each,start each,start last'.split(
      ',',
    ),
  ],
  [
    'one_for_all',
    'each 2',
    'last',
    ['first', 'each 1', 'each 2', 'last'],
    'stop each,stop last,stop each,stop first,start first,start each,start each,start last'.split(
      ',',
    ),
  ],
  [
    'rest_for_one',
    'each 2',
    'last',
    ['each 1', 'each 2', 'last'],
    'stop each,stop last,stop each,start each,start each,start last'.split(','),
  ],
  ['rest_for_one', 'last', 'last', ['last'], ['stop last', 'start last']],
]

for (const [strategy, crash, witness, renewed, notes] of rounds) {
  t.test(`${strategy} at the root: ${crash} crashes`, async (t) => {
    const root = await bench(t, 2, { strategy, maxRestarts: 1 })
    const before = await root.pids()
    root.notes()
    await root.crash(crash, witness)
    t.same(await root.renewed(before), renewed)
    t.same(root.notes(), notes)
    t.equal(Object.values(await root.pids()).includes(undefined), false)
  })
}

t.test('one_for_one at the root: the thread itself restarts what is placed each', async (t) => {
  const root = await bench(t, 2, { maxRestarts: 1 })
  const before = await root.pids()
  await root.crash('each 2')
  while ((await root.node.self.whereis('each 2')) === undefined) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.same(await root.renewed(before), ['each 2'])
})

t.test(
  'one_for_one at the root: a thread whose supervisor gives up counts once there, and gets all anew',
  async (t) => {
    const seen: string[] = []
    t.teardown(
      onEvent('supervisor', ({ supervisor, context, child, reason }) => {
        if (supervisor === ROOT_NAME) seen.push(`${context} ${child} ${String(reason)}`)
      }),
    )
    const root = await bench(t, 2, { maxRestarts: 1 })
    const before = await root.pids()
    const crash = async () => {
      await root.complete()
      await root.crash('each 2')
    }
    await crash()
    t.same(seen, [], 'the first is for the thread itself')
    await crash()
    await root.complete()
    t.same(seen, ['child_terminated thread 2 shutdown'])
    t.same(await root.renewed(before), ['each 2'])
    await crash()
    root.node.self.cast((await root.complete().then(() => root.pids()))['each 2'] as Pid, 'crash')
    t.match(await root.node.closed, { code: 'BEAMISH_TREE_ENDED' })
    t.same(seen.slice(1), [
      'child_terminated thread 2 shutdown',
      'shutdown thread 2 reached_max_restart_intensity',
    ])
  },
)

t.test(
  'one_for_all at the root: a thread supervisor that ends is the end of what it kept',
  async (t) => {
    const root = await bench(t, 2, { strategy: 'one_for_all', maxRestarts: 1 })
    const before = await root.pids()
    const { self } = root.node
    const last = self.monitor(before.last as Pid)
    self.exit((await self.info(before['each 2'] as Pid))?.parent as Pid, 'kill')
    await downReason(root.node, last)
    await root.settled()
    await root.complete()
    t.same(await root.renewed(before), ['first', 'each 1', 'each 2', 'last'])
  },
)

for (const strategy of ['one_for_all', 'rest_for_one'] as const) {
  t.test(`${strategy} at the root: every further crash counts there`, async (t) => {
    const root = await bench(t, 2, { strategy, maxRestarts: 1 })
    await root.crash('each 1', 'last')
    root.node.self.cast((await root.node.self.whereis('each 2')) as Pid, 'crash')
    t.match(await root.node.closed, { code: 'BEAMISH_TREE_ENDED' })
  })
}

t.test('one_for_all at the root: two that end at once are one restart', async (t) => {
  const root = await bench(t, 2, { strategy: 'one_for_all', maxRestarts: 1 })
  const { self } = root.node
  const before = await root.pids()
  const last = self.monitor(before.last as Pid)
  for (const name of ['each 1', 'each 2']) self.cast(before[name] as Pid, 'crash')
  await downReason(root.node, last)
  // The news of the second is there by then: it came before the answer to its end.
  t.equal(((await self.call(ROOT_NAME, 'whichChildren')) as unknown[]).length, 3)
  t.same(await root.renewed(before), ['first', 'each 1', 'each 2', 'last'])
  const again = await root.pids()
  await root.settled()
  t.same(await root.pids(), again)
})

for (const schedulers of [1, 2]) {
  t.test(
    `one_for_all at the root: lost threads count nowhere; each comes with the replacement, with ${schedulers} scheduler(s)`,
    async (t) => {
      const root = await bench(t, schedulers, { strategy: 'one_for_all', maxRestarts: 0 })
      for (let round = 0; round < 2; round++) {
        const before = await root.pids()
        root.notes()
        const first = (await root.node.self.whereis('first')) as Pid
        const replacement = await root.lose(schedulerOf(first))
        await root.complete()
        const after = await root.pids()
        t.ok(after[`each ${replacement}`], 'each is on the replacement')
        t.same(await root.renewed(before), Object.keys(after), 'all are new')
        const starts = root.notes().filter((line) => line.startsWith('start'))
        const each = Array.from({ length: schedulers }, () => 'start each')
        t.same(starts.toSorted(), [...each, 'start first', 'start last'], 'started once')
      }
    },
  )
}

t.test('a child placed each that does not start on a replacement is tried again', async (t) => {
  const seen: string[] = []
  t.teardown(
    onEvent('supervisor', ({ supervisor, context, child, reason }) => {
      seen.push(`${supervisor} ${context} ${child} ${String(reason)}`)
    }),
  )
  const root = await bench(t, 2, { refusals: 3, maxRestarts: 3 })
  const before = await root.pids()
  const replacement = await root.lose(2)
  while ((await root.node.self.whereis(`each ${replacement}`)) === undefined) {
    t.match(await root.node.self.call(ROOT_NAME, 'whichChildren'), [{}, { id: 'each' }, {}])
  }
  const failed = `${ROOT_NAME} start_error each not yet`
  t.same(
    seen.filter((line) => line.includes('each')),
    [failed, failed, failed],
  )
  t.equal((await root.pids())['each 1'], before['each 1'], 'where it runs it goes on')
})

t.test(
  'one that never starts there ends the tree, as any restart that keeps failing',
  async (t) => {
    const root = await bench(t, 2, { refusals: 1_000, maxRestarts: 3 })
    root.node.killThread(2)
    t.match(await root.node.closed, { code: 'BEAMISH_TREE_ENDED' })
  },
)
