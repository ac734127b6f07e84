/** What becomes of a replacement that does not get up itself. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onEvent, type RuntimeEvents } from 'beamish'
import t from 'tap'
import { nextEvent, startNode } from '../kit.ts'

const APP = new URL('./apps/loadsAtTimes.ts', import.meta.url)
const directory = mkdtempSync(join(tmpdir(), 'beamish-'))
t.teardown(() => rmSync(directory, { recursive: true }))
const flag = join(directory, 'flag')
process.env.BEAMISH_TEST_FLAG = flag

t.test(
  'a replacement that fails to load is a lost thread: told, counted, and replaced in turn',
  async (t) => {
    const node = await startNode(APP, 1)
    t.teardown(() => node.stop())
    writeFileSync(flag, '')
    const losses: RuntimeEvents['schedulerLost'][] = []
    const up = nextEvent('schedulerUp')
    t.teardown(
      onEvent('schedulerLost', (loss) => {
        losses.push(loss)
        if (losses.length === 3) rmSync(flag)
      }),
    )
    node.killThread(1)
    t.equal((await up).scheduler, 4)
    t.strictSame(
      losses.map(({ scheduler, cause }) => [scheduler, cause]),
      [
        [1, 'exit'],
        [2, 'error'],
        [3, 'error'],
      ],
    )
    t.match(losses[1]?.message, /BEAMISH_APP_LOAD|the disk is full/)
    t.strictSame(node.schedulers(), [4])
  },
)

t.test('when that does not help, the node ends and says so', async (t) => {
  const node = await startNode(APP, 1, { maxLostThreads: 3 })
  writeFileSync(flag, '')
  t.teardown(() => rmSync(flag, { force: true }))
  node.killThread(1)
  const error = await node.closed
  t.match(error, { code: 'BEAMISH_THREADS_LOST', message: /the disk is full/ })
})

t.test(
  'as long as others serve it is tried again, ever more slowly, and does not count',
  async (t) => {
    const node = await startNode(APP, 2, { maxLostThreads: 1 })
    t.teardown(() => node.stop())
    writeFileSync(flag, '')
    const at: number[] = []
    const up = nextEvent('schedulerUp')
    t.teardown(
      onEvent('schedulerLost', () => {
        at.push(performance.now())
        if (at.length === 4) rmSync(flag)
      }),
    )
    node.killThread(2)
    await up
    t.equal(node.schedulers().length, 2)
    const [, second = 0, third = 0, fourth = 0] = at
    t.ok(third - second >= 100 && fourth - third >= 200, 'pauses of at least 100 and 200 ms')
  },
)
