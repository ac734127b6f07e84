/** Puts the looks of all threads together, pure: one tree, the totals, and the largest of all. */
import { type Pid, schedulerOf } from '../process/pid.ts'
import type { AbsentStatus, NodeReport, Top, TopEntry, TreeNode } from './figures.ts'
import { Largest } from './largest.ts'
import type { ThreadLook } from './look.ts'
import type { KeptChild, Shown } from './shown.ts'

type Assembled = Pick<NodeReport, 'processes' | 'tree' | 'loose' | 'top'>

interface Bounds {
  readonly maxChildren: number
  readonly maxProcesses: number
  readonly top: number
}

/** What reads the tree, JSON.stringify first of all, goes down it by calls, of which there is no end. */
const MAX_LEVELS = 200

/** A node of the tree while it is put together. */
interface Open {
  readonly level: number
  readonly node: { -readonly [K in keyof TreeNode]: TreeNode[K] }
  readonly children: TreeNode[]
}

/** `silent`: processes on threads that did not answer. */
export function assemble(looks: readonly ThreadLook[], silent: number, bounds: Bounds): Assembled {
  const byPid = new Map<Pid, Shown>()
  const started = new Map<Pid, number>()
  const supervisors = new Set<number>()
  const litters = new Map<Pid, Shown[]>()
  const add = (parent: Pid, count: number): void => {
    started.set(parent, (started.get(parent) ?? 0) + count)
  }
  for (const { shown, supervisors: pids } of looks) {
    for (const pid of pids) supervisors.add(pid)
    for (const one of shown) {
      byPid.set(one.figures.pid, one)
      if (one.started > 0) add(one.figures.pid, one.started)
      const litter = litters.get(one.figures.parent)
      if (litter === undefined) litters.set(one.figures.parent, [one])
      else litter.push(one)
    }
  }
  const answered = new Set(looks.map(({ scheduler }) => scheduler))
  /** Threads with processes that are not shown: a parent there may live all the same. */
  const partly = new Set(
    looks.flatMap((look) => (look.shown.length < look.processes ? [look.scheduler] : [])),
  )
  /** Whether nobody lives who has started what `home` runs. */
  const isGone = (parent: Pid, home: number): boolean =>
    !byPid.has(parent) && (schedulerOf(parent) === home || !partly.has(schedulerOf(parent)))
  let supervised = 0
  /** Started by nobody who lives. */
  let orphans = 0
  for (const look of looks) {
    supervised += look.supervised
    for (let i = 0; i < look.elsewhere.length; i += 2) {
      const parent = look.elsewhere[i] as Pid
      const count = look.elsewhere[i + 1] as number
      if (supervisors.has(parent)) supervised += count
      if (byPid.has(parent)) add(parent, count)
      else if (isGone(parent, look.scheduler)) orphans += count
    }
  }

  const open: Open[] = []
  let room = bounds.maxProcesses
  const nodeOf = (one: Shown, level: number, kept?: KeptChild): TreeNode => {
    room--
    const { figures } = one
    const children: TreeNode[] = []
    const node = {
      id: kept?.id,
      restart: kept?.restart,
      behaviour: figures.behaviour,
      supervisor: figures.supervisor,
      status: figures.status,
      figures,
      children,
      left: (started.get(figures.pid) ?? 0) + one.absent,
    }
    open.push({ level, node, children })
    return node
  }
  const absent = ({ id, restart, behaviour, supervisor }: KeptChild, status: AbsentStatus) => {
    room--
    const node = { id, restart, behaviour, supervisor, status }
    return { ...node, figures: undefined, children: [], left: 0 } satisfies TreeNode
  }

  const tops = [...byPid.values()].filter(({ figures }) =>
    isGone(figures.parent, figures.scheduler),
  )
  const nodes = tops.map((one) => nodeOf(one, 1))
  for (let i = 0; i < open.length; i++) {
    const { level, node, children } = open[i] as Open
    if (level >= MAX_LEVELS) continue
    const { pid } = node.figures as { pid: Pid }
    const { kept } = byPid.get(pid) as Shown
    const litter = litters.get(pid) ?? []
    const listed = new Set(kept.map((child) => child.pid))
    const full = (): boolean => room <= 0 || children.length >= bounds.maxChildren
    for (const child of kept) {
      if (full()) break
      const one = child.pid === undefined ? undefined : byPid.get(child.pid)
      if (one !== undefined) children.push(nodeOf(one, level + 1, child))
      else if (child.pid === undefined) {
        // Its start may be under way: until that is through, its supervisor does not know the process.
        const coming = litter.find(
          ({ kind, figures }) => kind === child.behaviour && !listed.has(figures.pid),
        )
        if (coming === undefined) {
          children.push(absent(child, child.restarting ? 'restarting' : 'stopped'))
        } else {
          listed.add(coming.figures.pid)
          children.push(nodeOf(coming, level + 1, child))
          node.left--
        }
      } else if (!answered.has(schedulerOf(child.pid))) {
        children.push(absent(child, 'unknown'))
        // It is not among those that were counted.
        node.left++
      }
    }
    for (const one of litter) {
      if (!full() && !listed.has(one.figures.pid)) children.push(nodeOf(one, level + 1))
    }
    node.left = Math.max(0, node.left - children.length)
  }

  const isLoose = (node: TreeNode): boolean =>
    !node.supervisor && node.children.length + node.left === 0
  const tree = nodes.filter((node) => !isLoose(node))
  const counted = looks.reduce((sum, { processes }) => sum + processes, 0)
  return {
    processes: {
      total: counted + silent,
      supervised,
      spawned: counted - supervised,
      shown: bounds.maxProcesses - Math.max(0, room),
    },
    tree,
    loose: { count: orphans - tree.length, processes: nodes.filter(isLoose) },
    top: {
      mailbox: largest(looks, 'mailbox', bounds.top),
      messages: largest(looks, 'messages', bounds.top),
      memory: largest(looks, 'memory', bounds.top),
    },
  }
}

function largest(looks: readonly ThreadLook[], by: keyof Top, max: number): TopEntry[] {
  const found = new Largest<TopEntry>(max)
  for (const { top } of looks) for (const entry of top[by]) found.offer(entry.value, entry)
  return found.items.map(({ item }) => item)
}
