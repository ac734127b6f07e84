import fc from 'fast-check'
import t from 'tap'
import { diff, type Prints, toHtml } from '../../../liveview/diff/index.ts'
import {
  attr,
  each,
  html,
  type Rendered,
  unsafeHtml,
  type Value,
} from '../../../liveview/template/index.ts'
import { Client } from './client.ts'

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
t.comment(`seed ${seed}`)
// The limit cuts the shrinking of a failure short, which on deep trees has no end in sight.
const runs = {
  seed,
  numRuns: Number(process.env.RUNS ?? 1_000),
  interruptAfterTimeLimit: 30_000,
  markInterruptAsFailure: true,
}

// A page as data. Rendering it picks templates from a small pool, so that successive pages often
// meet with the same template at the same place and often do not.
type Page =
  | { kind: 'leaf'; value: string | number | boolean | null }
  | { kind: 'fixed' }
  | { kind: 'raw'; value: number }
  | { kind: 'box'; on: boolean; text: string; child: Page }
  | { kind: 'pair'; left: Page; right: Page }
  | { kind: 'rooted'; child: Page }
  | { kind: 'maybe'; on: boolean; child: Page }
  | { kind: 'list'; mode: ListMode; rows: Row[] }

type ListMode = 'explicit' | 'identity' | 'value' | 'copies' | 'mixed'
interface Row {
  id: number
  text: string
  child: Page
}

function show(page: Page): Value {
  switch (page.kind) {
    case 'leaf':
      return page.value
    case 'fixed':
      return html`<hr>`
    case 'raw':
      return unsafeHtml(`<i>${page.value}</i>`)
    case 'box':
      return html`<!-- box --><div class="a ${page.text}" ${attr('hidden', page.on)}>${show(page.child)}</div>`
    case 'pair':
      return html`${show(page.left)} and ${show(page.right)}`
    case 'rooted':
      return html`
        <section title='${page.child.kind}'><b>${show(page.child)}</b></section>
      `
    case 'maybe':
      return page.on ? html`<em>${show(page.child)}</em>` : null
    case 'list':
      return showList(page.mode, page.rows)
  }
}

const identities = new Map<string, Row>()

function showList(mode: ListMode, rows: Row[]): Value {
  const line = (row: Row) => html`<li id="${row.id}">${row.text}: ${show(row.child)}</li>`
  switch (mode) {
    case 'explicit': {
      const unique = [...new Map(rows.map((row) => [row.id, row])).values()]
      return each(unique, line, { key: (row) => row.id })
    }
    case 'identity': {
      // Equal rows of successive pages stand for one object that the state kept.
      const kept = rows.map((row) => {
        const name = JSON.stringify(row)
        const object = identities.get(name) ?? row
        identities.set(name, object)
        return object
      })
      return each(kept, line)
    }
    case 'value':
      return each(
        rows.map((row) => row.id),
        (id, index) => html`<li>${id}${rows[index]?.text}</li>`,
      )
    case 'copies':
      return each(rows, line)
    case 'mixed':
      return each(rows, (row) =>
        row.id % 2 === 0 ? line(row) : row.id % 3 === 0 ? row.text : html`<p>${row.text}</p>`,
      )
  }
}

const text = fc.constantFrom('', 'a', 'b', '<b>&"\'', 'x > y', '日本', '0')
const pages = fc.letrec<{ page: Page; list: Page }>((tie) => ({
  list: fc.record({
    kind: fc.constant('list' as const),
    mode: fc.constantFrom<ListMode>('explicit', 'identity', 'value', 'copies', 'mixed'),
    rows: fc.array(
      fc.record({
        id: fc.integer({ min: 0, max: 9 }),
        text,
        child: tie('page'),
      }),
      { maxLength: 7 },
    ),
  }),
  page: fc.oneof(
    { depthSize: 'small' },
    fc.record({
      kind: fc.constant('leaf' as const),
      value: fc.oneof(text, fc.integer({ min: 0, max: 3 }), fc.boolean(), fc.constant(null)),
    }),
    fc.constant<Page>({ kind: 'fixed' }),
    fc.record({ kind: fc.constant('raw' as const), value: fc.nat({ max: 2 }) }),
    fc.record({ kind: fc.constant('box' as const), on: fc.boolean(), text, child: tie('page') }),
    fc.record({ kind: fc.constant('pair' as const), left: tie('page'), right: tie('page') }),
    fc.record({ kind: fc.constant('rooted' as const), child: tie('page') }),
    fc.record({ kind: fc.constant('maybe' as const), on: fc.boolean(), child: tie('page') }),
    tie('list'),
    tie('list'),
  ),
}))

function follow(renders: readonly (() => Rendered)[]): void {
  let client: Client | undefined
  let prints: Prints | undefined
  for (const render of renders) {
    const rendered = render()
    const result = diff(prints, rendered)
    if (client === undefined) client = new Client(result.diff ?? {})
    else if (result.diff !== undefined) client.merge(result.diff)
    const shown = client.html()
    const expected = toHtml(rendered)
    if (shown !== expected) throw new Error(`the client shows\n${shown}\nnot\n${expected}`)
    prints = result.prints
  }
}

const top = (page: Page) => html`<main>${show(page)}</main>`

t.test('the client shows every page of a random sequence', async () => {
  fc.assert(
    fc.property(fc.array(pages.page, { minLength: 2, maxLength: 6 }), (sequence) => {
      follow(sequence.map((page) => () => top(page)))
    }),
    runs,
  )
})

// Edits of one page: what an app does between renders, small changes in a tree that mostly stays.
type Edit = {
  at: number
  op: 'move' | 'insert' | 'remove' | 'copy' | 'clear' | 'toggle'
  to: number
}

function edit(page: Page, { at, op, to }: Edit, fresh: Row): Page {
  let visited = 0
  const walk = (node: Page): Page => {
    const here = visited++ === at % 12
    switch (node.kind) {
      case 'leaf':
        return here ? { kind: 'leaf', value: `t${to}` } : node
      case 'box':
        return { ...node, on: here ? !node.on : node.on, child: walk(node.child) }
      case 'maybe':
        return { ...node, on: here ? !node.on : node.on, child: walk(node.child) }
      case 'rooted':
        return { ...node, child: walk(node.child) }
      case 'pair':
        return { ...node, left: walk(node.left), right: walk(node.right) }
      case 'list':
        return { ...node, rows: here ? editRows(node.rows) : node.rows.map(walkRow) }
      default:
        return node
    }
  }
  const walkRow = (row: Row): Row => {
    const child = walk(row.child)
    return child === row.child ? row : { ...row, child }
  }
  const editRows = (rows: Row[]): Row[] => {
    const next = [...rows]
    const from = next.length === 0 ? 0 : at % next.length
    const place = to % (next.length + 1)
    const row = next[from]
    if (op === 'clear') return []
    if (op === 'insert' || row === undefined) next.splice(place, 0, fresh)
    else if (op === 'copy') next.splice(place, 0, row)
    else if (op === 'toggle') next[from] = { ...row, text: `${row.text}!` }
    else {
      next.splice(from, 1)
      if (op === 'move') next.splice(to % (next.length + 1), 0, row)
    }
    return next
  }
  return walk(page)
}

const edits = fc.array(
  fc.record({
    at: fc.nat({ max: 30 }),
    op: fc.constantFrom<Edit['op']>('move', 'insert', 'remove', 'copy', 'clear', 'toggle'),
    to: fc.nat({ max: 9 }),
  }),
  { minLength: 1, maxLength: 4 },
)

t.test('the client follows edits of one page, several between renders', async () => {
  fc.assert(
    fc.property(pages.list, fc.array(edits, { minLength: 1, maxLength: 8 }), (first, turns) => {
      let page = first
      let id = 100
      const sequence = [page]
      for (const changes of turns) {
        for (const change of changes) {
          const child: Page = { kind: 'maybe', on: id % 2 === 0, child: { kind: 'fixed' } }
          page = edit(page, change, { id: id++, text: 'new', child })
        }
        sequence.push(page)
      }
      follow(sequence.map((step) => () => top(step)))
    }),
    runs,
  )
})

t.test('the client follows long lists that are shuffled', async () => {
  const ids = fc.uniqueArray(fc.nat({ max: 60 }), { maxLength: 40 })
  const repeats = fc.array(fc.nat({ max: 12 }), { maxLength: 40 })
  const row = (id: number, index: number) =>
    html`<li>${id} ${id % 2 ? html`<b>${index % 3}</b>` : ''}</li>`
  fc.assert(
    fc.property(fc.array(ids, { minLength: 2 }), fc.array(repeats, { minLength: 2 }), (a, b) => {
      const unique = (list: number[]) => html`${each(list, row, { key: (id) => id })}`
      const repeated = (list: number[]) => html`<ol>${each(list, row)}</ol>`
      follow([...a.map((list) => () => unique(list)), ...b.map((list) => () => repeated(list))])
    }),
    runs,
  )
})

t.test('a page rendered again from equal data needs no diff', async (t) => {
  fc.assert(
    fc.property(pages.page, (page) => {
      const first = diff(undefined, top(page))
      return diff(first.prints, top(structuredClone(page))).diff === undefined
    }),
    runs,
  )
  t.pass()
})

t.test('a diff leaves its arguments as they were', async (t) => {
  fc.assert(
    fc.property(pages.page, pages.page, (before, after) => {
      const { prints } = diff(undefined, top(before))
      const next = top(after)
      const once = JSON.stringify(diff(prints, next))
      return once === JSON.stringify(diff(prints, next)) && toHtml(prints) === toHtml(top(before))
    }),
    runs,
  )
  t.pass()
})
