// otp 177 and 178: streams of tasks, on their owner's thread and on another one.
import { type BeamishNode, type Pid, type Placement, task } from 'beamish'
import t, { type Test } from 'tap'
import { Self } from '../../../runtime/process/self.ts'
import { downReason, isDown, isType, rejection, startNode } from '../kit.ts'
import { MODULE, Owner } from './tasks.app.ts'

const doItem = { module: MODULE, name: 'doItem' }
const waits = { module: MODULE, name: 'waits' }
const why = (reason: unknown): unknown => (reason as { reason?: unknown }).reason

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const one of stream) found.push(one)
  return found
}

t.test('streams', async (t) => {
  const node = await startNode(new URL('./tasks.app.ts', import.meta.url), 2)
  t.teardown(() => node.stop())
  await t.test('on the same scheduler', (t) => suite(t, node, 'here'))
  await t.test('on another thread', (t) => suite(t, node, { scheduler: 2 }))
  await t.test('plain functions', (t) => functions(t, node.self))
})

async function suite(t: Test, node: BeamishNode, place: Placement): Promise<void> {
  const { self } = node
  const waiting = async (): Promise<Pid> => {
    const message = await self.receive(isType('waiting'), 5_000)
    return message?.pid as Pid
  }

  await t.test('otp 177: an ordered stream keeps the order of its input', async (t) => {
    const items = Array.from({ length: 50 }, (_, i) => i)
    const results = await all(task.asyncStream(self, items, doItem, { place, maxConcurrency: 7 }))
    t.same(
      results,
      items.map((i) => ({ ok: i * 2 })),
    )
    t.same(await all(task.asyncStream(self, [], doItem, { place })), [])
  })

  await t.test('one that is finished early waits for those before it', async (t) => {
    const stream = task.asyncStream(self, [self.pid, self.pid], waits, {
      place,
      maxConcurrency: 2,
    })
    const first = stream.next()
    const [slow, fast] = [await waiting(), await waiting()]
    const ref = self.monitor(fast)
    self.send(fast, 'fast')
    t.equal(await downReason(node, ref), 'normal')
    self.send(slow, 'slow')
    t.same((await first).value, { ok: 'slow' })
    t.same((await stream.next()).value, { ok: 'fast' })
    t.equal((await stream.next()).done, true)
  })

  await t.test('otp 177: leaving the loop kills the tasks that still run', async (t) => {
    const stream = task.asyncStream(self, [self.pid, self.pid, self.pid], waits, {
      place,
      maxConcurrency: 3,
    })
    const first = stream.next()
    const pids = [await waiting(), await waiting(), await waiting()]
    const refs = pids.map((pid) => self.monitor(pid))
    self.send(pids[0] as Pid, 'one')
    t.match(await first, { value: { ok: 'one' } })
    t.equal(await downReason(node, refs[0] as never), 'normal')
    await stream.return?.()
    for (const ref of refs.slice(1)) t.equal(await downReason(node, ref), 'killed')
  })

  await t.test('otp 178: with kill_task a timeout is an item', async (t) => {
    const options = { place, timeoutMs: 300, onTimeout: 'kill_task', maxConcurrency: 3 } as const
    const results = task.asyncStream(self, [1, 1_000, 2], doItem, options)
    t.same(await all(results), [{ ok: 2 }, { exit: 'timeout' }, { ok: 4 }])
    const zipped = task.asyncStream(self, [1_000], doItem, { ...options, zipInputOnExit: true })
    t.same(await all(zipped), [{ exit: 'timeout', input: 1_000 }])
  })

  await t.test('otherwise a timeout is the exit of the owner, and no task stays', async (t) => {
    const stream = task.asyncStream(self, [self.pid], waits, { place, timeoutMs: 200 })
    const failed = rejection(all(stream))
    const ref = self.monitor(await waiting())
    t.equal(why(await failed), 'timeout')
    // The monitor of a busy thread may come after the end it asks about.
    t.match(await downReason(node, ref), /^(killed|noproc)$/)
  })

  await t.test('without links a crash is an item', async (t) => {
    const results = await all(
      task.asyncStreamNoLink(self, [1, -1, 2], doItem, { place, zipInputOnExit: true }),
    )
    t.match(results, [{ ok: 2 }, { exit: { error: { message: '-1' } }, input: -1 }, { ok: 4 }])
    t.notOk('input' in (results[0] as object))
  })

  await t.test('the end of its owner, also a normal one, ends the tasks of a stream', async (t) => {
    for (const [reason, link] of [
      ['normal', true],
      ['odd', false],
    ] as const) {
      const owner = await self.spawn(
        Owner,
        { run: 'streams', args: [self.pid, place, link] },
        { place },
      )
      const refs = [self.monitor(await waiting()), self.monitor(await waiting())]
      // A stop is not for raw processes; a kill ends it whatever it does.
      self.exit(owner, reason === 'normal' ? 'shutdown' : reason)
      for (const ref of refs) {
        const end = await self.receive(isDown(ref), 5_000)
        t.ok(['killed', 'shutdown', 'odd'].includes(end?.reason as string), String(end?.reason))
      }
    }
  })

  await t.test('so does one that ends while they start', async (t) => {
    for (const link of [true, false]) {
      const { pid: owner, ref } = self.spawnMonitor(async (own) => {
        const stream = link ? task.asyncStream : task.asyncStreamNoLink
        void stream(own, [self.pid], waits, { place }).next()
        // Its item is asked for in a microtask; the answer to the start is a turn away.
        for (let i = 0; i < 5; i++) await undefined
        return 'over'
      })
      t.equal(await downReason(node, ref), 'normal')
      t.notOk(await self.alive(owner))
      const told = await self.receive(isType('waiting'), place === 'here' ? 0 : 5_000)
      if (told === undefined) continue
      const reason = await downReason(node, self.monitor(told.pid as Pid))
      t.ok(['killed', 'noproc'].includes(reason as string), `${reason}`)
    }
  })
}

async function functions(t: Test, self: Self): Promise<void> {
  await t.test('a task that cannot be started is the failure of the loop', async (t) => {
    const stream = task.asyncStream(self, [1], (_own: Self, n: number) => n, { place: 'any' })
    await t.rejects(all(stream), { code: 'BEAMISH_FUNCTION_ELSEWHERE' })
  })

  await t.test('a source that has nothing to give yet keeps nobody in the loop', async (t) => {
    async function* source() {
      yield 1
      await new Promise(() => {})
    }
    const timers = () => Self.processOf(self).timers
    const before = timers()
    const options = { maxConcurrency: 2, timeoutMs: 60_000 }
    for await (const one of task.asyncStream(self, source(), (_own, n) => n, options)) {
      t.same(one, { ok: 1 })
      break
    }
    t.equal(timers(), before, 'and no timer is left')
  })

  await t.test('no more than maxConcurrency run at a time', async (t) => {
    let [running, most] = [0, 0]
    const run = async (own: Self, n: number) => {
      most = Math.max(most, ++running)
      await own.sleep(n % 3)
      running--
      return n
    }
    const items = Array.from({ length: 30 }, (_, i) => i)
    const found = await all(task.asyncStream(self, items, run, { maxConcurrency: 4 }))
    t.equal(most, 4)
    t.equal(found.length, 30)
  })

  await t.test('unordered, outcomes come as they are ready', async (t) => {
    const gates = [Promise.withResolvers<number>(), Promise.withResolvers<number>()]
    const stream = task.asyncStream(self, gates, (_own, gate) => gate.promise, { ordered: false })
    const first = stream.next()
    gates[1]?.resolve(1)
    t.same((await first).value, { ok: 1 })
    gates[0]?.resolve(0)
    t.same((await stream.next()).value, { ok: 0 })
    t.ok((await stream.next()).done)
  })

  await t.test('what waits behind a slow one is bounded', async (t) => {
    const gate = Promise.withResolvers<number>()
    let started = 0
    const run = (_own: Self, n: number): number | Promise<number> => {
      started++
      return n === 0 ? gate.promise : n
    }
    const items = Array.from({ length: 100 }, (_, i) => i)
    const options = { maxConcurrency: 2, maxBuffered: 5 }
    const stream = task.asyncStream(self, items, run, options)
    const first = stream.next()
    await self.sleep(0)
    // Until nothing more is started, turn after turn.
    for (let before = -1; before !== started; ) {
      before = started
      await self.sleep(1)
    }
    t.ok(started <= 2 + 5, `${started} have started`)
    gate.resolve(0)
    t.same((await first).value, { ok: 0 })
    t.equal((await all(stream)).length, 99)
    t.equal(started, 100)
  })

  await t.test('a source may be asynchronous, and is closed with the stream', async (t) => {
    let closed = 0
    async function* source() {
      try {
        for (let i = 0; ; i++) yield i
      } finally {
        closed++
      }
    }
    const found: unknown[] = []
    for await (const one of task.asyncStream(self, source(), (_own, n) => n)) {
      found.push(one)
      if (found.length === 3) break
    }
    t.same(found, [{ ok: 0 }, { ok: 1 }, { ok: 2 }])
    t.equal(closed, 1)
    function* broken() {
      yield 1
      throw new Error('no more')
    }
    t.match(await rejection(all(task.asyncStream(self, broken(), (_own, n) => n))), {
      message: 'no more',
    })
  })

  await t.test('bad options are refused', async (t) => {
    const run = () => 1
    for (const bad of [{ maxConcurrency: 0 }, { maxBuffered: 1.5 }]) {
      t.throws(() => task.asyncStream(self, [], run, bad), { code: 'BEAMISH_BAD_OPTION' })
    }
    t.throws(() => task.asyncStream(self, [], run, { timeoutMs: -1 }), {
      code: 'BEAMISH_BAD_TIMEOUT',
    })
  })
}
