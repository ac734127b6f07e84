import t from 'tap'
import { toHtml } from '../../../liveview/diff/index.ts'
import { attr, each, html, unsafeHtml } from '../../../liveview/template/index.ts'

t.test('writes values, nodes, lists, attributes and trusted markup', async (t) => {
  const page = html`<ul class="${'a"b'}">${each([1, 2], (n) => html`<li>${n}</li>`)}</ul>${null}${html`<input ${attr('checked', true)} ${attr('value', '"')}>`}${unsafeHtml('<hr>')}${true}`
  t.equal(
    toHtml(page),
    '<ul class="a&quot;b"><li>1</li><li>2</li></ul><input checked="" value="&quot;"><hr>true',
  )
})

t.test('writes a template without holes as it is', async (t) => {
  t.equal(toHtml(html`<br>`), '<br>')
})
