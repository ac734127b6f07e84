/** Which applications there are and in which order they start; what the end of one means. Pure. */
import { BeamishError } from '../errors.ts'
import type { ExitReason } from '../exit/reason.ts'
import type { Application, ApplicationType } from './spec.ts'

/**
 * An application and all it needs, directly or not: each after those it needs, otherwise in the order they are listed.
 * @throws BEAMISH_APPLICATION_CYCLE, BEAMISH_APPLICATION_DUPLICATE
 */
export function startOrder(first: Application): Application[] {
  const order: Application[] = []
  const known = new Map<string, Application>()
  const path: Application[] = []
  const visit = (one: Application): void => {
    const { application: name } = one
    const from = path.indexOf(one)
    if (from >= 0) {
      const circle = [...path.slice(from), one].map(({ application }) => application).join(' -> ')
      throw new BeamishError('BEAMISH_APPLICATION_CYCLE', { circle })
    }
    const other = known.get(name)
    if (other === one) return
    if (other !== undefined) {
      throw new BeamishError('BEAMISH_APPLICATION_DUPLICATE', { application: `"${name}"` })
    }
    known.set(name, one)
    path.push(one)
    for (const needed of one.applications) visit(needed)
    path.pop()
    order.push(one)
  }
  visit(first)
  return order
}

/** Whether the end of an application, unasked for, ends the node (OTP application:start/2). */
export function endsNode(type: ApplicationType, reason: ExitReason): boolean {
  if (type === 'transient') return reason !== 'normal'
  return type === 'permanent'
}

/** Visits each of `nodes` once all of them that stand before it are through; those not tied to each other side by side. */
export function inOrder<N>(
  nodes: readonly N[],
  before: (node: N) => readonly N[],
  visit: (node: N) => Promise<unknown>,
): Promise<unknown> {
  const visits = new Map<N, Promise<unknown>>()
  const begin = (node: N): Promise<unknown> => {
    let visited = visits.get(node)
    if (visited === undefined) {
      visited = Promise.all(before(node).map(begin)).then(() => visit(node))
      visits.set(node, visited)
    }
    return visited
  }
  return Promise.all(nodes.map(begin))
}
