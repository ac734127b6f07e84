/** Several tracers on one scheduler: each is told of every step. One alone stands in the slot itself. */
import type { Scheduler } from './scheduler.ts'
import type { Tracer } from './tracer.ts'

class Fanout implements Tracer {
  /** The latest first: one that throws, as the faults of a test do, was there before who only looks on. */
  readonly all: readonly Tracer[]
  constructor(all: readonly Tracer[]) {
    this.all = all
  }

  spawned(...args: Parameters<Tracer['spawned']>): void {
    for (const one of this.all) one.spawned(...args)
  }
  sends(...args: Parameters<Tracer['sends']>): void {
    for (const one of this.all) one.sends(...args)
  }
  casts(...args: Parameters<Tracer['casts']>): void {
    for (const one of this.all) one.casts(...args)
  }
  calls(...args: Parameters<Tracer['calls']>): void {
    for (const one of this.all) one.calls(...args)
  }
  replies(...args: Parameters<Tracer['replies']>): void {
    for (const one of this.all) one.replies(...args)
  }
  receives(...args: Parameters<Tracer['receives']>): void {
    for (const one of this.all) one.receives(...args)
  }
  delivered(...args: Parameters<Tracer['delivered']>): void {
    for (const one of this.all) one.delivered(...args)
  }
  drops(...args: Parameters<Tracer['drops']>): void {
    for (const one of this.all) one.drops(...args)
  }
  handles(...args: Parameters<Tracer['handles']>): void {
    for (const one of this.all) one.handles(...args)
  }
  links(...args: Parameters<Tracer['links']>): void {
    for (const one of this.all) one.links(...args)
  }
  unlinks(...args: Parameters<Tracer['unlinks']>): void {
    for (const one of this.all) one.unlinks(...args)
  }
  monitors(...args: Parameters<Tracer['monitors']>): void {
    for (const one of this.all) one.monitors(...args)
  }
  signalled(...args: Parameters<Tracer['signalled']>): void {
    for (const one of this.all) one.signalled(...args)
  }
  terminates(...args: Parameters<Tracer['terminates']>): void {
    for (const one of this.all) one.terminates(...args)
  }
  exited(...args: Parameters<Tracer['exited']>): void {
    for (const one of this.all) one.exited(...args)
  }
}

const tracersOf = ({ tracer }: Scheduler): readonly Tracer[] =>
  tracer instanceof Fanout ? tracer.all : tracer === undefined ? [] : [tracer]

function put(scheduler: Scheduler, all: readonly Tracer[]): void {
  scheduler.tracer = all.length > 1 ? new Fanout(all) : all[0]
}

/** From now on it is told, beside those that are told already. Returns the function that ends it. */
export function addTracer(scheduler: Scheduler, tracer: Tracer): () => void {
  put(scheduler, [tracer, ...tracersOf(scheduler)])
  return () =>
    put(
      scheduler,
      tracersOf(scheduler).filter((one) => one !== tracer),
    )
}
