/**
 * The layer rule, as a pure function over sources: apps -> liveview -> channels -> runtime.
 *
 * `layers.test.ts` feeds it the real files and, to prove that it can fail, files made up in memory. The package's doors
 * are read from `exports`, so a new door needs no edit here.
 */
import { posix } from 'node:path'
import ts from 'typescript'

/** What the checker knows of the project beside its sources. */
export interface Project {
  /** Source text by path from the project's root, with forward slashes. */
  readonly sources: ReadonlyMap<string, string>
  /** Door specifier (`beamish/channels`) to the source file behind it (`channels/index.ts`). */
  readonly doors: ReadonlyMap<string, string>
  /** Names under `dependencies` in package.json. */
  readonly dependencies: ReadonlySet<string>
}

/** One import of a file: what it names, and whether only types cross. */
export interface Import {
  readonly specifier: string
  readonly typeOnly: boolean
  readonly line: number
}

const layers = ['runtime', 'channels', 'liveview', 'apps']
const lineLimit = 400

/** The one file that may import each of these packages, or the folders one file of which may. */
const singleHome: Record<string, string> = {
  comlink: 'runtime/edge/control.ts',
  piscina: 'runtime/edge/dirty.ts',
  pino: 'runtime/edge/log.ts',
}

/**
 * Lists every violation as `path:line message`; an empty list means the rule holds.
 *
 * @example
 * t.same(checkLayers(project), [])
 */
export function checkLayers(project: Project): string[] {
  const found: string[] = []
  const wsFiles = new Set<string>()
  for (const [path, text] of project.sources) {
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false)
    for (const one of importsOf(file)) {
      const message = judge(path, one, project)
      if (message !== undefined) found.push(`${path}:${one.line} ${message}`)
      if (isLibraryOrApp(path) && packageName(one.specifier) === 'ws') wsFiles.add(path)
    }
    const tooLong = judgeLength(path, text)
    if (tooLong !== undefined) found.push(tooLong)
  }
  if (wsFiles.size > 1) {
    found.push(`${[...wsFiles].join(', ')} all import ws: keep it behind one file`)
  }
  return found
}

/** Every static, dynamic and `new URL(..., import.meta.url)` import of a parsed file. */
export function importsOf(file: ts.SourceFile): Import[] {
  const found: Import[] = []
  const add = (node: ts.Node, specifier: string, typeOnly: boolean): void => {
    const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1
    found.push({ specifier, typeOnly, line })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      add(node, node.moduleSpecifier.text, node.importClause?.isTypeOnly ?? false)
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      add(node, node.moduleSpecifier.text, node.isTypeOnly)
    } else if (
      ts.isCallExpression(node) &&
      (node.expression.kind === ts.SyntaxKind.ImportKeyword || isResolve(node.expression))
    ) {
      const [argument] = node.arguments
      if (argument !== undefined && ts.isStringLiteralLike(argument))
        add(node, argument.text, false)
    } else if (ts.isImportTypeNode(node)) {
      const literal = ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined
      if (literal !== undefined && ts.isStringLiteral(literal)) add(node, literal.text, true)
    } else if (ts.isNewExpression(node) && isModuleUrl(node, file)) {
      const [argument] = node.arguments ?? []
      if (argument !== undefined && ts.isStringLiteralLike(argument))
        add(node, argument.text, false)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

// import.meta.resolve('x') and require('x') / require.resolve('x') reach modules as an import does.
function isResolve(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return callee.text === 'require'
  if (!ts.isPropertyAccessExpression(callee) || callee.name.text !== 'resolve') return false
  return (
    ts.isMetaProperty(callee.expression) ||
    (ts.isIdentifier(callee.expression) && callee.expression.text === 'require')
  )
}

function isModuleUrl(node: ts.NewExpression, file: ts.SourceFile): boolean {
  const [path, base] = node.arguments ?? []
  return (
    ts.isIdentifier(node.expression) &&
    node.expression.text === 'URL' &&
    base !== undefined &&
    base.getText(file) === 'import.meta.url' &&
    path !== undefined &&
    ts.isStringLiteralLike(path) &&
    /\.[cm]?[jt]s$/.test(path.text)
  )
}

function judge(path: string, one: Import, project: Project): string | undefined {
  const { specifier } = one
  if (specifier.startsWith('node:')) return undefined
  if (specifier.startsWith('.')) return judgeRelative(path, resolveRelative(path, specifier))
  if (specifier === 'beamish' || specifier.startsWith('beamish/')) {
    return judgeDoor(path, specifier, project)
  }
  return judgePackage(path, specifier, project)
}

function judgeRelative(path: string, target: string): string | undefined {
  const from = topOf(path)
  const to = topOf(target)
  if (from === to || from === 'test') return undefined
  if (to === 'test') return `imports ${target}: only tests import tests`
  // A benchmark runs what people run, as a process of its own.
  if (from === 'bench' && (to === 'apps' || target === 'runtime/cli.ts')) return undefined
  if (from === 'apps' || from === 'bench') {
    return `imports ${target}: ${from} import Beamish by name, through its doors`
  }
  if (layers.includes(from) && layers.includes(to)) return judgeDirection(from, to, target)
  return `imports ${target}, which is outside its layer`
}

function judgeDoor(path: string, specifier: string, project: Project): string | undefined {
  const target = project.doors.get(specifier)
  if (target === undefined) {
    return `imports ${specifier}, which is no door: use ${[...project.doors.keys()].join(', ')}`
  }
  const from = topOf(path)
  const to = topOf(target)
  if (!layers.includes(from)) return undefined
  if (from === to) return `imports its own layer by name (${specifier}): use a relative path`
  return judgeDirection(from, to, specifier)
}

function judgeDirection(from: string, to: string, what: string): string | undefined {
  if (layers.indexOf(from) > layers.indexOf(to)) return undefined
  return `imports ${what}: ${from} stands below ${to}, and imports point downwards only`
}

function judgePackage(path: string, specifier: string, project: Project): string | undefined {
  // Tests and benches may use any package that is installed.
  if (!isLibraryOrApp(path)) return undefined
  const name = packageName(specifier)
  const layer = topOf(path)
  const home = singleHome[name]
  if (home !== undefined) {
    return path === home ? undefined : `imports ${name}: only ${home} may`
  }
  if (layer === 'runtime') return `imports ${name}: the runtime core imports node: builtins only`
  if (name === 'ws' && layer !== 'channels') return 'imports ws: only one file under channels may'
  const isFastify = name === 'fastify' || name.startsWith('@fastify/')
  if (isFastify && layer !== 'channels' && layer !== 'liveview') {
    return `imports ${name}: only channels and liveview may`
  }
  if (!project.dependencies.has(name)) {
    return `imports ${name}, which is not among the dependencies of package.json`
  }
  return undefined
}

function judgeLength(path: string, text: string): string | undefined {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  if (lines <= lineLimit) return undefined
  const header = ts.getLeadingCommentRanges(text, 0) ?? []
  const stated = header.some(({ pos, end }) =>
    text.slice(pos, end).includes(`Longer than ${lineLimit} lines because`),
  )
  if (stated) return undefined
  return `${path}:1 has ${lines} lines: split it, or let its header say "Longer than ${lineLimit} lines because ..."`
}

function resolveRelative(from: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(from), specifier))
}

function packageName(specifier: string): string {
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier)
}

function topOf(path: string): string {
  return path.split('/')[0] ?? path
}

function layerOf(path: string): string | undefined {
  const top = topOf(path)
  return layers.includes(top) ? top : undefined
}

function isLibraryOrApp(path: string): boolean {
  return layerOf(path) !== undefined
}
