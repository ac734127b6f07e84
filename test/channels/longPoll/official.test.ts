/** The official client by long polling, against the tour. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BeamishNode, start } from 'beamish'
import t, { type Test } from 'tap'
import { Client, startTour, type Tour } from '../../apps/tour/kit.ts'
import { LongPoll, outcome, phoenixSocket, type SocketOptions } from '../phoenixClient.ts'

const polling = { transport: LongPoll }
const transports: readonly [name: string, options: SocketOptions][] = [
  ['long polling', polling],
  ['WebSocket', {}],
]

const tour = await startTour(t)
const open = (user: string, options: SocketOptions = {}): Promise<Client> =>
  Client.open(tour, user, { ...polling, ...options })

t.test('channels 36, 37 and 38: it joins, pushes, and hears what others say', async (t) => {
  const [ada, bob] = [await open('ada'), await Client.open(tour, 'bob')]
  const room = await ada.join('room:polled')
  await bob.join('room:polled')
  t.match((await ada.next('user_joined')).payload, { user_id: 'bob' })
  t.same(await outcome(room.push('ping', { deep: [1] })), ['ok', { deep: [1] }])
  room.push('say', { n: 1 })
  for (const client of [ada, bob]) t.same((await client.next('say')).payload, { n: 1 })
  t.same(await outcome(room.push('create:post', { title: 'one' })), ['ok', { title: 'one' }])
  await Promise.all([ada.close(), bob.close()])
})

t.test('channels 41: it sends bytes; a reply of bytes is an error', async (t) => {
  const ada = await open('ada')
  const room = await ada.join('room:bytes')
  const data = Uint8Array.from({ length: 300 }, (_, i) => i % 256)
  t.same(await outcome(room.push('file_chunk', data.buffer)), ['ok', { size: 300 }])
  t.same(await outcome(room.push('echo_binary', data.buffer)), [
    'error',
    { reason: 'bytes need a WebSocket' },
  ])
  await ada.close()
})

t.test('channels 45: a connection that is refused is closed with 1008', async (t) => {
  const socket = phoenixSocket(
    tour.base,
    {},
    { ...polling, path: '/socket', params: { token: 'bad' }, reconnectAfterMs: () => 60_000 },
  )
  const closed = new Promise<number>((resolve) => socket.onClose(({ code }) => resolve(code)))
  socket.connect()
  t.equal(await closed, 1008)
  socket.disconnect()
})

t.test('channels 46: a crash is the end of one channel, which comes back', async (t) => {
  const ada = await open('ada')
  const [room, other] = [await ada.join('room:crashes'), await ada.join('room:stays')]
  room.push('crash', {})
  t.match((await ada.next('phx_error')).payload, { reason: 'channel_crash' })
  t.match(await ada.next('phx_reply', 'room:crashes'), { payload: { status: 'ok' } })
  t.same(await outcome(room.push('ping', { back: true })), ['ok', { back: true }])
  t.same(await outcome(other.push('ping', {})), ['ok', {}])
  const closed = new Promise<void>((resolve) => room.onClose(resolve))
  t.equal((await outcome(room.leave()))[0], 'ok')
  await closed
  await ada.close()
})

t.test('channels 48: it comes back after a disconnect', async (t) => {
  const ada = await open('eve')
  const room = await ada.join('room:disconnects')
  const closed = new Promise<number>((resolve) => ada.socket.onClose(({ code }) => resolve(code)))
  const back = new Promise<void>((resolve) => ada.socket.onOpen(resolve))
  tour.node.self.broadcast('user:eve', 'disconnect', {})
  t.equal(await closed, 3410)
  await back
  t.same(await outcome(room.push('ping', { back: true })), ['ok', { back: true }])
  await ada.close()
})

t.test('channels 100: a channel joins once; another of its topic leaves it first', async (t) => {
  for (const [name, options] of transports) {
    const [ada, bob] = [await Client.open(tour, 'ada', options), await Client.open(tour, 'bob')]
    const first = await ada.join('room:once')
    t.throws(() => first.join(), /multiple times/, name)
    const closed = new Promise<void>((resolve) => first.onClose(resolve))
    const second = await ada.join('room:once')
    await closed
    t.equal(first.state, 'closed')
    await bob.join('room:once')
    t.match((await ada.next('user_joined')).payload, { user_id: 'bob' })
    t.same(await outcome(second.push('ping', { by: 'second' })), ['ok', { by: 'second' }])
    t.notOk(
      ada.rest.some(({ event }) => event === 'user_joined'),
      'the server has one of them',
    )
    await Promise.all([ada.close(), bob.close()])
  }
})

t.test('channels 107: a hundred and fifty sends arrive in order', async (t) => {
  const ada = await open('ada', { timeout: 60_000 })
  const room = await ada.join('room:many')
  const pushes = Array.from({ length: 150 }, (_, n) => outcome(room.push('ping', { n })))
  for (const [n, push] of pushes.entries()) t.same(await push, ['ok', { n }])
  const order = ada.rest
    .filter(({ event, topic }) => event === 'phx_reply' && topic === 'room:many')
    .map(({ payload }) => (payload.response as { n?: number }).n)
    .filter((n) => n !== undefined)
  t.same(order, [...order.keys()])
  t.equal(order.length, 150)
  await ada.close()
})

t.test('channels 104: without a WebSocket it takes to polling, and remembers', async (t) => {
  const remembered = new Map<string, string>()
  const sessionStorage = {
    getItem: (name: string) => remembered.get(name) ?? null,
    setItem: (name: string, value: string) => void remembered.set(name, value),
  }
  const { base } = await withoutUpgrades(t, tour.base)
  const ada = await Client.open({ base }, 'ada', { longPollFallbackMs: 2_500, sessionStorage })
  const room = await ada.join('room:fallback')
  t.same(await outcome(room.push('ping', { by: 'polling' })), ['ok', { by: 'polling' }])
  t.same([...remembered], [['phx:fallback:LongPoll', 'true']])
  await ada.close()
})

t.test('its thread is lost: it connects and joins again, by either transport', async (t) => {
  const twoThreads = await startTour(t)
  for (const [name, options] of transports) {
    const clients = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        Client.open(twoThreads, `${name} ${i}`, { ...options, timeout: 1_000 }),
      ),
    )
    const rooms = await Promise.all(clients.map((client) => client.join(`room:${name}`)))
    const [lost] = twoThreads.node.schedulers()
    twoThreads.node.killThread(lost as number)
    for (const [i, room] of rooms.entries()) {
      await answered(() => outcome(room.push('ping', { i })), ['ok', { i }])
    }
    t.pass(name)
    await Promise.all(clients.map((client) => client.close()))
    while (twoThreads.node.schedulers().length < 2) await twoThreads.node.self.sleep(5)
  }
})

for (const [name, options] of transports) {
  t.test(
    `channels 101, 102, 103 and 106: a restart of the server in the middle, by ${name}`,
    async (t) => {
      const first = await startAt(0)
      t.teardown(() => first.node.stop())
      const ada = await Client.open(first, 'ada', { ...options, timeout: 60_000 })
      const room = await ada.join('room:restart')
      let joins = 0
      ada.socket.onMessage(({ event, topic, payload }) => {
        if (event === 'phx_reply' && topic === 'room:restart' && isJoin(payload)) joins++
      })
      const closed = new Promise<void>((resolve) => ada.socket.onClose(() => resolve()))
      await first.node.stop()
      await closed
      // Nobody is there: they wait in the client until it has joined again.
      const buffered = [1, 2, 3].map((n) => outcome(room.push('create:post', { title: `${n}` })))
      const second = await startAt(Number(new URL(first.base).port))
      t.teardown(() => second.node.stop())
      for (const [i, push] of buffered.entries()) t.same(await push, ['ok', { title: `${i + 1}` }])
      t.equal(joins, 1, 'it joined once')
      t.equal(room.state, 'joined')
      await ada.close()
    },
  )
}

/** A join's reply has nothing in it; those of create:post have. */
const isJoin = ({ status, response }: Record<string, unknown>): boolean =>
  status === 'ok' && Object.keys(response as object).length === 0

async function startAt(port: number): Promise<Tour & { node: BeamishNode }> {
  // Threads copy the environment when they start: the tour reads its port from there.
  process.env.PORT = String(port)
  const node = await start(new URL('../../../apps/tour/tour.ts', import.meta.url), {
    schedulers: 2,
    log: false,
    development: false,
    execArgv: ['--conditions=beamish-source'],
  })
  process.env.PORT = '0'
  const [address] = await node.addresses()
  return { node, base: `http://127.0.0.1:${address?.port}` }
}

/** Asks until the answer is that one: what was sent to a connection that is lost has no answer. */
async function answered(
  push: () => Promise<readonly [string, unknown]>,
  wanted: readonly [string, unknown],
): Promise<void> {
  for (;;) {
    const got = await push()
    if (JSON.stringify(got) === JSON.stringify(wanted)) return
  }
}

/** A proxy that knows nothing of upgrades, as there are some: it cuts them. */
async function withoutUpgrades(t: Test, base: string): Promise<{ base: string }> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      void fetch(`${base}${request.url}`, {
        method: request.method ?? 'GET',
        headers: { 'content-type': request.headers['content-type'] ?? 'text/plain' },
        ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
      }).then(
        async (answer) => response.end(await answer.text()),
        () => response.destroy(),
      )
    })
  })
  server.on('upgrade', (_request, socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
