/** Channels of the tour that differ in their options alone: in virtual time what they do, on a real node what they log. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pid } from 'beamish'
import { connect } from 'beamish/channels/testing'
import { testNode } from 'beamish/testing'
import t from 'tap'
import { Drowsy, Patient, Silent, Sleepless } from '../../../apps/tour/quiet.ts'
import { User } from '../../../apps/tour/user.ts'
import { outcome } from '../../channels/phoenixClient.ts'
import { logged } from '../../channels/sockets.ts'
import { Client, startTour } from './kit.ts'

const channels = {
  'drowsy:*': Drowsy,
  'sleepless:*': Sleepless,
  'patient:*': Patient,
  'silent:*': Silent,
}
const limits = { idleTimeoutMs: 86_400_000 }

t.test('drowsy hibernates after a minute, sleepless never; both answer', async (t) => {
  const node = await testNode({ seed: 1 })
  t.teardown(() => node.close())
  const ada = await connect(node, User, { user_id: 'ada' }, {}, { channels, limits })
  const [drowsy, sleepless] = [await ada.join('drowsy:1'), await ada.join('sleepless:1')]
  const states = async () =>
    Promise.all([drowsy, sleepless].map(async ({ pid }) => (await node.self.info(pid))?.status))
  await node.advance(59_000)
  t.same(await states(), ['waiting', 'waiting'])
  // A minute, or up to twice as long.
  await node.advance(61_000)
  t.same(await states(), ['hibernated', 'waiting'])
  await node.advance(86_400_000 - 200_000)
  t.same(await states(), ['hibernated', 'waiting'])
  for (const one of [drowsy, sleepless])
    await one.assertReply(one.push('ping'), 'ok', { pong: true })
})

t.test('patient may take ten seconds to say goodbye, and is killed after them', async (t) => {
  const node = await testNode({ seed: 1 })
  t.teardown(() => node.close())
  for (const [ms, reason] of [
    [9_900, 'shutdown'],
    [10_100, 'killed'],
  ] as const) {
    const ada = await connect(node, User, { user_id: 'ada' }, {}, { channels, limits })
    const patient = await ada.join('patient:1')
    await patient.assertReply(patient.push('linger', { ms }), 'ok')
    const ref = node.monitor(patient.pid)
    // As an endpoint does that stops.
    const supervisor = (await node.self.info(patient.pid))?.parent
    const stopped = node.self.stop(supervisor as Pid, 'shutdown', { timeoutMs: 60_000 })
    const { reason: seen } = await node.assertDown(ref, undefined, { withinMs: 60_000 })
    t.same(seen, reason, `${ms} ms`)
    await stopped
  }
})

t.test('silent leaves no line of what it handled, where others do', async (t) => {
  const file = join(t.testdir(), 'log')
  const tour = await startTour(t, 1, { file, level: 'debug' })
  const ada = await Client.open(tour, 'ada')
  for (const topic of ['silent:1', 'drowsy:1', 'sleepless:1', 'patient:1', 'silent:2']) {
    t.same(await outcome((await ada.join(topic)).push('ping', {})), ['ok', { pong: true }], topic)
  }
  await logged(file, /JOINED silent:1/)
  await logged(file, /HANDLED ping INCOMING ON patient:1/)
  await ada.close()
  await tour.node.stop()
  const lines = await readFile(file, 'utf8')
  t.match(lines, /HANDLED ping INCOMING ON drowsy:1/)
  t.notMatch(lines, /HANDLED ping INCOMING ON silent/)
})
