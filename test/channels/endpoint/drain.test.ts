/** How sockets are sent away when a node stops. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BroadcastMessage, StartOptions } from 'beamish'
import { endpoint } from 'beamish/channels'
import t, { type Test } from 'tap'
import { baseOf } from '../../liveview/startApp.ts'
import { type Sockets, startSockets } from '../sockets.ts'
import { WireClient } from '../wireClient.ts'

const app = new URL('./drain.app.ts', import.meta.url)
const start = (options: StartOptions = {}): Promise<Sockets> =>
  startSockets({ schedulers: 1, ...options }, app)

async function open({ node }: Sockets, id: string, topics: readonly string[]): Promise<WireClient> {
  const wire = await WireClient.connect(await baseOf(node, id), { path: '/socket/websocket' })
  for (const topic of topics) await wire.join(topic)
  return wire
}

t.test('channels 58: so many sockets are told to go, the next after a pause', async (t) => {
  const sockets = await start({ shutdownTimeoutMs: 5_000 })
  t.teardown(() => sockets.node.stop())
  const wires: WireClient[] = []
  for (let i = 0; i < 5; i++) wires.push(await open(sockets, 'paced', i % 2 ? [`room:${i}`] : []))
  const gone: WireClient[] = []
  const batch = new Promise<void>((resolve) => {
    for (const wire of wires) {
      wire.closed.then(() => {
        gone.push(wire)
        if (gone.length === 2) resolve()
      })
    }
  })
  const stopped = sockets.node.stop()
  await batch
  const told = [...gone]
  for (const wire of told) t.equal((await wire.closed).code, 1012)
  // The pause is longer than the whole stop: the others are still there, and answered.
  for (const wire of wires) if (!told.includes(wire)) await wire.settled()
  for (const wire of wires) {
    t.not((await wire.closed).code, 1000, 'in the end all are gone, and come back')
    t.same(wire.unread, [], 'no phx_close: after one a client stays away')
  }
  await stopped
})

t.test('channels end with draining, and their clients are closed with 1012', async (t) => {
  const sockets = await start()
  t.teardown(() => sockets.node.stop())
  const wire = await open(sockets, 'endpoint', ['room:a', 'trap:a'])
  const stopped = sockets.node.stop()
  t.equal((await wire.closed).code, 1012)
  t.same(wire.unread, [])
  await stopped
})

/** What the channels of the app note, in a file that outlives its node. */
function noted(t: Test): () => string[] {
  const file = join(t.testdir(), 'notes')
  writeFileSync(file, '')
  process.env.DRAIN_NOTES = file
  return () => readFileSync(file, 'utf8').trimEnd().split('\n')
}

const SHUTDOWN_MS = 20_000
/** A stop that waits for something it should not takes all but two seconds of its time. */
const PROMPT_MS = 12_000

t.test('joins that come while a node begins its drain all end, and run terminate', async (t) => {
  const notes = noted(t)
  const sockets = await start({ shutdownTimeoutMs: SHUTDOWN_MS })
  t.teardown(() => sockets.node.stop())
  const wires = await Promise.all(Array.from({ length: 10 }, () => open(sockets, 'endpoint', [])))
  const joins = Array.from({ length: 90 }, (_, i) =>
    JSON.stringify([String(i), String(i), `noting:${i}`, 'phx_join', {}]),
  )
  const startedMs = performance.now()
  let stopped: Promise<void> | undefined
  for (const wire of wires) {
    for (const frame of joins) wire.raw(frame)
    if (wire === wires[2]) stopped = sockets.node.stop()
  }
  await stopped
  t.ok(performance.now() - startedMs < PROMPT_MS)
  const lines = notes()
  const taken = lines.filter((line) => line.startsWith('joined'))
  const ended = lines.filter((line) => line.endsWith('{"shutdown":"draining"}'))
  t.equal(ended.length, taken.length)
})

t.test('a join under way holds a drain up no longer than a moment', async (t) => {
  for (const topic of ['joining:taken', 'joining:refused', 'joining:never']) {
    const notes = noted(t)
    const sockets = await start({ shutdownTimeoutMs: SHUTDOWN_MS })
    sockets.node.self.subscribe('test.joining')
    const wire = await open(sockets, 'endpoint', [])
    wire.send({ joinRef: '1', ref: '1', topic, event: 'phx_join', payload: {} })
    await sockets.node.self.receive((one) => (one as BroadcastMessage).event === 'runs')
    const startedMs = performance.now()
    await sockets.node.stop()
    t.ok(performance.now() - startedMs < PROMPT_MS, topic)
    t.equal((await wire.closed).code, 1012, topic)
    const ended = topic === 'joining:taken' ? [`ended ${topic} {"shutdown":"draining"}`] : ['']
    t.same(notes(), ended, 'terminate of a join that was taken, and of no other')
  }
})

t.test(
  'channels 58: without a drain they close with 1001, and their clients come back',
  async (t) => {
    const sockets = await start()
    t.teardown(() => sockets.node.stop())
    const wire = await open(sockets, 'never', ['room:n', 'trap:n'])
    const stopped = sockets.node.stop()
    t.equal((await wire.closed).code, 1001)
    t.same(
      wire.unread.filter(({ event }) => event === 'phx_close'),
      [],
    )
    await stopped
  },
)

t.test('differs: channels 58: options of a drain are figures, and checked', async (t) => {
  for (const drain of [{ batchSize: 0 }, { pauseMs: -1 }, { batchSize: 1.5 }]) {
    t.throws(() => endpoint({ drain }), { code: 'BEAMISH_BAD_OPTION' })
  }
  t.doesNotThrow(() => endpoint({ port: 0, drain: { pauseMs: 0 } }))
})
