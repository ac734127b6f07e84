import fc from 'fast-check'
import t from 'tap'
import { applyUnlink, covers } from '../../../runtime/process/links.ts'
import type { Process } from '../../../runtime/process/process.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'
import { holds } from '../../channels/property.ts'

type Signal =
  | { readonly do: 'link'; readonly id: number }
  | { readonly do: 'unlink'; readonly known: ReadonlySet<number> }
  | { readonly do: 'exit'; readonly known: ReadonlySet<number>; readonly reason: string }

/**
 * What the link protocol stands for: every LINK has an id, every later signal carries all ids its sender ever knew, and ends
 * those. The runtime sends two numbers instead.
 */
class Model {
  readonly known = new Set<number>()
  readonly live = new Set<number>()
  readonly exits: string[] = []
  readonly inbox: Signal[][] = []
  alive = true
  peer: Model = this
  #batch: Signal[] = []

  link(id: number): void {
    if (!this.alive || this.live.size > 0) return
    this.known.add(id)
    this.live.add(id)
    this.#batch.push({ do: 'link', id })
  }

  unlink(): void {
    if (!this.alive || this.live.size === 0) return
    this.live.clear()
    this.#batch.push({ do: 'unlink', known: new Set(this.known) })
  }

  exit(reason: string): void {
    if (!this.alive) return
    this.alive = false
    if (this.live.size > 0) this.#batch.push({ do: 'exit', known: new Set(this.known), reason })
    this.live.clear()
  }

  flush(): void {
    if (this.#batch.length > 0) this.peer.inbox.push(this.#batch)
    this.#batch = []
  }

  deliver(): void {
    for (const signal of this.inbox.shift() ?? []) this.#receive(signal)
  }

  #receive(signal: Signal): void {
    if (signal.do === 'link') {
      if (this.alive) {
        this.known.add(signal.id)
        this.live.add(signal.id)
      } else this.#batch.push({ do: 'exit', known: new Set([signal.id]), reason: 'noproc' })
      return
    }
    if (!this.alive) return
    const ends = [...signal.known].filter((id) => this.live.has(id))
    for (const id of ends) this.live.delete(id)
    if (signal.do === 'exit' && ends.length > 0) {
      this.live.clear()
      this.exits.push(signal.reason)
    }
  }
}

const acts = ['link', 'unlink', 'flush', 'deliver', 'link', 'unlink', 'flush', 'deliver'] as const
type Act = (typeof acts)[number] | 'exit'
const act: fc.Arbitrary<readonly [0 | 1, Act]> = fc.tuple(
  fc.constantFrom(0 as const, 1 as const),
  fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom<Act>(...acts) },
    { weight: 1, arbitrary: fc.constant<Act>('exit') },
  ),
)

interface Side {
  readonly process: Process
  readonly model: Model
  readonly id: number
}

function setUp(): { sim: Simulation; sides: readonly [Side, Side] } {
  const sim = new Simulation(3)
  const make = (id: number): Side => {
    const process = sim.idle(id)
    process.trapExit = true
    return { process, model: new Model(), id }
  }
  const sides = [make(1), make(2)] as const
  sides[0].model.peer = sides[1].model
  sides[1].model.peer = sides[0].model
  sim.settle()
  return { sim, sides }
}

let ids = 0

function perform(sim: Simulation, side: Side, peer: Side, one: Act): void {
  switch (one) {
    case 'link':
      side.process.self.link(peer.process.pid)
      side.model.link(++ids)
      return
    case 'unlink':
      side.process.self.unlink(peer.process.pid)
      side.model.unlink()
      return
    case 'exit':
      sim.scheduler(side.id).exit(side.process, 'boom')
      side.model.exit('boom')
      return
    case 'flush':
      sim.scheduler(side.id).peers.flush()
      side.model.flush()
      return
    case 'deliver':
      sim.deliver(peer.id, side.id)
      side.model.deliver()
  }
}

const isLinked = (side: Side, peer: Side): boolean =>
  side.process.links?.has(peer.process.pid) === true

/** EXITs seen so far; a dead process has no mailbox, its model is not asked either. */
const exitsOf = (side: Side): unknown[] =>
  side.process.mailbox.toArray().map((m) => (m as { reason: unknown }).reason)

function agrees(side: Side, peer: Side): boolean {
  if (side.process.alive !== side.model.alive) return false
  if (!side.model.alive) return true
  return (
    isLinked(side, peer) === side.model.live.size > 0 &&
    exitsOf(side).join() === side.model.exits.join()
  )
}

t.test(
  'links across threads: any interleaving of link, unlink and exit does what the model does',
  async (t) => {
    holds(
      t,
      fc.property(fc.array(act, { maxLength: 60, size: 'max' }), (steps) => {
        const { sim, sides } = setUp()
        for (const [at, one] of steps) {
          perform(sim, sides[at], sides[at === 0 ? 1 : 0], one)
          if (!agrees(sides[0], sides[1]) || !agrees(sides[1], sides[0])) return false
        }
        return true
      }),
      { numRuns: 2_000 },
    )
  },
)

t.test(
  'once all signals have arrived both sides agree, and nobody is linked with the dead',
  async (t) => {
    holds(
      t,
      fc.property(fc.array(act, { maxLength: 60, size: 'max' }), (steps) => {
        const { sim, sides } = setUp()
        const [a, b] = sides
        for (const [at, one] of steps) perform(sim, sides[at], sides[at === 0 ? 1 : 0], one)
        sim.settle()
        if (isLinked(a, b) !== isLinked(b, a)) return false
        return a.process.alive && b.process.alive ? true : !isLinked(a, b)
      }),
      { numRuns: 2_000 },
    )
  },
)

t.test('after an unlink, and with no new link by either side, no EXIT ever comes', async (t) => {
  holds(
    t,
    fc.property(
      fc.array(act, { maxLength: 40, size: 'max' }),
      fc.constantFrom(0, 1),
      (steps, who) => {
        const { sim, sides } = setUp()
        for (const [at, one] of steps) {
          if (one !== 'exit') perform(sim, sides[at], sides[at === 0 ? 1 : 0], one)
        }
        const [quitter, peer] = who === 0 ? sides : [sides[1], sides[0]]
        // All LINKs have arrived; EXITs and UNLINKs may still be on their way.
        sim.settle()
        perform(sim, quitter, peer, 'unlink')
        perform(sim, peer, quitter, 'exit')
        sim.settle()
        return exitsOf(quitter).length === 0 && !isLinked(quitter, peer)
      },
    ),
  )
})

t.test('a link made by both sides at once is one link: one EXIT', async (t) => {
  const { sim, sides } = setUp()
  const [a, b] = sides
  a.process.self.link(b.process.pid)
  b.process.self.link(a.process.pid)
  sim.settle()
  sim.scheduler(b.id).exit(b.process, 'boom')
  sim.settle()
  t.strictSame(exitsOf(a), ['boom'])
  t.equal(isLinked(a, b), false)
})

t.test('an unlink that crosses a newer link of the other side leaves the newer one', async (t) => {
  const { sim, sides } = setUp()
  const [a, b] = sides
  a.process.self.link(b.process.pid)
  sim.settle()
  b.process.self.unlink(a.process.pid)
  b.process.self.link(a.process.pid)
  a.process.self.unlink(b.process.pid)
  sim.settle()
  t.equal(isLinked(a, b), true, 'the unlink of a did not know of the new link')
  t.equal(isLinked(b, a), true)
})

t.test('a signal speaks of a link when its sender knew one of its ids', async (t) => {
  t.equal(covers({ mine: 0, theirs: 5 }, { mine: 5, theirs: 0 }), true, 'their own LINK')
  t.equal(covers({ mine: 0, theirs: 6 }, { mine: 5, theirs: 0 }), false, 'a newer one')
  t.equal(covers({ mine: 3, theirs: 0 }, { mine: 0, theirs: 3 }), true, 'ours, which they had got')
  t.equal(covers({ mine: 4, theirs: 0 }, { mine: 0, theirs: 3 }), false, 'ours, which they had not')
  const both = { mine: 4, theirs: 5 }
  t.equal(applyUnlink(both, { mine: 5, theirs: 3 }), false)
  t.strictSame(both, { mine: 4, theirs: 0 }, 'what they did not know of stays')
  t.equal(applyUnlink(both, { mine: 5, theirs: 4 }), true)
})
