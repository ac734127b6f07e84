/** What a process leaves behind and what becomes of it: ends that process, or the thread if it is nobody's, never the node. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BeamishNode, formatPid, type Name, type Pid } from 'beamish'
import t, { type Test } from 'tap'
import { nextEvent, rejection, SOURCE, startNode } from '../kit.ts'
import {
  Contained,
  ContainedRaw,
  type Hostile,
  hostile,
  type KindName,
  kinds,
  type Order,
  Plain,
  Witness,
} from './apps/strays.ts'

const APP = new URL('./apps/strays.ts', import.meta.url)
const kindNames = Object.keys(kinds) as KindName[]
const hostiles = Object.keys(hostile) as Hostile[]
const whens = ['at once', 'after an await'] as const
const witness = Witness.named('witness')

/** What answers to the casts of a leaver. */
type Leaver = Pid<ReturnType<typeof Plain.named> extends Name<infer P> ? P : never>

async function reasonOf(node: BeamishNode, pid: Pid): Promise<unknown> {
  const down = await node.self.receive(
    (m): m is { reason: unknown } =>
      (m as { type?: string }).type === 'DOWN' && (m as { object?: unknown }).object === pid,
    10_000,
  )
  if (down === undefined) throw new Error(`${pid} did not end`)
  return down.reason
}

/** The error of a kind, as data. */
const errorOf = (kind: KindName): object =>
  kinds[kind].stray === 'process.exit'
    ? {
        error: { code: 'BEAMISH_PROCESS_EXIT', message: /process\.exit\(4\)/, stack: /strays\.ts/ },
      }
    : { error: { name: 'Error', message: kind, stack: /strays\.ts/ } }

t.test('of a process that contains its strays', async (t) => {
  const node = await startNode(APP, 1)
  t.teardown(() => node.stop())
  const { self } = node
  const here = { place: { scheduler: 1 }, monitor: true } as const
  const server = await self.spawn(Contained, undefined, here)
  const neighbours: Record<string, Pid> = {
    witness: (await self.whereis('witness')) as Pid,
    plain: await self.spawn(Plain, undefined, here),
    server,
    raw: await self.spawn(ContainedRaw, undefined, here),
  }

  const allElseLives = async (t: Test): Promise<void> => {
    t.same(node.schedulers(), [1], 'its thread lives')
    t.equal(await self.whereis('witness'), neighbours.witness)
    for (const [name, pid] of Object.entries(neighbours)) t.ok(await self.alive(pid), name)
  }
  const ends = async (t: Test, pid: Pid, behaviour: string, kind: KindName): Promise<void> => {
    t.match(await reasonOf(node, pid), errorOf(kind), 'it ends with the error as its reason')
    const { stray } = kinds[kind]
    const [report, ...more] = await self.call(witness, 'crashes')
    t.match(report, { pid, behaviour, stray, reason: errorOf(kind) }, 'and a report says so')
    t.same(more, [], 'once')
    await allElseLives(t)
  }

  for (const kind of kindNames) {
    for (const when of whens) {
      const order: Order = { kind, when }
      t.test(`${kind}, left ${when} in a server's handler, ends the server`, async (t) => {
        const pid = await self.spawn(Contained, undefined, here)
        self.cast(pid, 'leave', order)
        await ends(t, pid, 'test.contained', kind)
      })
      t.test(`${kind}, left ${when} by a raw process, ends it`, async (t) => {
        const pid = await self.spawn(ContainedRaw, undefined, here)
        self.send(pid, { order })
        await ends(t, pid, 'test.containedRaw', kind)
      })
      t.test(`${kind}, left ${when} in the init of a named server, ends it`, async (t) => {
        const pid = await self.spawn(Contained, order, { ...here, name: 'named' })
        await ends(t, pid, 'test.contained', kind)
      })
    }

    t.test(`${kind}, left by a function it spawned, ends that function's process`, async (t) => {
      self.cast(server, 'function', { kind, when: 'at once' })
      const [report] = await self.call(witness, 'nextCrashes')
      t.match(report, { behaviour: 'anonymous', stray: kinds[kind].stray, reason: errorOf(kind) })
      await allElseLives(t)
    })

    t.test(`${kind}, left by one that has ended since, ends nothing`, async (t) => {
      const pid = await self.spawn(Contained, undefined, here)
      self.cast(pid, 'leaveAndEnd', { kind, when: 'at once' })
      t.equal(await reasonOf(node, pid), 'normal')
      if (kind === 'a forgotten await of the runtime') {
        await self.call(witness, 'later')
        t.same(await self.call(witness, 'notices'), [], 'what the dead await never comes')
      } else {
        const { stray } = kinds[kind]
        const what = stray === 'process.exit' ? 'process.exit' : kind
        const message = new RegExp(`${formatPid(pid)}, which has ended, .*${what}`)
        const notice = { code: 'stray_after_exit', stray, message }
        t.match(await self.call(witness, 'nextNotices'), [notice])
      }
      t.same(await self.call(witness, 'crashes'), [])
      await allElseLives(t)
    })
  }

  t.test('a call nobody awaits fails: it is the stray of the caller', async (t) => {
    const [caller, callee, killer] = [
      await self.spawn(Contained, undefined, here),
      await self.spawn(Contained, undefined, here),
      await self.spawn(Contained, undefined, here),
    ]
    self.cast(caller, 'callForgotten', callee)
    self.cast(killer, 'kill', callee)
    t.equal(await reasonOf(node, callee), 'killed')
    t.match(await reasonOf(node, caller), { call: { event: 'never' }, reason: 'killed' })
    t.match(await self.call(witness, 'crashes'), [{ pid: caller, stray: 'unhandledRejection' }])
    t.ok(await self.alive(killer), 'not of the one who ran just then')
    await allElseLives(t)
  })

  for (const behaviour of [Contained, Plain]) {
    t.test(`a throw in an abort listener of ${behaviour.name} ends nothing`, async (t) => {
      const pid = await self.spawn(behaviour, undefined, here)
      const killer = await self.spawn(Contained, undefined, here)
      self.cast(pid, 'abortListener')
      self.cast(killer, 'kill', pid)
      t.equal(await reasonOf(node, pid), 'killed')
      const message = new RegExp(`${formatPid(pid)}, which has ended, .*an abort listener`)
      t.match(await self.call(witness, 'nextNotices'), [{ code: 'stray_after_exit', message }])
      t.ok(await self.alive(killer), 'not the one who ended it')
      await allElseLives(t)
    })

    t.test(`process.exit in a handler of ${behaviour.name} ends its process`, async (t) => {
      const pid = await self.spawn(behaviour, undefined, here)
      self.cast(pid, 'exit', 0)
      const reason = { error: { code: 'BEAMISH_PROCESS_EXIT', message: /process\.exit\(0\)/ } }
      t.match(await reasonOf(node, pid), reason)
      const [report] = await self.call(witness, 'crashes')
      t.match(report, { pid, stray: 'process.exit', reason, lastMessage: { cast: 'exit' } })
      await allElseLives(t)
    })

    t.test(`process.exit that is caught ends its process: ${behaviour.name}`, async (t) => {
      const pid = await self.spawn(behaviour, undefined, here)
      self.cast(pid, 'exitCaught')
      t.match(await reasonOf(node, pid), { error: { code: 'BEAMISH_PROCESS_EXIT' } })
      t.match(await self.call(witness, 'crashes'), [{ pid, stray: 'process.exit' }])
      await allElseLives(t)
    })

    t.test(`process.exit in the init of a named ${behaviour.name} ends it`, async (t) => {
      const started = self.start(behaviour, 'exit', { place: { scheduler: 1 }, name: 'exiting' })
      t.match(await rejection(started), { error: { code: 'BEAMISH_PROCESS_EXIT' } })
      t.match(await self.call(witness, 'crashes'), [{ stray: 'process.exit' }])
      await allElseLives(t)
    })
  }

  for (const what of hostiles) {
    // Node itself drops the rejection of a revoked object: it ends nothing and is told nowhere.
    for (const rejected of what.startsWith('a revoked') ? [false] : [false, true]) {
      t.test(`${what}, ${rejected ? 'rejected' : 'thrown'}, ends its process`, async (t) => {
        const pid = await self.spawn(Contained, undefined, here)
        self.cast(pid, 'leaveHostile', { what, rejected })
        await reasonOf(node, pid)
        const stray = rejected ? 'unhandledRejection' : 'uncaughtException'
        t.match(await self.call(witness, 'crashes'), [{ pid, stray, reason: {} }])
        await allElseLives(t)
      })
    }
  }

  t.test('terminate ran for those alone that had ended by themselves', async (t) => {
    t.equal(await self.call(witness, 'terminated'), kindNames.length)
  })
})

t.test(
  'an interval that fails for ever, left by one that has ended, is told once a second',
  async (t) => {
    const node = await startNode(APP, 1)
    t.teardown(() => node.stop())
    const { self } = node
    type Notice = { at: number; message: string; dropped: number }
    const leave = async (): Promise<Pid> => {
      const pid = await self.spawn(Contained, undefined, { place: { scheduler: 1 } })
      self.cast(pid, 'failForEver')
      return pid
    }
    const next = async (): Promise<Notice> => {
      const [notice, ...more] = (await self.call(witness, 'timedNotices')) as Notice[]
      t.same(more, [])
      t.match(notice, { code: 'stray_after_exit' })
      return notice as Notice
    }
    const first = await leave()
    t.match(await next(), { message: formatPid(first), dropped: 0 }, 'the first one at once')
    const second = await leave()
    const other = await next()
    t.match(other.message, formatPid(second), 'the first one of another process at once, too')
    const later = await next()
    t.ok(later.at - other.at >= 999, 'then nothing for a second')
    t.ok(later.dropped > 10, `${later.dropped} were not told meanwhile`)
    t.match(later.message, `(${later.dropped} more since`)
    const last = await next()
    t.ok(last.at - later.at >= 999)
    t.same(node.schedulers(), [1], 'the thread lives')
  },
)

t.test('of nobody: it ends its thread, and no process is blamed for it', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'beamish-'))
  const file = join(directory, 'log')
  const notes = join(directory, 'notes')
  process.env.BEAMISH_TEST_NOTES = notes
  const node = await startNode(APP, 1, { log: { file }, maxLostThreads: 100 })
  t.teardown(async () => {
    await node.stop()
    delete process.env.BEAMISH_TEST_NOTES
    rmSync(directory, { recursive: true })
  })
  const { self } = node
  let seen = 0
  let losses = 0

  /** A thread with a process that does not contain its strays and one that does, until `leave` has ended it. */
  const lost = async (
    t: Test,
    leave: (plain: Leaver, innocent: Leaver, place: { scheduler: number }) => unknown,
  ) => {
    const scheduler = node.schedulers()[0] as number
    const here = { place: { scheduler }, monitor: true } as const
    const loss = nextEvent('schedulerLost')
    const innocent = await self.spawn(Contained, undefined, here)
    await leave(await self.spawn(Plain, undefined, here), innocent, here.place)
    const event = await loss
    const noconnection = { scheduler, cause: event.cause }
    t.match(await reasonOf(node, innocent), { noconnection }, 'the innocent goes with its thread')
    while (node.schedulers().length === 0 || (await self.whereis('witness')) === undefined) {
      await new Promise((next) => setImmediate(next))
    }
    t.same(node.schedulers(), [scheduler + 1], 'a fresh thread serves')
    const all = readFileSync(file, 'utf8').trim().split('\n')
    const lines = all.slice(seen).map((line) => JSON.parse(line) as Record<string, unknown>)
    seen = all.length
    t.same(
      lines.filter((line) => 'behaviour' in line),
      [],
      'no process is said to have crashed',
    )
    const [report, ...more] = lines.filter((line) => line.code === 'stray')
    t.same(more, [], 'one report')
    t.match(report, { scheduler, level: 50 }, 'written before the thread ended')
    const exits = readFileSync(notes, 'utf8').trim().split('\n').length
    t.equal(exits, ++losses, 'the listeners for exit have run')
    return { event, report, lines }
  }

  for (const kind of kindNames) {
    t.test(`${kind}, left by a process that a contained one told to`, async (t) => {
      const { event, report, lines } = await lost(t, (plain, innocent) =>
        self.cast(innocent, 'tell', { to: plain, order: { kind, when: 'at once' } }),
      )
      const exit = kinds[kind].stray === 'process.exit'
      t.equal(event.cause, exit ? 'exit' : 'error')
      t.match(event.message, exit ? 'exit code 4' : kind, 'main has the error itself')
      t.match(report, { stray: kinds[kind].stray, stack: /apps\/strays\.ts/ })
      const withStack = lines.filter((line) => /apps\/strays\.ts/.test(JSON.stringify(line)))
      t.strictSame(withStack, [report], 'the log has the stack once')
    })
  }

  for (const what of ['an error with a stack that throws', 'a revoked proxy'] as const) {
    t.test(`${what}: the report is true`, async (t) => {
      const { event, report } = await lost(t, (plain) =>
        self.cast(plain, 'leaveHostile', { what, rejected: false }),
      )
      t.equal(event.cause, 'error')
      t.match(report, { stray: 'uncaughtException', msg: /belongs to no process.*(unreadable|x)/ })
    })
  }

  t.test('a forgotten await, left after an await by a process that runs alone', async (t) => {
    const order = { kind: 'a forgotten await of Node', when: 'after an await' } as const
    const { event } = await lost(t, (plain) => self.cast(plain, 'leave', order))
    t.equal(event.cause, 'error')
  })

  t.test('a timer left in the init of a process that a contained one spawned', async (t) => {
    const order = { kind: 'a timer', when: 'at once' } as const
    const { report } = await lost(t, (_, innocent) => self.cast(innocent, 'spawnPlain', order))
    t.match(report, { stray: 'uncaughtException' })
  })

  t.test('a call nobody awaits, whose server a contained process ends', async (t) => {
    const { report } = await lost(t, async (plain, innocent, place) => {
      const callee = await self.spawn(Plain, undefined, { place })
      self.cast(plain, 'callForgotten', callee)
      self.cast(innocent, 'kill', callee)
    })
    t.match(report, { stray: 'unhandledRejection', msg: /call never to .* failed: killed/ })
  })
})

t.test("with a listener of its own the app decides about what is nobody's", async (t) => {
  const node = await startNode(APP, 1)
  t.teardown(() => node.stop())
  const { self } = node
  const here = { place: { scheduler: 1 }, monitor: true } as const
  await self.call(witness, 'listen')
  const plain = await self.spawn(Plain, undefined, here)
  self.cast(plain, 'leave', { kind: 'a timer', when: 'at once' })
  const notice = { code: 'stray', message: /left to the listener/ }
  t.match(await self.call(witness, 'nextNotices'), [notice])
  t.ok(await self.alive(plain))
  const contained = await self.spawn(Contained, undefined, here)
  self.cast(contained, 'leave', { kind: 'a timer', when: 'at once' })
  t.match(await reasonOf(node, contained), errorOf('a timer'), 'what is a process’s still ends it')
  t.same(node.schedulers(), [1])
})

t.test('a listener of the app that throws ends the thread with its own error', async (t) => {
  const node = await startNode(APP, 1)
  t.teardown(() => node.stop())
  const lost = nextEvent('schedulerLost')
  const { self } = node
  await self.call(witness, 'listenAndThrow')
  const contained = await self.spawn(Contained, undefined, { place: { scheduler: 1 } })
  self.cast(contained, 'leave', { kind: 'a timer', when: 'at once' })
  t.match(await lost, { cause: 'error', message: /^Error: the listener of the app/ })
})

t.test('an exit imported from node:process before the runtime is contained like any', async (t) => {
  const preload = '--import=data:text/javascript,import{exit}from"node:process"'
  const node = await startNode(APP, 1, { execArgv: [...SOURCE, preload] })
  t.teardown(() => node.stop())
  const pid = await node.self.spawn(Contained, undefined, {
    place: { scheduler: 1 },
    monitor: true,
  })
  const kind = 'exit of node:process in a forgotten function'
  node.self.cast(pid, 'leave', { kind, when: 'at once' })
  t.match(await reasonOf(node, pid), errorOf(kind))
})
