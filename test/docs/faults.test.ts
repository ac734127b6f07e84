/**
 * docs/what-can-die.md shows programs and what they print; each is run, and prints what the guide says. `UPDATE_DOCS=1 npx tap
 * test/docs/faults.test.ts` writes the guide's outputs anew.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { comparable, outputsOf, programsOf, withOutput } from './faults.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const file = `${root}docs/what-can-die.md`
const guide = readFileSync(file, 'utf8')
const shown = programsOf(guide)

t.ok(shown.length > 0, 'the guide shows programs')
t.equal(shown.length, guide.split('```ts run').length - 1, 'every program shows its output')
const outputs = outputsOf(root, shown)
for (const [i, one] of shown.entries()) {
  t.test(`what-can-die: ${one.title}`, async (t) => {
    const actual = (await outputs[i]) as string
    if (process.env.UPDATE_DOCS === '1') {
      writeFileSync(file, withOutput(readFileSync(file, 'utf8'), one, actual))
    } else t.strictSame(comparable(actual), comparable(one.output))
  })
}
