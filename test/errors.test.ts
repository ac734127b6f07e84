import { readFile } from 'node:fs/promises'
import { BeamishError } from 'beamish'
import t from 'tap'
import { errorCodes, errorTemplate } from '../runtime/errors.ts'

const page = await readFile(new URL('../docs/errors.md', import.meta.url), 'utf8')
/** Rows of the tables: code, when, what to do. */
const rows = [...page.matchAll(/^\| `((?:BEAMISH|CHN|LVW)_\w+)` \| (.+) \| (.+) \|$/gm)].map(
  (match) => match.slice(1, 4),
)

t.test('every error code is documented once, and every documented one exists', async (t) => {
  t.same(rows.map(([code]) => code).sort(), [...errorCodes].sort())
})

t.test('no other code is mentioned on the page', async (t) => {
  const mentioned = new Set(page.match(/(?:BEAMISH|CHN|LVW)_[A-Z_]+/g))
  t.same([...mentioned].sort(), [...errorCodes].sort())
})

t.test('each code says when it happens and what to do, in whole sentences', async (t) => {
  for (const [code, when, fix] of rows) {
    t.match(when, /^.{20,}\.$/, `${code}: when`)
    t.match(fix, /^.{10,}\.$/, `${code}: what to do`)
  }
})

t.test('every message is filled in from its fields, all of them', async (t) => {
  for (const code of errorCodes) {
    const names = [...errorTemplate(code).matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
    const fields = Object.fromEntries(names.map((name) => [name, `<${name}>`]))
    const error = new BeamishError(code, fields)
    for (const name of names) t.match(error.message, `<${name}>`, `${code} ${name}`)
    t.equal(error.code, code)
    t.ok(error instanceof BeamishError)
  }
})
