import { type BeamishNode, type BroadcastMessage, start } from 'beamish'
import type { UpgradesReport } from 'beamish/channels'
import t from 'tap'
import { joinPayload, visit } from '../../liveview/liveClient.ts'
import { baseOf } from '../../liveview/startApp.ts'
import {
  type Channel,
  outcome,
  type Push,
  phoenixSocket,
  type Socket,
  type SocketOptions,
} from '../phoenixClient.ts'
import { WireClient } from '../wireClient.ts'
import { endpoints } from './paced.app.ts'
import { RawUpgrade, type RawUpgradeOptions, type UpgradeAnswer } from './rawUpgrade.ts'

async function startPaced(schedulers: number): Promise<BeamishNode> {
  const node = await start(new URL('./paced.app.ts', import.meta.url), {
    schedulers,
    log: false,
    development: false,
    execArgv: ['--conditions=beamish-source'],
  })
  node.self.subscribe('test.upgrades')
  return node
}

/** The next report of an endpoint that is as wanted. */
async function reported(
  node: BeamishNode,
  endpoint: string,
  wanted: (report: UpgradesReport) => boolean,
): Promise<UpgradesReport> {
  const message = await node.self.receive((one): one is BroadcastMessage => {
    const { payload } = one as { payload?: UpgradesReport }
    return payload?.endpoint === endpoint && wanted(payload)
  }, 15_000)
  if (message === undefined) throw new Error(`no such report of ${endpoint}`)
  return message.payload as UpgradesReport
}

/** Fills the line of an endpoint that lets two wait: who waits, who does not, and what the one too many was told. */
async function fill(base: string): Promise<Filled> {
  const refusals: UpgradeAnswer[] = []
  // At most one is admitted, two wait.
  const all = Array.from({ length: 4 }, () => new RawUpgrade(base))
  const answered = new Set<RawUpgrade>()
  await new Promise<void>((resolve, reject) => {
    for (const one of all) {
      one.answer.then((answer) => {
        answered.add(one)
        if (answer.status === 503) refusals.push(answer)
        if (answered.size === 2) resolve()
      }, reject)
    }
  })
  const [refused] = refusals
  if (refused === undefined) throw new Error('nobody was refused')
  return { waiting: all.filter((one) => !answered.has(one)), answered: [...answered], refused }
}

interface Filled {
  readonly waiting: readonly RawUpgrade[]
  readonly answered: readonly RawUpgrade[]
  readonly refused: UpgradeAnswer
}

const node = await startPaced(1)
t.teardown(() => node.stop())

t.test('300 at once all get in, paced, in order; an open socket goes on meanwhile', async (t) => {
  const base = await baseOf(node, 'slow')
  const open = await WireClient.connect(base)
  const startMs = performance.now()
  const many = (count: number): RawUpgrade[] =>
    Array.from({ length: count }, () => new RawUpgrade(base))
  const answers = (all: readonly RawUpgrade[]): Promise<UpgradeAnswer[]> =>
    Promise.all(all.map(({ answer }) => answer))
  const first = many(200)
  let done = false
  const beats = (async () => {
    let slowestMs = 0
    while (!done) {
      const sentMs = performance.now()
      await open.push('phoenix', 'heartbeat')
      slowestMs = Math.max(slowestMs, performance.now() - sentMs)
      await node.self.sleep(10)
    }
    return slowestMs
  })()
  await reported(node, 'slow', ({ admitted, waiting }) => admitted + waiting === 201)
  const second = many(100)
  const [firstIn, secondIn] = await Promise.all([answers(first), answers(second)])
  done = true
  const all = [...firstIn, ...secondIn]
  t.ok(all.every(({ status }) => status === 101))
  const times = all.map(({ atMs }) => atMs - startMs).sort((a, b) => a - b)
  const over = times.findIndex((ms, i) => i + 1 > 20 + (100 * ms) / 1_000)
  t.equal(over, -1, 'never more than the burst and 100 a second')
  const lastOfFirst = Math.max(...firstIn.map(({ atMs }) => atMs))
  t.ok(
    secondIn.every(({ atMs }) => atMs >= lastOfFirst),
    'who came later is in later',
  )
  t.ok((await beats) < 1_000, 'every heartbeat was answered meanwhile')
  t.match(await reported(node, 'slow', ({ waiting }) => waiting === 0), {
    scheduler: 1,
    admitted: 301,
    left: 0,
    refused: { full: 0, late: 0, stopping: 0, early: 0 },
  })
  await open.close()
  for (const one of [...first, ...second]) one.hangUp()
})

t.test('one whose turn would come too late is a 503 at once; the others get in', async (t) => {
  const base = await baseOf(node, 'bound')
  const startMs = performance.now()
  const { waiting, refused } = await fill(base)
  t.equal(refused.status, 503)
  t.ok(refused.atMs - startMs < 1_000, 'long before its wait is over')
  t.equal(refused.headers.get('retry-after'), '2')
  for (const one of waiting) t.equal((await one.answer).status, 101)
  t.match(await reported(node, 'bound', (report) => report.waiting === 0), {
    admitted: 3,
    refused: { full: 1, late: 0 },
  })
})

t.test('one that hangs up while it waits leaves the line', async (t) => {
  const base = await baseOf(node, 'hangUp')
  const { waiting } = await fill(base)
  const [one, other] = waiting
  one?.hangUp('end')
  other?.hangUp('reset')
  t.match(await reported(node, 'hangUp', (report) => report.waiting === 0), {
    admitted: 1,
    left: 2,
    refused: { full: 1 },
  })
  t.equal((await new RawUpgrade(base).answer).status, 101)
})

t.test('an address that fills the line keeps nobody from another one out', async (t) => {
  const base = await baseOf(node, 'crowded')
  const loud = Array.from({ length: 200 }, () => new RawUpgrade(base))
  let refused = 0
  let heard = (): void => {}
  for (const { answer } of loud) {
    answer.then(
      ({ status }) => {
        if (status === 503) refused++
        heard()
      },
      () => {},
    )
  }
  const refusals = (count: number): Promise<void> =>
    new Promise((resolve) => {
      heard = () => {
        if (refused >= count) resolve()
      }
      heard()
    })
  await refusals(50)
  const quiet = Array.from({ length: 5 }, () => new RawUpgrade(base, { localAddress: '127.0.0.2' }))
  for (const { answer } of quiet) t.equal((await answer).status, 101)
  const all = ({ admitted, waiting, refused }: UpgradesReport): number =>
    admitted + waiting + refused.full
  const report = await reported(node, 'crowded', (report) => all(report) === 205)
  t.match(report, { left: 0, refused: { late: 0 } })
  // Who had to make room is told.
  await refusals(report.refused.full)
  for (const one of [...loud, ...quiet]) one.hangUp()
})

t.test('who has waited too long, as others had their turns, is answered 503', async (t) => {
  const base = await baseOf(node, 'impatient')
  const startMs = performance.now()
  const mine = Array.from({ length: 4 }, () => new RawUpgrade(base))
  let asking = true
  // Each has one in the line all the time: after each of mine six others have their turn.
  const others = [2, 3, 4, 5, 6, 7].map(async (i) => {
    while (asking) {
      const one = new RawUpgrade(base, { localAddress: `127.0.0.${i}` })
      t.equal((await one.answer).status, 101)
      one.hangUp()
    }
  })
  const answers = await Promise.all(mine.map(({ answer }) => answer))
  asking = false
  await Promise.all(others)
  const late = answers.filter(({ status }) => status === 503)
  t.ok(late.length > 0)
  for (const { atMs, headers } of late) {
    t.ok(atMs - startMs >= 500, `after ${atMs - startMs} ms`)
    t.match(headers.get('retry-after'), /^\d+$/)
  }
  t.match(await reported(node, 'impatient', (report) => report.waiting === 0), {
    refused: { full: 0, late: late.length },
  })
})

t.test('one that sends more before its answer is 400, also while it waits', async (t) => {
  const base = await baseOf(node, 'early')
  const hello = '["1","1","phoenix","heartbeat",{}]'
  const flood = Array.from({ length: 21 }, () => new RawUpgrade(base))
  await reported(node, 'early', (report) => report.waiting > 10)
  const last = flood.pop()
  last?.speak(hello)
  t.equal((await last?.answer)?.status, 400)
  for (const one of flood) one.speak('x'.repeat(4_194_304))
  const report = await reported(node, 'early', ({ waiting }) => waiting === 0)
  t.ok(report.refused.early > 10, 'and nobody waits on')
  t.equal(report.admitted + report.refused.early, 21)
  t.equal((await new RawUpgrade(base, { more: hello }).answer).status, 400)
})

t.test('a wrong path, origin or version is refused at once, before any wait', async (t) => {
  const base = await baseOf(node, 'strict')
  const { waiting } = await fill(base)
  const statusOf = async (options: RawUpgradeOptions): Promise<number> =>
    (await new RawUpgrade(base, options).answer).status
  t.equal(await statusOf({ path: '/nothing' }), 404)
  t.equal(await statusOf({ origin: 'http://example.com' }), 403)
  t.equal(await statusOf({ path: '/live/websocket?vsn=9.0.0' }), 403)
  for (const one of waiting) one.hangUp()
})

t.test('the official client gets in by itself after a 503, and joins again', async (t) => {
  const base = await baseOf(node, 'official')
  const page = await openPage(base)
  await page.joined
  const { waiting } = await fill(base)
  const failed = new Promise<string>((resolve) => {
    page.socket.onError(({ message }) => resolve(message))
  })
  const joinedAgain = page.nextJoin()
  page.socket.conn.terminate()
  t.match(await failed, /503/)
  await joinedAgain
  t.match(await outcome(page.channel.push('event', add)), ['ok', { diff: { 1: '1' } }], 'anew')
  for (const one of waiting) t.equal((await one.answer).status, 101, 'they were there before')
  await page.close()
})

t.test('a first join that times out while its socket waits is made when it opens', async (t) => {
  const base = await baseOf(node, 'firstJoin')
  t.equal((await new RawUpgrade(base).answer).status, 101)
  const page = await openPage(base, { timeout: 100 })
  const timedOut = new Promise<boolean>((resolve) => {
    page.join.receive('timeout', () => resolve(page.socket.isConnected()))
  })
  t.equal(await timedOut, false)
  await page.joined
  t.match(await outcome(page.channel.push('event', add)), ['ok', { diff: { 1: '1' } }])
  await page.close()
})

t.test('an endpoint that is killed refuses those who wait', async (t) => {
  const base = await baseOf(node, 'killed')
  const { waiting } = await fill(base)
  for (const { pid } of await endpoints.lookup(node.self, 'killed')) node.self.exit(pid, 'kill')
  for (const one of waiting) t.equal((await one.answer).status, 503)
})

t.test('a node does not wait for an endpoint that was killed when it stops', async (t) => {
  const stopping = await startPaced(1)
  const [first] = await endpoints.lookup(stopping.self, 'killed')
  if (first === undefined) throw new Error('there is no such endpoint')
  const down = stopping.self.monitor(first.pid)
  stopping.self.exit(first.pid, 'kill')
  await stopping.self.receive((one) => (one as { ref?: unknown }).ref === down)
  const startMs = performance.now()
  await stopping.stop()
  t.ok(performance.now() - startMs < 10_000, 'long before the deadline of 30 s')
})

t.test('a node that stops refuses those who wait at once', async (t) => {
  const stopping = await startPaced(1)
  const base = await baseOf(stopping, 'stopping')
  const { waiting, answered } = await fill(base)
  const stopped = stopping.stop()
  for (const one of waiting) {
    const { status, headers } = await one.answer
    t.equal(status, 503)
    t.equal(headers.get('retry-after'), '1')
  }
  for (const one of answered) one.hangUp()
  await stopped
})

t.test(
  'clients of a lost thread come back by themselves, paced, on any thread, and join',
  async (t) => {
    const pair = await startPaced(2)
    t.teardown(() => pair.stop())
    const base = await baseOf(pair, 'shared')
    const pages = await Promise.all(Array.from({ length: 60 }, () => openPage(base)))
    const schedulers = await Promise.all(pages.map(({ joined }) => joined))
    const of = (scheduler: string): OpenPage[] =>
      pages.filter((_, i) => schedulers[i] === scheduler)
    const [lost, staying] = [of('1'), of('2')]
    t.ok(lost.length > 10 && staying.length > 10, `${lost.length} and ${staying.length}`)
    for (const { channel } of pages) t.match(await outcome(channel.push('event', add)), ['ok', {}])
    let closes = 0
    for (const { socket } of staying) socket.onClose(() => closes++)
    const startMs = performance.now()
    const returns = lost.map(async (page) => {
      const opened = new Promise<number>((resolve) => {
        page.socket.onOpen(() => resolve(performance.now() - startMs))
      })
      const scheduler = await page.nextJoin()
      return { scheduler, openedMs: await opened }
    })
    pair.killThread(1)
    const back = await Promise.all(returns)
    t.ok(back.every(({ scheduler }) => scheduler === '2' || scheduler === '3'))
    for (const thread of ['2', '3']) {
      const there = back.filter(({ scheduler }) => scheduler === thread)
      const times = there.map(({ openedMs }) => openedMs).sort((a, b) => a - b)
      const over = times.findIndex((ms, i) => i + 1 > 5 + (20 * ms) / 1_000)
      t.equal(over, -1, `never more than the burst and 20 a second on thread ${thread}`)
    }
    const counts = async (all: readonly OpenPage[]): Promise<unknown[]> =>
      Promise.all(all.map(({ channel }) => outcome(channel.push('event', add))))
    for (const answer of await counts(lost)) t.match(answer, ['ok', { diff: { 1: '1' } }], 'anew')
    for (const answer of await counts(staying)) t.match(answer, ['ok', { diff: { 1: '2' } }])
    t.equal(closes, 0, 'who was on the other thread noticed nothing')
    await Promise.all(pages.map((page) => page.close()))
  },
)

const add = { type: 'click', event: 'add', value: {} }

interface OpenPage {
  readonly socket: Socket
  readonly channel: Channel
  readonly join: Push
  /** The thread of the first join. */
  readonly joined: Promise<string>
  /** The thread of the join that comes next. */
  nextJoin(): Promise<string>
  close(): Promise<void>
}

/** A page of the official client, with its own times between tries. */
async function openPage(base: string, options: SocketOptions = {}): Promise<OpenPage> {
  const page = await visit(base, '/')
  const headers = { origin: base, cookie: page.cookie ?? '' }
  const socket = phoenixSocket(base, headers, {
    params: { _csrf_token: page.csrf },
    reconnectAfterMs: undefined,
    rejoinAfterMs: undefined,
    ...options,
  })
  socket.connect()
  const channel = socket.channel(`lv:${page.id}`, joinPayload(page))
  let joined: (scheduler: string) => void = () => {}
  const nextJoin = (): Promise<string> =>
    new Promise((resolve) => {
      joined = resolve
    })
  const first = nextJoin()
  const join = channel.join()
  join.receive('ok', ({ rendered }) => joined((rendered as Record<string, string>)[0] ?? ''))
  return {
    socket,
    channel,
    join,
    joined: first,
    nextJoin,
    close: () => new Promise((resolve) => socket.disconnect(resolve)),
  }
}
