/**
 * Every numbered behaviour of Phoenix channels is shown by a test, is said to be different or impossible here with the reason,
 * or is open.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { conformance, DIFFERENT, NOT_APPLICABLE, page } from './channels.ts'
import type { Verdict } from './rows.ts'

const PAGE = new URL('../../docs/conformance-channels.md', import.meta.url)
const rows = conformance()
const of = (verdict: Verdict): number[] =>
  rows.filter((row) => row.verdict === verdict).map(({ number }) => number)

t.test('all 108 behaviours are listed, in order', async (t) => {
  t.same(
    rows.map(({ number }) => number),
    Array.from({ length: 108 }, (_, i) => i + 1),
  )
  const open = of('open')
  t.comment(`${open.length} are open: ${open.join(', ') || 'none'}`)
})

t.test('what cannot happen has a reason, and no test', async (t) => {
  t.same(of('not applicable'), Object.keys(NOT_APPLICABLE).map(Number))
})

t.test('what a test says is different has a reason, and nothing else has one', async (t) => {
  t.same(of('different'), Object.keys(DIFFERENT).map(Number))
})

t.test('docs/conformance-channels.md says the same', async (t) => {
  const made = page(rows)
  if (process.env.UPDATE_DOCS === '1') writeFileSync(PAGE, made)
  t.equal(readFileSync(PAGE, 'utf8'), made)
})
