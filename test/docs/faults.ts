/**
 * Runs the programs a guide shows and renders what they print: log lines of JSON as one readable line each, everything else
 * as it is. A guide holds program and output side by side.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A program of a guide and the output it shows. */
export interface Shown {
  readonly title: string
  readonly code: string
  readonly output: string
  /** Language of the output's fence: a diagram is drawn where the guide is read. */
  readonly fence: string
}

const SECTION = /^## (.+)$/m
const PAIR = /```ts run\n([\s\S]*?)```\n([\s\S]*?)```(text|mermaid)\n([\s\S]*?)```/

/** Every section of a guide that shows a program. */
export function programsOf(guide: string): Shown[] {
  return guide.split(/^(?=## )/m).flatMap((section) => {
    const pair = PAIR.exec(section)
    if (pair === null) return []
    const [, code = '', , fence = 'text', output = ''] = pair
    return [{ title: SECTION.exec(section)?.[1] ?? '', code, output, fence }]
  })
}

/** The guide with another output under a program. */
export function withOutput(guide: string, { code, output, fence }: Shown, actual: string): string {
  const at = guide.indexOf(code)
  const opening = `\`\`\`${fence}\n`
  const from = guide.indexOf(`${opening}${output}\`\`\``, at) + opening.length
  return `${guide.slice(0, from)}${actual}${guide.slice(from + output.length)}`
}

/** Most of them wait for something most of the time. */
const AT_ONCE = 2

/** Runs all programs, two at a time; the output of each. */
export function outputsOf(root: string, shown: readonly Shown[]): Promise<string>[] {
  const running: Promise<unknown>[] = []
  return shown.map((one, i) => {
    const output = Promise.resolve(running[i - AT_ONCE]).then(() => outputOf(root, one))
    running.push(output.catch(() => {}))
    return output
  })
}

/** Runs a program in a process of its own, as `app.ts` inside the package; its output as a reader sees it. */
async function outputOf(root: string, { title, code }: Shown): Promise<string> {
  const folder = join(root, '.faults', title.replace(/\W+/g, '-').toLowerCase())
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'app.ts'), code)
  const child = spawn(process.execPath, ['--conditions=beamish-source', 'app.ts'], {
    cwd: folder,
    // An app of yours is in development unless it says otherwise; so are these.
    env: { PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  })
  let [printed, errors] = ['', '']
  child.stdout.on('data', (data: Buffer) => {
    printed += data
  })
  child.stderr.on('data', (data: Buffer) => {
    errors += data
  })
  const [exitCode, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (...end: [number | null, string | null]) => resolve(end))
  })
  rmSync(folder, { recursive: true, force: true })
  const end =
    exitCode === 0 ? [] : [`(the process ended with ${signal ?? `exit code ${exitCode}`})`]
  const lines = [...printed.split('\n'), ...fatal(errors), ...end].filter((line) => line !== '')
  const here = `${pathToFileURL(folder).href}/`
  return lines.map((line) => `${readable(line).replaceAll(here, '')}\n`).join('')
}

/** Of standard error only the line that says why: V8 adds pages of its own state. */
function fatal(errors: string): string[] {
  const lines = errors.split('\n')
  const why = lines.find((line) => /^(# )?(FATAL ERROR|Fatal JavaScript)/.test(line))
  return [why ?? lines[0] ?? '']
}

function readable(line: string): string {
  if (!line.startsWith('{"level"')) return line
  const { level, msg, scheduler } = JSON.parse(line) as Record<string, unknown>
  const word = new Map([
    [30, 'info'],
    [40, 'warn'],
    [50, 'error'],
  ]).get(level as number)
  return `${word} [${scheduler === 0 ? 'main' : `thread ${scheduler}`}] ${msg}`
}

/**
 * What two runs of a program have in common: what each source says, in its order; not pids, times, nor which source comes
 * first. Plain lines are main's, as are its log lines; each thread's log lines are its own.
 */
export function comparable(output: string): Record<string, string[]> {
  const bySource: Record<string, string[]> = {}
  const lines = output
    .replace(/<0(\.\d+)+>/g, '<pid>')
    .replace(/\b\d+(\.\d+)? (ms|MB)\b/g, '… $2')
    .split('\n')
  for (const line of lines) {
    const source = /^\w+ \[(thread \d+)\] /.exec(line)?.[1] ?? 'main'
    bySource[source] ??= []
    bySource[source].push(line)
  }
  return bySource
}
