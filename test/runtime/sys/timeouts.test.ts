// What a system message does to the timeout of a server, in virtual time.
import { sys } from 'beamish'
import { testNode } from 'beamish/testing'
import t from 'tap'
import { isType } from '../kit.ts'
import { Box } from './servers.ts'

t.test('otp 85: asked for its state more often than its timeout, it never times out', async (t) => {
  const node = await testNode({ schedulers: 1, children: [] })
  t.teardown(() => node.stop())
  const pid = await node.self.start(Box, { witness: node.self.pid })
  await node.self.call(pid, 'wait', 200)
  for (let i = 0; i < 30; i++) {
    await node.advance(150)
    await sys.getState(node.self, pid)
  }
  await node.refuteReceive(isType('timed out'), { withinMs: 190 })
  t.match(await node.assertReceive(isType('timed out')), { pid }, 'left alone it does')
})
