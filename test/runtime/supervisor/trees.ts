/** Trees of children that tell the outside what becomes of them, for suites that run beside the supervisor and elsewhere. */
import {
  type BeamishNode,
  type ChildOptions,
  type ChildSpec,
  type ExitReason,
  onEvent,
  type Pid,
  type Placement,
  type RuntimeEvents,
  type Self,
  type SupervisorOptions,
  supervisor,
} from 'beamish'
import type { Test } from 'tap'
import { findBehaviour } from '../../../runtime/process/behaviour.ts'
import type { ChildInfo } from '../../../runtime/supervisor/supervisor.ts'
import { downReason, isType } from '../kit.ts'
import { Child, type ChildStart, Fragile } from './children.ts'

type Options = ChildOptions & Omit<ChildStart, 'witness' | 'id'> & { readonly fragile?: boolean }
type Limits = Omit<SupervisorOptions, 'children'>
type Report = RuntimeEvents['supervisor']

export class Trees {
  readonly #node: BeamishNode
  readonly #self: Self
  readonly #place: Placement

  constructor(node: BeamishNode, place: Placement) {
    this.#node = node
    this.#self = node.self
    this.#place = place
  }

  readonly child = (id: string, options: Options = {}): ChildSpec => {
    const { init, ask, terminateMs, terminateAsks, terminateThrows, unlinks, fragile, ...rest } =
      options
    const start: ChildStart = {
      witness: this.#self.pid,
      id,
      ...(init === undefined ? {} : { init }),
      ...(ask === undefined ? {} : { ask }),
      ...(terminateMs === undefined ? {} : { terminateMs }),
      ...(terminateAsks === undefined ? {} : { terminateAsks }),
      ...(terminateThrows === undefined ? {} : { terminateThrows }),
      ...(unlinks === undefined ? {} : { unlinks }),
    }
    return (fragile ? Fragile : Child).child(start, { id, place: this.#place, ...rest })
  }

  /** A supervisor that this test's outside started: its parent, linked. */
  readonly startTree = (children: readonly ChildSpec[], limits: Limits = {}): Promise<Pid> => {
    const tree = supervisor({ children, ...limits })
    const behaviour = findBehaviour(tree.behaviour)
    if (behaviour === undefined) throw new Error('the supervisor behaviour is defined')
    return this.#self.startLink(behaviour, tree.argument)
  }

  readonly events = async (type: 'up' | 'down', count: number): Promise<string[]> => {
    const seen: string[] = []
    while (seen.length < count) {
      const message = await this.#self.receive(isType(type), 5_000)
      if (message === undefined) break
      seen.push(message.id as string)
    }
    return seen
  }

  readonly up = async (): Promise<Pid> =>
    (await this.#self.receive(isType('up'), 5_000))?.pid as Pid

  readonly nothing = async (type: 'up' | 'down'): Promise<boolean> =>
    (await this.#self.receive(isType(type), 0)) === undefined

  readonly which = (sup: Pid): Promise<ChildInfo[]> =>
    this.#self.call(sup, 'whichChildren') as Promise<ChildInfo[]>

  readonly pidOf = async (sup: Pid, id: string): Promise<Pid> =>
    (await this.which(sup)).find((info) => info.id === id)?.pid as Pid

  /** Forgets what children and supervisors said until now. */
  readonly forget = async (): Promise<void> => {
    for (const type of ['up', 'down', 'EXIT']) {
      while ((await this.#self.receive(isType(type), 0)) !== undefined);
    }
  }

  readonly stopTree = async (sup: Pid): Promise<void> => {
    const ref = this.#self.monitor(sup)
    await this.#self.stop(sup, 'shutdown')
    await downReason(this.#node, ref)
    await this.forget()
  }

  readonly reports = (t: Test): Report[] => {
    const seen: Report[] = []
    t.teardown(onEvent('supervisor', (report) => seen.push(report)))
    return seen
  }

  readonly crash = async (pid: Pid, reason: ExitReason): Promise<void> => {
    const ref = this.#self.monitor(pid)
    this.#self.cast(pid, 'end', reason)
    await downReason(this.#node, ref)
  }
}
