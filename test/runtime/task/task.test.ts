// otp 170 to 179: tasks on their owner's thread and on another one. Numbers as in test/conformance/otp.md.
import {
  type BeamishError,
  type BeamishNode,
  formatPid,
  onEvent,
  type Pid,
  type Placement,
  type RemoteFunction,
  StartError,
  task,
} from 'beamish'
import t, { type Test } from 'tap'
import { downReason, isDown, isType, rejection, schedulerCounts, startNode } from '../kit.ts'
import { MODULE, Owner } from './tasks.app.ts'

const APP = new URL('./tasks.app.ts', import.meta.url)

const remote = <R = unknown>(name: string, ...args: unknown[]): RemoteFunction<R> => ({
  module: MODULE,
  name,
  args,
})
const why = (reason: unknown): unknown => (reason as { reason?: unknown }).reason
const errorOf = (reason: unknown): unknown =>
  (reason as { error?: { message?: unknown } } | undefined)?.error?.message

const nodes: [title: string, schedulers: number, development: boolean][] = [
  ...schedulerCounts.map((n): [string, number, boolean] => [
    `with ${n} scheduler threads`,
    n,
    false,
  ]),
  ['in development', 2, true],
]

for (const [title, schedulers, development] of nodes) {
  t.test(title, async (t) => {
    const node = await startNode(APP, schedulers, { development })
    t.teardown(() => node.stop())
    const last: Placement = { scheduler: node.schedulers().at(-1) as number }
    await t.test('on the same scheduler', (t) => suite(t, node, 'here'))
    await t.test('on another thread', (t) => suite(t, node, last))
    await t.test('plain functions', (t) => functions(t, node))
    await t.test('under a supervisor', (t) => supervised(t, node))
  })
}

async function suite(t: Test, node: BeamishNode, place: Placement): Promise<void> {
  const { self } = node
  await t.test('one that is ignored, or awaited in vain, while it starts runs on', async (t) => {
    const ignored = task.asyncNoLink(self, remote('waits', self.pid), { place })
    await task.ignore(self, ignored)
    const vain = task.asyncNoLink(self, remote('waits', self.pid), { place })
    await rejection(task.await(self, vain, { timeoutMs: 0 }))
    for (const _ of [ignored, vain]) {
      const { pid } = (await self.receive(isType('waiting'), 5_000)) as unknown as { pid: Pid }
      const ref = self.monitor(pid)
      self.send(pid, 'go')
      t.equal(await downReason(node, ref), 'normal')
    }
  })
  const at = { place }
  const there = place === 'here' ? self.scheduler : (place as { scheduler: number }).scheduler
  const waiting = async (): Promise<Pid> => {
    const message = await self.receive(isType('waiting'), 5_000)
    return message?.pid as Pid
  }
  /** The reason of the next EXIT that is not a normal one. */
  const exited = async (): Promise<unknown> => {
    const exit = await self.receive(
      (m): m is { reason: unknown } => isType('EXIT')(m) && m.reason !== 'normal',
      5_000,
    )
    return exit?.reason
  }
  const nothingLeft = async (t: Test): Promise<void> => {
    // The outside traps exits: as in OTP it hears of the normal ends of what is linked to it.
    const left = (m: unknown) => (m as { reason?: unknown }).reason !== 'normal'
    t.equal(await self.receive(left, 0), undefined, 'nothing is in the mailbox')
  }

  await t.test('async runs an exported function there, await is what it returns', async (t) => {
    t.equal(await task.await(self, task.async(self, remote('where'), at)), there)
    t.same(await task.await(self, task.async(self, remote('give', { a: [1] }), at)), { a: [1] })
    t.equal(await task.await(self, task.async(self, remote('give'), at)), undefined)
    await nothingLeft(t)
  })

  await t.test('otp 170: a linked task that fails takes an owner along', async (t) => {
    for (const ownerAt of ['here', place] as const) {
      const owner = await self.spawn(
        Owner,
        { run: 'ownsAFailure', args: [self.pid, place] },
        { place: ownerAt as Placement, monitor: true },
      )
      await waiting()
      const down = await self.receive((m): m is { reason: unknown } => {
        const found = m as { type?: string; object?: unknown }
        return found.type === 'DOWN' && found.object === owner
      })
      t.equal(errorOf(down.reason), 'boom')
    }
  })

  await t.test('a trapping owner gets an EXIT and the outcome', async (t) => {
    const one = task.async(self, remote('fail', 'told twice'), at)
    const exit = await exited()
    t.equal(errorOf(exit), 'told twice')
    const reason = await rejection(task.await(self, one))
    t.equal(errorOf(why(reason)), 'told twice')
    await nothingLeft(t)
  })

  await t.test('otp 171: after an await in vain the late reply goes nowhere', async (t) => {
    const inner = task.async(self, remote<object>('awaitsInVain', place), at)
    t.same(await task.await(self, inner), {
      timedOut: 'timeout',
      down: ['DOWN', true, 'normal'],
      left: undefined,
    })
  })

  await t.test(
    'otp 172: awaiting one that ends without an answer exits with its reason',
    async (t) => {
      const one = task.asyncNoLink(self, remote('leave', 'normal'), at)
      const reason = (await rejection(task.await(self, one))) as { call: object; reason: unknown }
      t.equal(reason.reason, 'normal')
      t.match(reason.call, { to: /^leave /, event: 'task.await' })
    },
  )

  await t.test('otp 173: a yield in vain is undefined, the task runs on', async (t) => {
    const one = task.async(self, remote('waits', self.pid), at)
    const pid = await waiting()
    t.equal(await task.yield(self, one, { timeoutMs: 0 }), undefined)
    t.equal(await task.yield(self, one, { timeoutMs: 1 }), undefined)
    t.equal(one.pid, pid)
    self.send(pid, 'now')
    t.same(await task.yield(self, one), { ok: 'now' })
    await nothingLeft(t)
  })

  await t.test('otp 174: a shutdown of one that has answered is the answer', async (t) => {
    const one = task.async(self, remote('give', 7), at)
    const ref = one.pid === undefined ? undefined : self.monitor(one.pid)
    if (ref !== undefined) await downReason(node, ref)
    else await task.yield(self, task.async(self, remote('give'), at))
    t.same(await task.shutdown(self, one), { ok: 7 })
  })

  await t.test('a shutdown is undefined when the task ends as it was told to', async (t) => {
    for (const how of [{}, 'brutal_kill'] as const) {
      const one = task.async(self, remote('waits', self.pid), at)
      const pid = await waiting()
      const ref = self.monitor(pid)
      t.equal(await task.shutdown(self, one, how), undefined)
      t.equal(await downReason(node, ref), how === 'brutal_kill' ? 'killed' : 'shutdown')
      const exit = await self.receive((m) => isType('EXIT')(m) && m.from === pid, 0)
      t.equal(exit, undefined, 'its link is gone before')
    }
  })

  await t.test('otp 175: a shutdown of one that resists ends in a kill', async (t) => {
    const one = task.async(self, remote('resists', self.pid), at)
    await waiting()
    t.same(await task.shutdown(self, one, { timeoutMs: 1 }), { exit: 'killed' })
    await nothingLeft(t)
  })

  await t.test('a shutdown at once reaches a task that is still being started', async (t) => {
    const one = task.async(self, remote('waits', self.pid), at)
    t.equal(await task.shutdown(self, one, 'brutal_kill'), undefined)
    await self.receive(isType('waiting'), 0)
    await nothingLeft(t)
  })

  await t.test('otp 176: the crash of an unlinked task is an answer', async (t) => {
    const one = task.asyncNoLink(self, remote('fail', 'told'), at)
    const result = await task.yield(self, one)
    t.equal(errorOf(result !== undefined && 'exit' in result && result.exit), 'told')
    await nothingLeft(t)
  })

  await t.test('otp 179: the chain of callers is handed down', async (t) => {
    t.same(await task.await(self, task.async(self, remote('callers'), at)), [self.pid])
    const { own, pid, chain } = await task.await(
      self,
      task.async(self, remote<{ own: Pid; pid: Pid; chain: Pid[] }>('callersOfInner'), at),
    )
    t.not(pid, own)
    t.same(chain, [own, self.pid])
    t.same(self.callers, [])
  })

  await t.test('ignore forgets the task, which runs on', async (t) => {
    const one = task.async(self, remote('waits', self.pid), at)
    const pid = await waiting()
    t.equal(await task.ignore(self, one), undefined)
    const ref = self.monitor(pid)
    self.exit(pid, 'kill')
    t.equal(await downReason(node, ref), 'killed')
    await nothingLeft(t)
    const done = task.async(self, remote('give', 1), at)
    await task.yieldMany(self, [task.async(self, remote('give'), at)])
    t.same(await task.ignore(self, done), { ok: 1 })
  })

  await t.test('only its owner takes an outcome, and once', async (t) => {
    const one = task.async(self, remote('give', 1), at)
    const stranger = task.async(self, async (own) => {
      const { code, fields } = (await rejection(task.await(own, one))) as BeamishError
      return { code, owner: fields.owner }
    })
    t.same(await task.await(self, stranger), {
      code: 'BEAMISH_TASK_OWNER',
      owner: formatPid(self.pid),
    })
    await task.await(self, one)
    for (const again of [task.await, task.yield, task.shutdown, task.ignore]) {
      t.match(await rejection(again(self, one)), { code: 'BEAMISH_TASK_SPENT' })
    }
    t.throws(() => task.deliver(self, one), { code: 'BEAMISH_TASK_SPENT' })
  })

  await t.test('deliver makes the outcome a message, whenever it comes', async (t) => {
    const later = task.asyncNoLink(self, remote('waits', self.pid), at)
    const pid = await waiting()
    task.deliver(self, later)
    self.send(pid, 'hello')
    t.strictSame(await self.receive(isType('task'), 5_000), {
      type: 'task',
      ref: later.ref,
      result: { ok: 'hello' },
    })
    const failing = task.asyncNoLink(self, remote('leave', 'odd'), at)
    await task.yieldMany(self, [task.async(self, remote('give'), at)])
    task.deliver(self, failing)
    const message = await self.receive(isType('task'), 5_000)
    t.same(message, { type: 'task', ref: failing.ref, result: { exit: 'odd' } })
    await nothingLeft(t)
  })

  await t.test('awaitMany: values in order, or the first failure', async (t) => {
    const many = [3, 1, 2].map((n) => task.async(self, remote<number>('give', n), at))
    t.same(await task.awaitMany(self, many), [3, 1, 2])
    t.same(await task.awaitMany(self, []), [])
    const mixed = [
      task.asyncNoLink(self, remote('waits', self.pid), at),
      task.asyncNoLink(self, remote('leave', 'first'), at),
    ]
    const pid = await waiting()
    t.equal(why(await rejection(task.awaitMany(self, mixed))), 'first')
    self.exit(pid, 'kill')
    const slow = [task.asyncNoLink(self, remote('waits', self.pid), at)]
    self.exit(await waiting(), 'odd')
    t.equal(why(await rejection(task.awaitMany(self, slow, { timeoutMs: 5_000 }))), 'odd')
    await nothingLeft(t)
  })

  await t.test('yieldMany: outcomes in order, undefined where there is none yet', async (t) => {
    const done = task.asyncNoLink(self, remote('give', 'done'), at)
    const stuck = task.async(self, remote('waits', self.pid), at)
    const odd = task.asyncNoLink(self, remote('leave', 'odd'), at)
    const pid = await waiting()
    const results = await task.yieldMany(self, [done, stuck, odd], { limit: 2 })
    t.same(results, [{ ok: 'done' }, undefined, { exit: 'odd' }])
    self.send(pid, 'after all')
    t.same(await task.yieldMany(self, [stuck]), [{ ok: 'after all' }])
    const killed = task.async(self, remote('waits', self.pid), at)
    const ref = self.monitor(await waiting())
    const gone = await task.yieldMany(self, [killed], { timeoutMs: 0, onTimeout: 'kill_task' })
    t.same(gone, [undefined])
    t.equal(await downReason(node, ref), 'killed')
    await nothingLeft(t)
  })

  await t.test('start runs a function alone, startLink with a link', async (t) => {
    const pid = await task.start(self, remote('waits', self.pid), at)
    t.equal(await waiting(), pid)
    self.exit(pid, 'kill')
    const linked = await task.startLink(self, remote('waits', self.pid), at)
    await waiting()
    self.exit(linked, 'odd')
    t.equal(await exited(), 'odd')
    await nothingLeft(t)
  })

  await t.test('a task contains its strays', async (t) => {
    // Main watches no strays: it runs no code of an app.
    if (place === 'here') return
    const result = await task.yield(self, task.asyncNoLink(self, remote('strays'), at))
    t.equal(errorOf(result !== undefined && 'exit' in result && result.exit), 'nobody awaits it')
  })

  await t.test('a result that cannot cross threads is the failure of its task', async (t) => {
    if (place === 'here') return
    const one = task.asyncNoLink(self, remote('uncloneable'), at)
    t.match(await task.yield(self, one), { exit: { error: { code: 'BEAMISH_UNCLONEABLE' } } })
  })

  await t.test('a module or an export that is not there is the failure of the task', async (t) => {
    const missing = task.asyncNoLink(self, remote('noSuchThing'), at)
    t.match(await task.yield(self, missing), { exit: { error: { code: 'BEAMISH_NO_EXPORT' } } })
    const nowhere = task.asyncNoLink(self, { module: new URL('./nowhere.ts', MODULE) }, at)
    t.match(await task.yield(self, nowhere), { exit: { error: { code: 'ERR_MODULE_NOT_FOUND' } } })
  })
}

async function functions(t: Test, node: BeamishNode): Promise<void> {
  const { self } = node
  t.equal(
    await task.await(
      self,
      task.async(self, () => 1),
    ),
    1,
  )
  t.equal(
    await task.await(
      self,
      task.async(self, async (own) => own.parent),
    ),
    self.pid,
  )
  const named = task.asyncNoLink(self, function fetching() {
    throw new Error('no')
  })
  const report = new Promise<{ behaviour: string }>((resolve) => {
    const off = onEvent('crash', (crash) => {
      off()
      resolve(crash)
    })
  })
  await task.yield(self, named)
  t.equal((await report).behaviour, 'task fetching', 'its crash report names the function')
  for (const place of ['any', { scheduler: 1 }] as const) {
    t.throws(() => task.async(self, () => 1, { place }), { code: 'BEAMISH_FUNCTION_ELSEWHERE' })
  }
  t.throws(() => task.async(self, 'give' as never), { code: 'BEAMISH_BAD_OPTION' })
  t.throws(() => task.async(self, { module: './a.ts' }), { code: 'BEAMISH_BAD_OPTION' })
  t.match(
    await rejection(
      task.await(
        self,
        task.async(self, () => 1),
        { timeoutMs: -1 },
      ),
    ),
    {
      code: 'BEAMISH_BAD_TIMEOUT',
    },
  )
}

async function supervised(t: Test, node: BeamishNode): Promise<void> {
  await t.test('startLink links, under a supervisor too', async (t) => {
    const { self } = node
    const run = remote('startsLinked', self.pid)
    const owner = task.asyncNoLink(self, run)
    const started = (await self.receive(isType('waiting'), 5_000)) as unknown as { pid: Pid }
    const ref = self.monitor(started.pid)
    await task.shutdown(self, owner, 'brutal_kill')
    t.equal(await downReason(node, ref), 'killed')
  })

  const { self } = node
  const under = { supervisor: 'tasks' }
  const tasks = (await self.whereis('tasks')) as Pid
  t.equal(await task.await(self, task.async(self, remote('parentOf'), under)), tasks)
  t.same(await task.await(self, task.async(self, remote('callers'), under)), [self.pid])
  const crashed = await task.yield(self, task.asyncNoLink(self, remote('leave', 'odd'), under))
  t.same(crashed, { exit: 'odd' }, 'otp 176: the crash of an unlinked task is an answer')
  const linked = task.async(self, remote('leave', 'linked'), under)
  t.ok(await self.receive((m) => isType('EXIT')(m) && m.reason === 'linked', 5_000))
  t.same(await task.yield(self, linked), { exit: 'linked' })

  const three = [0, 1, 2].map(() => task.async(self, remote('waits', self.pid), under))
  for (const _ of three) await self.receive(isType('waiting'), 5_000)
  t.same(await self.call('tasks', 'countChildren'), { active: 3, restarting: 0 })
  t.same(await task.yield(self, task.async(self, remote('give'), under)), { exit: 'max_children' })
  t.ok((await rejection(task.start(self, remote('give'), under))) === 'max_children')
  await rejection(task.start(self, remote('give'), { supervisor: 'nobody' }))
  for (const one of three) t.equal(await task.shutdown(self, one), undefined)

  const nobody = task.asyncNoLink(self, remote('give'), { supervisor: 'nobody' })
  t.equal(why(((await task.yield(self, nobody)) as { exit: unknown }).exit), 'noproc')
  const elsewhere = task.asyncNoLink(self, () => 1, under)
  t.match(await task.yield(self, elsewhere), {
    exit: { error: { code: 'BEAMISH_FUNCTION_ELSEWHERE' } },
  })
  const started = await task.start(self, remote('waits', self.pid), under)
  const ref = self.monitor(started)
  t.equal(await self.call('tasks', 'terminateChild', started), 'ok')
  t.equal(await downReason(node, ref), 'shutdown')
  t.equal(await self.receive((m) => isDown(ref)(m), 0), undefined)
  t.ok(StartError !== undefined)
}
