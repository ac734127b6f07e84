import t from 'tap'
import { parseTemplate } from '../../../liveview/template/parse.ts'

/** The parse of a literal written with `@` for holes. */
const parse = (source: string) => parseTemplate(source.split('@'))
const holes = (source: string) => parse(source).holes

t.test('holes are legal in text, quoted values, and between attributes', async (t) => {
  t.strictSame(holes('@<p>@ a < b @</p>@'), ['text', 'text', 'text', 'text'])
  t.strictSame(holes(`<p class="a @ b" title='@' data-x = "@">x</p>`), ['plain', 'plain', 'plain'])
  t.strictSame(holes('<p @ class="@" @>x</p>'), ['attr', 'plain', 'attr'])
  t.strictSame(holes('<input disabled @ @/>'), ['attr', 'attr'])
  t.strictSame(holes('<textarea>@</textarea><title>a @</title>'), ['plain', 'plain'])
  t.strictSame(holes('<p phx-click="@" phx-value-id="@"></p>'), ['plain', 'plain'])
  t.strictSame(holes('<!-- "<p --><script>if (a < b) "</p>"</script><!doctype html>@'), ['text'])
})

const refused: [source: string, problem: RegExp][] = [
  ['<p class=@></p>', /put quotes around the value: class="\$\{…\}"/],
  ['<p class=a@></p>', /put quotes around the value/],
  ['<@></p>', /tag name cannot be dynamic/],
  ['<p@></p>', /tag name cannot be dynamic/],
  ['</@>', /tag name cannot be dynamic/],
  ['<p></p@>', /tag name cannot be dynamic/],
  ['<p cl@="x"></p>', /attribute name cannot be built; write \$\{attr\(name, value\)\}/],
  ['<p class="a"@></p>', /put a space before it/],
  ['<p @@></p>', /put a space before it/],
  ['<br/@>', /put a space before it/],
  ['<p @x></p>', /attributes need a space between them/],
  ['<p @="x"></p>', /attributes need a space between them/],
  ['<p @ ="x"></p>', /= in an attribute name/],
  ['<!-- @ -->', /comment or declaration; move it out/],
  ['<!-@>', /comment or declaration/],
  ['<!doctype @>', /comment or declaration/],
  ['<?@>', /comment or declaration/],
  ['<script>let a = @</script>', /cannot stand inside <script>; pass it in a data-\* attribute/],
  ['<style>p { color: @ }</style>', /cannot stand inside <style>/],
  ['<SCRIPT></scripty>@</SCRIPT>', /cannot stand inside <script>/],
  ['<iframe>@</iframe>', /cannot stand inside <iframe>/],
  ['<title></titl@e></title>', /tag name cannot be dynamic/],
  ['<p onclick="@"></p>', /"onclick" would run the value as code; use a phx-\* attribute/],
  ['<p ONCLICK="go(@)"></p>', /"onclick" would run/],
  ['<iframe srcdoc="@"></iframe>', /"srcdoc" would run/],
  ['<input disabled="@">', /"disabled" is on whatever its value; write \$\{attr\('disabled'/],
  ['<a href="javascript:go(@)">x</a>', /cannot be part of a javascript:go\( address/],
  ['<a href="@@">x</a>', /two values could form a scheme together; join them/],
  ['<a href="@script@">x</a>', /two values could form a scheme together/],
]

t.test('a hole anywhere else is refused with its place and the fix', async (t) => {
  for (const [source, problem] of refused)
    t.throws(() => parse(source), { message: problem }, source)
  t.throws(() => parse('<ul>\n  <li class=@>x</li></ul>'), {
    name: 'TemplateError',
    message: /\$\{1\} in: <ul> <li class=\$\{1\}>x<\/li><\/ul>/,
  })
})

const malformed: [source: string, problem: RegExp][] = [
  ['<p>', /<p> is not closed; add <\/p>/],
  ['<p', /ends inside a tag/],
  ['<p class="a>x</p>', /ends inside a tag/],
  ['<p class="a title="b">x</p>', /attributes need a space between them/],
  ['<p class=">x</p><p class="b">x</p>', /attributes need a space between them/],
  ['<!-- a', /ends inside a tag/],
  ['</p>', /<\/p> closes nothing/],
  ['<b><i></b></i>', /<\/b> closes <i>/],
  ['</br>', /<\/br> closes nothing/],
  ['<div/>', /<div\/> does not close the element; write <div><\/div>/],
  ['<script src="x"/>', /<script\/> does not close/],
  ['</ p>', /not followed by a tag name/],
  ['<p></p class="a">', /takes no attributes/],
  ['<p class=></p>', /"class=" has no value/],
  ['<p "a"></p>', /is a quote missing before it/],
]

t.test('malformed markup is refused', async (t) => {
  for (const [source, problem] of malformed) {
    t.throws(() => parse(source), { name: 'TemplateError', message: problem }, source)
  }
  t.throws(() => parseTemplate([undefined as unknown as string]), /invalid escape/)
})

t.test('a URL attribute guards its first value until a scheme is ruled out', async (t) => {
  t.strictSame(holes('<a href="@">x</a>'), [{ before: '', after: '' }])
  t.strictSame(holes('<a href=" java@:x@">x</a>'), [{ before: ' java', after: ':x' }, 'plain'])
  t.strictSame(holes('<a href="@/rooms/@?a=@">x</a>'), [
    { before: '', after: '/rooms/' },
    'plain',
    'plain',
  ])
  t.strictSame(holes('<a href="/rooms/@@">x</a>'), ['plain', 'plain'])
  t.strictSame(holes('<img src="page-@-@.png">'), ['plain', 'plain'])
  t.strictSame(holes('<form action="@"><button formaction="@">x</button></form>'), [
    { before: '', after: '' },
    { before: '', after: '' },
  ])
})

t.test('knows whether a template is one tag', async (t) => {
  for (const source of [
    '<p>@</p>',
    ' \n<p>a<b>c</b></p>\n ',
    '<!-- a --><p></p><!-- b -->',
    '<!----><p></p>',
    '<input value="@">',
    '<path d="@"/>',
    '<ul><li @>@</li><li></li></ul>',
  ]) {
    t.equal(parse(source).root, true, source)
  }
  for (const source of [
    '',
    'text',
    '@',
    '<p></p><p></p>',
    'a<p></p>',
    '<p></p>a',
    '<p></p>@',
    '@<p></p>',
    '< <p></p>',
    '<!doctype html><html></html>',
    // The client's pattern for the root tag does not match across these.
    '<!-- a\nb --><p></p>',
    '<!-- <i> --><p></p>',
  ]) {
    t.equal(parse(source).root, false, source)
  }
})
