import fc from 'fast-check'
import t from 'tap'
import { escapeHtml, unsafeHtml } from '../../../liveview/template/escape.ts'

t.test('escapes the five characters that end text or attribute values', async (t) => {
  t.equal(escapeHtml(`&<>"'`), '&amp;&lt;&gt;&quot;&#39;')
  t.equal(escapeHtml('plain'), 'plain')
  t.equal(escapeHtml(''), '')
  t.equal(escapeHtml('a&b'), 'a&amp;b')
})

t.test('agrees with replacement one by one', async (t) => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
  t.comment(`seed ${seed}`)
  const replaced = (text: string) =>
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;')
  const characters = fc.string({ unit: fc.constantFrom('&', '<', '>', '"', "'", 'a', '界', '😀') })
  fc.assert(
    fc.property(characters, (text) => escapeHtml(text) === replaced(text)),
    { seed, numRuns: 1_000 },
  )
})

t.test('trusted markup must be a string', async (t) => {
  t.equal(unsafeHtml('<b>').html, '<b>')
  t.throws(() => unsafeHtml(1 as unknown as string), /takes a string, not number/)
})
