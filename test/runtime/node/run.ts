// Programs run as child processes.
import { type ChildProcess, spawn } from 'node:child_process'

export interface Run {
  readonly child: ChildProcess
  /** Standard output so far. */
  out(): string
  /** Standard error so far. */
  errors(): string
  /** Resolves when standard output holds `text`, or the program has ended. */
  says(text: string): Promise<boolean>
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Run {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const cache = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }
  const child = spawn(process.execPath, ['--conditions=beamish-source', ...args], {
    env: { PATH, ...cache, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let errors = ''
  const waiting = new Set<() => void>()
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk
    for (const look of waiting) look()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk
  })
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  return {
    child,
    out: () => out,
    errors: () => errors,
    ended,
    says: (text) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!out.includes(text)) return
          waiting.delete(look)
          resolve(true)
        }
        waiting.add(look)
        look()
        void ended.then(() => resolve(out.includes(text)))
      }),
  }
}
