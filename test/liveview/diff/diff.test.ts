import t from 'tap'
import { diff, type Prints, toHtml } from '../../../liveview/diff/index.ts'
import { attr, each, html, type Rendered, unsafeHtml } from '../../../liveview/template/index.ts'
import { Client } from './client.ts'

/** A view under test: gives each render's diff as JSON data, and checks it against the client. */
function view() {
  let prints: Prints | undefined
  let client: Client | undefined
  return (rendered: Rendered): unknown => {
    const result = diff(prints, rendered)
    prints = result.prints
    if (result.diff !== undefined) {
      if (client === undefined) client = new Client(result.diff)
      else client.merge(result.diff)
    }
    const shown = client?.html()
    if (shown !== toHtml(rendered)) throw new Error(`the client shows ${shown}`)
    return result.diff === undefined ? undefined : JSON.parse(JSON.stringify(result.diff))
  }
}

t.test('the first diff holds the whole tree, later ones the changed parts only', async (t) => {
  const send = view()
  const page = (a: string, b: number) => html`<p title="${a}">${b}</p>`
  t.strictSame(send(page('x', 1)), { 0: 'x', 1: '1', s: ['<p title="', '">', '</p>'] })
  t.strictSame(send(page('x', 2)), { 1: '2' })
  t.equal(send(page('x', 2)), undefined)
})

t.test('numbers, booleans and nothing become strings', async (t) => {
  const send = view()
  const page = (value: number | bigint | boolean | null | undefined | string) => html`${value}`
  t.strictSame(send(page(1)), { 0: '1', s: ['', ''] })
  t.equal(send(page('1')), undefined, 'equal text is no change')
  t.strictSame(send(page(10n)), { 0: '10' })
  t.strictSame(send(page(true)), { 0: 'true' })
  t.strictSame(send(page(false)), { 0: '' })
  t.equal(send(page(null)), undefined)
  t.equal(send(page(undefined)), undefined)
  t.strictSame(send(page(Number.NaN)), { 0: 'NaN' })
  t.equal(send(page(Number.NaN)), undefined)
})

t.test('a nested node is replaced if its template differs and merged if not', async (t) => {
  const send = view()
  const page = (on: boolean, x: string) =>
    html`<div>${on ? html`<b>${x}</b>` : html`<i>${x}</i> off`}</div>`
  t.strictSame(send(page(true, 'a')), {
    0: { 0: 'a', s: ['<b>', '</b>'], r: 1 },
    s: ['<div>', '</div>'],
  })
  t.strictSame(send(page(true, 'b')), { 0: { 0: 'b' } })
  t.strictSame(send(page(false, 'b')), { 0: { 0: 'b', s: ['<i>', '</i> off'] } })
})

t.test('a branch that is off is an empty string', async (t) => {
  const send = view()
  const page = (on: boolean) => html`<div>${on && html`<b>on</b>`}</div>`
  t.strictSame(send(page(false)), { 0: '', s: ['<div>', '</div>'] })
  t.strictSame(send(page(true)), { 0: { s: ['<b>on</b>'], r: 1 } })
  t.strictSame(send(page(false)), { 0: '' })
})

t.test('a changed outermost template is sent whole, without r', async (t) => {
  const send = view()
  send(html`<a>${1}</a>`)
  t.strictSame(send(html`<b>${1}</b>`), { 0: '1', s: ['<b>', '</b>'] })
})

t.test('lists', async (t) => {
  const page = (ids: number[], suffix = '') =>
    html`<ul>${each(ids, (id) => html`<li>${id}${suffix}</li>`, { key: (id) => id })}</ul>`
  const whole = { k: { 0: { 0: '1', 1: '' }, kc: 1 }, s: ['<li>', '', '</li>'] }

  t.test('send statics once and rows by index', async (t) => {
    const send = view()
    t.strictSame(send(page([1])), { 0: whole, s: ['<ul>', '</ul>'] })
    t.strictSame(send(page([1, 2])), { 0: { k: { 1: { 0: '2', 1: '' }, kc: 2 } } })
    t.strictSame(send(page([1])), { 0: { k: { kc: 1 } } })
    t.strictSame(send(page([1], '!')), { 0: { k: { 0: { 1: '!' }, kc: 1 } } })
  })

  t.test('send moves as integers, moves with changes as pairs', async (t) => {
    const send = view()
    send(page([1, 2, 3]))
    t.strictSame(send(page([3, 2, 1])), { 0: { k: { 0: 2, 2: 0, kc: 3, km: true } } })
    t.strictSame(send(page([1, 2], '?')), {
      0: { k: { 0: [2, { 1: '?' }], 1: { 1: '?' }, kc: 2, km: true } },
    })
    t.strictSame(send(page([2, 9], '?')), {
      0: { k: { 0: 1, 1: { 0: '9', 1: '?' }, kc: 2, km: true } },
    })
  })

  t.test('are an empty string while empty and whole when they fill again', async (t) => {
    const send = view()
    t.strictSame(send(page([])), { 0: '', s: ['<ul>', '</ul>'] })
    t.strictSame(send(page([1])), { 0: whole })
    t.strictSame(send(page([])), { 0: '' })
    t.equal(send(page([])), undefined)
    t.strictSame(send(page([1])), { 0: whole })
  })

  t.test('send a new row in full at a reused index, nested statics included', async (t) => {
    const send = view()
    const nested = (ids: number[]) =>
      html`${each(ids, (id) => html`${html`<b>${id}</b>`} `, { key: (id) => id })}`
    send(nested([1, 2]))
    t.strictSame(send(nested([1, 3])), {
      0: { k: { 1: { 0: { 0: '3', s: ['<b>', '</b>'], r: 1 } }, kc: 2 } },
    })
  })

  t.test('match repeated values one to one', async (t) => {
    const send = view()
    const plain = (items: string[]) => html`${each(items, (item) => html`${item} `)}`
    send(plain(['a', 'b', 'a']))
    t.equal(send(plain(['a', 'b', 'a'])), undefined)
    t.strictSame(send(plain(['b', 'a', 'a'])), {
      0: { k: { 0: 1, 1: 2, 2: 0, kc: 3, km: true } },
    })
    t.strictSame(send(plain(['b', 'a', 'a', 'a'])), { 0: { k: { 3: { 0: 'a' }, kc: 4 } } })
  })

  t.test('compare rows in place when the items were replaced by copies', async (t) => {
    const send = view()
    const rows = (list: { id: number; text: string }[]) =>
      html`${each(list, (row) => html`<li id="${row.id}">${row.text}</li>`)}`
    send(
      rows([
        { id: 1, text: 'a' },
        { id: 2, text: 'b' },
      ]),
    )
    t.strictSame(
      send(
        rows([
          { id: 1, text: 'a' },
          { id: 2, text: 'c' },
        ]),
      ),
      {
        0: { k: { 1: { 1: 'c' }, kc: 2 } },
      },
    )
  })

  t.test('of several templates wrap each row', async (t) => {
    const send = view()
    const mixed = (list: number[]) =>
      html`${each(list, (n) => (n % 2 ? html`<b>${n}</b>` : html`<i>${n}</i>`))}`
    t.strictSame(send(mixed([1, 2])), {
      0: {
        k: {
          0: { 0: { 0: '1', s: ['<b>', '</b>'], r: 1 } },
          1: { 0: { 0: '2', s: ['<i>', '</i>'], r: 1 } },
          kc: 2,
        },
        s: ['', ''],
      },
      s: ['', ''],
    })
  })

  t.test('of strings need no template', async (t) => {
    t.equal(view()(html`${each(['a', null], (item) => item)}`) !== undefined, true)
  })
})

t.test('statics that occur twice in a message are shared in p', async (t) => {
  const send = view()
  const tag = (name: string) => html`<b>${name}</b>`
  const page = (a: string | false, b: string | false) => html`${a && tag(a)} ${b && tag(b)}`
  t.strictSame(send(page('x', 'y')), {
    0: { 0: 'x', s: 0, r: 1 },
    1: { 0: 'y', s: 0, r: 1 },
    p: { 0: ['<b>', '</b>'] },
    s: ['', ' ', ''],
  })
  send(page(false, false))
  t.strictSame(send(page('z', 'w')), {
    0: { 0: 'z', s: 0, r: 1 },
    1: { 0: 'w', s: 0, r: 1 },
    p: { 0: ['<b>', '</b>'] },
  })
  send(page(false, 'w'))
  t.strictSame(send(page('v', 'w')), { 0: { 0: 'v', s: ['<b>', '</b>'], r: 1 } })
})

t.test('one changed leaf deep in a page sends only this leaf', async (t) => {
  const send = view()
  const page = (text: string) =>
    html`<main>${html`<ul>${each(
      [1, 2, 3],
      (n) => html`<li>${n}${html`<b>${n === 2 ? text : 'same'}</b>`}</li>`,
    )}</ul>`}</main>`
  send(page('before'))
  t.strictSame(send(page('after')), {
    0: { 0: { k: { 1: { 1: { 0: 'after' } }, kc: 3 } } },
  })
})

t.test('attributes and trusted markup change as text does', async (t) => {
  const send = view()
  const page = (off: boolean, raw: string) =>
    html`<button ${attr('disabled', off)}>${unsafeHtml(raw)}</button>`
  t.strictSame(send(page(false, '<i></i>')), {
    0: '',
    1: '<i></i>',
    s: ['<button ', '>', '</button>'],
  })
  t.strictSame(send(page(true, '<i></i>')), { 0: 'disabled=""' })
  t.strictSame(send(page(true, '<b></b>')), { 1: '<b></b>' })
})

t.test('a stored subtree that is the same object costs and sends nothing', async (t) => {
  const kept = html`<nav>${'menu'}</nav>`
  const send = view()
  send(html`${kept}`)
  const page = (text: string) => html`${kept}${text}`
  send(page('a'))
  t.strictSame(send(page('b')), { 1: 'b' })
})

t.test('hostile text stays text on both ways to the browser', async (t) => {
  const send = view()
  const text = '</p><script>alert("1" & \'2\')</script>'
  const escaped = '&lt;/p&gt;&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;'
  t.match(send(html`<p title="${text}">${text}</p>`), { 0: escaped, 1: escaped })
  t.equal(toHtml(html`<p>${text}</p>`), `<p>${escaped}</p>`)
})
