/** What a suspended process serves, and in which order the rest comes. */
import { type ExitMessage, genServer, sys } from 'beamish'
import { testNode } from 'beamish/testing'
import t from 'tap'
import { findBehaviour } from '../../../runtime/process/behaviour.ts'
import { rejection, startNode } from '../kit.ts'

let heard: unknown[] = []
const Logger = genServer('suspended.logger', {
  trapExit: true,
  init: (_: undefined) => [] as unknown[],
  handleCall: { log: (log) => log },
  handleInfo(log, message) {
    log.push((message as Partial<ExitMessage>).type ?? message)
  },
  terminate(_reason, log) {
    heard = log
  },
})

for (const scheduler of [1, 2]) {
  t.test(`an end waits behind what that one said before (thread ${scheduler})`, async (t) => {
    const node = await testNode({ schedulers: 2, seed: 3 })
    t.teardown(() => node.close())
    const pid = await node.self.start(Logger, undefined, { place: { scheduler: 1 } })
    await sys.suspend(node.self, pid)
    await node.spawn(
      (self) => {
        self.link(pid)
        self.send(pid, 'last words')
        self.exit('over')
      },
      { scheduler },
    )
    await node.runUntilIdle()
    t.same(await sys.getState(node.self, pid), [], 'nothing is served')
    await sys.resume(node.self, pid)
    t.same(await node.self.call(pid, 'log'), ['last words', 'EXIT'])
  })
}

t.test('a state may be replaced by undefined', async (t) => {
  const node = await testNode()
  t.teardown(() => node.close())
  const pid = await node.self.start(Logger, undefined)
  await sys.replaceState(node.self, pid, { state: undefined })
  t.equal(await sys.getState(node.self, pid), undefined)
})

t.test('after a resume nothing overtakes what was sent before it', async (t) => {
  const node = await testNode({ schedulers: 2, seed: 5 })
  t.teardown(() => node.close())
  const pid = await node.self.start(Logger, undefined, { place: { scheduler: 1 } })
  await sys.suspend(node.self, pid)
  node.self.send(pid, 'before')
  const resumed = sys.resume(node.self, pid)
  node.self.send(pid, 'between')
  const stopped = node.self.stop(pid)
  node.self.send(pid, 'after')
  await resumed
  await stopped
  t.same(heard, ['before', 'between'])
})

t.test('a version whose process ended while it was loaded is not put in force', async (t) => {
  const Ending = genServer('test.sys.ending', { init: () => 0, handleCall: { version: () => 1 } })
  // A module takes a real moment to load: the outside of a node that runs in real time asks for it.
  const node = await startNode(new URL('./servers.ts', import.meta.url), 1)
  t.teardown(() => node.stop())
  const { self } = node
  const pid = await self.start(Ending, undefined)
  await sys.suspend(self, pid)
  const module = new URL('./apps/endsWhileLoading.ts', import.meta.url)
  const extra = async (): Promise<void> => self.exit(pid, 'kill')
  t.match(await rejection(sys.changeCode(self, pid, { module, extra })), { reason: 'killed' })
  await self.sleep(0)
  t.equal(findBehaviour(Ending.name), Ending as unknown)
})
