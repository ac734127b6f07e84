/** What slow views and hostile clients cost: the client something, the node nothing. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Pid, start } from 'beamish'
import t from 'tap'
import { LiveClient } from '../liveClient.ts'
import { living } from './slow.app.ts'

const file = join(mkdtempSync(join(tmpdir(), 'beamish-slow-')), 'log')
const node = await start(new URL('./slow.app.ts', import.meta.url), {
  schedulers: 2,
  log: { file },
  development: false,
  execArgv: ['--conditions=beamish-source'],
})
t.teardown(() => node.stop())
const [address] = await node.addresses()
const base = `http://127.0.0.1:${address?.port}`

t.test(
  'a client that sends faster than its view handles gets error replies, not our memory',
  async (t) => {
    const client = await LiveClient.open(base, '/')
    void client.push('event', { type: 'click', event: 'hang', value: {} }).catch(() => {})
    const answers = Array.from({ length: 1_200 }, () =>
      client
        .push('event', { type: 'click', event: 'note', value: { text: 'x' } })
        .catch(() => undefined),
    )
    const refused = await Promise.any(
      answers.map(async (answer) => {
        const got = await answer
        if (got?.status !== 'error') throw new Error('not refused')
        return got
      }),
    )
    t.match(refused, { status: 'error', response: { reason: 'too many events waiting' } })
    await client.close()
  },
)

t.test('a view that hangs in a handler is killed once its page is gone', async (t) => {
  const hung = async (): Promise<Pid[]> =>
    (await living.lookup(node.self, 'hung')).map((entry) => entry.pid)
  const before = await hung()
  const client = await LiveClient.open(base, '/')
  void client.push('event', { type: 'click', event: 'hang', value: {} }).catch(() => {})
  let pid: Pid | undefined
  do pid = (await hung()).find((one) => !before.includes(one))
  while (pid === undefined)
  const down = node.self.monitor(pid)
  await client.close()
  const end = await node.self.receive(
    (message): message is { reason: unknown } => (message as { ref?: unknown }).ref === down,
    15_000,
  )
  t.equal(end?.reason, 'killed')
})

t.test('a route that throws shows the visitor nothing and the log everything', async (t) => {
  const response = await fetch(`${base}/fails`)
  t.equal(response.status, 500)
  t.notMatch(await response.text(), /hunter2/)
  t.match(readFileSync(file, 'utf8'), /GET \/fails failed: the password is hunter2/)
})

t.test('a Host header that is no host is a bad request and reaches no policy', async (t) => {
  for (const host of ['a b', 'x;script-src *', 'x/y']) {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${base}/`, { headers: { host } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end()
    })
    t.equal(status, 400, JSON.stringify(host))
  }
})

t.test('a killed endpoint leaves no listener behind: every request is answered', async (t) => {
  const endpoints = async (): Promise<number[]> =>
    (await living.lookup(node.self, 'endpoint')).map((entry) => entry.pid)
  const [first] = await living.lookup(node.self, 'endpoint')
  if (first === undefined) throw new Error('no endpoint has registered')
  const down = node.self.monitor(first.pid)
  node.self.exit(first.pid, 'kill')
  await node.self.receive((message) => (message as { ref?: unknown }).ref === down, 5_000)
  while ((await endpoints()).length < 2) await node.self.sleep(5)
  const answers = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const response = await fetch(base, { signal: AbortSignal.timeout(5_000) })
      return response.status
    }),
  )
  t.strictSame([...new Set(answers)], [200])
})
