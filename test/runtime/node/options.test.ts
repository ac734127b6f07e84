import type { StartOptions } from 'beamish'
import t from 'tap'
import { checkOptions } from '../../../runtime/node/options.ts'

const check = (options: Record<string, unknown>) => () =>
  checkOptions(new URL('file:///app.ts'), options as StartOptions)

const bad: readonly [string, Record<string, unknown>, RegExp][] = [
  ['an unknown name', { schedulerz: 3 }, /option schedulerz is "unknown": use one of schedulers/],
  ['no threads', { schedulers: 0 }, /option schedulers is 0: give a whole number from 1 to/],
  ['half a thread', { schedulers: 1.5 }, /option schedulers/],
  ['a word for a boolean', { development: 'no' }, /option development is "no": give true or false/],
  ['signals as text', { signals: 'SIGTERM' }, /option signals/],
  ['log as true', { log: true }, /option log is true: give \{ level, file \} or false/],
  ['an unknown level', { log: { level: 'loud' } }, /option log\.level is "loud": use one of trace/],
  ['a short secret', { secretKeyBase: 'short' }, /option secretKeyBase is "\[hidden\]"/],
  ['a negative deadline', { shutdownTimeoutMs: -1 }, /option shutdownTimeoutMs is -1/],
]

for (const [what, options, message] of bad) {
  t.test(`${what} is refused with a line that names the fix`, async (t) => {
    t.throws(check(options), { code: 'BEAMISH_BAD_OPTION', message })
  })
}

t.test('a secret is never repeated in the error', async (t) => {
  t.throws(check({ secretKeyBase: 'hunter2' }), { message: /^((?!hunter2).)*$/ })
})

t.test('what is left out has its default', async (t) => {
  const settings = checkOptions(new URL('file:///app.ts'), {})
  t.match(settings, { shutdownTimeoutMs: 30_000, maxLostThreads: 5, signals: false })
  t.ok(settings.schedulers >= 1)
})

t.test(
  'limits of a heap stand beside the default of its young generation, or replace it',
  async (t) => {
    const limits = (resourceLimits: object) =>
      checkOptions(new URL('file:///app.ts'), { resourceLimits }).resourceLimits
    t.same(limits({ maxOldGenerationSizeMb: 64 }), {
      maxOldGenerationSizeMb: 64,
      maxYoungGenerationSizeMb: 24,
    })
    t.same(limits({ maxYoungGenerationSizeMb: 96 }), { maxYoungGenerationSizeMb: 96 })
    t.throws(() => limits({ maxYoungGenerationSizeMb: 0 }), { code: 'BEAMISH_BAD_OPTION' })
  },
)
