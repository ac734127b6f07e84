import t from 'tap'
import type { ExitReason } from '../../../runtime/exit/reason.ts'
import type { Restart, Shutdown } from '../../../runtime/supervisor/childSpec.ts'
import { afterExit, isReported, isShutdownError } from '../../../runtime/supervisor/policy.ts'

const orderly: ExitReason[] = ['normal', 'shutdown', { shutdown: 'left' }]
const crashes: ExitReason[] = [
  'boom',
  'killed',
  'kill',
  'noproc',
  { error: { name: 'Error', message: 'no' } },
  { noconnection: { scheduler: 2, cause: 'exit' } },
  null,
  0,
]

t.test('otp 121 to 124: what follows the end of a child', async (t) => {
  for (const reason of [...orderly, ...crashes]) {
    const text = JSON.stringify(reason)
    t.equal(afterExit('permanent', reason), 'restart', `permanent, ${text}`)
    t.equal(afterExit('temporary', reason), 'forget', `temporary, ${text}`)
    const transient = orderly.includes(reason) ? 'keep' : 'restart'
    t.equal(afterExit('transient', reason), transient, `transient, ${text}`)
  }
})

t.test(
  'otp 121: an unasked end is reported, but for an orderly one of what need not live',
  async (t) => {
    for (const reason of crashes) {
      for (const restart of ['permanent', 'transient', 'temporary'] as Restart[]) {
        t.equal(isReported(restart, reason), true, `${restart}, ${JSON.stringify(reason)}`)
      }
    }
    for (const reason of orderly) {
      t.equal(isReported('permanent', reason), true)
      t.equal(isReported('transient', reason), false)
      t.equal(isReported('temporary', reason), false)
    }
  },
)

t.test('otp 139, 140: which ends of a stopped child are a shutdown_error', async (t) => {
  const table: [Restart, Shutdown, ExitReason, boolean][] = [
    ['permanent', 5_000, 'shutdown', false],
    ['permanent', 5_000, 'normal', true],
    ['permanent', 5_000, { shutdown: 1 }, true],
    ['permanent', 5_000, 'killed', true],
    ['permanent', 5_000, 'noproc', false],
    ['transient', 5_000, 'shutdown', false],
    ['transient', 5_000, 'normal', false],
    ['transient', 5_000, { shutdown: 1 }, false],
    ['transient', 5_000, 'boom', true],
    ['temporary', 5_000, 'normal', false],
    ['temporary', 5_000, { shutdown: 1 }, false],
    ['temporary', 5_000, 'killed', true],
    ['permanent', 'brutal_kill', 'killed', false],
    ['transient', 'brutal_kill', 'killed', false],
    ['permanent', 'brutal_kill', 'shutdown', true],
    ['temporary', 'brutal_kill', 'boom', true],
    ['permanent', Number.POSITIVE_INFINITY, 'shutdown', false],
    ['permanent', Number.POSITIVE_INFINITY, 'boom', true],
  ]
  for (const [restart, shutdown, reason, expected] of table) {
    const text = `${restart}, ${shutdown}, ${JSON.stringify(reason)}`
    t.equal(isShutdownError(restart, shutdown, reason), expected, text)
  }
})
