/** A listener of events that fails costs neither main nor its thread. */
import { onEvent, type RuntimeEvents } from 'beamish'
import t from 'tap'
import { nextEvent, startNode } from '../kit.ts'
import { Contained, Witness } from './apps/strays.ts'

type Notice = RuntimeEvents['notice']

const APP = new URL('./apps/strays.ts', import.meta.url)

t.test('a listener on main that throws at the loss of a thread ends nothing', async (t) => {
  const node = await startNode(APP, 1)
  t.teardown(() => node.stop())
  const notices: Notice[] = []
  t.teardown(onEvent('notice', (notice) => notices.push(notice)))
  t.teardown(
    onEvent('schedulerLost', () => {
      throw new Error('a metric is broken')
    }),
  )
  const up = nextEvent('schedulerUp')
  node.killThread(1)
  t.match(await up, { scheduler: 2 })
  t.match(
    notices.filter(({ code }) => code === 'listener_failed'),
    [
      {
        level: 'error',
        event: 'schedulerLost',
        message: /schedulerLost failed.*a metric is broken/,
        stack: /listeners\.test/,
      },
    ],
  )
})

t.test(
  'a listener on a thread that throws ends neither the thread nor who published',
  async (t) => {
    const node = await startNode(APP, 1)
    t.teardown(() => node.stop())
    const { self } = node
    const witness = Witness.named('witness')
    await self.call(witness, 'failAtCrashes')
    const pid = await self.spawn(Contained, undefined, { place: { scheduler: 1 }, monitor: true })
    self.cast(pid, 'exit', 0)
    t.match(await self.call(witness, 'nextNotices'), [{ code: 'listener_failed', event: 'crash' }])
    t.match(await self.call(witness, 'crashes'), [{ pid, stray: 'process.exit' }], 'others hear it')
    t.same(node.schedulers(), [1])
  },
)
