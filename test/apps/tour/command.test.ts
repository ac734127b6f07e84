/** `npm run tour`: where it listens, and that it stops when told. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { Client } from './kit.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The URL it says it listens at. */
async function runTour(t: Test, port: string | undefined): Promise<string> {
  const { PORT: _, ...env } = process.env
  const child = spawn('npm', ['run', '--silent', 'tour'], {
    cwd: root,
    env: { ...env, SCHEDULERS: '1', CONTROL_SOCKET: 'off', ...(port && { PORT: port }) },
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own: a signal reaches what npm has started.
    detached: true,
  })
  t.teardown(() => ended(child))
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
      const [, url] = /(http:\S+) on 1 scheduler thread/.exec(output) ?? []
      if (url !== undefined) resolve(url)
    })
    child.once('exit', () => reject(new Error(`the tour did not start: ${output}`)))
  })
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return
  const exit = once(child, 'exit')
  process.kill(-child.pid, 'SIGTERM')
  await exit
}

/** A port nobody listens at; undefined: somebody does. */
const free = (port: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

t.test('npm run tour listens at PORT', async (t) => {
  const port = await free(0)
  const base = await runTour(t, String(port))
  t.equal(base, `http://127.0.0.1:${port}`)
  t.match(await (await fetch(base)).text(), /Beamish tour/)
  const ada = await Client.open({ base }, 'ada')
  await ada.join('room:lobby')
  await ada.close()
})

const taken = (await free(4_001)) === undefined && 'somebody listens at 4001'

t.test('without PORT it listens at 4001', { skip: taken }, async (t) => {
  t.equal(await runTour(t, undefined), 'http://127.0.0.1:4001')
})
