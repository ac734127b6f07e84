/**
 * What OTP's rules make of a tree of supervisors, one event at a time, pure: who runs, who was started and in which order, who
 * was asked to stop and in which order, and whether the tree stands. Nothing of the runtime is in here.
 */

export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one'

/** A worker that dies of any signal, one that traps exits, or one that traps and takes longer to stop than it is given. */
export type WorkerKind = 'fragile' | 'trapping' | 'stubborn'

interface Supervised {
  readonly id: string
  readonly restart: 'permanent' | 'transient' | 'temporary'
  readonly significant: boolean
  /** brutal_kill or milliseconds; Infinity for supervisors only. */
  readonly shutdown: 'brutal_kill' | number
}

export interface WorkerSpec extends Supervised {
  readonly kind: WorkerKind
}

export interface TreeSpec extends Supervised {
  readonly strategy: Strategy
  readonly autoShutdown: 'never' | 'any_significant' | 'all_significant'
  readonly maxRestarts: number
  readonly maxSeconds: number
  readonly children: readonly (WorkerSpec | TreeSpec)[]
}

type Spec = WorkerSpec | TreeSpec

export const isTree = (spec: Spec): spec is TreeSpec => 'children' in spec

export class Node {
  readonly spec: Spec
  readonly parent: Node | undefined
  /** As its supervisor has them now: temporary ones that ended are gone. */
  children: Node[] = []
  up = false
  /** Its supervisor takes it for running: it has not heard of its end. */
  known = false
  /** Another one with each start. */
  life = 0
  restarts: number[] = []

  constructor(spec: Spec, parent: Node | undefined) {
    this.spec = spec
    this.parent = parent
  }
}

export class TreeModel {
  readonly root: Node
  nowMs = 0
  /** Ids of the workers started, and of those that ran their terminate, in order, since the last event. */
  started: string[] = []
  stopped: string[] = []
  /** Some of them stopped side by side: nobody told them to one by one. */
  unordered = false
  /** Why the root ended. */
  ended: string | undefined
  #lives = 0

  constructor(spec: TreeSpec) {
    this.root = new Node(spec, undefined)
    this.#start(this.root)
  }

  /** All that run or might, the root first. */
  nodes(from: Node = this.root): Node[] {
    return [from, ...from.children.flatMap((child) => this.nodes(child))]
  }

  forget(): void {
    this.started = []
    this.stopped = []
    this.unordered = false
  }

  /** It ends at once, and what it has dies of the link, or of the loss of its parent. */
  ends(node: Node, reason: string): void {
    this.#die(node)
    this.#noticed(node, reason)
  }

  /** Two siblings end before their supervisor hears of either. */
  bothEnd(one: Node, other: Node, reason: string): void {
    this.#die(one)
    this.#die(other)
    const { life } = other
    this.#noticed(one, reason)
    if (other.life === life) this.#noticed(other, reason)
  }

  /** It is asked to stop, and does so in order. */
  stops(node: Node, reason: string): void {
    this.#stopChildren(node)
    node.up = false
    this.#noticed(node, reason)
  }

  terminate(node: Node): void {
    this.#stop(node)
    if (node.spec.restart === 'temporary') this.#remove(node)
  }

  restart(node: Node): void {
    if (!node.known) this.#start(node)
  }

  delete(node: Node): void {
    if (!node.known) this.#remove(node)
  }

  #remove(node: Node): void {
    const { parent } = node
    if (parent !== undefined) parent.children = parent.children.filter((one) => one !== node)
  }

  #start(node: Node): void {
    node.up = node.known = true
    node.life = ++this.#lives
    const { spec } = node
    if (!isTree(spec)) {
      this.started.push(spec.id)
      return
    }
    node.restarts = []
    node.children = spec.children.map((child) => new Node(child, node))
    for (const child of node.children) this.#start(child)
  }

  #die(node: Node): void {
    const below = this.nodes(node).slice(1)
    if (below.some(({ up, spec }) => up && !isTree(spec) && spec.kind !== 'fragile')) {
      this.unordered = true
    }
    for (const one of [node, ...below]) one.up = false
  }

  /** How long it takes to stop. */
  #durationMs({ spec, up, children }: Node): number {
    if (!up || spec.shutdown === 'brutal_kill') return 0
    if (!isTree(spec)) return spec.kind === 'stubborn' ? spec.shutdown : 0
    const sum = children.reduce((all, child) => all + this.#durationMs(child), 0)
    return Math.min(sum, spec.shutdown)
  }

  #stopChildren(node: Node): void {
    for (const child of node.children.toReversed()) this.#stop(child)
  }

  /** By its supervisor, which takes what it hears of its end for the end it asked for. */
  #stop(node: Node): void {
    const { spec, up } = node
    node.known = false
    if (!up) return
    const tookMs = this.#durationMs(node)
    if (isTree(spec)) {
      const sum = node.children.reduce((all, child) => all + this.#durationMs(child), 0)
      if (spec.shutdown === 'brutal_kill' || sum > spec.shutdown) this.#die(node)
      else {
        this.#stopChildren(node)
        node.up = false
        return
      }
    } else if (spec.kind === 'trapping' && spec.shutdown !== 'brutal_kill') {
      this.stopped.push(spec.id)
    }
    node.up = false
    this.nowMs += tookMs
  }

  /** Its supervisor hears of its end. */
  #noticed(node: Node, reason: string): void {
    const { parent, spec } = node
    if (parent === undefined) {
      this.ended = reason
      return
    }
    if (!parent.up || !node.known) return
    node.known = false
    const tree = parent.spec as TreeSpec
    const orderly = reason === 'normal' || reason === 'shutdown'
    if (spec.restart === 'temporary' || (spec.restart === 'transient' && orderly)) {
      if (spec.restart === 'temporary') this.#remove(node)
      const left = parent.children.some((one) => one.known && one.spec.significant)
      if (!spec.significant || tree.autoShutdown === 'never') return
      if (tree.autoShutdown === 'any_significant' || !left) this.stops(parent, 'shutdown')
      return
    }
    parent.restarts.push(this.nowMs)
    const within = parent.restarts.filter((at) => this.nowMs - at <= tree.maxSeconds * 1_000)
    if (within.length > tree.maxRestarts) {
      this.stops(parent, 'shutdown')
      return
    }
    this.#restartWith(parent, node, tree.strategy)
  }

  #restartWith(parent: Node, node: Node, strategy: Strategy): void {
    const at = parent.children.indexOf(node)
    if (strategy === 'one_for_one') {
      this.#start(node)
      return
    }
    const tied = strategy === 'one_for_all' ? [...parent.children] : parent.children.slice(at)
    for (const one of tied.toReversed()) this.terminate(one)
    for (const one of tied) if (one.spec.restart !== 'temporary') this.#start(one)
  }
}
