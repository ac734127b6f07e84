/**
 * The official browser client's tree merge as the judge of our diffs. It needs no DOM, only a
 * `window` to find `structuredClone` on.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { compileFunction } from 'node:vm'
import type { DiffNode } from '../../../liveview/diff/index.ts'

interface ClientTree {
  mergeDiff(diff: unknown): void
  toString(): { buffer: string }
  recursiveToString(
    tree: unknown,
    components: unknown,
    onlyCids: undefined,
    changeTracking: boolean,
    attrs: object,
    cid: null,
  ): { buffer: string }
  rendered: Record<string, unknown>
}

interface ClientBuffer {
  html: string
  pending: string[]
  endRoot(attrs: Record<string, string | true>, clear?: boolean): void
}

interface ClientModule {
  Rendered: new (viewId: string, diff: unknown, buffer: () => unknown) => ClientTree
  RenderingBuffer: new (preMerge: unknown, cid: number | null) => ClientBuffer
}

Object.assign(globalThis, { window: globalThis })
const file = createRequire(import.meta.url).resolve('phoenix_live_view')
const { Rendered, RenderingBuffer } = load()

/** The package does not export the class, so its module is run with one more line. */
function load(): ClientModule {
  const source = `${readFileSync(file, 'utf8')}\nmodule.exports = { Rendered, RenderingBuffer }`
  const module: { exports?: ClientModule } = {}
  compileFunction(source, ['module'], { filename: file })(module)
  return module.exports as ClientModule
}

/** One page: merges diffs as a browser does and says what HTML it then shows. */
export class Client {
  readonly #tree: ClientTree
  readonly #problems: string[] = []

  constructor(diff: DiffNode) {
    const elements = new Map<string, string>()
    const problems = this.#problems
    let seen = new Set<string>()
    // Takes the client's markers out again, and judges its decision to skip an element: one that is
    // skipped keeps what the page shows, so it must not have changed since it was last written.
    class Judge extends RenderingBuffer {
      constructor(preMerge: unknown, cid: number | null) {
        super(preMerge, cid)
        seen = new Set()
      }

      override endRoot(attrs: Record<string, string | true>, clear?: boolean): void {
        const whole = this.html
        const before = this.pending.at(-1) ?? ''
        super.endRoot(attrs, clear)
        this.html = before + whole
        const id = String(attrs['data-phx-id'])
        if (seen.has(id)) problems.push(`two elements carry the id ${id}`)
        seen.add(id)
        if (clear && elements.get(id) !== whole)
          problems.push(`skipped a changed element: ${whole}`)
        elements.set(id, whole)
      }
    }
    this.#tree = new Rendered('view', wire(diff), () => Judge)
  }

  merge(diff: DiffNode): void {
    this.#tree.mergeDiff(wire(diff))
  }

  /** The page's HTML without the client's markers. Throws if the client skipped what it must not. */
  html(): string {
    const { buffer } = this.#tree.toString()
    if (this.#problems.length > 0) throw new Error(this.#problems.join('\n'))
    return buffer
  }
}

function wire(diff: DiffNode): unknown {
  return JSON.parse(JSON.stringify(diff))
}
