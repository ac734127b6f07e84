/** `beamish tree`: prints the supervision tree of a running node, with the figures of its threads and processes. */
import type { NodeReport } from '../observe/figures.ts'
import { bad, given, readArguments, styled } from './arguments.ts'
import { type Connection, connect } from './connection.ts'
import { reportText } from './reportText.ts'

const USAGE = `beamish tree [process id or socket of the node]
  --watch         again and again, until Ctrl-C
  --window ms     milliseconds in which rates are counted (500)
  --children n    children shown of each process (20)
  --processes n   processes shown (1000)
  --top n         entries in each list of the largest (5)
  --memory        estimates what processes hold
  --json          the report as it is`

const OPTIONS = {
  watch: { type: 'boolean' },
  window: { type: 'string' },
  children: { type: 'string' },
  processes: { type: 'string' },
  top: { type: 'string' },
  memory: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

/** More than the node gives its threads. */
const PATIENCE_MS = 5_000
const CLEAR = '\u001b[H\u001b[J'

export async function tree(args: readonly string[]): Promise<void> {
  const { words, flag, number } = readArguments(args, OPTIONS, `see beamish tree --help`)
  if (flag('help')) {
    console.log(USAGE)
    return
  }
  if (words.length > 1) throw bad('node', JSON.stringify(words[1]), 'name one node')
  const watch = flag('watch')
  const windowMs = number('window') ?? (watch ? 1_000 : 500)
  const observe = given({
    windowMs,
    maxChildren: number('children'),
    maxProcesses: number('processes'),
    top: number('top'),
    memory: flag('memory') || undefined,
  })
  const connection = await connect(words[0])
  try {
    do {
      const report = await look(connection, observe, windowMs)
      print(report, flag('json'), watch)
      // Without a window nothing else would keep it from asking as fast as it can.
      if (watch) await new Promise((resolve) => setTimeout(resolve, windowMs < 100 ? 1_000 : 0))
    } while (watch)
  } finally {
    connection.close()
  }
}

async function look(
  connection: Connection,
  observe: unknown,
  windowMs: number,
): Promise<NodeReport> {
  connection.ask({ observe })
  return (await connection.next('observe', windowMs + PATIENCE_MS)).report as NodeReport
}

function print(report: NodeReport, json: boolean, watch: boolean): void {
  const { stdout } = process
  if (json) {
    console.log(JSON.stringify(report))
    return
  }
  if (watch) stdout.write(stdout.isTTY ? CLEAR : '\n')
  console.log(reportText(report, styled, stdout.isTTY ? stdout.columns : undefined))
}
