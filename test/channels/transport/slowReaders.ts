/** A node of the app for clients that do not read; its outside hears what their sockets tell. */
import type { BeamishNode } from 'beamish'
import type { Test } from 'tap'
import { startNode } from '../../runtime/kit.ts'

export async function startSlowReaders(
  t: Test,
  schedulers: number,
): Promise<{ node: BeamishNode; base: string }> {
  const node = await startNode(new URL('./slowReader.app.ts', import.meta.url), schedulers)
  t.teardown(() => node.stop())
  const [address] = await node.addresses()
  node.self.subscribe('slow')
  return { node, base: `http://127.0.0.1:${address?.port}` }
}
