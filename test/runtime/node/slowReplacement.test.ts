// A replacement that takes its time, or never gets all it should have: the others do not wait for it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BeamishNode, onEvent, type Pid } from 'beamish'
import t, { type Test } from 'tap'
import { ROOT_NAME } from '../../../runtime/node/root.ts'
import { schedulerOf } from '../../../runtime/process/pid.ts'
import { downReason, nextEvent, startNode, whenNamed } from '../kit.ts'

const SINGLES = ['one', 'two', 'three']

function files(t: Test): { readonly gate: string; readonly notes: string } {
  const directory = mkdtempSync(join(tmpdir(), 'beamish-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const [gate, notes] = [join(directory, 'gate'), join(directory, 'notes')]
  writeFileSync(gate, '')
  writeFileSync(notes, '')
  process.env.BEAMISH_TEST_GATE = gate
  process.env.BEAMISH_TEST_NOTES = notes
  return { gate, notes }
}

const on = async (node: BeamishNode, name: string): Promise<number> => {
  const pid = await node.self.whereis(name)
  return pid === undefined ? 0 : schedulerOf(pid)
}

/** Loses the thread of the keyed child, and waits until the singletons that were there are back. */
async function loseItsThread(node: BeamishNode): Promise<number> {
  const lost = await on(node, 'keyed')
  const there = []
  for (const name of SINGLES) if ((await on(node, name)) === lost) there.push(name)
  if (there.length === 0) throw new Error('no singleton beside the keyed child')
  const gone = nextEvent('schedulerLost')
  node.killThread(lost)
  await gone
  for (const name of there) await whenNamed(node, name, (scheduler) => scheduler !== lost)
  return lost === 1 ? 2 : 1
}

t.test('singletons start on the other thread at once, the keyed child on it', async (t) => {
  const { gate } = files(t)
  const node = await startNode(new URL('./apps/waits.ts', import.meta.url), 2)
  t.teardown(() => node.stop())
  const other = await loseItsThread(node)
  t.same(node.schedulers(), [other], 'it has not loaded the app')
  for (const name of SINGLES) t.equal(await on(node, name), other, name)
  t.match(await node.self.call(ROOT_NAME, 'whichChildren'), [
    {},
    {},
    {},
    { id: 'keyed', pid: 'restarting' },
  ])
  const up = nextEvent('schedulerUp')
  rmSync(gate)
  t.equal(schedulerOf(await whenNamed(node, 'keyed')), (await up).scheduler)
})

t.test('a stop meanwhile is orderly and prompt', async (t) => {
  const { notes } = files(t)
  const node = await startNode(new URL('./apps/waits.ts', import.meta.url), 2)
  await loseItsThread(node)
  const started = performance.now()
  await node.stop()
  t.ok(performance.now() - started < 5_000)
  t.same(readFileSync(notes, 'utf8').trim().split('\n'), ['stop three', 'stop two', 'stop one'])
})

t.test('an init that hangs there of a child placed each holds up nobody else', async (t) => {
  const { notes } = files(t)
  const app = new URL('./apps/tied.ts?hangs=1', import.meta.url)
  const node = await startNode(app, 2)
  const slow = new Promise<string>((resolve) => {
    const off = onEvent('notice', ({ code, message }) => {
      if (code === 'slow_start') resolve(message)
    })
    t.teardown(off)
  })
  const up = nextEvent('schedulerUp')
  node.killThread(2)
  await up
  const last = (await node.self.whereis('last')) as Pid
  const ref = node.self.monitor(last)
  node.self.cast(last, 'crash')
  await downReason(node, ref)
  const children = await node.self.call(ROOT_NAME, 'whichChildren', undefined, { timeoutMs: 2_000 })
  t.match(children, [{ id: 'last', pid: Number }, { id: 'each' }, { id: 'first' }])
  t.match(await slow, /child "each" has been starting on scheduler 3 for 5000 ms/)
  // What leads there waits for the root to go on without the one that hangs.
  await whenNamed(node, 'first')
  writeFileSync(notes, '')
  await node.stop()
  const stopped = readFileSync(notes, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('stop'))
  t.same(stopped, ['stop last', 'stop each', 'stop first'])
})
