/**
 * Channels beside the floor of `ws` without processes: each case against a fresh server on core 0, the load on core 1, the
 * servers by turns, medians of the rounds. Two scheduler threads get both cores and leave the load what they do not take:
 * read their figures beside the load's part of a core.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Figures } from './client.ts'

const ROUNDS = 5
const START_MS = 20_000
const RUN_MS = 180_000

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const CLIENT = file('./client.ts')
const FLOOR = [file('./floor.ts')]
const BEAMISH = [file('../../runtime/cli.ts'), file('./server.ts')]

interface Server {
  readonly name: string
  readonly label: string
  readonly program: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cores: number
}

const SERVERS: readonly Server[] = [
  { name: 'ws', label: 'ws alone', program: FLOOR, cores: 1 },
  {
    name: 'wsBatched',
    label: 'ws, a write per turn',
    program: FLOOR,
    env: { BATCH: '1' },
    cores: 1,
  },
  {
    name: 'beamish',
    label: 'Beamish',
    program: BEAMISH,
    env: { SCHEDULERS: '1' },
    cores: 1,
  },
  {
    name: 'beamish2',
    label: 'Beamish, 2 threads',
    program: BEAMISH,
    env: { SCHEDULERS: '2' },
    cores: 2,
  },
]

interface Case {
  readonly name: string
  /** Prints of each server's medians what the case is about. */
  readonly lines: Readonly<Record<string, (figures: Required<Figures>) => string>>
  /** Servers with two threads are asked, too. */
  readonly scales?: true
}

const thousands = (perSecond: number): string => `${(perSecond / 1_000).toFixed(1)} k`
const rates = (label: string, each: string): Case['lines'] => ({
  [`${label}/s`]: ({ perSecond }) => thousands(perSecond),
  [`${label}, CPU us each`]: ({ cpuUs }) => cpuUs.toFixed(each === 'us' ? 1 : 2),
  // Below one core the server was not what held the figure down.
  [`${label}, cores taken by server / load`]: ({ busy, load }) =>
    `${busy.toFixed(2)} / ${load.toFixed(2)}`,
})

const CASES: readonly Case[] = [
  { name: 'fanout100', lines: rates('deliveries to 100', ''), scales: true },
  { name: 'fanout1000', lines: rates('deliveries to 1,000', ''), scales: true },
  {
    name: 'latency1000',
    lines: {
      '20 messages/s to 1,000, p50 / p99 ms': ({ p50Ms, p99Ms }) =>
        `${p50Ms.toFixed(1)} / ${p99Ms.toFixed(1)}`,
      '20 messages/s to 1,000, CPU us each': ({ cpuUs }) => cpuUs.toFixed(1),
    },
  },
  { name: 'ping64', lines: rates('pings of 64', 'us'), scales: true },
  {
    name: 'connect',
    lines: { 'connect and join after 1,000, CPU us each': ({ cpuUs }) => cpuUs.toFixed(0) },
  },
  {
    name: 'connectWarm',
    lines: { 'connect and join after 10,000, CPU us each': ({ cpuUs }) => cpuUs.toFixed(0) },
  },
  {
    name: 'memory',
    lines: { 'resident kB per joined client': ({ kilobytes }) => kilobytes.toFixed(1) },
  },
]

function pinsWork(): boolean {
  try {
    execFileSync('taskset', ['-c', '0', 'true'], { stdio: 'ignore' })
    return availableParallelism() > 1
  } catch {
    return false
  }
}

const pins = pinsWork()
if (!pins) console.log('no taskset, or one core: neither server nor load is pinned')

/** A process of node, on the cores `from` to `to` where that can be had. */
function launch(
  from: number,
  to: number,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcess {
  const node = [process.execPath, '--conditions=beamish-source', ...args]
  const command = pins ? ['taskset', '-c', `${from}-${to}`, ...node] : node
  return spawn(command[0] as string, command.slice(1), {
    env: { ...process.env, NODE_ENV: 'production', LOG_LEVEL: 'error', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** What `child` prints, up to what `pattern` asks for. */
function printed(child: ChildProcess, pattern: RegExp, withinMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    const fail = (why: string): void => reject(new Error(`${why}: ${output}`))
    const timer = setTimeout(() => fail(`nothing within ${withinMs} ms`), withinMs)
    child.once('close', (code) => fail(`ended with ${code}`))
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      const found = pattern.exec(output)?.[1]
      if (found === undefined) return
      clearTimeout(timer)
      resolve(found)
    })
  })
}

function stop(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  return ended
}

async function one(name: string, { program, env, cores }: Server): Promise<Figures> {
  const server = launch(0, cores - 1, ['--expose-gc', ...program], env ?? {})
  let load: ChildProcess | undefined
  try {
    const port = await printed(server, /^http:\S+:(\d+)\s/m, START_MS)
    load = launch(cores > 1 ? 0 : 1, 1, [CLIENT, name, port, String(server.pid)], {})
    return JSON.parse(await printed(load, /^(\{.*\})\s/m, RUN_MS)) as Figures
  } finally {
    if (load !== undefined) await stop(load)
    await stop(server)
  }
}

function medians(rounds: readonly Figures[]): Required<Figures> {
  const keys = Object.keys(rounds[0] as Figures) as (keyof Figures)[]
  return Object.fromEntries(
    keys.map((key) => {
      const values = rounds.map((round) => round[key] as number).sort((a, b) => a - b)
      return [key, values[Math.floor(values.length / 2)]]
    }),
  ) as unknown as Required<Figures>
}

/** `npm run bench -- channels [CASE ...] [SERVER ...] [ROUNDS]` */
export async function run(): Promise<void> {
  const wanted = new Set(process.argv.slice(3))
  const rounds = Number([...wanted].find((word) => /^\d+$/.test(word)) ?? ROUNDS)
  wanted.delete(String(rounds))
  const known = [...CASES, ...SERVERS].map(({ name }) => name)
  const unknown = [...wanted.difference(new Set(known))]
  if (unknown.length > 0) {
    throw new Error(`no case or server ${unknown.join(', ')}: there are ${known.join(', ')}`)
  }
  const chosen = <T extends { readonly name: string }>(all: readonly T[]): readonly T[] => {
    const named = all.filter(({ name }) => wanted.has(name))
    return named.length > 0 ? named : all
  }
  const table: Record<string, Record<string, string>> = {}
  for (const { name, lines, scales } of chosen(CASES)) {
    const servers = chosen(SERVERS).filter(({ cores }) => cores === 1 || scales)
    const found = new Map(servers.map((server) => [server, [] as Figures[]]))
    for (let round = 0; round < rounds; round++) {
      for (const [server, figures] of found) figures.push(await one(name, server))
    }
    for (const [line, print] of Object.entries(lines)) {
      table[line] = Object.fromEntries(
        [...found].map(([{ label }, figures]) => [label, print(medians(figures))]),
      )
      console.log(`${line}: ${JSON.stringify(table[line])}`)
    }
  }
  console.table(table)
}
