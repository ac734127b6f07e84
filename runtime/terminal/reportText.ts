/** A report of observe() as text for people, pure: the threads, the tree, the largest. */
import type { NodeReport, ThreadFigures, TopEntry, TreeNode } from '../observe/figures.ts'
import { bytes, type Column, count, duration, plainText, tableLines } from './table.ts'

/** How a part is to stand out. */
export type Tone = 'title' | 'head' | 'weak' | 'alarm'
export type Style = (tone: Tone, text: string) => string

export const unstyled: Style = (_tone, text) => text

/** Lines cut to `width` characters. */
export function reportText(report: NodeReport, style: Style = unstyled, width = Infinity): string {
  const { processes, loose } = report
  const lines: { readonly tone?: Tone | undefined; readonly text: string }[] = []
  const add = (text: string, tone?: Tone): void => void lines.push({ text, tone })
  const table = (columns: readonly Column[], rows: readonly Row[]): void => {
    const [head, ...body] = tableLines(
      columns,
      rows.map(({ cells }) => cells),
    )
    add(head as string, 'head')
    body.forEach((text, i) => {
      add(text, rows[i]?.tone)
    })
  }

  add(
    `node ${report.pid}, up ${duration(report.upMs)}, ${bytes(report.rssBytes)} resident, ${count(processes.total)} processes: ${count(processes.supervised)} supervised, ${count(processes.spawned)} spawned`,
    'title',
  )
  add('')
  table(THREAD_COLUMNS, report.threads.map(threadRow))
  for (const { scheduler, status, ranLast } of report.threads) {
    if (status === 'silent') add(`thread ${scheduler} does not answer${lastText(ranLast)}`, 'alarm')
  }
  add('')
  const memory = report.threads.some(({ counts }) => (counts?.measured ?? 0) > 0)
  table(memory ? [...TREE_COLUMNS, MEMORY] : TREE_COLUMNS, treeRows(report, memory))
  if (loose.count > 0) {
    const left = loose.count - loose.processes.length
    add('')
    add(
      `started by nobody who lives: ${count(loose.count)}${left > 0 ? `, ${count(left)} not shown` : ''}`,
    )
  }
  largest(add, 'most messages that wait', report.top.mailbox, count)
  const handled = report.windowMs > 0 ? `within ${report.windowMs} ms` : 'since they were born'
  largest(add, `most messages handled ${handled}`, report.top.messages, count)
  largest(add, 'most memory, estimated', report.top.memory, bytes)
  return lines
    .map(({ tone, text }) => {
      const cut = text.length > width ? `${text.slice(0, width - 1)}…` : text
      return tone === undefined ? cut : style(tone, cut)
    })
    .join('\n')
}

interface Row {
  readonly cells: readonly string[]
  readonly tone?: Tone | undefined
}

const right = (title: string): Column => ({ title, right: true })

const THREAD_COLUMNS: readonly Column[] = [
  { title: 'thread' },
  right('busy'),
  right('processes'),
  right('asleep'),
  right('runnable'),
  right('in mailboxes'),
  right('messages/s'),
  right('messages'),
  right('heap'),
  right('limit'),
]

function threadRow({ scheduler, utilization, processes, counts }: ThreadFigures): Row {
  const busy = `${Math.round(utilization * 100)} %`
  const first = [scheduler === 0 ? 'main' : String(scheduler), busy, count(processes)]
  if (counts === undefined) return { cells: first, tone: 'alarm' }
  return {
    cells: [
      ...first,
      count(counts.hibernated),
      count(counts.runnable),
      count(counts.queued),
      count(counts.messagesPerSecond),
      count(counts.messages),
      bytes(counts.heapUsedBytes),
      bytes(counts.heapLimitBytes),
    ],
  }
}

function lastText(ranLast: ThreadFigures['ranLast']): string {
  if (ranLast === undefined) return ''
  const { behaviour = 'a process', process, message = 'a message' } = ranLast
  return `; it ran last: ${behaviour} ${process} with ${plainText(message)}`
}

const TREE_COLUMNS: readonly Column[] = [
  { title: 'process' },
  { title: 'pid' },
  { title: 'behaviour' },
  { title: 'restart' },
  { title: 'status' },
  right('messages'),
  right('mailbox'),
]
const MEMORY: Column = right('memory')

function treeRows({ tree, loose }: NodeReport, memory: boolean): Row[] {
  const rows: Row[] = []
  const add = (node: TreeNode, own: string, below: string): void => {
    rows.push(treeRow(node, own, memory))
    const { children, left } = node
    children.forEach((child, i) => {
      const last = i === children.length - 1 && left === 0
      add(child, `${below}${last ? '└─ ' : '├─ '}`, `${below}${last ? '   ' : '│  '}`)
    })
    if (left > 0) rows.push({ cells: [`${below}└─ ${count(left)} more`], tone: 'weak' })
  }
  for (const node of [...tree, ...loose.processes]) add(node, '', '')
  return rows
}

/** What it is known by: its id, its name, else what it is. */
function label({ id, figures, behaviour }: TreeNode): string {
  const name = figures?.name?.replace('\u0000', ' ')
  if (id === undefined) return name ?? behaviour
  return name === undefined || name === id ? id : `${id} (${name})`
}

const BAD: readonly string[] = ['restarting', 'unknown']

function treeRow(node: TreeNode, indent: string, memory: boolean): Row {
  const { figures, behaviour, restart, status } = node
  const tone = BAD.includes(status) ? 'alarm' : status === 'stopped' ? 'weak' : undefined
  const cells = [
    `${indent}${plainText(label(node))}`,
    figures?.process ?? '',
    behaviour,
    restart ?? '',
  ]
  if (figures === undefined) return { tone, cells: [...cells, status] }
  const { messages, mailboxLength, bytes: held } = figures
  const numbers = [count(messages), count(mailboxLength)]
  if (memory) numbers.push(held === undefined ? '' : bytes(held))
  return { tone, cells: [...cells, status, ...numbers] }
}

function largest(
  add: (text: string, tone?: Tone) => void,
  title: string,
  entries: readonly TopEntry[],
  format: (n: number) => string,
): void {
  if (entries.length === 0) return
  add('')
  const rows = entries.map(({ value, figures: { process, name, behaviour } }) => [
    format(value),
    process,
    name?.replace('\u0000', ' ') ?? behaviour,
  ])
  const [, ...body] = tableLines([right(''), { title: '' }, { title: '' }], rows)
  add(title, 'head')
  for (const line of body) add(line)
}
