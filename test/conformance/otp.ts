/** The verdicts on what `otp.md` numbers: which tests show a behaviour, and why some are different here. */
import { readdirSync, readFileSync } from 'node:fs'

export type Verdict = 'same' | 'different' | 'not applicable'

export interface Row {
  readonly number: number
  readonly section: string
  readonly behaviour: string
  readonly verdict: Verdict
  readonly why: string
  /** Test files that show it, from the folder of the tests. */
  readonly shown: readonly string[]
}

/** Why what happens here is not what happens there. The tests of these are named `differs: otp N: …`. */
export const DIFFERENT: Readonly<Record<number, string>> = {
  15: 'JavaScript runs finally blocks of a promise that settles; one that a dead process awaits never does, and what runs on can do nothing',
  33: 'a running function cannot be interrupted: the process is dead at once to everybody, its code ends when it lets go, or with its thread',
  34: 'one thread runs one function at a time; others go on, and the watchdog ends a thread that does not turn its loop',
  40: 'names are node-wide, and a send is a signal as to another node: an unknown name is nobody; a call answers noproc',
  59: 'Node has one heap per thread and cannot tell whose a byte is: state, mailbox and dictionary are weighed once a second',
  112: 'a raw process is a function that never becomes a server; it refuses sys at once',
  161: 'a registry has no process, so there is no link to drop: entries belong to the scheduler of their process',
  166: '1 and 1.0 are one number in JavaScript; a number and its text are two keys',
}

/** Why it cannot happen here. */
export const NOT_APPLICABLE: Readonly<Record<number, string>> = {
  168: 'a registry has no process that could be killed with its registrants',
}

const HERE = new URL('./', import.meta.url)
const TESTS = new URL('../', HERE)

/** `differs: otp 9, 10: …` or `otp 10: …` at the beginning of a string. */
const NAMED = /['"`](differs: )?otp (\d+(?:(?:, | and )\d+)*)/g

interface Named {
  readonly same: string[]
  readonly different: string[]
}

function named(): Map<number, Named> {
  const found = new Map<number, Named>()
  const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((one) => one.endsWith('.test.ts')).sort()) {
    for (const [, differs, numbers] of readFileSync(new URL(file, TESTS), 'utf8').matchAll(NAMED)) {
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

/** One row per number, in order. */
export function conformance(): Row[] {
  const tests = named()
  const rows: Row[] = []
  let section = ''
  for (const line of readFileSync(new URL('./otp.md', HERE), 'utf8').split('\n')) {
    if (line.startsWith('## ')) section = line.slice(3)
    const [, digits, behaviour] = line.match(/^(\d+)\. (.*)$/) ?? []
    if (digits === undefined || behaviour === undefined) continue
    const number = Number(digits)
    const { same, different } = tests.get(number) ?? { same: [], different: [] }
    const shown = [...new Set([...same, ...different])]
    const verdict: Verdict =
      different.length > 0 ? 'different' : same.length > 0 ? 'same' : 'not applicable'
    const why = { same: '', different: DIFFERENT[number], 'not applicable': NOT_APPLICABLE[number] }
    rows.push({ number, section, behaviour, verdict, why: why[verdict] ?? '', shown })
  }
  return rows
}

/** The rows as docs/conformance.md shows them. */
export function table(rows: readonly Row[]): string {
  const count = (verdict: Verdict): number => rows.filter((row) => row.verdict === verdict).length
  const lines = [
    '# OTP, behaviour by behaviour',
    '',
    `Of ${rows.length} numbered behaviours of OTP ${count('same')} are the same here, ${count('different')} are different, and ${count('not applicable')} cannot happen. This page is made from`,
    'the names of the tests (`UPDATE_DOCS=1 npm run tap -- test/conformance/otp.test.ts`), and a test compares it with them. Where two',
    'or more processes take part, those tests run on one thread and across threads.',
  ]
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
