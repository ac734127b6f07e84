// Signals, the order of start and stop, and lost threads, on the real command.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { downReason, startNode } from '../kit.ts'
import { Each, Placed } from './apps/placed.ts'
import { run } from './run.ts'

const APP = new URL('./apps/placed.ts', import.meta.url)
const CLI = fileURLToPath(new URL('../../../runtime/cli.ts', import.meta.url))

function notes(t: Test): { file: string; read(): string[] } {
  const directory = mkdtempSync(join(tmpdir(), 'beamish-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'notes')
  return { file, read: () => readFileSync(file, 'utf8').trim().split('\n') }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} stops the app in reverse of its start, with exit code 0`, async (t) => {
    const { file, read } = notes(t)
    const env = { SCHEDULERS: '2', LOG_LEVEL: 'silent', BEAMISH_TEST_NOTES: file }
    const program = run([CLI, fileURLToPath(APP)], env)
    t.ok(await program.says('on 2 scheduler threads'), program.errors())
    program.child.kill(signal)
    t.same(await program.ended, { code: 0, signal: null })
    const expected = ['start one', 'start two', 'start three']
    t.same(read(), [...expected, 'stop three', 'stop two', 'stop one'])
  })
}

t.test('a second signal ends an app that does not stop', async (t) => {
  const { file, read } = notes(t)
  const env = {
    SCHEDULERS: '1',
    LOG_LEVEL: 'silent',
    BEAMISH_TEST_NOTES: file,
    BEAMISH_TEST_HANGS: '1',
  }
  const program = run([CLI, fileURLToPath(APP)], env)
  t.ok(await program.says('on 1 scheduler thread'), program.errors())
  program.child.kill('SIGTERM')
  // Signals that come in one go are one: the next ones are sent until the process is gone.
  const again = setInterval(() => program.child.kill('SIGTERM'), 100)
  t.same(await program.ended, { code: 130, signal: null })
  clearInterval(again)
  t.same(read(), ['start one', 'start two', 'start three'], 'nothing was waited for')
})

t.test(
  'children live where they are placed, and on the replacement of a lost thread',
  async (t) => {
    for (const schedulers of [1, 2]) {
      const node = await startNode(APP, schedulers)
      t.teardown(() => node.stop())
      const { self } = node
      for (const id of node.schedulers()) {
        t.equal(await self.call(Each.named(`each ${id}`), 'where'), id, 'one on each thread')
      }
      const names = ['one', 'two', 'three']
      const where = () => Promise.all(names.map((name) => self.call(Placed.named(name), 'where')))
      const pids = () => Promise.all(names.map((name) => self.whereis(name)))
      const placed = await where()
      const before = await pids()
      for (const id of placed) t.ok(node.schedulers().includes(id))
      const lost = placed[1] as number
      const doomed = before.filter((_, i) => placed[i] === lost)
      const refs = doomed.map((pid) => self.monitor(pid as never))
      node.killThread(lost)
      for (const ref of refs) {
        t.match(await downReason(node, ref), { noconnection: { scheduler: lost } })
      }
      const replacement = Math.max(...placed, ...node.schedulers()) + 1
      for (;;) {
        const live = await pids()
        const up = Math.max(...node.schedulers())
        if (live.every((pid) => pid !== undefined && !doomed.includes(pid))) {
          if ((await self.whereis(`each ${up}`)) !== undefined && up > lost && up > schedulers)
            break
        }
        await self.sleep(5)
      }
      t.equal(node.schedulers().length, schedulers, 'the thread is replaced')
      t.notOk(node.schedulers().includes(lost), 'scheduler ids are not used again')
      t.ok(Math.max(...node.schedulers()) <= replacement)
      const after = await pids()
      for (const [i, pid] of before.entries()) {
        if (placed[i] !== lost) t.equal(after[i], pid, 'what lived elsewhere goes on')
      }
      t.equal((await where())[1], Math.max(...node.schedulers()), 'a key moves to the replacement')
      await node.stop()
    }
  },
)

t.test('one lost thread after the other does not use up the restarts of the root', async (t) => {
  const node = await startNode(APP, 1, { maxLostThreads: 100 })
  t.teardown(() => node.stop())
  const { self } = node
  for (let round = 0; round < 5; round++) {
    const pid = await self.whereis('three')
    const ref = self.monitor(pid as never)
    node.killThread(node.schedulers()[0] as number)
    t.match(await downReason(node, ref), { noconnection: {} })
    while (((await self.whereis('three')) ?? pid) === pid) await self.sleep(5)
  }
  t.equal(await self.call(Placed.named('one'), 'where'), node.schedulers()[0])
})

t.test('more lost threads than maxLostThreads end the node', async (t) => {
  const node = await startNode(APP, 2, { maxLostThreads: 0 })
  t.teardown(() => node.stop())
  node.killThread(node.schedulers()[0] as number)
  const error = await node.closed
  t.equal(error?.code, 'BEAMISH_THREADS_LOST')
  t.match(error?.message, /more than 0 threads were lost within 60 s/)
  t.same(node.schedulers(), [])
})

t.test('the command ends with 1 when its threads keep ending', async (t) => {
  const exits = fileURLToPath(new URL('./apps/exits.ts', import.meta.url))
  const program = run([CLI, exits], { SCHEDULERS: '1', LOG_LEVEL: 'silent' })
  t.same(await program.ended, { code: 1, signal: null })
  t.match(program.errors(), /more than 5 threads were lost|ended during boot: exit code 7/)
})

t.test('a root that gives up ends the node', async (t) => {
  const node = await startNode(APP, 1)
  t.teardown(() => node.stop())
  const { self } = node
  let last: unknown
  for (let round = 0; round < 4; round++) {
    let pid = await self.whereis('one')
    while (pid === undefined || pid === last) {
      await self.sleep(1)
      pid = await self.whereis('one')
    }
    last = pid
    self.cast(Placed.named('one'), 'end', 'boom')
  }
  const error = await node.closed
  t.equal(error?.code, 'BEAMISH_TREE_ENDED')
})
