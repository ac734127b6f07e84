/** Numbered behaviours, the tests that show them, and the page that says so: of OTP, and of Phoenix channels. */
import { readdirSync, readFileSync } from 'node:fs'

export type Verdict = 'same' | 'different' | 'not applicable' | 'open'

export interface Row {
  readonly number: number
  readonly section: string
  readonly behaviour: string
  readonly verdict: Verdict
  readonly why: string
  /** Test files that show it, from the folder of the tests. */
  readonly shown: readonly string[]
}

export interface Listed {
  /** File of the numbered lines, beside this one. */
  readonly list: string
  /** Word before the number in the names of tests. */
  readonly word: string
  /** Why what happens here is not what happens there. */
  readonly different: Readonly<Record<number, string>>
  /** Why it cannot happen here. */
  readonly notApplicable: Readonly<Record<number, string>>
}

const HERE = new URL('./', import.meta.url)
const TESTS = new URL('../', HERE)

interface Named {
  readonly same: string[]
  readonly different: string[]
}

/** `differs: otp 9, 10: …` or `otp 10: …` at the beginning of a string. */
function named(word: string): Map<number, Named> {
  const names = new RegExp(`['"\`](differs: )?${word} (\\d+(?:(?:, | and )\\d+)*)`, 'g')
  const found = new Map<number, Named>()
  const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((one) => one.endsWith('.test.ts')).sort()) {
    for (const [, differs, numbers] of readFileSync(new URL(file, TESTS), 'utf8').matchAll(names)) {
      for (const number of (numbers as string).split(/, | and /).map(Number)) {
        const entry = found.get(number) ?? { same: [], different: [] }
        found.set(number, entry)
        const list = differs === undefined ? entry.same : entry.different
        if (!list.includes(file)) list.push(file)
      }
    }
  }
  return found
}

/** One row per number, in order. What no test shows is not applicable where a reason is given, and open otherwise. */
export function rowsOf({ list, word, different, notApplicable }: Listed): Row[] {
  const tests = named(word)
  const rows: Row[] = []
  let section = ''
  for (const line of readFileSync(new URL(list, HERE), 'utf8').split('\n')) {
    if (line.startsWith('## ')) section = line.slice(3)
    const [, digits, behaviour] = line.match(/^(\d+)\. (.*)$/) ?? []
    if (digits === undefined || behaviour === undefined) continue
    const number = Number(digits)
    const found = tests.get(number) ?? { same: [], different: [] }
    const shown = [...new Set([...found.same, ...found.different])]
    const verdict = verdictOn(found, notApplicable[number])
    const why = { different: different[number], 'not applicable': notApplicable[number] }
    const reason = verdict === 'same' || verdict === 'open' ? '' : (why[verdict] ?? '')
    rows.push({ number, section, behaviour, verdict, why: reason, shown })
  }
  return rows
}

function verdictOn({ same, different }: Named, notApplicable: string | undefined): Verdict {
  if (different.length > 0) return 'different'
  if (same.length > 0) return 'same'
  return notApplicable === undefined ? 'open' : 'not applicable'
}

export const countOf = (rows: readonly Row[], verdict: Verdict): number =>
  rows.filter((row) => row.verdict === verdict).length

/** The rows as a page shows them, below its first lines. */
export function table(rows: readonly Row[], head: readonly string[]): string {
  const lines = [...head]
  let section = ''
  for (const row of rows) {
    if (row.section !== section) {
      section = row.section
      lines.push('', `## ${section}`, '', '| | behaviour | here | shown by |', '|---|---|---|---|')
    }
    const verdict = row.why === '' ? row.verdict : `${row.verdict}: ${row.why}`
    const shown = row.shown.map((file) => `\`${file}\``).join(', ')
    lines.push(`| ${row.number} | ${row.behaviour} | ${verdict} | ${shown} |`)
  }
  return `${lines.join('\n')}\n`
}
