// Two threads with a guest on each, and waiting for what they say.
import type { BeamishNode } from 'beamish'
import type { Test } from 'tap'
import { startNode } from '../../runtime/kit.ts'
import { Guest } from './presence.app.ts'

const APP = new URL('./presence.app.ts', import.meta.url)

export type GuestPid = Awaited<ReturnType<typeof guest>>
export const guest = (node: BeamishNode, scheduler: number) =>
  node.self.start(Guest, undefined, { place: { scheduler } })

export async function open(
  t: Test,
  development = false,
): Promise<{ node: BeamishNode; a: GuestPid; b: GuestPid }> {
  const node = await startNode(APP, 2, { development })
  t.teardown(() => node.stop())
  return { node, a: await guest(node, 1), b: await guest(node, 2) }
}

/** Asks until the answer is as it should be. */
export async function until<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (isSo(answer)) return answer
    await new Promise((resolve) => setImmediate(resolve))
  }
}
