// What keeps an app from starting: one clear error that names the fix, and no thread left behind.
import { fileURLToPath } from 'node:url'
import { start } from 'beamish'
import t from 'tap'
import { rejection, startNode } from '../kit.ts'
import { run } from './run.ts'

const app = (name: string) => new URL(`./apps/${name}.ts`, import.meta.url)
const OUTCOME = fileURLToPath(new URL('./outcome.ts', import.meta.url))

const failures: [what: string, app: string, code: string, message: RegExp, options?: object][] = [
  ['a module that throws', 'throws', 'BEAMISH_APP_LOAD', /throws\.ts failed to load: no module/],
  ['a module that is missing', 'missing', 'BEAMISH_APP_LOAD', /missing\.ts failed to load/],
  ['no default export', 'nothing', 'BEAMISH_APP_EXPORT', /nothing as its default export: export/],
  [
    'a function as default export',
    'aFunction',
    'BEAMISH_APP_UNCLONEABLE',
    /default is a function .*: name a behaviour/,
  ],
  ['a worker as default export', 'aWorker', 'BEAMISH_APP_EXPORT', /child "test\.alone"/],
  [
    'a function in the arguments of a root child',
    'functionArgument',
    'BEAMISH_APP_UNCLONEABLE',
    /default\.argument\.children\[0\]\.argument\.onDone is a function \(done\): name a behaviour or an exported factory/,
  ],
  ['place "here" at the root', 'here', 'BEAMISH_START_FAILED', /use "any", "each" or \{ key \}/],
  [
    'place { scheduler } at the root',
    'pinned',
    'BEAMISH_START_FAILED',
    /child "test\.alone" .* is not used again .* use "any", "each" or \{ key \}/,
  ],
  ['a bad child', 'badChild', 'BEAMISH_APP_LOAD', /make it with Behaviour\.child/],
  ['an init that fails', 'initFails', 'BEAMISH_START_FAILED', /the database is not there/],
  [
    'an init that calls process.exit',
    'initExits',
    'BEAMISH_START_FAILED',
    /process\.exit\(3\) was called in <0\.1\.\d+>/,
  ],
  [
    'a module that ends its thread',
    'moduleExits',
    'BEAMISH_BOOT_EXIT',
    /ended during boot: exit code 3/,
  ],
  [
    'a module that never loads',
    'neverBoots',
    'BEAMISH_BOOT_TIMEOUT',
    /was not up after 600 ms: look for blocking work/,
    { bootTimeoutMs: 600 },
  ],
  [
    'a bad option',
    'placed',
    'BEAMISH_BAD_OPTION',
    /schedulers is 0: give a whole/,
    { schedulers: 0 },
  ],
]

for (const [what, name, code, message, options = {}] of failures) {
  t.test(`${what} is ${code}, and the process ends by itself`, async (t) => {
    const program = run([OUTCOME, app(name).href, JSON.stringify(options)])
    t.same(await program.ended, { code: 0, signal: null }, program.errors())
    const outcome = JSON.parse(program.out()) as { code: string; message: string }
    t.equal(outcome.code, code, outcome.message)
    t.match(outcome.message, message)
    t.notMatch(outcome.message, /\n/, 'one line')
  })
}

t.test('bad options are refused before anything runs', async (t) => {
  const bad: [Parameters<typeof start>[1], RegExp][] = [
    [{ schedulers: 1.5 }, /schedulers/],
    [{ schedulers: 257 }, /schedulers/],
    [{ bootTimeoutMs: 0 }, /bootTimeoutMs/],
    [{ shutdownTimeoutMs: -1 }, /shutdownTimeoutMs/],
    [{ maxLostThreads: Number.NaN }, /maxLostThreads/],
    [{ maxLostSeconds: 0 }, /maxLostSeconds/],
    [{ secretKeyBase: 'short' }, /secretKeyBase is "?\[hidden\]/],
  ]
  for (const [options, message] of bad) {
    t.match(await rejection(start(app('placed'), options)), { code: 'BEAMISH_BAD_OPTION', message })
  }
  t.match(await rejection(start('./app.ts')), { message: /pass new URL/ })
})

t.test('a node that stopped has no thread left, and stops once', async (t) => {
  const node = await startNode(app('placed'), 2)
  t.equal(node.schedulers().length, 2)
  const stopping = node.stop()
  t.equal(node.stop(), stopping)
  await stopping
  t.same(node.schedulers(), [])
  t.equal(await node.closed, undefined)
  t.match(await rejection(node.addresses()), { code: 'BEAMISH_NODE_STOPPED' })
  t.same(await node.stats(), [])
})
