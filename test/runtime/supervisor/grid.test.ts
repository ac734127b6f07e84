// Strategy x restart type x fault phase x placement: 144 cells on real threads. What must happen is computed here, from OTP's
// rules as its documentation states them, line by line as a witness would note it.
import {
  type BeamishNode,
  type ChildSpec,
  type Pid,
  type Placement,
  type Restart,
  type SupervisorTree,
  supervisor,
} from 'beamish'
import t, { type Test } from 'tap'
import { findBehaviour } from '../../../runtime/process/behaviour.ts'
import { schedulerOf } from '../../../runtime/process/pid.ts'
import type { ChildInfo } from '../../../runtime/supervisor/supervisor.ts'
import { nextEvent, startNode } from '../kit.ts'
import { FAULTS, type Fault, Kid, keyOfSlot, Witness } from './grid.app.ts'

type Strategy = NonNullable<Parameters<typeof supervisor>[0]['strategy']>
const STRATEGIES: readonly Strategy[] = ['one_for_one', 'one_for_all', 'rest_for_one']
const RESTARTS: readonly Restart[] = ['permanent', 'transient', 'temporary']
const PLACEMENTS = ['same thread', 'other thread'] as const

interface Cell {
  readonly name: string
  readonly strategy: Strategy
  readonly restart: Restart
  readonly fault: Fault
  readonly placement: (typeof PLACEMENTS)[number]
}

const cells: readonly Cell[] = STRATEGIES.flatMap((strategy) =>
  RESTARTS.flatMap((restart) =>
    FAULTS.flatMap((fault) =>
      PLACEMENTS.map((placement) => ({
        name: `${strategy}, ${restart}, ${fault}, ${placement}`,
        strategy,
        restart,
        fault,
        placement,
      })),
    ),
  ),
)

/** Inits that fail before one succeeds, where that is the fault. */
const REFUSALS = 2
/** Slot 2 is lost and replaced; what belongs to a key follows to the replacement. */
const AWAY: Placement = { key: keyOfSlot(2) }
const VICTIM = 'victim'

interface Member {
  readonly id: string
  readonly restart: Restart
  readonly away: boolean
}

/** Siblings before and after the victim, permanent and temporary, beside it and elsewhere. */
function members({ restart, placement }: Cell): Member[] {
  const away = placement === 'other thread'
  return [
    { id: 'before', restart: 'permanent', away: false },
    { id: 'temporary before', restart: 'temporary', away: false },
    { id: VICTIM, restart, away },
    { id: 'after', restart: 'permanent', away },
    { id: 'temporary after', restart: 'temporary', away: false },
  ]
}

const REASONS: Record<Fault, string> = {
  init: 'in cast',
  call: 'in call',
  cast: 'in cast',
  info: 'in info',
  continue: 'in continue',
  terminate: 'in terminate',
  'exit signal': 'shutdown',
  'thread loss': 'noconnection',
}

interface Expected {
  readonly lines: readonly string[]
  /** Newest first, as which_children answers. */
  readonly which: readonly (readonly [id: string, process: 'same' | 'new' | 'none'])[]
  /** Restarts that count against the intensity. */
  readonly counted: number
}

type Life = 'same' | 'new' | 'none' | 'dead'

/** What OTP says of a cell. `dead` is one whose EXIT the supervisor has yet to see. */
function expected(cell: Cell): Expected {
  const { strategy, fault, placement } = cell
  const lines: string[] = []
  let kids = members(cell).map((kid) => ({ ...kid, life: 'same' as Life }))
  if (fault === 'thread loss' && placement === 'same thread') {
    // The supervisor is lost with its children; its own supervisor starts it anew, and it all of them, temporary or not.
    return {
      lines: [`child_terminated inner: noconnection`, ...kids.map(({ id }) => `up ${id}`)],
      which: kids.map(({ id }) => [id, 'new'] as const).toReversed(),
      counted: 1,
    }
  }
  const lost = fault === 'thread loss'
  for (const kid of kids) if (lost ? kid.away : kid.id === VICTIM) kid.life = 'dead'
  // What fails in a callback terminates; a signal and the loss of the thread leave no time for it.
  if (!lost && fault !== 'exit signal') lines.push(`down ${VICTIM}`)
  let counted = 0
  let refusals = fault === 'init' ? REFUSALS : 0
  for (const dead of kids.filter((kid) => kid.life === 'dead')) {
    if (dead.life !== 'dead') continue
    const reason = REASONS[fault]
    const orderly = reason === 'shutdown'
    dead.life = 'none'
    if (dead.restart === 'permanent' || !orderly) {
      lines.push(`child_terminated ${dead.id}: ${reason}`)
    }
    if (dead.restart === 'temporary') {
      kids = kids.filter((kid) => kid !== dead)
      continue
    }
    if (dead.restart === 'transient' && orderly) continue
    // However many end with a thread, it is lost once.
    if (!lost || counted === 0) counted++
    for (let again = true; again; ) {
      again = false
      const from = strategy === 'one_for_all' ? 0 : kids.indexOf(dead)
      const tied = strategy === 'one_for_one' ? [dead] : kids.slice(from)
      for (const kid of tied.toReversed()) {
        if (kid.life === 'same' || kid.life === 'new') lines.push(`down ${kid.id}`)
        // It ended by itself before it was told to.
        if (kid.life === 'dead') lines.push(`shutdown_error ${kid.id}: ${reason}`)
        kid.life = 'none'
      }
      kids = kids.filter((kid) => !(tied.includes(kid) && kid.restart === 'temporary'))
      for (const kid of tied.filter((kid) => kid.restart !== 'temporary')) {
        if (kid.id === VICTIM && refusals > 0) {
          refusals--
          counted++
          lines.push(`refused ${VICTIM}`, `start_error ${VICTIM}: refused`)
          again = true
          break
        }
        lines.push(`up ${kid.id}`)
        kid.life = 'new'
      }
    }
  }
  const which = kids.map(({ id, life }) => [id, life as 'same' | 'new' | 'none'] as const)
  return { lines, which: which.toReversed(), counted }
}

function tree(cell: Cell, maxRestarts: number): SupervisorTree {
  const children = members(cell).map(({ id, restart, away }): ChildSpec => {
    const start = { cell: cell.name, id, ...(id === VICTIM ? { fault: cell.fault } : {}) }
    const inTheOther = away && cell.placement === 'other thread'
    return Kid.child(start, { id, restart, place: inTheOther ? AWAY : 'here' })
  })
  const { strategy, name } = cell
  return supervisor({ strategy, children, maxRestarts, maxSeconds: 3_600, id: 'inner', name })
}

async function runCell(t: Test, node: BeamishNode, cell: Cell): Promise<void> {
  const { self } = node
  const { fault, name } = cell
  const witness = Witness.named('grid.witness')
  const { lines, which, counted } = expected(cell)
  const together = fault === 'thread loss' && cell.placement === 'same thread'

  // Exactly as many restarts are allowed as OTP counts: one that counts too much ends the supervisor.
  const inner = tree(cell, together ? 0 : counted)
  const outer = supervisor({ children: [{ ...inner, place: AWAY }], maxRestarts: counted })
  const top = together ? outer : inner
  const behaviour = findBehaviour(top.behaviour)
  if (behaviour === undefined) throw new Error('the supervisor behaviour is defined')
  const sup = await self.start(behaviour, top.argument, {
    name: together ? `outer ${name}` : name,
    place: { scheduler: 1 },
  })
  const children = async (): Promise<ChildInfo[]> => {
    const [only] = together ? ((await self.call(sup, 'whichChildren')) as ChildInfo[]) : []
    return (await self.call((only?.pid as Pid) ?? sup, 'whichChildren')) as ChildInfo[]
  }
  const before = await children()
  const started = members(cell).map(({ id }) => `up ${id}`)
  t.same(await self.call(witness, 'take', name), started, 'started in order')
  const victim = before.find(({ id }) => id === VICTIM)?.pid as Pid
  if (fault === 'init') await self.call(witness, 'refuse', { cell: name, times: REFUSALS })

  const gone = self.call(witness, 'gone', victim, { timeoutMs: 20_000 })
  let up: Promise<{ readonly scheduler: number }> | undefined
  if (fault === 'thread loss') {
    up = nextEvent('schedulerUp')
    node.killThread(node.schedulers()[1] as number)
  } else await cause(node, victim, fault)
  await gone
  const there = { cell: name, count: lines.length }
  await self.call(witness, 'until', there, { timeoutMs: 20_000 }).catch(() => {})
  // Its answer comes behind all it does for the fault.
  const after = await children()
  // Under one_for_one each waits for the replacement by itself.
  const alone = fault === 'thread loss' && !together && cell.strategy === 'one_for_one'
  const ordered = (all: readonly string[]) => (alone ? all.toSorted() : all)
  const happened = (await self.call(witness, 'take', name)) as string[]
  t.same(ordered(happened), ordered(lines), 'what happened, in order')
  t.same(
    after.map(({ id, pid }) => {
      const known = before.find((info) => info.id === id)?.pid
      return [id, pid === known ? 'same' : typeof pid === 'number' ? 'new' : (pid ?? 'none')]
    }),
    which,
    'who is there',
  )
  const replacement = (await up)?.scheduler
  if (replacement !== undefined) {
    const away = (id: string) => together || members(cell).some((m) => m.id === id && m.away)
    for (const { id, pid } of after) {
      if (typeof pid !== 'number') continue
      t.equal(schedulerOf(pid), away(id) ? replacement : 1, `${id} is where its key leads`)
    }
  }
  await self.stop(sup, 'shutdown')
}

async function cause({ self }: BeamishNode, victim: Pid, fault: Fault): Promise<void> {
  if (fault === 'call') await self.call(victim, 'crash').catch(() => {})
  else if (fault === 'cast' || fault === 'init') self.cast(victim, 'crash')
  else if (fault === 'info') self.send(victim, { type: 'crash' })
  else if (fault === 'continue') self.cast(victim, 'goOn')
  else if (fault === 'terminate') await self.stop(victim, 'normal').catch(() => {})
  else self.exit(victim, 'shutdown')
}

t.test('otp 115, 121 to 128, 132, 134: what becomes of a child and its siblings', async (t) => {
  const module = new URL('./grid.app.ts', import.meta.url)
  const node = await startNode(module, 2, { maxLostThreads: 1_000 })
  t.teardown(() => node.stop())
  t.equal(cells.length, 144)
  for (const cell of cells) await t.test(cell.name, (t) => runCell(t, node, cell))
})
