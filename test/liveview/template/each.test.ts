import t from 'tap'
import { toHtml } from '../../../liveview/diff/index.ts'
import { each, html, type Value } from '../../../liveview/template/index.ts'

t.test('renders any iterable with item and index', async (t) => {
  const row = (item: string, index: number) => html`${index}${item} `
  t.equal(toHtml(html`${each(['a', 'b'], row)}`), '0a 1b ')
  t.equal(toHtml(html`${each(new Set(['a', 'b']), row)}`), '0a 1b ')
  t.equal(toHtml(html`${each([], row)}`), '')
})

t.test('a repeated explicit key is an error that names it', async (t) => {
  const row = (n: number) => html`${n}`
  t.throws(() => each([1, 2], row, { key: () => 'same' }), {
    name: 'TemplateError',
    message: /key "same" names two rows; return a unique key/,
  })
  t.throws(() => each([1, 7, 7], row, { key: (n) => n }), /key 7 names two rows/)
  t.doesNotThrow(() => each([1, '1'], (n) => n, { key: (n) => n }))
  t.doesNotThrow(() => each([7, 7], row), 'without a key function repeats are fine')
})

t.test('a row is a value like any other', async (t) => {
  t.equal(toHtml(html`${each(['<', null, 1], (item) => item)}`), '&lt;1')
  t.throws(() => each([1], () => [] as unknown as Value), /is an array/)
})
