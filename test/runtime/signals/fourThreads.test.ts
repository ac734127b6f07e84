/** The suites of signals and processes once more, on a node of four threads: the same program. */
import t from 'tap'

process.env.TEST_STAGE_SCHEDULERS = '4'

const loaded = Promise.withResolvers<void>()
// Without it tap takes the tests for all there are, and ends, where the next suite is slow to load.
t.test('all suites are there', () => loaded.promise)

await import('./grid.test.ts')
await import('./otp.test.ts')
await import('./aliases.test.ts')
await import('../process/names.test.ts')
await import('../process/receive.test.ts')
loaded.resolve()
