/** A thread that does not turn its loop is declared dead, ended and replaced, and the report names who did it. */
import type { BeamishNode, Pid, RuntimeEvents } from 'beamish'
import t from 'tap'
import { schedulerOf } from '../../../runtime/process/pid.ts'
import { isDown, nextEvent, startNode } from '../kit.ts'
import { Blocks, NATIVE_MS } from './apps/blocks.ts'

const APP = new URL('./apps/blocks.ts', import.meta.url)
/** Half of it is the time to be interrupted in, also on a busy machine. */
const MAX_BLOCKED_MS = 2_000
const BLOCKS = Blocks.named('blocks')

type Loss = RuntimeEvents['schedulerLost']

async function victim(node: BeamishNode): Promise<{ pid: Pid; scheduler: number }> {
  const pid = await node.self.whereis('blocks')
  if (pid === undefined) throw new Error('no server')
  return { pid, scheduler: schedulerOf(pid) }
}

for (const { way, frame } of [
  { way: 'spin', frame: /^spinning \(.*blocks\.ts:9:/ },
  { way: 'regex', frame: /^backtracking \(.*blocks\.ts:13:/ },
  { way: 'microtasks', frame: /^chained \(.*blocks\.ts:17:/ },
  { way: 'wait', frame: /^waiting \(.*blocks\.ts:21:/ },
  { way: 'native', frame: undefined },
] as const) {
  t.test(`a thread blocked by: ${way}: is dead to all at once, the culprit is named`, async (t) => {
    const node = await startNode(APP, 2, { maxBlockedMs: MAX_BLOCKED_MS })
    t.teardown(() => node.stop())
    const { pid, scheduler } = await victim(node)
    const ref = node.self.monitor(pid)
    const [lost, ended, up] = [
      nextEvent('schedulerLost'),
      nextEvent('schedulerEnded'),
      nextEvent('schedulerUp'),
    ]
    const started = performance.now()
    node.self.cast(BLOCKS, way)
    const loss: Loss = await lost
    const toldAfterMs = performance.now() - started
    t.equal(loss.scheduler, scheduler)
    t.equal(loss.cause, 'stuck')
    t.match(loss.ranLast, { behaviour: 'blocks', message: way })
    t.ok((loss.blockedMs ?? 0) >= MAX_BLOCKED_MS, `blocked for ${loss.blockedMs} ms`)
    if (frame === undefined) t.equal(loss.stack, undefined, 'a native call has no stack to show')
    else t.match(loss.stack?.[0], frame)
    const down = await node.self.receive(isDown(ref), 5_000)
    t.strictSame(down?.reason, { noconnection: { scheduler, cause: 'stuck' } })
    t.ok(toldAfterMs < NATIVE_MS, `told after ${toldAfterMs} ms, not once the call is over`)
    t.not((await up).scheduler, scheduler, 'a replacement is up')
    const again = await ended
    t.equal(again.scheduler, scheduler)
    if (way === 'native') t.ok(again.afterMs > 1_000, 'its sockets closed later')
  })
}

t.test('what a thread declared dead would have said later is never heard', async (t) => {
  const node = await startNode(APP, 2, { maxBlockedMs: MAX_BLOCKED_MS })
  t.teardown(() => node.stop())
  const ended = nextEvent('schedulerEnded')
  node.self.cast(BLOCKS, 'nativeThenSend', node.self.pid)
  t.equal(await node.self.receive(undefined, 5_000), 'before')
  await ended
  t.equal(await node.self.receive(undefined, 0), undefined)
})

t.test('a heap that fills up costs its thread, not the node', async (t) => {
  const node = await startNode(APP, 2, { resourceLimits: { maxOldGenerationSizeMb: 48 } })
  t.teardown(() => node.stop())
  const { pid, scheduler } = await victim(node)
  const ref = node.self.monitor(pid)
  const [lost, up] = [nextEvent('schedulerLost'), nextEvent('schedulerUp')]
  node.self.cast(BLOCKS, 'heap')
  t.match(await lost, {
    scheduler,
    cause: 'heap',
    message: /MB of its heap were in use after a collection|memory limit/,
    ranLast: { behaviour: 'blocks', message: 'heap' },
  })
  const down = await node.self.receive(isDown(ref), 5_000)
  t.strictSame(down?.reason, { noconnection: { scheduler, cause: 'heap' } })
  await up
  t.equal(node.schedulers().length, 2)
})
