import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

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

  t.test('it holds the build and the four papers, and nothing else', async (t) => {
    const papers = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']
    const others = paths.filter((path) => !/^dist\/(runtime|channels|liveview)\/.+/.test(path))
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

  // TWO-THREAD NODE: start(new URL('./app.js', import.meta.url), { threads: 2 }) from the installed package here,
  // with an app written into `app`; it proves that the worker entry is found in dist, where no .ts file exists.
})

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
