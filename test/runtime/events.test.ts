/** A listener that fails: it is told, and nothing ends for it. */
import { onEvent, type RuntimeEvents } from 'beamish'
import t from 'tap'
import { publish } from '../../runtime/events.ts'

type Notice = RuntimeEvents['notice']

const schedulerUp = (scheduler: number): void =>
  publish('schedulerUp', () => ({ scheduler, bootMs: 0 }))

const failing = (): never => {
  throw new Error('a metric is broken')
}

t.test('it is called for later events all the same, and told once', async (t) => {
  const notices: Notice[] = []
  t.teardown(onEvent('notice', (notice) => notices.push(notice)))
  let calls = 0
  const counting = (): never => {
    calls++
    return failing()
  }
  t.teardown(onEvent('schedulerUp', counting))
  t.teardown(onEvent('schedulerUp', counting))
  for (let i = 0; i < 3; i++) schedulerUp(i)
  t.equal(calls, 6)
  t.equal(notices.length, 2, 'once for each')
})

t.test('one whose promise rejects is told like one that throws', async (t) => {
  const noticed = new Promise((resolve) => t.teardown(onEvent('notice', resolve)))
  t.teardown(onEvent('schedulerUp', async () => failing()))
  schedulerUp(1)
  t.match(await noticed, { code: 'listener_failed', event: 'schedulerUp' })
})

t.test('where no notice can tell, a warning of Node does', async (t) => {
  const ours = (warned: Error): boolean => (warned as { code?: string }).code === 'listener_failed'
  // Node itself may warn of something meanwhile, in the same tick.
  const warning = (): Promise<unknown> =>
    new Promise((resolve) => {
      const see = (warned: Error): void => {
        if (!ours(warned)) return
        process.off('warning', see)
        resolve(warned)
      }
      process.on('warning', see)
    })
  await t.test('nobody listens to notices', async (t) => {
    t.teardown(onEvent('schedulerUp', failing))
    const warned = warning()
    schedulerUp(1)
    t.match(await warned, { code: 'listener_failed', message: /a metric is broken/ })
  })
  await t.test('those who listen to notices fail themselves', async (t) => {
    const seen: unknown[] = []
    const see = (warned: Error): void => void (ours(warned) && seen.push(warned))
    process.on('warning', see)
    t.teardown(() => process.off('warning', see))
    t.teardown(onEvent('notice', failing))
    t.teardown(onEvent('notice', failing))
    const warned = warning()
    publish('notice', () => ({ level: 'info', code: 'test', message: 'x' }))
    t.match(await warned, { code: 'listener_failed', message: /listener of notice failed/ })
    await new Promise((resolve) => setImmediate(resolve))
    t.equal(seen.length, 2, 'once for each')
  })
})
