// The text of a report.
import type { NodeReport, ProcessFigures, TreeNode } from 'beamish'
import t from 'tap'
import type { Pid } from '../../../runtime/process/pid.ts'
import { reportText } from '../../../runtime/terminal/reportText.ts'

const figures = (process: string, more: Partial<ProcessFigures> = {}): ProcessFigures => ({
  pid: 1 as Pid,
  process,
  name: undefined,
  behaviour: 'clerk',
  scheduler: 1,
  parent: 0 as Pid,
  supervisor: false,
  status: 'waiting',
  messages: 1_234,
  mailboxLength: 0,
  dropped: 0,
  links: 0,
  monitors: 0,
  bytes: undefined,
  ...more,
})

const node = (more: Partial<TreeNode>): TreeNode => ({
  id: undefined,
  restart: undefined,
  behaviour: 'clerk',
  supervisor: false,
  status: 'waiting',
  figures: undefined,
  children: [],
  left: 0,
  ...more,
})

const report: NodeReport = {
  at: 0,
  pid: 4_711,
  upMs: 3_723_000,
  rssBytes: 150 * 2 ** 20,
  windowMs: 500,
  threads: [
    {
      scheduler: 2,
      status: 'silent',
      utilization: 1,
      processes: 12,
      counts: undefined,
      ranLast: { process: '<0.2.3>', behaviour: 'clerk', message: 'spin\u001b[2J' },
    },
  ],
  processes: { total: 20, supervised: 15, spawned: 5, shown: 6 },
  tree: [
    node({
      behaviour: 'beamish.rootSupervisor',
      figures: figures('<0.0.5>', { name: 'beamish.root' }),
      left: 9_980,
      children: [
        node({
          id: 'a',
          restart: 'permanent',
          figures: figures('<0.1.1>', { name: 'evil\u001b[31m', mailboxLength: 5_000 }),
          children: [node({ figures: figures('<0.1.2>') })],
        }),
        node({ id: 'b', restart: 'transient', status: 'restarting' }),
      ],
    }),
  ],
  loose: { count: 3, processes: [node({ figures: figures('<0.1.9>') })] },
  top: {
    mailbox: [{ value: 5_000, figures: figures('<0.1.1>', { name: 'desk' }) }],
    messages: [],
    memory: [{ value: 3_000_000, figures: figures('<0.1.1>') }],
  },
}

t.test('a report is aligned, and what is wrong, left out or largest is in words', async (t) => {
  const text = reportText(report)
  t.equal(
    text,
    `node 4711, up 1 h 2 min, 150 MB resident, 20 processes: 15 supervised, 5 spawned

thread   busy  processes  asleep  runnable  in mailboxes  messages/s  messages  heap  limit
2       100 %         12
thread 2 does not answer; it ran last: clerk <0.2.3> with spin?[2J

process           pid      behaviour               restart    status      messages  mailbox
beamish.root      <0.0.5>  beamish.rootSupervisor             waiting        1,234        0
├─ a (evil?[31m)  <0.1.1>  clerk                   permanent  waiting        1,234    5,000
│  └─ clerk       <0.1.2>  clerk                              waiting        1,234        0
├─ b                       clerk                   transient  restarting
└─ 9,980 more
clerk             <0.1.9>  clerk                              waiting        1,234        0

started by nobody who lives: 3, 2 not shown

most messages that wait
5,000  <0.1.1>  desk

most memory, estimated
2.9 MB  <0.1.1>  clerk`,
  )
})

t.test('parts stand out, and lines are cut, where somebody sees them', async (t) => {
  const tones: string[] = []
  const text = reportText(
    report,
    (tone, part) => {
      tones.push(tone)
      return part
    },
    30,
  )
  t.ok(text.split('\n').every((line) => line.length <= 30))
  t.same([...new Set(tones)].sort(), ['alarm', 'head', 'title', 'weak'])
})
