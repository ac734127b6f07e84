import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { checkLayers, type Project } from './layers.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Manifest {
  name: string
  exports: Record<string, { 'beamish-source': string }>
  dependencies: Record<string, string>
}

async function realProject(): Promise<Project> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest
  const sources = new Map<string, string>()
  for (const folder of ['runtime', 'channels', 'liveview', 'apps', 'bench', 'test']) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
    for (const entry of entries) {
      if (!entry.isFile() || !/\.[cm]?[jt]s$/.test(entry.name)) continue
      const full = join(entry.parentPath, entry.name)
      sources.set(relative(root, full).split(sep).join('/'), await readFile(full, 'utf8'))
    }
  }
  return {
    sources,
    doors: doorsOf(manifest),
    dependencies: new Set(Object.keys(manifest.dependencies)),
  }
}

function doorsOf(manifest: Manifest): Map<string, string> {
  return new Map(
    Object.entries(manifest.exports).map(([door, target]) => [
      manifest.name + door.slice(1),
      target['beamish-source'].slice(2),
    ]),
  )
}

function imagined(files: Record<string, string>): Project {
  return {
    sources: new Map(Object.entries(files)),
    doors: new Map([
      ['beamish', 'runtime/index.ts'],
      ['beamish/channels', 'channels/index.ts'],
      ['beamish/liveview', 'liveview/index.ts'],
    ]),
    dependencies: new Set(['comlink', 'fastify', 'phoenix', 'pino', 'piscina', 'ws']),
  }
}

t.test('the sources keep the layer rule', async (t) => {
  const project = await realProject()
  t.ok(project.sources.has('runtime/index.ts'), 'the runtime was read')
  t.ok(project.sources.has('test/layers.test.ts'), 'the tests were read')
  t.same(checkLayers(project), [])
})

t.test('imports that the rule allows pass', async (t) => {
  const allowed = imagined({
    'runtime/index.ts': `export { a } from './a.ts'`,
    'runtime/a.ts': `import { join } from 'node:path'`,
    'runtime/edge/control.ts': `import { wrap } from 'comlink'`,
    'runtime/edge/dirty.ts': `import { Piscina } from 'piscina'`,
    'runtime/edge/log.ts': `import pino from 'pino'`,
    'channels/index.ts': `import { a } from '../runtime/a.ts'; import 'beamish'`,
    'channels/ws.ts': `import { WebSocketServer } from 'ws'; import type { F } from 'fastify'`,
    'liveview/index.ts': `import 'beamish/channels'; import '../runtime/a.ts'; import 'fastify'`,
    'apps/chat/main.ts': `import 'beamish/liveview'; import './view.ts'; import 'node:fs'`,
    'bench/main.ts': `import 'beamish'; import 'socket.io'`,
    'test/a.test.ts': `import '../runtime/a.ts'; import 'tap'; import 'ws'`,
  })
  t.same(checkLayers(allowed), [])
})

t.test('each kind of violation is found at its line', async (t) => {
  const violations: [path: string, source: string, expected: RegExp][] = [
    [
      'runtime/a.ts',
      `import '../channels/b.ts'`,
      /^runtime\/a\.ts:1 .*runtime stands below channels/,
    ],
    [
      'runtime/a.ts',
      `\nimport 'beamish/channels'`,
      /^runtime\/a\.ts:2 .*runtime stands below channels/,
    ],
    ['runtime/a.ts', `import type { A } from '../channels/b.ts'`, /runtime stands below channels/],
    ['runtime/a.ts', `export * from '../liveview/b.ts'`, /runtime stands below liveview/],
    ['runtime/a.ts', `await import('../apps/b.ts')`, /runtime stands below apps/],
    ['runtime/a.ts', `let b: import('../channels/b.ts').B`, /runtime stands below channels/],
    [
      'runtime/a.ts',
      `new URL('../channels/b.ts', import.meta.url)`,
      /runtime stands below channels/,
    ],
    ['runtime/a.ts', `import.meta.resolve('ws')`, /runtime core imports node: builtins only/],
    ['runtime/a.ts', `import 'beamish'`, /its own layer by name/],
    ['runtime/a.ts', `import 'ws'`, /runtime core imports node: builtins only/],
    ['runtime/a.ts', `import 'fs'`, /runtime core imports node: builtins only/],
    ['runtime/a.ts', `import 'comlink'`, /only runtime\/edge\/control\.ts may/],
    ['runtime/edge/control.ts', `import 'piscina'`, /only runtime\/edge\/dirty\.ts may/],
    ['channels/a.ts', `import 'pino'`, /only runtime\/edge\/log\.ts may/],
    ['channels/a.ts', `import '../liveview/b.ts'`, /channels stands below liveview/],
    ['channels/a.ts', `import 'left-pad'`, /not among the dependencies/],
    ['channels/a.ts', `import '../test/b.ts'`, /only tests import tests/],
    ['liveview/a.ts', `import 'ws'`, /only one file under channels may/],
    ['apps/chat/a.ts', `import '../../runtime/b.ts'`, /through its doors/],
    ['apps/chat/a.ts', `import 'beamish/runtime/b.ts'`, /which is no door/],
    ['apps/chat/a.ts', `import 'fastify'`, /only channels and liveview may/],
    ['apps/chat/a.ts', `import '@fastify/cookie'`, /only channels and liveview may/],
    ['bench/a.ts', `import '../runtime/b.ts'`, /through its doors/],
    ['test/a.test.ts', `import 'beamish/runtime'`, /which is no door/],
  ]
  for (const [path, source, expected] of violations) {
    const found = checkLayers(imagined({ [path]: source }))
    t.equal(found.length, 1, `${path}: ${source}`)
    t.match(found[0], expected)
  }
})

t.test('a second file that imports ws is a violation', async (t) => {
  const found = checkLayers(
    imagined({ 'channels/a.ts': `import 'ws'`, 'channels/b.ts': `import 'ws'` }),
  )
  t.same(found, ['channels/a.ts, channels/b.ts all import ws: keep it behind one file'])
})

t.test('a file past 400 lines says why in its header, and only there', async (t) => {
  const body = 'f()\n'.repeat(400)
  const why = '// Longer than 400 lines because the table is one idea.\n'
  t.same(checkLayers(imagined({ 'runtime/a.ts': body })), [])
  t.match(checkLayers(imagined({ 'runtime/a.ts': `${body}f()\n` })), [/a\.ts:1 has 401 lines/])
  t.match(checkLayers(imagined({ 'runtime/a.ts': body + why })), [/a\.ts:1 has 401 lines/])
  t.same(checkLayers(imagined({ 'runtime/a.ts': why + body })), [])
})
