/** The suites of signals and processes once more, on a node of four threads: the same program. */
process.env.TEST_STAGE_SCHEDULERS = '4'

await import('./grid.test.ts')
await import('./otp.test.ts')
await import('./aliases.test.ts')
await import('../process/names.test.ts')
await import('../process/receive.test.ts')
