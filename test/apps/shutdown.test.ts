/** What SIGTERM promises to those who are connected. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { LiveClient } from '../liveview/liveClient.ts'
import { startNode } from '../runtime/kit.ts'

const APP = new URL('./shutdown.app.ts', import.meta.url)
const CLI = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url))
const CLIENTS = 50
const DEADLINE_MS = 30_000

interface Ending {
  readonly name: string
  readonly reason: unknown
}

function endingsFile(): { readonly path: string; read(): Ending[] } {
  const path = join(mkdtempSync(join(tmpdir(), 'beamish-endings-')), 'endings')
  writeFileSync(path, '')
  return {
    path,
    read: () =>
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Ending),
  }
}

t.test(
  'SIGTERM closes 50 pages with 1012, each view runs terminate, the process exits with 0',
  async (t) => {
    const endings = endingsFile()
    const child = spawn(
      process.execPath,
      ['--conditions=beamish-source', CLI, fileURLToPath(APP)],
      {
        env: { ...process.env, NODE_ENV: 'production', SCHEDULERS: '2', ENDINGS: endings.path },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    t.teardown(() => child.kill('SIGKILL'))
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
    const base = await new Promise<string>((resolve, reject) => {
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        const url = /^(http:\S+) on 2 scheduler threads, pid (\d+)/m.exec(output)
        if (url === null) return
        t.equal(Number(url[2]), child.pid, 'the start line prints the pid to signal')
        resolve(url[1] as string)
      })
      child.once('exit', () => reject(new Error(output)))
    })
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => LiveClient.open(base, '/')),
    )
    const closed = Promise.all(clients.map((client) => client.wire.closed))
    const signalled = performance.now()
    child.kill('SIGTERM')
    const codes = new Set((await closed).map(({ code }) => code))
    t.equal(await exited, 0, 'exit code')
    t.ok(performance.now() - signalled < DEADLINE_MS, 'within the deadline')
    t.strictSame([...codes], [1012], 'close code')
    t.equal(
      clients.filter((client) => client.wire.unread.some((frame) => frame.event === 'phx_close'))
        .length,
      0,
      'no phx_close: the official client would not come back after one',
    )
    t.strictSame(
      endings.read(),
      Array.from({ length: CLIENTS }, () => ({ name: 'page', reason: { shutdown: 'draining' } })),
      'terminate ran in every view',
    )
  },
)

t.test('a terminate that takes its time is waited for', async (t) => {
  const endings = endingsFile()
  process.env.ENDINGS = endings.path
  const node = await startNode(APP, 2)
  const [address] = await node.addresses()
  const base = `http://127.0.0.1:${address?.port}`
  await Promise.all(Array.from({ length: 6 }, () => LiveClient.open(base, '/thorough')))
  await node.stop()
  const names = endings.read().map(({ name }) => name)
  t.equal(names.filter((name) => name === 'thorough begins').length, 6)
  t.equal(names.filter((name) => name === 'thorough is done').length, 6)
})

t.test('a thread that is lost while the node stops delays nothing', async (t) => {
  const node = await startNode(APP, 2)
  const started = performance.now()
  const stopped = node.stop()
  node.killThread(1)
  await stopped
  t.ok(performance.now() - started < 10_000, 'far from the deadline of 30 s')
})

t.test('past the deadline a view that never gets done is killed without more ado', async (t) => {
  const endings = endingsFile()
  process.env.ENDINGS = endings.path
  const node = await startNode(APP, 2, { shutdownTimeoutMs: 3_000 })
  const [address] = await node.addresses()
  const client = await LiveClient.open(`http://127.0.0.1:${address?.port}`, '/stubborn')
  const started = performance.now()
  await node.stop()
  const took = performance.now() - started
  t.ok(took > 900, 'it was given its time')
  t.ok(took < 10_000, 'and no more')
  t.equal((await client.wire.closed).code, 1012)
  t.strictSame(
    endings.read().map(({ name }) => name),
    ['stubborn begins'],
  )
  t.strictSame(node.schedulers(), [], 'no thread is left')
})
