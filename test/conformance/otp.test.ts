/** Every numbered behaviour of OTP is shown by a test, or is said to be different or impossible here, with the reason. */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { conformance, DIFFERENT, NOT_APPLICABLE, page } from './otp.ts'

const PAGE = new URL('../../docs/conformance.md', import.meta.url)
const rows = conformance()

t.test('all 180 behaviours are listed, in order', async (t) => {
  t.same(
    rows.map(({ number }) => number),
    Array.from({ length: 180 }, (_, i) => i + 1),
  )
})

t.test('what no test shows has a reason, and nothing else has one', async (t) => {
  const of = (verdict: string): number[] =>
    rows.filter((row) => row.verdict === verdict).map(({ number }) => number)
  t.same(of('not applicable'), Object.keys(NOT_APPLICABLE).map(Number))
  t.same(of('open'), [])
})

t.test('what a test says is different has a reason, and nothing else has one', async (t) => {
  const different = rows.filter(({ verdict }) => verdict === 'different')
  t.same(
    different.map(({ number }) => number),
    Object.keys(DIFFERENT).map(Number),
  )
})

t.test('docs/conformance.md says the same', async (t) => {
  const made = page(rows)
  if (process.env.UPDATE_DOCS === '1') writeFileSync(PAGE, made)
  t.equal(readFileSync(PAGE, 'utf8'), made)
})
