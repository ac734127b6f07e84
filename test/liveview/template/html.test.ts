import t from 'tap'
import { toHtml } from '../../../liveview/diff/index.ts'
import { attr, each, html, unsafeHtml, type Value } from '../../../liveview/template/index.ts'

t.test('a literal is parsed once', async (t) => {
  const page = (x: number) => html`<p>${x}</p>`
  const other = (x: number) => html`<p>${x}</p>`
  t.equal(page(1).template, page(2).template)
  t.not(page(1).template, other(1).template)
})

const refused: [value: unknown, problem: RegExp][] = [
  [[1], /is an array; write \$\{each\(items, \(item\) => html`…`\)\}/],
  [() => 1, /is a function; call it/],
  [Symbol('a'), /is a symbol/],
  [{ a: 1 }, /is an object \(Object\); pass the field/],
  [new Date(0), /is an object \(Date\)/],
  [Object.create(null), /is an object \(Object\)/],
  [{ template: html`<b></b>`.template, values: [] }, /is an object/],
  [{ html: '<script>' }, /is an object/],
  [attr('a', 'b'), /belongs between attributes/],
]

t.test('a value that has no text is refused where the template is called', async (t) => {
  for (const [value, problem] of refused) {
    t.throws(() => html`<li>${'first'}</li><li>${value as Value}</li>`, {
      name: 'TemplateError',
      message: problem,
    })
  }
  t.throws(() => html`<li>${'first'}</li><b>${[] as unknown as Value}</b>`, {
    message: /\$\{2\} in: <\/li><b>\$\{2\}<\/b>/,
  })
})

t.test('markup is refused in attribute values and text-only elements', async (t) => {
  t.throws(() => html`<p class="${html`<b></b>`}"></p>`, /markup where only text can stand/)
  t.throws(() => html`<p class="${unsafeHtml('"')}"></p>`, /markup where only text can stand/)
  t.throws(() => html`<title>${each([1], (n) => n)}</title>`, /markup where only text can stand/)
})

t.test('a place between attributes takes attr only', async (t) => {
  t.throws(() => html`<p ${'onclick=alert()'}></p>`, /stands between attributes; write \$\{attr\(/)
  t.throws(() => html`<p ${unsafeHtml('a')}></p>`, /stands between attributes/)
  t.throws(() => html`<p ${true}></p>`, /stands between attributes/)
  t.equal(toHtml(html`<p ${false} ${null} ${attr('id', 1)}></p>`), '<p   id="1"></p>')
})

t.test('attr writes a bare attribute, a value or nothing', async (t) => {
  t.equal(attr('disabled', true).html, 'disabled=""')
  t.equal(attr('disabled', false).html, '')
  t.equal(attr('title', null).html, '')
  t.equal(attr('title', undefined).html, '')
  t.equal(attr('title', '').html, 'title=""')
  t.equal(attr('title', `"><'`).html, 'title="&quot;&gt;&lt;&#39;"')
  t.equal(attr('tabindex', 0).html, 'tabindex="0"')
  for (const name of ['', 'a b', 'a=b', '"', 'a>', '1', 'a\n', 'é']) {
    t.throws(() => attr(name, 'x'), /is not an attribute name/, JSON.stringify(name))
  }
  for (const name of ['onclick', 'OnLoad', 'srcdoc']) {
    t.throws(() => attr(name, 'x'), /would run its value as code/, name)
  }
  t.throws(() => attr('title', {} as string), /is of type object/)
})

const dangerous = [
  'javascript:alert(1)',
  ' javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\nscript:alert(1)',
  'java\tscript\r:alert(1)',
  '\u0001javascript:alert(1)',
  'vbscript:x',
  'data:text/html,<script>',
  'data: text/html;base64,x',
  'data:application/xhtml+xml,x',
]
const harmless = [
  '/a',
  'a:b',
  'https://example.org/?a=javascript:',
  '?javascript:',
  'mailto:a@example.org',
  'data:image/png;base64,x',
  'javascript',
  '',
]

t.test('a script address is neutralised in every URL attribute', async (t) => {
  const blocked = 'about:blank#blocked'
  for (const url of dangerous) {
    t.equal(toHtml(html`<a href="${url}">x</a>`), `<a href="${blocked}">x</a>`, url)
    t.equal(toHtml(html`<img src='${url}'>`), `<img src='${blocked}'>`, url)
    t.equal(attr('href', url).html, `href="${blocked}"`, url)
    t.equal(attr('FormAction', url).html, `FormAction="${blocked}"`, url)
  }
  for (const url of harmless) {
    t.equal(toHtml(html`<a HREF="${url}">x</a>`), `<a HREF="${url}">x</a>`, url)
  }
  t.equal(toHtml(html`<a title="${'javascript:x'}">x</a>`), '<a title="javascript:x">x</a>')
})

t.test('a script address is neutralised when static text completes it', async (t) => {
  t.equal(
    toHtml(html`<a href="${'javascript'}:${1}">x</a>`),
    '<a href="about:blank#blocked:1">x</a>',
  )
  t.equal(
    toHtml(html`<a href="java${'script:a'}">x</a>`),
    '<a href="javaabout:blank#blocked">x</a>',
  )
  t.equal(
    toHtml(html`<a href="data:${'text/html,a'}">x</a>`),
    '<a href="data:about:blank#blocked">x</a>',
  )
})
