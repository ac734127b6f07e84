/** What stop() waits for once the trees have ended. */
import { onEvent } from 'beamish'
import t from 'tap'
import { startNode } from '../kit.ts'

const APP = new URL('./apps/lingers.ts', import.meta.url)

t.test('a thread has what is left of shutdownTimeoutMs to come out of a native call', async (t) => {
  const codes: string[] = []
  t.teardown(onEvent('notice', ({ code }) => codes.push(code)))
  const node = await startNode(APP, 1, { shutdownTimeoutMs: 30_000 })
  await node.stop()
  t.same(codes, [])
  t.equal(node.stillRunning, 0, 'it need not be killed to end the operating system process')
})
