/**
 * docs/how-processes-die.md shows tests and their timelines; each is run, and is the one the guide shows. `UPDATE_DOCS=1 npx tap
 * test/docs/deaths.test.ts` writes the timelines anew.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { outputsOf, programsOf, withOutput } from './faults.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const file = `${root}docs/how-processes-die.md`
const guide = readFileSync(file, 'utf8')
const shown = programsOf(guide)

t.equal(shown.length, 10, 'ten deaths')
t.equal(shown.length, guide.split('```ts run').length - 1, 'every program shows its output')
const outputs = outputsOf(root, shown)
for (const [i, one] of shown.entries()) {
  t.test(`how-processes-die: ${one.title}`, async (t) => {
    const actual = (await outputs[i]) as string
    if (process.env.UPDATE_DOCS === '1') {
      writeFileSync(file, withOutput(readFileSync(file, 'utf8'), one, actual))
    } else t.equal(actual, one.output)
  })
}
