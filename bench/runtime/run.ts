/**
 * The runtime beside the BEAM: each case in a fresh process here and there, by turns, and the ratio of the medians. One
 * scheduler each, pinned to one core on both sides where `taskset` is there. Without Erlang (Debian: `apt install
 * erlang-base`) this side's figures alone.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CASES, type Case } from './cases.ts'

const ROUNDS = 5
const BEAM_SOURCE = new URL('./beam.erl', import.meta.url).pathname
const BEAMISH_SOURCE = new URL('./beamish.ts', import.meta.url).pathname

const execute = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

function has(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const pins = has('taskset', '-c', '0', 'true')

/** One process on its own: `cores` of them if it can be pinned. */
function figure(cores: number, command: string, args: readonly string[]): number {
  const [run, all] = pins
    ? ['taskset', ['-c', `0-${cores - 1}`, command, ...args]]
    : [command, args]
  const value = Number.parseFloat(execute(run as string, all as string[]))
  if (Number.isNaN(value)) throw new Error(`${command} ${args.join(' ')} printed no figure`)
  return value
}

const beamish = ({ name, schedulers }: Case): number =>
  figure(schedulers, process.execPath, [
    '--conditions=beamish-source',
    '--expose-gc',
    BEAMISH_SOURCE,
    name,
  ])

const beam = ({ name, schedulers }: Case, code: string): number =>
  figure(schedulers, 'erl', [
    ...['-noshell', '+S', String(schedulers), '-pa', code],
    ...['-run', 'beam', 'main', name],
  ])

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number

const text = (value: number): string =>
  value >= 1e6
    ? `${(value / 1e6).toFixed(2)} M`
    : value >= 1e4
      ? `${(value / 1e3).toFixed(0)} k`
      : value.toFixed(0)

/** `npm run bench -- runtime [CASE ...]` */
export async function run(): Promise<void> {
  const wanted = process.argv.slice(3)
  const unknown = wanted.filter((name) => !CASES.some((one) => one.name === name))
  if (unknown.length > 0) {
    throw new Error(
      `no case ${unknown.join(', ')}: there are ${CASES.map(({ name }) => name).join(', ')}`,
    )
  }
  const erlang = has('erl', '-noshell', '-eval', 'halt().')
  if (!erlang) console.log('no Erlang on this machine: install erlang-base to compare')
  if (!pins) console.log('no taskset on this machine: the processes are not pinned to a core')
  const code = mkdtempSync(join(tmpdir(), 'beamish-bench-'))
  try {
    if (erlang) execute('erlc', ['-o', code, BEAM_SOURCE])
    const rows: Record<string, object> = {}
    for (const one of CASES) {
      if (wanted.length > 0 && !wanted.includes(one.name)) continue
      const [ours, theirs]: [number[], number[]] = [[], []]
      for (let round = 0; round < ROUNDS; round++) {
        ours.push(beamish(one))
        if (erlang && one.beam) theirs.push(beam(one, code))
      }
      rows[one.label] = row(one, ours, theirs)
      console.log(`${one.label}: ${JSON.stringify(rows[one.label])}`)
    }
    console.table(rows)
  } finally {
    rmSync(code, { recursive: true })
  }
}

function row({ unit }: Case, ours: readonly number[], theirs: readonly number[]): object {
  const figures = { Beamish: text(median(ours)), unit }
  if (theirs.length === 0) return figures
  const ratio = median(ours) / median(theirs)
  return { ...figures, BEAM: text(median(theirs)), ratio: ratio.toFixed(2) }
}
