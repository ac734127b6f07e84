/** A thread replaced on demand: what it has for itself stops, what the node has once moves, nothing it said is lost. */
import { type BeamishNode, type BroadcastMessage, formatPid, onEvent } from 'beamish'
import t from 'tap'
import { ROOT_NAME } from '../../../runtime/node/root.ts'
import { schedulerOf } from '../../../runtime/process/pid.ts'
import type { ChildInfo } from '../../../runtime/supervisor/supervisor.ts'
import { isDown, isType, rejection, startNode } from '../kit.ts'
import { Far, Single, Stubborn } from './apps/vacated.ts'

const APP = new URL('./apps/vacated.ts', import.meta.url)

type Told = BroadcastMessage<string, { what: string; scheduler: number; reason?: unknown }>

/** What was told until the next word of `what` coming up. */
async function until(node: BeamishNode, what: string): Promise<string[]> {
  const told: string[] = []
  for (;;) {
    const message = (await node.self.receive(isType('broadcast'), 10_000)) as Told | undefined
    if (message === undefined) throw new Error(`${what} did not come up; told: ${told.join(', ')}`)
    const { event, payload } = message
    const reason = payload.reason === undefined ? '' : ` ${JSON.stringify(payload.reason)}`
    told.push(`${payload.what} ${event} on ${payload.scheduler}${reason}`)
    if (event === 'up' && payload.what === what) return told
  }
}

async function where(node: BeamishNode, name: string): Promise<number> {
  const pid = await node.self.whereis(name)
  return pid === undefined ? 0 : schedulerOf(pid)
}

t.test(
  'its children stop in order, its singletons move, a fresh thread takes its place and its keys',
  async (t) => {
    const node = await startNode(APP, 2)
    t.teardown(() => node.stop())
    node.self.subscribe('told')
    const id = await where(node, 'single')
    const other = id === 1 ? 2 : 1
    t.equal(await where(node, 'keyed'), id, 'both are on one thread')
    const losses: unknown[] = []
    t.teardown(onEvent('schedulerLost', (loss) => losses.push(loss.cause)))
    const replacement = await node.restartThread(id)
    t.strictSame(await until(node, 'keyed'), [
      `each down on ${id} "shutdown"`,
      `single down on ${id} "shutdown"`,
      `single up on ${other}`,
      `keyed down on ${id} "shutdown"`,
      `each up on ${replacement}`,
      `keyed up on ${replacement}`,
    ])
    const another = await node.self.start(Single, undefined, { place: { key: 'k' } })
    t.equal(schedulerOf(another), replacement, 'where its key leads')
    t.strictSame(losses, ['stopped'])
    t.strictSame(node.schedulers().toSorted(), [other, replacement].toSorted())
  },
)

t.test('everything it has sent is heard before its end is told', async (t) => {
  const node = await startNode(APP, 2)
  t.teardown(() => node.stop())
  const { self } = node
  const id = await where(node, 'keyed')
  const pid = await self.start(Single, undefined, { place: { scheduler: id } })
  const ref = self.monitor(pid)
  const count = 20_000
  self.cast(pid, 'flood', { to: self.pid as never, count })
  await node.restartThread(id)
  for (let n = 0; n < count; n++) {
    const message = await self.receive(undefined, 5_000)
    if ((message as { n?: number } | undefined)?.n !== n) {
      t.strictSame(message, { type: 'flood', n }, 'in order, none missing')
      return
    }
  }
  const down = await self.receive(isDown(ref), 5_000)
  t.strictSame(down?.reason, { noconnection: { scheduler: id, cause: 'stopped' } })
})

t.test(
  'with one thread its singletons wait for the replacement; intensities do not count it',
  async (t) => {
    const node = await startNode(APP, 1, { maxLostThreads: 0 })
    t.teardown(() => node.stop())
    node.self.subscribe('told')
    let id = 1
    for (let round = 0; round < 3; round++) {
      id = await node.restartThread(id)
      const up = new Set<string>()
      while (up.size < 3) {
        const message = (await node.self.receive(isType('broadcast'), 10_000)) as unknown as Told
        if (message.event === 'up')
          up.add(`${message.payload.what} on ${message.payload.scheduler}`)
      }
      t.strictSame([...up].toSorted(), [`each on ${id}`, `keyed on ${id}`, `single on ${id}`])
    }
  },
)

t.test(
  'restarts of all threads at once run one after the other: one is always there',
  async (t) => {
    const node = await startNode(APP, 2)
    t.teardown(() => node.stop())
    const [least] = [{ ready: 2 }]
    t.teardown(
      onEvent('schedulerLost', () => {
        least.ready = Math.min(least.ready, node.schedulers().length)
      }),
    )
    const ids = await Promise.all(node.schedulers().map((id) => node.restartThread(id)))
    t.strictSame(node.schedulers().toSorted(), ids.toSorted())
    t.equal(least.ready, 1)
  },
)

t.test('a temporary child of it is stopped and forgotten', async (t) => {
  const node = await startNode(APP, 2)
  t.teardown(() => node.stop())
  const ids = async () =>
    ((await node.self.call(ROOT_NAME, 'whichChildren')) as ChildInfo[]).map(({ id }) => id)
  t.strictSame(await ids(), ['passing', 'keyed', 'pool', 'single', 'each'])
  await node.restartThread(await where(node, 'keyed'))
  t.strictSame(await ids(), ['keyed', 'pool', 'single', 'each'])
})

t.test('a thread that is lost while it is replaced is replaced all the same', async (t) => {
  const node = await startNode(APP, 2)
  t.teardown(() => node.stop())
  const restarted = node.restartThread(1)
  node.killThread(1)
  t.ok((await restarted) > 2)
  t.equal(node.schedulers().length, 2)
})

t.test('ids that run nothing are refused, and a node that stops is told', async (t) => {
  const node = await startNode(APP, 1)
  await t.rejects(node.restartThread(7), { code: 'BEAMISH_NO_SCHEDULER' })
  const late = node.restartThread(1).catch((error: { code: string }) => error.code)
  await node.stop()
  t.equal(await late, 'BEAMISH_NODE_STOPPED')
  await t.rejects(node.restartThread(1), { code: 'BEAMISH_NODE_STOPPED' })
})

t.test(
  'what supervisors elsewhere have placed there ends in order and starts again, uncounted',
  async (t) => {
    const node = await startNode(APP, 2)
    t.teardown(() => node.stop())
    const { self } = node
    const home = await where(node, 'pool')
    const crashes: unknown[] = []
    t.teardown(onEvent('crash', (report) => crashes.push(report)))
    self.subscribe('told')
    let at = home
    for (let key = 0; at === home; key++) {
      await self.call(
        'pool',
        'startChild',
        Far.child(undefined, { place: { key: `${key}` } }) as never,
      )
      at = Number((await until(node, 'far')).at(-1)?.split(' ').at(-1))
    }
    await node.restartThread(at)
    const told = (await until(node, 'far')).filter((line) => line.startsWith('far'))
    t.equal(told[0], `far down on ${at} {"noconnection":{"scheduler":${at},"cause":"stopped"}}`)
    t.match(told[1], /^far up on /)
    t.strictSame(crashes, [], 'no crash is reported')
  },
)

t.test('what does not end in time is ended by force, and named', async (t) => {
  const node = await startNode(APP, 2)
  t.teardown(() => node.stop())
  const stubborn = await node.self.start(Stubborn, undefined, { place: { scheduler: 1 } })
  const notice = new Promise((resolve) => {
    t.teardown(
      onEvent('notice', (event) => {
        if (event.code === 'restart_forced') resolve(event.message)
      }),
    )
  })
  await node.restartThread(1, { timeoutMs: 200 })
  t.match(await notice, formatPid(stubborn))
  for (const timeoutMs of [Number.NaN, -1, Number.POSITIVE_INFINITY, 2 ** 31]) {
    await t.rejects(node.restartThread(2, { timeoutMs }), { code: 'BEAMISH_BAD_OPTION' })
  }
})

t.test('a restart, and a call, that a stop overtakes are told so', async (t) => {
  const node = await startNode(APP, 2, { shutdownTimeoutMs: 500 })
  const stubborn = await node.self.start(Stubborn, undefined, { place: { scheduler: 1 } })
  const call = node.self.call(stubborn, 'never', undefined, { timeoutMs: 60_000 })
  const failed = rejection(call)
  const restarts = [1, 2].map((id) => rejection(node.restartThread(id)))
  await node.stop()
  for (const error of await Promise.all(restarts)) t.match(error, { code: 'BEAMISH_NODE_STOPPED' })
  t.not(await failed, 'resolved')
  t.match(await rejection(node.self.whereis('single')), { code: 'BEAMISH_NODE_STOPPED' })
})

t.test('when it is through, the replacement has what is placed each', async (t) => {
  const node = await startNode(APP, 2)
  t.teardown(() => node.stop())
  for (const id of node.schedulers()) {
    node.self.subscribe('told')
    const replacement = await node.restartThread(id)
    const told: string[] = []
    for (;;) {
      const message = await node.self.receive(isType('broadcast'), 0)
      if (message === undefined) break
      const { event, payload } = message as unknown as Told
      told.push(`${payload.what} ${event} on ${payload.scheduler}`)
    }
    t.ok(told.includes(`each up on ${replacement}`), told.join(', '))
    node.self.unsubscribe('told')
  }
})

t.test(
  'a supervisor that moves does not wait for its children by key; they come with the replacement, in order',
  async (t) => {
    const node = await startNode(new URL('./apps/nested.ts', import.meta.url), 2)
    t.teardown(() => node.stop())
    const { self } = node
    const forced: string[] = []
    t.teardown(
      onEvent('notice', ({ code, message }) => {
        if (code === 'restart_forced') forced.push(message)
      }),
    )
    const home = await where(node, 'inner')
    self.subscribe('told')
    const replacement = await node.restartThread(home, { timeoutMs: 10_000 })
    const told = await until(node, 'last')
    t.strictSame(forced, [], 'nothing is ended by force')
    const other = home === 1 ? 2 : 1
    const at = (key: string) =>
      (key === 'a' || key === 'c') === (home === 1) ? replacement : other
    t.strictSame(told, [
      ...['a', 'b', 'c', 'd'].map((key) => `${key} up on ${at(key)}`),
      `last up on ${other}`,
    ])
    t.equal(await where(node, 'inner'), other)
  },
)
