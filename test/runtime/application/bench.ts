// A node with the applications of apps/shop.ts, and what they noted.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BeamishNode } from 'beamish'
import type { Test } from 'tap'
import { startNode } from '../kit.ts'

export interface Bench {
  readonly node: BeamishNode
  readonly notes: Notes
}

/** What was noted since the last time. */
export type Notes = () => string[]

export function notesOf(t: Test): Notes {
  const directory = mkdtempSync(join(tmpdir(), 'beamish-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'notes')
  writeFileSync(file, '')
  process.env.BEAMISH_TEST_NOTES = file
  let read = 0
  return () => {
    const all = readFileSync(file, 'utf8').split('\n').slice(0, -1)
    const since = all.slice(read)
    read = all.length
    return since
  }
}

export function shop(query: Record<string, readonly string[]> = {}): URL {
  const app = new URL('./apps/shop.ts', import.meta.url)
  for (const [key, values] of Object.entries(query)) {
    for (const value of values) app.searchParams.append(key, value)
  }
  return app
}

export async function bench(
  t: Test,
  query: Record<string, readonly string[]> = {},
  options: Parameters<typeof startNode>[2] = {},
): Promise<Bench> {
  const notes = notesOf(t)
  const node = await startNode(shop(query), 2, options)
  t.teardown(() => node.stop())
  return { node, notes }
}

/** What an application notes when it starts or stops, on two threads. */
export const started = (name: string): string[] => [
  `${name}.start`,
  `start ${name} each`,
  `start ${name} each`,
  `start ${name}`,
  `${name}.open`,
  `${name}.warm`,
]
export const stopped = (name: string): string[] => [
  `${name}.prepStop`,
  `stop ${name}`,
  `stop ${name} each`,
  `stop ${name} each`,
  `${name}.stop`,
  `${name} knows start prepStop`,
]
