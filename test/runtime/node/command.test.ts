// What keeps the command from serving: exit code 1 and one line that names the fix.
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { run } from './run.ts'

const app = (name: string): string => fileURLToPath(new URL(`./apps/${name}.ts`, import.meta.url))
const CLI = fileURLToPath(new URL('../../../runtime/cli.ts', import.meta.url))
const CHAT = fileURLToPath(new URL('../../../apps/chat/chat.ts', import.meta.url))

const unusable: [string, Record<string, string>, RegExp][] = [
  ['throws', {}, /^BEAMISH_APP_LOAD: /],
  ['initFails', {}, /^BEAMISH_START_FAILED: .*the database is not there/],
  ['placed', { SCHEDULERS: 'two' }, /^BEAMISH_BAD_ENV: environment variable SCHEDULERS is "two"/],
  ['placed', { SCHEDULERS: '0' }, /^BEAMISH_BAD_ENV: .*from 1 up/],
  ['placed', { SECRET_KEY_BASE: 'short' }, /^BEAMISH_BAD_ENV: .*openssl rand/],
  ['placed', { LOG_LEVEL: 'loud' }, /^BEAMISH_BAD_ENV: .*use one of trace/],
]
for (const [name, env, expected] of unusable) {
  t.test(`the command ends with 1 and one line: ${name} ${JSON.stringify(env)}`, async (t) => {
    const program = run([CLI, app(name)], { LOG_LEVEL: 'silent', ...env })
    t.same(await program.ended, { code: 1, signal: null })
    t.match(program.errors(), expected)
    t.equal(program.errors().trim().split('\n').length, 1)
  })
}

t.test('the command without a module says what to give', async (t) => {
  const program = run([CLI])
  t.equal((await program.ended).code, 1)
  t.match(program.errors(), /name the app module: beamish app\.ts/)
})

t.test('a port in use, by another node of ours too, is one line and exit code 1', async (t) => {
  const env = { SCHEDULERS: '2', HOST: '127.0.0.1' }
  const first = run([CLI, CHAT], { ...env, PORT: '0' })
  t.teardown(async () => {
    first.child.kill('SIGTERM')
    await first.ended
  })
  t.ok(await first.says('on 2 scheduler threads'), first.errors())
  const port = /:(\d+)/.exec(first.out())?.[1] as string
  const second = run([CLI, CHAT], { ...env, PORT: port })
  t.same(await second.ended, { code: 1, signal: null })
  t.match(second.errors(), new RegExp(`port ${port} on 127.0.0.1 is in use: stop the other server`))
  t.equal(second.errors().trim().split('\n').length, 1)
  t.equal(second.out(), '', 'and no report around it')
})

for (const PORT of ['http', '70000', '-1']) {
  t.test(`PORT ${PORT} is one line and exit code 1`, async (t) => {
    const program = run([CLI, CHAT], { SCHEDULERS: '1', PORT })
    t.same(await program.ended, { code: 1, signal: null })
    t.match(program.errors(), /^BEAMISH_BAD_ENV: environment variable PORT/)
    t.equal(program.out(), '')
    t.equal(program.errors().trim().split('\n').length, 1)
  })
}

t.test('a host that is not of this machine is one line and exit code 1', async (t) => {
  const env = { SCHEDULERS: '1', PORT: '0', HOST: '192.0.2.1' }
  const program = run([CLI, CHAT], env)
  t.same(await program.ended, { code: 1, signal: null })
  t.match(program.errors(), /192\.0\.2\.1/)
  t.equal(program.errors().trim().split('\n').length, 1)
  t.equal(program.out(), '')
})
