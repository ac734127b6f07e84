import fc from 'fast-check'
import t from 'tap'
import { decodeForm, mergeMeta } from '../../../channels/wire/form.ts'

/** As plain objects, which is how expectations are written. */
const decode = (encoded: string): unknown => JSON.parse(JSON.stringify(decodeForm(encoded)))

const cases: [encoded: string, expected: unknown][] = [
  ['', {}],
  ['a=1&b=2', { a: '1', b: '2' }],
  ['a', { a: '' }],
  ['a=', { a: '' }],
  ['=1', { '': '1' }],
  ['&&a=1&', { a: '1' }],
  ['a=1&a=2', { a: '2' }],
  ['a=b=c', { a: 'b=c' }],
  ['a+b=c+d%2B%26%3D', { 'a b': 'c d+&=' }],
  ['n=%E6%97%A5', { n: '日' }],
  ['a[b]=1&a[c]=2', { a: { b: '1', c: '2' } }],
  ['a%5Bb%5D=1', { a: { b: '1' } }],
  ['a[b][c]=1&a[b][d]=2', { a: { b: { c: '1', d: '2' } } }],
  ['a[]=1&a[]=2', { a: ['1', '2'] }],
  ['a[b][]=1&a[b][]=2', { a: { b: ['1', '2'] } }],
  ['a[][b]=1&a[][b]=2', { a: [{ b: '1' }, { b: '2' }] }],
  ['a[0]=x&a[1]=y', { a: { 0: 'x', 1: 'y' } }],
  ['a=1&a[b]=2', { a: { b: '2' } }],
  ['a[b]=1&a=2', { a: '2' }],
  ['a[]=1&a[b]=2', { a: { b: '2' } }],
  ['a[b]=1&a[]=2', { a: ['2'] }],
  ['a[b=1', { 'a[b': '1' }],
  ['a]=1', { 'a]': '1' }],
  ['[a]=1', { '[a]': '1' }],
  ['a[b]c=1', { 'a[b]c': '1' }],
  ['a[b[c]]=1', { 'a[b[c]]': '1' }],
  ['a[b]x[c]=1', { 'a[b]x[c]': '1' }],
  ['user[_unused_email]=&user[email]=x', { user: { _unused_email: '', email: 'x' } }],
]

t.test('decodes names as Plug does', async (t) => {
  for (const [encoded, expected] of cases) t.strictSame(decode(encoded), expected, encoded)
})

t.test('a name cannot reach a prototype', async (t) => {
  const params = decodeForm(
    '__proto__[x]=1&a[__proto__][x]=2&__proto__=3&constructor[prototype][x]=4',
  )
  t.equal(Object.getPrototypeOf(params), null)
  t.strictSame(Object.keys(params), ['constructor'])
  t.equal(({} as { x?: string }).x, undefined)
  t.equal(Object.assign({}, params).x, undefined)
  t.strictSame(JSON.stringify(decodeForm('toString[a]=1')), '{"toString":{"a":"1"}}')
})

t.test('limits fields and levels', async (t) => {
  const fields = (n: number) => Array.from({ length: n }, (_, i) => `a[]=${i}`).join('&')
  t.equal((decodeForm(fields(1_000)).a as string[]).length, 1_000)
  t.throws(() => decodeForm(fields(1_001)), { name: 'FormDecodeError', message: /1000 fields/ })
  t.doesNotThrow(() => decodeForm(`a${'[b]'.repeat(99)}=1`))
  t.throws(() => decodeForm(`a${'[b]'.repeat(100)}=1`), /deeper than 100 levels/)
})

t.test('broken percent-encoding is an error', async (t) => {
  t.throws(() => decodeForm('a=%'), { name: 'FormDecodeError', message: /percent-encoding/ })
  t.throws(() => decodeForm('a=%ff'), /UTF-8/)
})

t.test('plain fields survive the way from a browser', async (t) => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
  t.comment(`seed ${seed}`)
  const name = fc.string({ unit: 'grapheme' }).filter((key) => !/[[\]]|^__proto__$/.test(key))
  fc.assert(
    fc.property(fc.dictionary(name, fc.string({ unit: 'grapheme' })), (fields) => {
      const encoded = new URLSearchParams(fields).toString()
      t.strictSame({ ...decodeForm(encoded) }, { ...fields })
    }),
    { seed, numRuns: 200 },
  )
})

t.test('meta lies over the fields and its _target becomes a path', async (t) => {
  const merge = (meta: Record<string, unknown>) => ({ ...mergeMeta(decodeForm('a=1'), meta) })
  t.strictSame(merge({}), { a: '1' })
  t.strictSame(merge({ _target: 'user[email]' }), { a: '1', _target: ['user', 'email'] })
  t.strictSame(merge({ _target: 'user[tags][]' }), { a: '1', _target: ['user', 'tags'] })
  t.strictSame(merge({ _target: 'undefined' }), { a: '1', _target: ['undefined'] })
  t.strictSame(merge({ a: '2', id: 7 }), { a: '2', id: 7 })
  const hostile = mergeMeta(decodeForm(''), JSON.parse('{"__proto__":{"x":1}}'))
  t.strictSame(Object.keys(hostile), [])
})
