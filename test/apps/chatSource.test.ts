/** Promises about the chat's source: short enough to read in one go, and no script of its own. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'

const folder = new URL('../../apps/chat/', import.meta.url)

t.test('the whole chat is under 50 lines, in one file beside its stylesheet', (t) => {
  t.strictSame(readdirSync(folder).sort(), ['chat.css', 'chat.ts'])
  const lines = readFileSync(new URL('chat.ts', folder), 'utf8').trimEnd().split('\n')
  t.ok(lines.length < 50, `${lines.length} lines`)
  // Formatted at 100 columns by the lint step, so that lines cannot be made long to be few.
  t.equal(lines.filter((line) => line.length > 100).length, 0)
  t.end()
})
