// The commands, on a node in another process.
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type NodeReport, type NodeTraceEvent, onEvent, start, type TraceEnd } from 'beamish'
import t from 'tap'
import { ControlSocket } from '../../../runtime/observe/controlSocket.ts'
import { SOURCE } from '../kit.ts'
import { type Run, run } from '../node/run.ts'

const CLI = fileURLToPath(new URL('../../../runtime/cli.ts', import.meta.url))
const APP = fileURLToPath(new URL('./watched.app.ts', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'bm-'))
const env = { CONTROL_DIR: directory, SCHEDULERS: '2', LOG_LEVEL: 'warn' }

const node = run([CLI, APP], env)
await node.says('on 2 scheduler threads')
const pid = String(node.child.pid)
t.teardown(async () => {
  node.child.kill('SIGTERM')
  await node.ended
  rmSync(directory, { recursive: true })
})

async function ended(
  program: Run,
): Promise<{ readonly code: number | null; readonly out: string }> {
  const { code } = await program.ended
  return { code, out: program.out() + program.errors() }
}

const command = (...args: string[]) => ended(run([CLI, ...args], env))

t.test('the socket is its user’s alone', async (t) => {
  t.equal(statSync(directory).mode & 0o777, 0o700)
  t.same(readdirSync(directory), [`${pid}.sock`])
})

t.test('beamish tree prints the threads and the tree of the only node', async (t) => {
  const { code, out } = await command('tree', '--memory')
  t.equal(code, 0, out)
  const lines = out.split('\n')
  t.match(
    lines[0],
    new RegExp(`^node ${pid}, up \\d+ s, \\d+ MB resident, 17 processes: 13 supervised`),
  )
  t.ok(lines.some((line) => /^main +\d+ % +7 /.test(line)))
  t.ok(
    lines.some((line) =>
      /^ +│ {2}├─ sleeper +<0\.\d\.\d+> +sleeper +transient +hibernated/.test(line),
    ),
    out,
  )
  t.ok(
    lines.some((line) => /^ +[│├└].* \d+ k?B$/.test(line)),
    out,
  )
  t.notMatch(out, '\u001b', 'no colours where nobody sees them')
})

t.test('it takes the node by its process id and by its path, and tells all as JSON', async (t) => {
  const [byPid, byPath] = await Promise.all([
    command('tree', pid, '--json', '--window', '0', '--children', '1'),
    command('tree', join(directory, `${pid}.sock`), '--json', '--window', '0'),
  ])
  const report = JSON.parse(byPid.out) as NodeReport
  t.equal(report.pid, Number(pid))
  t.ok(report.tree.every(({ children }) => children.length === 1))
  t.equal((JSON.parse(byPath.out) as NodeReport).threads.length, 3)
})

t.test('beamish trace of a pid on which nothing happens ends by time', async (t) => {
  const { code, out } = await command('trace', '<0.1.1>', '--seconds', '0.2')
  t.same({ code, out }, { code: 0, out: 'ended (timeout) after 0 events\n' })
})

t.test('what is wrong is one line, and exit code 1', async (t) => {
  const wrong: readonly [string[], RegExp][] = [
    [['tree', '1'], /^BEAMISH_NO_NODE: no node of process 1 in /],
    [['tree', '/nowhere'], /^BEAMISH_NO_NODE: no node answers at \/nowhere/],
    [['tree', '--deep'], /^BEAMISH_BAD_OPTION: option --deep is unknown/],
    [
      ['tree', '--children', 'all'],
      /^BEAMISH_BAD_OPTION: option --children is "all": give a number/,
    ],
    [['tree', '--top', '1001'], /^BEAMISH_BAD_OPTION: option top is 1001: give a whole number/],
    [['trace'], /^BEAMISH_BAD_OPTION: option trace is "of everything": name a pid/],
  ]
  const outcomes = await Promise.all(wrong.map(([args]) => command(...args)))
  for (const [i, { code, out }] of outcomes.entries()) {
    t.equal(code, 1)
    t.match(out, wrong[i]?.[1])
    t.equal(out.trim().split('\n').length, 1, out)
  }
})

t.test('the socket refuses what it does not know, and reads no endless request', async (t) => {
  const answerTo = (text: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = createConnection(join(directory, `${pid}.sock`))
      let heard = ''
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        heard += chunk
        if (heard.endsWith('\n')) socket.destroy()
      })
      socket.on('close', () => resolve(heard))
      socket.write(text)
    })
  t.match(await answerTo('{"kill":1}\n'), /BEAMISH_CONTROL_REQUEST/)
  t.match(await answerTo('null\n'), /BEAMISH_CONTROL_REQUEST/)
  t.match(await answerTo('not json\n'), /BEAMISH_CONTROL_REQUEST/)
  t.match(await answerTo('{"observe":null}\n'), /BEAMISH_BAD_OPTION/)
  t.match(await answerTo('{"trace":{"event":"x","onEvent":1,"limit":-1}}\n'), /BEAMISH_BAD_OPTION/)
  t.match(await answerTo('x'.repeat(200_000)), /longer than 65536/)
  t.equal((await command('tree', '--window', '0')).code, 0, 'and the node goes on')
})

t.test('a socket is not taken for stale because its process is not known here', async (t) => {
  // As the node of a container has it, whose directory is shared.
  const path = join(directory, '4194306.sock')
  const other = createServer((socket) => socket.destroy()).listen(path)
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { code, out } = await command('tree')
  t.equal(code, 1)
  t.match(out, /BEAMISH_WHICH_NODE.*4194306/)
  t.ok(readdirSync(directory).includes('4194306.sock'))
})

t.test('a socket that another process of the same id has is left to it', async (t) => {
  const own = mkdtempSync(join(tmpdir(), 'bm-'))
  process.env.CONTROL_DIR = own
  t.teardown(() => {
    delete process.env.CONTROL_DIR
    rmSync(own, { recursive: true })
  })
  const path = join(own, `${process.pid}.sock`)
  const other = createServer().listen(path)
  await once(other, 'listening')
  const told: string[] = []
  const off = onEvent('notice', ({ message }) => told.push(message))
  const module = new URL('./watched.app.ts', import.meta.url)
  const options = { schedulers: 1, log: false, execArgv: SOURCE, controlSocket: true } as const
  const second = await start(module, options)
  off()
  await second.stop()
  t.match(told, [/another process \d+ has /])
  t.ok(readdirSync(own).length === 1, 'it is still there')
  other.close()
})

t.test('a trace ends with its terminal, also one whose turn comes later', async (t) => {
  const own = mkdtempSync(join(tmpdir(), 'bm-'))
  process.env.CONTROL_DIR = own
  const module = new URL('./watched.app.ts', import.meta.url)
  const traced = await start(module, { schedulers: 1, log: false, execArgv: SOURCE })
  const traces: Promise<TraceEnd>[] = []
  const socket = new ControlSocket({
    observe: (options) => traced.observe(options),
    trace: async (options) => {
      const trace = await traced.trace(options)
      traces.push(trace.ended)
      return trace
    },
  })
  await socket.open()
  t.teardown(async () => {
    socket.close()
    await traced.stop()
    delete process.env.CONTROL_DIR
    rmSync(own, { recursive: true })
  })
  const terminal = createConnection(join(own, `${process.pid}.sock`))
  const request = JSON.stringify({ trace: { event: 'none', timeoutMs: 5_000 } })
  terminal.write(`${request}\n${request}\n`)
  await once(terminal, 'data')
  terminal.destroy()
  t.match(await traces[0], { reason: 'stopped' })
  while (traces.length < 2) await new Promise((resolve) => setImmediate(resolve))
  t.match(await traces[1], { reason: 'stopped' })
})

t.test('a node started by a program has a socket where it asks for one', async (t) => {
  process.env.CONTROL_DIR = directory
  t.teardown(() => {
    delete process.env.CONTROL_DIR
  })
  const options = { schedulers: 1, log: false, execArgv: SOURCE, controlSocket: true } as const
  const module = new URL('./watched.app.ts', import.meta.url)
  // Left by a process that ended without a word.
  writeFileSync(join(directory, '4194305.sock'), '')
  const own = await start(module, options)
  const which = await command('tree')
  t.equal(which.code, 1)
  t.match(which.out, /^BEAMISH_WHICH_NODE: several nodes run here, name one by its process id: /)
  t.match(which.out, String(process.pid))
  t.notOk(readdirSync(directory).includes('4194305.sock'), 'what is stale is cleared away')

  const notices: string[] = []
  const off = onEvent('notice', ({ code }) => notices.push(code))
  const second = await start(module, options)
  t.same(notices, ['control_socket'], 'one node of a process has it')
  await second.stop()

  const tracing = run(
    [CLI, 'trace', '--name', 'desk', '--limit', '2', '--json', '--node', String(process.pid)],
    env,
  )
  const ask = setInterval(() => own.self.cast('desk', 'add', 1), 20)
  const { code, out } = await ended(tracing)
  clearInterval(ask)
  t.equal(code, 0, out)
  const events = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as NodeTraceEvent)
  t.same(
    events.map(({ kind, event, text, name }) => [kind, event, text, name]),
    [
      ['handle', 'add', '1', 'desk'],
      ['handle', 'add', '1', 'desk'],
    ],
  )
  await own.stop()
  t.same(readdirSync(directory), [`${pid}.sock`], 'gone with the node')

  chmodSync(directory, 0o777)
  const again = await start(module, options)
  t.equal(statSync(directory).mode & 0o777, 0o700, 'a directory open to others is closed')
  await again.stop()
  process.env.CONTROL_DIR = join(directory, 'x'.repeat(100))
  const without = await start(module, options)
  t.same(
    notices,
    ['control_socket', 'control_socket'],
    'without a place for it the node runs all the same',
  )
  await without.stop()
  off()
})
