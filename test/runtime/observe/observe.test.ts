// What observe() tells of a real node.
import type { NodeReport, Pid, StartResult, TreeNode } from 'beamish'
import t from 'tap'
import { schedulerOf } from '../../../runtime/process/pid.ts'
import { startNode, whenNamed } from '../kit.ts'
import { Clerk, Idler } from './watched.app.ts'

const node = await startNode(new URL('./watched.app.ts', import.meta.url), 2)
t.teardown(() => node.stop())
const { self } = node

function* all(nodes: readonly TreeNode[]): Generator<TreeNode> {
  for (const one of nodes) {
    yield one
    yield* all(one.children)
  }
}

const find = ({ tree }: NodeReport, name: string): TreeNode | undefined =>
  all(tree).find(({ figures, id }) => figures?.name === name || id === name)

/** Looks again until it sees what is to come. */
async function until(
  seen: (report: NodeReport) => boolean,
  options?: Parameters<typeof node.observe>[0],
): Promise<NodeReport> {
  for (;;) {
    const report = await node.observe(options)
    if (seen(report)) return report
  }
}

t.test('the tree holds every process under who started it, with its id and restart', async (t) => {
  const desk = await whenNamed(node, 'desk')
  const report = await node.observe()
  const office = find(report, 'office')
  t.same(
    office?.children.map(({ id, restart, behaviour }) => [id, restart, behaviour]),
    [
      ['desk', 'permanent', 'clerk'],
      ['sleeper', 'transient', 'sleeper'],
      ['slow', 'permanent', 'slow'],
    ],
  )
  t.equal(office?.children[0]?.figures?.pid, desk)
  const root = find(report, 'beamish.root')
  t.same(
    root?.children.map(({ id }) => id),
    ['thread 1', 'thread 2', 'judge', 'office', 'crowd'],
  )
  for (const thread of root?.children.slice(0, 2) ?? []) {
    t.same(
      thread.children.map(({ id, figures }) => [id, figures?.scheduler]),
      [['each', thread.figures?.scheduler]],
    )
  }
  t.ok(find(report, 'beamish.ports'), 'and the services of the node')
  const { total, shown, supervised, spawned } = report.processes
  t.equal(shown, total)
  t.equal(total, supervised + spawned)
  t.equal([...all(report.tree)].length + report.loose.count, total)
})

t.test('each thread tells its figures, main first', async (t) => {
  const { threads, rssBytes, pid } = await node.observe()
  t.same(
    threads.map(({ scheduler, status }) => [scheduler, status]),
    [
      [0, 'running'],
      [1, 'running'],
      [2, 'running'],
    ],
  )
  for (const { counts, utilization } of threads) {
    t.ok(counts && counts.heapUsedBytes > 1e6 && counts.heapLimitBytes > counts.heapUsedBytes)
    t.ok(utilization >= 0 && utilization <= 1, String(utilization))
  }
  t.equal(pid, process.pid)
  t.ok(rssBytes > 1e6)
})

t.test(
  'messages, mailbox, links and monitors of a process are told, and who has most',
  async (t) => {
    const judge = await whenNamed(node, 'judge')
    const before = find(await node.observe(), 'judge')?.figures?.messages ?? 0
    const watch = self.monitor(judge)
    for (let i = 0; i < 50; i++) self.cast(judge, 'add', 0)
    await self.call(judge, 'read')
    self.cast(judge, 'await', 60_000)
    for (let i = 0; i < 500; i++) self.cast(judge, 'note', 'waits')
    const report = await until((seen) => find(seen, 'judge')?.figures?.mailboxLength === 500)
    const seen = find(report, 'judge')
    t.equal(seen?.status, 'awaiting')
    t.equal(seen?.figures?.messages, before + 52)
    t.same(
      report.top.mailbox.map(({ value, figures }) => [value, figures.pid]),
      [[500, judge]],
    )
    t.equal(
      report.threads.find(({ scheduler }) => scheduler === schedulerOf(judge))?.counts?.queued,
      500,
    )
    self.exit(judge, 'kill')
    const back = await until((one) => (find(one, 'judge')?.figures?.pid ?? judge) !== judge)
    t.equal(find(back, 'judge')?.figures?.mailboxLength ?? 0, 0)
    self.demonitor(watch)
  },
)

t.test('a window tells rates: who works now, not who ever did', async (t) => {
  const desk = await whenNamed(node, 'desk')
  const judge = await whenNamed(node, 'judge')
  for (let i = 0; i < 2_000; i++) self.cast(judge, 'add', 0)
  await self.call(judge, 'read')
  const timer = setInterval(() => {
    for (let i = 0; i < 20; i++) self.cast(desk, 'add', 0)
  }, 5)
  const seen = await until(({ top }) => top.messages[0]?.figures.pid === desk, { windowMs: 200 })
  clearInterval(timer)
  t.equal(seen.windowMs, 200)
  t.notOk(
    seen.top.messages.some(({ figures }) => figures.pid === judge),
    'who worked before is not among them',
  )
  const there = seen.threads.find(({ scheduler }) => scheduler === schedulerOf(desk))
  t.ok((there?.counts?.messagesPerSecond ?? 0) > 0, String(there?.counts?.messagesPerSecond))
})

t.test('memory is estimated where it is asked for, asleep or awake', async (t) => {
  const without = await node.observe()
  t.equal(find(without, 'desk')?.figures?.bytes, undefined)
  t.same(without.top.memory, [])
  const desk = await whenNamed(node, 'desk')
  self.cast(desk, 'note', 'y'.repeat(50_000))
  await self.call(desk, 'read')
  const report = await until((seen) => find(seen, 'sleeper')?.status === 'hibernated', {
    memory: true,
  })
  t.ok((find(report, 'desk')?.figures?.bytes ?? 0) > 50_000)
  t.equal(report.top.memory[0]?.figures.pid, desk)
  t.ok((find(report, 'sleeper')?.figures?.bytes ?? 0) > 40)
  t.equal(find(await node.observe(), 'sleeper')?.status, 'hibernated', 'looking wakes nobody')
})

t.test('a child without a process is there too: being restarted, or stopped', async (t) => {
  const judge = Clerk.named('judge')
  self.cast(judge, 'add', 1)
  await self.call(judge, 'read')
  const slow = await whenNamed(node, 'slow')
  self.cast('slow', 'fail')
  const during = await until((seen) => (find(seen, 'slow')?.figures?.pid ?? slow) !== slow)
  // Its supervisor is busy with the start of it: asked by message it would not answer.
  const office = find(during, 'office')
  t.equal(office?.status, 'awaiting')
  t.match(office?.children[2], { id: 'slow', restart: 'permanent', figures: { messages: 0 } })
  t.equal(office?.children.length, 3)
  t.equal(office?.left, 0)
  self.cast(judge, 'add', -1)
  await self.call(judge, 'read')
  const starting = find(during, 'slow')?.figures?.pid as Pid
  self.exit(starting, 'kill')
  await until((seen) => find(seen, 'slow')?.status === 'waiting')
  await self.call('office', 'terminateChild', 'sleeper')
  t.equal(find(await node.observe(), 'sleeper')?.status, 'stopped')
  await self.call('office', 'restartChild', 'sleeper')
})

t.test('ten thousand children make no long answer: what is left out is counted', async (t) => {
  const crowd = await whenNamed(node, 'crowd')
  const asked: Promise<unknown>[] = []
  for (let i = 0; i < 10_000; i++) asked.push(self.call(crowd, 'startChild', Clerk.child(0)))
  const results = (await Promise.all(asked)) as StartResult[]
  t.ok(results.every(({ ok }) => ok))
  const report = await node.observe()
  const seen = find(report, 'crowd')
  t.equal(seen?.children.length, 20)
  t.equal(seen?.left, 9_980)
  t.ok(JSON.stringify(report).length < 50_000)
  t.ok(report.processes.total > 10_000)
  const few = await node.observe({ maxProcesses: 8, maxChildren: 5, top: 0 })
  t.equal(few.processes.shown, 8)
  t.ok(find(few, 'beamish.root'), 'what is left out is the deepest')
  const many = await node.observe({ maxProcesses: 100_000, maxChildren: 10_000 })
  t.equal(find(many, 'crowd')?.children.length, 10_000)
  t.equal(many.processes.shown, many.processes.total)
  self.exit(crowd, 'kill')
  await until((one) => find(one, 'crowd')?.figures?.pid !== crowd && one.processes.total < 100)
})

t.test('what is spawned besides stands under who spawned it, and is counted', async (t) => {
  const before = (await node.observe()).processes.spawned
  const hired = (await self.call(Clerk.named('desk'), 'hire')) as Pid
  const outside = await self.spawn(Idler, undefined, { place: 'any' })
  const report = await node.observe()
  const desk = find(report, 'desk')
  t.same(
    desk?.children.map(({ id, figures }) => [id, figures?.pid]),
    [[undefined, hired]],
  )
  t.equal(report.processes.spawned, before + 2)
  t.ok(report.loose.processes.some(({ figures }) => figures?.pid === outside))
  for (const pid of [hired, outside]) self.exit(pid, 'kill')
})

t.test('a thread that does not answer is told as silent, with what it ran last', async (t) => {
  const desk = await whenNamed(node, 'desk')
  await node.observe()
  self.cast(desk, 'spin', 1_500)
  const report = await until(({ threads }) => threads.some(({ status }) => status === 'silent'), {
    timeoutMs: 100,
  })
  const silent = report.threads.find(({ status }) => status === 'silent')
  t.equal(silent?.scheduler, schedulerOf(desk))
  t.match(silent?.ranLast, { behaviour: 'clerk', message: 'spin' })
  t.ok((silent?.processes ?? 0) > 1, 'how many it has is known all the same')
  t.ok((silent?.utilization ?? 0) > 0.5, String(silent?.utilization))
  const gone = [...all(report.tree)].filter(({ status }) => status === 'unknown')
  t.ok(
    gone.some(({ id }) => id === `thread ${silent?.scheduler}`),
    'its place in the tree is kept',
  )
  await until(({ threads }) => threads.every(({ status }) => status === 'running'))
})

t.test('options that cannot be are refused', async (t) => {
  await t.rejects(node.observe({ top: -1 }), { code: 'BEAMISH_BAD_OPTION' })
  await t.rejects(node.observe({ depth: 1 } as never), { code: 'BEAMISH_BAD_OPTION' })
  await t.rejects(node.observe({ memory: 'yes' } as never), { code: 'BEAMISH_BAD_OPTION' })
  await t.rejects(node.observe(null as never), { code: 'BEAMISH_BAD_OPTION' })
})
