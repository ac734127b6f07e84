/** Sessions of long polling on two threads: requests land on either, one thread may be lost. */
import t from 'tap'
import { okay, startPolled } from './kit.ts'
import { ask, connection, PollClient, sessionOf, threadOf } from './pollClient.ts'

const secretKeyBase = 'a secret that stays the same from node to node'
const { node, base } = await startPolled(t, { schedulers: 2 })

/** A connection that ends on a thread that `there` accepts, and a session it has opened on it. */
async function landing(there: (scheduler: number) => boolean) {
  for (;;) {
    const agent = connection()
    const { status, token } = await ask(base, { agent }).catch(() => ({ status: 0, token: '' }))
    if (status === 410 && there(threadOf(token))) return { agent, token, thread: threadOf(token) }
    agent.destroy()
    await node.self.sleep(5)
  }
}

t.test('channels 51: requests that land on another thread reach the session', async (t) => {
  const home = await landing(() => true)
  const away = await landing((thread) => thread !== home.thread)
  const client = new PollClient(base, home.token, { agent: away.agent })
  t.match(await client.join('room:away'), okay)
  await client.send(['1', '2', 'room:away', 'known', {}])
  t.match(await client.reply('2'), { response: { scheduler: home.thread } }, 'and its channels')
  const polled = client.poll({ agent: home.agent })
  await client.send(['1', '3', 'room:away', 'echo', { n: 3 }])
  t.match(await polled, { status: 200, token: home.token })
  // A poll that waits there is answered from here, too.
  const again = client.poll()
  await client.post('["1","4","room:away","echo",{}]', { agent: home.agent })
  t.equal((await again).status, 200)
  for (const { agent } of [home, away]) agent.destroy()
})

t.test('the thread of a session is lost: who polled it is told, with a new session', async (t) => {
  const home = await landing(() => true)
  const away = await landing((thread) => thread !== home.thread)
  const client = new PollClient(base, home.token, { agent: away.agent })
  await client.join('room:lost')
  const polled = client.poll()
  node.killThread(home.thread)
  const { status, token } = await polled
  t.equal(status, 410)
  t.equal(threadOf(token), away.thread)
  t.equal((await client.send(['1', '2', 'room:lost', 'echo', {}])).status, 410)
  const late = await client.poll()
  t.equal(late.status, 410, 'a poll that comes after it')
  const next = new PollClient(base, token, { agent: away.agent })
  t.match(await next.join('room:lost'), okay)
  for (const { agent } of [home, away]) agent.destroy()
  while (node.schedulers().length < 2) await node.self.sleep(5)
})

t.test('a thread is replaced in order: who polls there is sent elsewhere', async (t) => {
  const home = await landing(() => true)
  const client = new PollClient(base, home.token, { agent: home.agent })
  await client.join('room:replaced')
  const polled = client.poll()
  await node.restartThread(home.thread)
  const { status, headers } = await polled
  t.equal(status, 500, 'there is no new session for it here')
  t.equal(headers.connection, 'close')
  t.equal((await ask(base)).status, 410)
  home.agent.destroy()
})

t.test('a token of an earlier life of the node names no stranger of this one', async (t) => {
  const before = await startPolled(t, { secretKeyBase })
  const first = await PollClient.open(before.base)
  await before.node.stop()
  const { base: address } = await startPolled(t, { secretKeyBase })
  // Started alike, it gives out the same pids.
  let stranger = await PollClient.open(address)
  for (let i = 0; i < 50 && sessionOf(stranger.token) !== sessionOf(first.token); i++) {
    stranger = await PollClient.open(address)
  }
  t.equal(sessionOf(stranger.token), sessionOf(first.token), 'the same pid')
  const old = new PollClient(address, first.token, {})
  t.equal((await old.send(['1', '1', 'room:stranger', 'phx_join', {}])).status, 410)
  t.match(await stranger.join('room:stranger', '5'), okay, 'and has heard of nothing')
  t.same(stranger.unread, [])
})
