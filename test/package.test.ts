import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import ts from 'typescript'
import { importsOf } from './layers.ts'
import { LiveClient } from './liveview/liveClient.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))

// An `npm run` around the tests describes its own project to every npm below it.
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^npm_(package|lifecycle|config_local_prefix|command)/.test(name),
  ),
)

// Everything tap starts carries --conditions=beamish-source except what is started here, as a user's own node would be.
async function node(cwd: string, script: string): Promise<string> {
  const args = ['--input-type=module', '--eval', script]
  const { stdout } = await run(process.execPath, args, { cwd, env })
  return stdout
}

t.test('the packed tarball installs into an empty folder and works there', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'beamish-package-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: root,
    env,
  })
  const packed = packedOf(stdout)
  const paths = packed.files.map((file) => file.path)

  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, { types: string; default: string }>
  }
  const doors = Object.entries(manifest.exports)

  t.test('it holds the build, the docs and the four papers, and nothing else', async (t) => {
    const papers = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']
    const others = paths.filter(
      (path) => !/^(dist\/(runtime|channels|liveview)\/.+|docs\/[a-z-]+\.md$)/.test(path),
    )
    t.same(others.sort(), papers)
    t.same(
      paths.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts')),
      [],
    )
    for (const [door, target] of doors) {
      t.ok(paths.includes(target.default.slice(2)), `${door} has its module`)
      t.ok(paths.includes(target.types.slice(2)), `${door} has its types`)
    }
  })

  const app = join(folder, 'app')
  await mkdir(app)
  await writeFile(join(app, 'package.json'), '{ "private": true, "type": "module" }\n')
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund']
  await run('npm', [...install, join(folder, packed.filename)], { cwd: app, env })

  for (const [door] of doors) {
    const name = `beamish${door.slice(1)}`
    t.test(`${name} is imported by a plain node`, async (t) => {
      const found = JSON.parse(
        await node(
          app,
          `const module = await import('${name}')
           console.log(JSON.stringify([import.meta.resolve('${name}'), Object.keys(module)]))`,
        ),
      ) as [string, string[]]
      t.match(found[0], /\/node_modules\/beamish\/dist\/.+\.js$/)
      t.ok(found[1].length > 0, 'it exports something')
    })
  }

  t.test('the client for browsers imports its own built files, and nothing else', async (t) => {
    const client = join(app, 'node_modules/beamish/dist/channels/client')
    const seen = new Set<string>()
    const visit = async (file: string): Promise<void> => {
      if (seen.has(file)) return
      seen.add(file)
      const text = await readFile(file, 'utf8')
      const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest)
      for (const { specifier } of importsOf(source)) {
        t.match(specifier, /^\.\/\w+\.js$/, `${specifier} is beside it`)
        await visit(join(client, specifier))
      }
    }
    await visit(join(client, 'index.js'))
    t.ok(seen.size > 1, 'there is something to see')
  })

  await writeFile(join(app, 'app.mjs'), appModule)
  await writeFile(join(app, 'run.mjs'), runScript)

  t.test('a node of two threads from it serves a live view', async (t) => {
    const { line, child } = await started(process.execPath, ['run.mjs'], { cwd: app, env })
    t.teardown(() => child.kill('SIGKILL'))
    const { base, threads } = JSON.parse(line) as { base: string; threads: number }
    t.equal(threads, 2)
    await greets(t, base)
    child.stdin?.end()
    t.same(await exited(child), [0, null], 'it stops in order')
  })

  t.test('a task, an agent and a dirty job run from it, on any thread', async (t) => {
    await writeFile(join(app, 'jobs.mjs'), 'export const add = (a, b) => a + b\n')
    await writeFile(join(app, 'tasks.mjs'), tasksModule)
    const { stdout } = await run(process.execPath, ['tasks.mjs'], { cwd: app, env })
    t.equal(stdout, '3 3 [1,2]\n', 'and its process ends')
  })

  t.test('npx beamish app.mjs serves it too, and stops on SIGTERM', async (t) => {
    const settings = { ...env, PORT: '0', SCHEDULERS: '2', LOG_LEVEL: 'error' }
    const { line, child } = await started('npx', ['beamish', 'app.mjs'], {
      cwd: app,
      env: settings,
    })
    const [, base, pid] = /^(http:\S+) on 2 scheduler threads, pid (\d+)$/.exec(line) ?? []
    t.ok(base !== undefined && pid !== undefined, line)
    await greets(t, base ?? '')
    const { stdout } = await run('npx', ['beamish', 'tree', pid ?? ''], { cwd: app, env })
    t.match(stdout, /endpoint +<0\.1\.\d+> +beamish\.endpoint/, 'beamish tree prints it meanwhile')
    process.kill(Number(pid), 'SIGTERM')
    t.same(await exited(child), [0, null])
  })
})

// The app of a user, in plain JavaScript: what is imported here is the installed package.
const appModule = `import { supervisor } from 'beamish'
import { endpoint, string } from 'beamish/channels'
import { html, liveRoutes, liveView } from 'beamish/liveview'

const Hello = liveView('hello', {
  events: { greet: { name: string(1, 20) } },
  mount: (_params, _session, socket) => socket.assign({ name: 'nobody' }),
  handleEvent: {
    greet({ name }, socket) {
      socket.assign({ name })
    },
  },
  render: ({ name }) => html\`<p id="hello">Hello \${name}</p>\`,
})

const port = Number(process.env.PORT ?? 0)
export default supervisor({
  children: [endpoint({ port, plugins: [liveRoutes({ '/hello': Hello })] })],
})
`

const tasksModule = `import { agent, start, supervisor, task } from 'beamish'

const jobs = new URL('./jobs.mjs', import.meta.url)
export const sum = (self) => task.cpu(self, jobs, 'add', [1, 2])
export const items = () => [1]
export const with2 = (items) => [...items, 2]
export const held = (items) => items
export default supervisor({ children: [agent.child({ module: import.meta.url, name: 'items' }, { name: 'items' })] })

if (import.meta.main) {
  const node = await start(import.meta.url, { schedulers: 2, log: false })
  const { self } = node
  const there = task.async(self, { module: import.meta.url, name: 'sum' }, { place: 'any' })
  await agent.update(self, 'items', { module: import.meta.url, name: 'with2' })
  const held = await agent.get(self, 'items', { module: import.meta.url, name: 'held' })
  console.log(await task.await(self, there), await sum(self), JSON.stringify(held))
  await node.stop()
}
`

const runScript = `import { start } from 'beamish'

const options = { schedulers: 2, log: false }
const node = await start(new URL('./app.mjs', import.meta.url), options)
const [{ host, port }] = await node.addresses()
const threads = (await node.stats()).length
console.log(JSON.stringify({ base: \`http://\${host}:\${port}\`, threads }))
process.stdin.resume().on('end', () => node.stop())
`

/** Starts a program and waits for its first line. */
function started(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<{ line: string; child: ChildProcess }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: 'pipe' })
    let output = ''
    let errors = ''
    child.stderr?.on('data', (text) => {
      errors += text
    })
    child.stdout?.on('data', (text) => {
      output += text
      const end = output.indexOf('\n')
      if (end >= 0) resolve({ line: output.slice(0, end), child })
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      reject(new Error(`${command} ${args.join(' ')} ended with ${code}: ${output}${errors}`))
    })
  })
}

function exited(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve([child.exitCode, child.signalCode])
  }
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve([code, signal]))
  })
}

/** The page is served, joins, and answers an event. */
async function greets(t: Tap, base: string): Promise<void> {
  const view = await LiveClient.open(base, '/hello')
  t.equal(view.page.html, '<p id="hello">Hello nobody</p>')
  t.equal(view.html(), view.page.html)
  const answer = await view.submit('greet', { name: 'Ada' })
  t.same(answer, { status: 'ok', response: { diff: { 0: 'Ada' } } })
  t.equal(view.text('hello'), 'Hello Ada')
  await view.close()
}

interface Tap {
  equal(found: unknown, wanted: unknown): unknown
  same(found: unknown, wanted: unknown): unknown
}

interface Packed {
  filename: string
  files: { path: string }[]
}

// The build that `prepack` runs may print lines of its own first. npm 11 prints a list, later ones an object by name.
function packedOf(stdout: string): Packed {
  const at = stdout.search(/^[[{]/m)
  const parsed = JSON.parse(stdout.slice(at)) as Packed[] | Record<string, Packed>
  const [packed] = Object.values(parsed)
  if (packed === undefined) throw new Error(`npm pack named no tarball: ${stdout}`)
  return packed
}
