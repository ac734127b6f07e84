/** Every test that docs/semantics.md names exists. */
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'

const contract = readFileSync(new URL('../../docs/semantics.md', import.meta.url), 'utf8')
const citation = /`([\w./]+\.ts)` "([^"]+)"/g

t.test('each line of the contract names a test that exists', (t) => {
  const cited = [...contract.matchAll(citation)]
  t.ok(cited.length > 30, `${cited.length} tests are named`)
  for (const [, path, name] of cited) {
    const file = new URL(`../${path}`, import.meta.url)
    t.ok(
      existsSync(file) && readFileSync(file, 'utf8').includes(name as string),
      `${path} has "${name}"`,
    )
  }
  t.end()
})
