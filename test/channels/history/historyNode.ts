/** A node of the app with histories, with two endpoints on two threads. */
import type { BeamishNode } from 'beamish'
import type { Test } from 'tap'
import { startNode } from '../../runtime/kit.ts'

/** The node, and where its endpoints are as http URLs. */
export async function startHistories(
  t: Test,
): Promise<{ node: BeamishNode; all: string; one: string }> {
  const node = await startNode(new URL('./history.app.ts', import.meta.url), 2)
  t.teardown(() => node.stop())
  const [all = '', one = ''] = (await node.addresses()).map(
    ({ port }) => `http://127.0.0.1:${port}`,
  )
  return { node, all, one }
}
