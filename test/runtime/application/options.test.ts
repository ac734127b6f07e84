// What application() refuses, at its line; and applications on a test node.
import { type Application, application, genServer } from 'beamish'
import { testNode } from 'beamish/testing'
import t from 'tap'

const Plain = genServer('test.plain', {
  init: (_: undefined) => 0,
  handleCast: {
    crash() {
      throw new Error('boom')
    },
  },
})
const store = application({
  name: 'options.store',
  children: [Plain.child(undefined, { name: 'store' })],
})

t.test('a bad option is one clear error, and defines nothing', (t) => {
  const bad: [what: object, code: string, message: RegExp][] = [
    [{ name: '' }, 'BEAMISH_NAME_INVALID', /"" cannot be a name/],
    [{ name: 7 }, 'BEAMISH_NAME_INVALID', /7 cannot be a name/],
    [{ name: 'x'.repeat(240) }, 'BEAMISH_NAME_INVALID', /at most 255/],
    [
      { phases: [] },
      'BEAMISH_BAD_OPTION',
      /phases of application "a" is unknown: use one of name, .*startPhases/,
    ],
    [
      { type: 'eternal' },
      'BEAMISH_BAD_OPTION',
      /type of application "a" is eternal: use one of permanent/,
    ],
    [{ applications: store }, 'BEAMISH_BAD_OPTION', /give an array of what application\(\) made/],
    [
      { applications: ['store'] },
      'BEAMISH_BAD_OPTION',
      /applications\[0\] .* is store: give what application/,
    ],
    [
      { applications: [store, undefined] },
      'BEAMISH_BAD_OPTION',
      /applications\[1\] .*import each other/,
    ],
    [{ start: 'now' }, 'BEAMISH_BAD_OPTION', /start of application "a" is now: give a function/],
    [{ startPhases: ['open'] }, 'BEAMISH_BAD_OPTION', /startPhases .* give an object of functions/],
    [
      { startPhases: { open: 1 } },
      'BEAMISH_BAD_OPTION',
      /startPhases\.open .* is 1: give a function/,
    ],
    [
      { startPhases: { 2: () => {} } },
      'BEAMISH_BAD_OPTION',
      /startPhases\.2 .* a name that is no number/,
    ],
    [{ children: [{}] }, 'BEAMISH_BAD_CHILD', /make it with Behaviour\.child/],
    [{ strategy: 'some_for_some' }, 'BEAMISH_BAD_OPTION', /use one of one_for_one/],
    [{ maxRestarts: -1 }, 'BEAMISH_BAD_OPTION', /maxRestarts/],
  ]
  for (const [what, code, message] of bad) {
    t.throws(() => application({ name: 'a', ...what } as never), { code, message })
  }
  t.equal(application({ name: 'a' }).application, 'a', 'the name is free')
  t.throws(() => application({ name: 'a' }), { code: 'BEAMISH_BEHAVIOUR_DUPLICATE' })
  t.end()
})

t.test('an application is data that crosses threads', (t) => {
  const spec = application({ name: 'b', applications: [store], start: () => 1, stop: () => {} })
  t.same(structuredClone(spec), spec)
  t.match(spec, { type: 'permanent', callbacks: ['start', 'stop'], startPhases: [] })
  t.end()
})

t.test(
  'on a test node it starts and stops as on a real one, threads that are lost included',
  async (t) => {
    const seen: string[] = []
    const front: Application = application({
      name: 'options.front',
      type: 'temporary',
      applications: [store],
      maxRestarts: 0,
      children: [
        Plain.child(undefined, { name: 'front' }),
        Plain.child(undefined, { id: 'each', place: 'each' }),
      ],
      start: (self) => ({ at: self.now() }),
      startPhases: { open: ({ at }) => seen.push(`open ${at >= 0}`) },
      prepStop: () => void seen.push('prepStop'),
      stop: ({ at }) => seen.push(`stop ${at >= 0}`),
    })
    const node = await testNode({ app: front, seed: 3 })
    t.teardown(() => node.close())
    t.same(seen.splice(0), ['open true'])
    const threads = node.schedulers()
    node.faults.killThread(1)
    await node.runUntilIdle()
    t.notSame(node.schedulers(), threads)
    const each = await node.self.call('beamish.root.options.front', 'countChildren')
    t.match(each, { active: 2 })
    node.self.cast('front', 'crash')
    await node.runUntilIdle()
    t.same(seen.splice(0), ['prepStop', 'stop true'], 'it gave up')
    t.ok(await node.self.whereis('store'), 'the others run on')
    const started = await node.self.call(
      'beamish.applications',
      'startApplication',
      'options.front' as never,
    )
    t.same(started, { ok: true, done: ['options.front'] })
    await node.stop()
    t.same(seen, ['open true', 'prepStop', 'stop true'])
  },
)

t.test(
  'a request with what is no name is answered as any other, and so are those after it',
  async (t) => {
    const app = application({ name: 'options.asked', type: 'temporary' })
    const node = await testNode({ app })
    t.teardown(() => node.close())
    const ask = (event: string, name: unknown) =>
      node.self.call('beamish.applications', event, name as never)
    for (const event of ['stopApplication', 'startApplication']) {
      const answer = await ask(event, { toString: 1, valueOf: 1 })
      t.match(answer, { ok: false, application: /toString/, reason: 'not_loaded' })
    }
    t.match(await ask('stopApplication', 'options.asked'), { ok: true })
  },
)

t.test('those that many need are looked at once when one is started', async (t) => {
  const layers = 40
  let layer: Application[] = []
  const part = (name: string) =>
    application({ name: `options.${name}`, type: 'temporary', applications: layer })
  for (let i = 0; i < layers; i++) layer = [part(`left ${i}`), part(`right ${i}`)]
  const node = await testNode({ app: part('top') })
  t.teardown(() => node.close())
  const ask = (event: string, name: string) =>
    node.self.call('beamish.applications', event, `options.${name}` as never)
  await ask('stopApplication', 'left 0')
  await ask('stopApplication', 'top')
  const done = ['options.left 0', 'options.top']
  t.same(await ask('startApplication', 'top'), { ok: true, done })
})

t.test('a callback that has not begun on a thread that is lost runs on another one', async (t) => {
  const ran: number[] = []
  const app = application({ name: 'options.lost', start: (self) => ran.push(self.scheduler) })
  const node = await testNode({ app, schedulers: 1 })
  t.teardown(() => node.close())
  const ask = (event: string) =>
    node.self.call('beamish.applications', event, 'options.lost' as never)
  await ask('stopApplication')
  node.faults.killThread(1)
  t.match(await ask('startApplication'), { ok: true })
  t.same(ran, [1, 2])
  await node.stop()
})

t.test('a start that hangs is given 5 s when the node stops', async (t) => {
  const seen: string[] = []
  const needed = application({ name: 'options.needed', stop: () => seen.push('stop') })
  let starts = 0
  const app = application({
    name: 'options.hangs',
    type: 'temporary',
    applications: [needed],
    start(self) {
      if (starts++ === 0) throw new Error('not now')
      return self.sleep(3_600_000)
    },
  })
  const node = await testNode({ app })
  t.teardown(() => node.close())
  const { self } = node
  self.call('beamish.applications', 'startApplication', 'options.hangs' as never).catch(() => {})
  await node.runUntilIdle()
  const before = node.now
  await node.stop()
  t.equal(node.now - before, 5_000)
  t.same(seen, ['stop'], 'the others stop in order')
})
