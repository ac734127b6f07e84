/** A token that runs out: its client is told in time, then the connection is closed. In virtual time. */
import { channel, socket } from 'beamish/channels'
import { connect, type TestClient } from 'beamish/channels/testing'
import { testNode } from 'beamish/testing'
import t, { type Test } from 'tap'

const Guest = socket('expiry.guest', {
  connect: ({ good_for_ms }, socket) => socket.expires(Date.now() + Number(good_for_ms)),
})
const Hall = channel('expiry.hall', { join: (_topic, _payload, socket) => socket })

async function guest(t: Test, goodForMs: number): Promise<TestClient> {
  const node = await testNode()
  t.teardown(() => node.close())
  const channels = { 'hall:*': Hall }
  return connect(node, Guest, { good_for_ms: goodForMs }, {}, { channels })
}

interface Told {
  readonly expires_in_ms: number
}

t.test(
  'each channel is told a minute before, and the socket is closed when it is over',
  async (t) => {
    const client = await guest(t, 600_000)
    const [one, other] = [await client.join('hall:1'), await client.join('hall:2')]
    await one.refutePush('token_expiring', undefined, { withinMs: 530_000 })
    const { expires_in_ms: leftMs } = await one.assertPush<Told>('token_expiring', undefined, {
      withinMs: 10_000,
    })
    t.ok(leftMs > 59_000 && leftMs <= 60_000, `${leftMs} ms`)
    await other.assertPush('token_expiring')
    await client.assertClosed(4001, { withinMs: 60_000 })
    await one.assertEnded({ shutdown: 'expired' })
    t.ok(client.node.now >= 590_000 && client.node.now <= 600_000)
  },
)

t.test('one that joins when it is near is told at once', async (t) => {
  const client = await guest(t, 30_000)
  const hall = await client.join('hall:1')
  const { expires_in_ms: leftMs } = await hall.assertPush<Told>('token_expiring')
  t.ok(leftMs > 20_000 && leftMs <= 30_000, `${leftMs} ms`)
  await client.node.advance(10_000)
  const late = await client.join('hall:2')
  const { expires_in_ms: lessMs } = await late.assertPush<Told>('token_expiring')
  t.ok(lessMs <= leftMs - 10_000, `${lessMs} ms`)
  await client.assertClosed(4001, { withinMs: 30_000 })
})
