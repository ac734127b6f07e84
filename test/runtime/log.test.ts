/** What the default log says of a lost thread, and of applications. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RuntimeEvents } from 'beamish'
import t, { type Test } from 'tap'
import { startLog } from '../../runtime/edge/log.ts'
import { publish } from '../../runtime/events.ts'

const message = 'Error: boom\n    at app.ts:1:1'
const ranLast = { process: '<0.1.1>', behaviour: 'app', message: 'tick' }

function logged(t: Test, loss: RuntimeEvents['schedulerLost']): Record<string, unknown> {
  return lineOf(t, () => publish('schedulerLost', () => loss))
}

function lineOf(t: Test, happen: () => void): Record<string, unknown> {
  const directory = mkdtempSync(join(tmpdir(), 'beamish-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'log')
  const end = startLog(0, { file })
  happen()
  end()
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
}

t.test('the stack of an error that the thread has told is not repeated', async (t) => {
  const line = logged(t, { scheduler: 1, cause: 'error', message, ranLast })
  t.match(line, {
    lost: 1,
    cause: 'error',
    ranLast,
    msg: /lost \(error\): Error: boom, ran last: app/,
  })
  t.notMatch(JSON.stringify(line), /app\.ts/)
})

t.test('one that nobody has told is there', async (t) => {
  t.match(logged(t, { scheduler: 1, cause: 'error', message, ranLast: undefined }), { message })
  t.match(logged(t, { scheduler: 1, cause: 'heap', message, ranLast }), { message })
})

t.test(
  'an application that starts is a line of level info, one that ends an error with its reason',
  async (t) => {
    const one = { application: 'shop', type: 'permanent' } as const
    const started = lineOf(t, () => publish('application', () => ({ ...one, event: 'started' })))
    t.match(started, { level: 30, ...one, event: 'started', msg: 'application shop started' })
    const reason = 'shutdown'
    const ended = lineOf(t, () =>
      publish('application', () => ({ ...one, event: 'ended', reason })),
    )
    t.match(ended, { level: 50, ...one, reason, msg: 'application shop ended: shutdown' })
  },
)
