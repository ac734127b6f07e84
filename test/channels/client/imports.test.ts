/** The typed client is for browsers: what it imports at run time is its own files, and nothing else. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'
import { importsOf } from '../../layers.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Every file that a module loads, and every name it imports that is no file. */
function loaded(entry: string): { readonly files: string[]; readonly others: string[] } {
  const files = new Set<string>()
  const others = new Set<string>()
  const visit = (file: string): void => {
    if (files.has(file)) return
    files.add(file)
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest)
    for (const { specifier, typeOnly } of importsOf(source)) {
      if (typeOnly) continue
      const target = resolve(dirname(file), specifier)
      if (specifier.startsWith('.') && existsSync(target)) visit(target)
      else others.add(specifier)
    }
  }
  visit(entry)
  return { files: [...files].map((file) => relative(root, file)), others: [...others] }
}

t.test('it loads its own files alone', async (t) => {
  const { files, others } = loaded(`${root}channels/client/index.ts`)
  t.same(others, [])
  t.ok(files.includes('channels/client/typedChannel.ts'))
  t.same(
    files.filter((file) => !file.startsWith('channels/client/')),
    [],
  )
})

t.test('the walk would find what a browser has not got', async (t) => {
  const { files, others } = loaded(`${root}channels/wire/phoenixV2.ts`)
  t.ok(files.some((file) => file.startsWith('runtime/')))
  t.ok(others.some((name) => name.startsWith('node:')))
})

t.test('it runs where there is nothing of Node', async (t) => {
  const { files } = loaded(`${root}channels/client/index.ts`)
  for (const file of files) {
    const { outputText } = ts.transpileModule(readFileSync(`${root}${file}`, 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    })
    t.notMatch(outputText, /\b(process|Buffer|globalThis|require|setImmediate)\b/, file)
  }
})
