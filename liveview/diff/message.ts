import type { Template } from '../template/rendered.ts'
import type { DiffNode } from './wire.ts'

/**
 * The static parts of one diff. Those that occur twice move to the diff's `p` and are referred to
 * by index, so a list of rows with nested templates sends each template once.
 *
 * `p` holds for one message only: the client resolves the indexes as it renders and forgets them.
 */
export class Message {
  #seen: Map<Template, DiffNode | number> | undefined
  #shared: Record<number, readonly string[]> | undefined
  #count = 0

  /** Gives a node its static parts. */
  setStatics(node: DiffNode, template: Template): void {
    this.#seen ??= new Map()
    const seen = this.#seen.get(template)
    if (seen === undefined) {
      node.s = template.statics
      this.#seen.set(template, node)
    } else node.s = typeof seen === 'number' ? seen : this.#share(template, seen)
  }

  /** Adds what is shared to the top of the diff. */
  close(diff: DiffNode): void {
    if (this.#shared !== undefined) diff.p = this.#shared
  }

  #share(template: Template, first: DiffNode): number {
    const index = this.#count++
    this.#shared ??= {}
    this.#shared[index] = template.statics
    this.#seen?.set(template, index)
    first.s = index
    return index
  }
}
