/**
 * Every function and class a door exports shows an example, and every example runs: those of docstrings and those of
 * README and docs. A block marked `no-run` is only shown.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import ts from 'typescript'

const root = fileURLToPath(new URL('../../', import.meta.url))
const doors = [
  'runtime/index.ts',
  'runtime/testing/index.ts',
  'channels/index.ts',
  'channels/client/index.ts',
  'channels/testing/index.ts',
  'liveview/index.ts',
]
const run = promisify(execFile)

/** In Node a failed console.assert only prints. */
const ASSERTIONS_THROW = `data:text/javascript,${encodeURIComponent(
  "console.assert = (ok, ...what) => { if (!ok) throw new Error('assertion failed ' + what.join(' ')) }",
)}`

interface Example {
  readonly name: string
  readonly code: string
}

const fence = /```ts( no-run)?\n([\s\S]*?)```/g

function blocks(name: string, text: string): { readonly all: number; readonly run: Example[] } {
  const found = [...text.matchAll(fence)]
  return {
    all: found.length,
    run: found
      .filter((match) => match[1] === undefined)
      .map((match, i) => ({ name: `${name}-${i}`, code: match[2] ?? '' })),
  }
}

/** Exported functions and classes of the doors, with the text of their @example tags. */
function exported(): { readonly name: string; readonly example: string }[] {
  const program = ts.createProgram(
    doors.map((door) => join(root, door)),
    {
      target: ts.ScriptTarget.ES2024,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      allowImportingTsExtensions: true,
      noEmit: true,
      skipLibCheck: true,
      types: ['node'],
    },
  )
  const checker = program.getTypeChecker()
  return doors.flatMap((door) => {
    const source = program.getSourceFile(join(root, door))
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source)
    if (module === undefined) throw new Error(`${door} exports nothing`)
    return checker.getExportsOfModule(module).flatMap((symbol) => {
      const [declaration] = symbol.declarations ?? []
      if (
        declaration !== undefined &&
        ts.isExportSpecifier(declaration) &&
        (declaration.isTypeOnly || declaration.parent.parent.isTypeOnly)
      ) {
        return []
      }
      const target =
        (symbol.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol
      if ((target.flags & ts.SymbolFlags.Value) === 0) return []
      const tags = target
        .getJsDocTags(checker)
        .filter((tag) => tag.name === 'example')
        .map((tag) => ts.displayPartsToString(tag.text))
      return [{ name: `${door.split('/')[0]}-${symbol.name}`, example: tags.join('\n') }]
    })
  })
}

const documents = ['README.md', ...readdirSync(join(root, 'docs')).map((file) => `docs/${file}`)]

t.test('every export shows an example, and every example runs', async (t) => {
  const examples: Example[] = []
  for (const { name, example } of exported()) {
    const found = blocks(name, example)
    t.ok(found.all > 0, `${name} shows an example`)
    examples.push(...found.run)
  }
  for (const file of documents.filter((name) => name.endsWith('.md'))) {
    const name = file.replace(/\W+/g, '-')
    examples.push(...blocks(name, readFileSync(join(root, file), 'utf8')).run)
  }
  // Inside the package, so that 'beamish' means these sources.
  const folder = join(root, '.examples')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const files = examples.map(({ name, code }) => {
    const file = join(folder, `${name}.ts`)
    writeFileSync(file, code)
    return { name, file }
  })
  const node = (...args: string[]): Promise<string> =>
    run(process.execPath, ['--conditions=beamish-source', '--import', ASSERTIONS_THROW, ...args], {
      cwd: root,
      timeout: 60_000,
    }).then(
      ({ stdout }) => stdout,
      (error: { stderr?: string }) => `failed: ${error.stderr}`,
    )
  // What an example does when it is run as a program, it does in a process of its own; the others share one.
  const programs = files.filter(({ file }) =>
    readFileSync(file, 'utf8').includes('import.meta.main'),
  )
  for (const { name, file } of programs) t.notMatch(await node(file), /^failed/, name)
  t.ok(programs.length > 0, 'the README has one that runs as a program')
  const others = files.filter((file) => !programs.includes(file))
  const report = await node('--input-type=module', '--eval', importEach(others))
  const results = JSON.parse(report.split('\n').at(-2) ?? '{}') as Record<string, string>
  for (const { name } of others) t.equal(results[name], 'runs', name)
})

/** A program that imports each file and prints, last, how that went. */
function importEach(files: readonly { readonly name: string; readonly file: string }[]): string {
  return `
    const results = {}
    for (const { name, file } of ${JSON.stringify(files)}) {
      results[name] = await import(file).then(() => 'runs', (error) => String(error?.stack ?? error))
    }
    console.log(JSON.stringify(results))
    process.exit(0)
  `
}
