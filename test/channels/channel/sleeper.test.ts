/** Channels that hibernate, and channels whose code changes: their clients notice nothing they should not. */
import { type Pid, start, sys } from 'beamish'
import t from 'tap'
import { WireClient } from '../wireClient.ts'
import { sleeping } from './sleeper.ts'

const node = await start(new URL('./sleeper.app.ts', import.meta.url), {
  schedulers: 1,
  log: false,
  development: false,
  execArgv: ['--conditions=beamish-source'],
})
t.teardown(() => node.stop())
const { self } = node
const [address] = await node.addresses()
const base = `http://127.0.0.1:${address?.port}`

const asleep = async (pid: Pid): Promise<void> => {
  while ((await self.info(pid))?.status !== 'hibernated') await self.sleep(1)
}

async function joined(topic: string): Promise<{ wire: WireClient; pid: Pid }> {
  const wire = await WireClient.connect(base, { path: '/socket/websocket' })
  await wire.join(topic)
  const found = await sleeping.lookup(self, topic)
  return { wire, pid: found?.pid as Pid }
}

let refs = 100
async function ask(wire: WireClient, topic: string, event: string): Promise<unknown> {
  const ref = String(refs++)
  wire.send({ joinRef: null, ref, topic, event, payload: {} })
  return (await wire.replyTo(ref)).payload
}

t.test('one that is idle sleeps, and wakes for an event with what it had', async (t) => {
  const { wire, pid } = await joined('sleep:event')
  await asleep(pid)
  t.match(await ask(wire, 'sleep:event', 'add'), { status: 'ok', response: { count: 61 } })
  await asleep(pid)
  t.match(await ask(wire, 'sleep:event', 'count'), { response: { count: 61, heard: 0 } })
  await wire.close()
})

t.test('a broadcast reaches the client of one that sleeps, and does not wake it', async (t) => {
  const { wire, pid } = await joined('sleep:broadcast')
  await asleep(pid)
  self.broadcast('sleep:broadcast', 'news', { n: 1 })
  t.match(await wire.nextEvent('sleep:broadcast', 'news'), { payload: { n: 1 }, joinRef: null })
  t.equal((await self.info(pid))?.status, 'hibernated')
  t.match(await sys.getState(self, pid), { heard: 0, rows: [{ id: 0 }] }, 'nor does a look at it')
  t.equal((await self.info(pid))?.status, 'hibernated')
  self.broadcast('sleep:broadcast', 'counted', { n: 2 })
  t.match(await wire.nextEvent('sleep:broadcast', 'counted'), { payload: { n: 2 } })
  t.match(await ask(wire, 'sleep:broadcast', 'count'), { response: { heard: 1 } })
  await wire.close()
})

t.test(
  'a handler may send its channel to sleep; without a limit it sleeps only then',
  async (t) => {
    const { wire, pid } = await joined('wake:nap')
    wire.send({ joinRef: null, ref: null, topic: 'wake:nap', event: 'nap', payload: {} })
    await asleep(pid)
    t.pass()
    await wire.close()
  },
)

t.test('code changes while the client stays, and the assigns with it', async (t) => {
  const { wire, pid } = await joined('sleep:code')
  const change = async (module: string, direction: 'up' | 'down'): Promise<void> => {
    await sys.suspend(self, pid)
    await sys.changeCode(self, pid, { module: new URL(module, import.meta.url).href, direction })
    await sys.resume(self, pid)
  }
  await change('./sleeper2.ts', 'up')
  t.match(await ask(wire, 'sleep:code', 'count'), { response: { version: 2, count: 60 } })
  t.match(await ask(wire, 'sleep:code', 'add'), { response: { version: 2 } })
  await wire.close()
})
