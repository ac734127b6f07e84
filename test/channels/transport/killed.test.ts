/** A transport that is killed takes its socket along, and says so to the client. */

import type { Pid, ProcessInfo } from 'beamish'
import t from 'tap'
import { makePid } from '../../../runtime/process/pid.ts'
import { LiveClient } from '../../liveview/liveClient.ts'
import { baseOf, startApp } from '../../liveview/startApp.ts'

const SLOTS = 64
// The slot of a page's render may be the transport's next.
const GENERATIONS = 8

t.test('the socket of a transport that is killed closes with 1011, as after a crash', async (t) => {
  const node = await startApp()
  t.teardown(() => node.stop())
  const view = await LiveClient.open(await baseOf(node), '/counter/killed')
  const pids: Pid[] = node
    .schedulers()
    .flatMap((scheduler) =>
      Array.from({ length: SLOTS * GENERATIONS }, (_, at) =>
        makePid(scheduler, at % SLOTS, 1 + Math.floor(at / SLOTS)),
      ),
    )
  const infos: (ProcessInfo | undefined)[] = await Promise.all(
    pids.map((pid) => node.self.info(pid)),
  )
  const transport = infos.find((info) => info?.behaviour === 'beamish.transport')
  if (transport === undefined) throw new Error('no transport is there')
  node.self.exit(transport.pid, 'kill')
  const { code } = await view.wire.closed
  t.equal(code, 1011)
})
