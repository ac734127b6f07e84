/** What a thread knows of its node, for layers above: its scheduler, its mode, the node's secret, its drainers. */

import type { DirtySettings } from '../edge/dirty.ts'
import { Self } from '../process/self.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { Dirty } from './dirty.ts'
import { Drainers } from './drain.ts'

/** Made on main once per node: the same on every thread, replacements included. */
export interface NodeIdentity {
  /** Key material shared by all threads of the node; never leaves it. */
  readonly secret: string
  /** Another one each time the node starts: pids of an earlier life belong to strangers in this one. */
  readonly life: string
}

export interface LocalNode extends NodeIdentity {
  readonly scheduler: Scheduler
  readonly development: boolean
  readonly drainers: Drainers
  /** The threads of task.cpu. */
  readonly dirty: Dirty
}

const nodes = new WeakMap<Scheduler, LocalNode>()

export function makeLocalNode(
  scheduler: Scheduler,
  identity: NodeIdentity,
  dirty: DirtySettings | Dirty,
): LocalNode {
  const node: LocalNode = {
    scheduler,
    development: scheduler.development,
    ...identity,
    drainers: new Drainers(),
    dirty: dirty instanceof Dirty ? dirty : new Dirty(dirty),
  }
  nodes.set(scheduler, node)
  return node
}

/** The node a process belongs to, as its thread sees it. */
export function localNode(self: Self): LocalNode {
  const node = nodes.get(Self.processOf(self).scheduler)
  if (node === undefined) throw new Error('this scheduler belongs to no node')
  return node
}
