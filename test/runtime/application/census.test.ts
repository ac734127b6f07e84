// Whatever is started, stopped, crashed and lost at the same time: in the end those that run are complete, and of those
// that do not nothing is left.
import { type ApplicationInfo, application, genServer } from 'beamish'
import { type TestNode, testNode } from 'beamish/testing'
import fc from 'fast-check'
import t from 'tap'

interface Place {
  readonly app: string
  readonly kind: string
}

const Citizen = genServer('census.citizen', {
  init(place: Place, self) {
    self.subscribe('census')
    return place
  },
  handleCast: {
    crash() {
      throw new Error('boom')
    },
    /** Somebody outside of the tree. */
    stray(place, _: undefined, self) {
      self.spawn(Citizen as never, { ...place, kind: 'stray' } as never)
    },
  },
  handleInfo: {
    broadcast(place, { payload }: { payload: { to: never } }, self) {
      self.send(payload.to, { type: 'here', ...place, scheduler: self.scheduler })
    },
  },
})

const part = (name: string, applications: readonly ReturnType<typeof application>[]) =>
  application({
    name: `census.${name}`,
    type: 'temporary',
    applications,
    maxRestarts: 1_000,
    children: [
      Citizen.child({ app: name, kind: 'each' }, { id: 'each', place: 'each' }),
      Citizen.child({ app: name, kind: 'one' }, { name: `census ${name}` }),
    ],
    start: (self) => self.sleep(5),
    startPhases: { open: (_state, self) => self.sleep(5) },
    stop: (_state, self) => self.sleep(5),
  })
const a = part('a', [])
const b = part('b', [a])
const c = part('c', [b])
const other = part('other', [])
const app = application({ name: 'census', type: 'temporary', applications: [c, other] })
const NAMES = ['a', 'b', 'c', 'other']

type Step = readonly [what: 'start' | 'stop' | 'crash' | 'stray' | 'lose' | 'pass', at: number]

const steps = fc.array(
  fc.tuple(fc.constantFrom<Step[0]>('start', 'stop', 'crash', 'stray', 'lose', 'pass'), fc.nat(11)),
  { maxLength: 25 },
)

async function take(node: TestNode, [what, at]: Step, asked: Promise<unknown>[]): Promise<void> {
  const { self } = node
  const name = NAMES[at % NAMES.length] as string
  const threads = node.schedulers()
  if (what === 'start' || what === 'stop') {
    const options = { timeoutMs: Number.POSITIVE_INFINITY }
    const call = self.call(
      'beamish.applications',
      `${what}Application`,
      `census.${name}` as never,
      options,
    )
    asked.push(call.catch(() => {}))
  } else if (what === 'lose' && threads.length > 0) {
    node.faults.killThread(threads[at % threads.length] as number)
  } else if (what === 'pass') await node.advance(at)
  else self.cast(`census ${name}`, what)
}

/** Who is there that should not be, and who is not that should: as text, empty if all is well. */
async function census(node: TestNode): Promise<string[]> {
  const { self } = node
  const infos = (await self.call('beamish.applications', 'whichApplications')) as ApplicationInfo[]
  self.broadcast('census', 'count', { to: self.pid })
  await node.runUntilIdle()
  const here: string[] = []
  for (;;) {
    const message = (await self.receive(undefined, 0)) as
      | (Place & { scheduler: number })
      | undefined
    if (message === undefined) break
    if (message.kind === 'each') here.push(`${message.app} each ${message.scheduler}`)
    // A stray of an application that runs may live or be lost.
    else if (message.kind === 'one') here.push(`${message.app} one`)
    else if (
      !infos.some(({ name, state }) => name === `census.${message.app}` && state === 'running')
    )
      here.push(`${message.app} stray`)
  }
  const expected = infos.flatMap(({ name, state }) => {
    const short = name.slice('census.'.length)
    if (state !== 'running' || !NAMES.includes(short)) return []
    return [...node.schedulers().map((id) => `${short} each ${id}`), `${short} one`]
  })
  const states = infos.filter(({ state }) => state !== 'running' && state !== 'stopped')
  return [
    ...here.filter((one) => !expected.includes(one)).map((one) => `too many: ${one}`),
    ...here.filter((one, i) => here.indexOf(one) !== i).map((one) => `twice: ${one}`),
    ...expected.filter((one) => !here.includes(one)).map((one) => `missing: ${one}`),
    ...states.map(({ name, state }) => `${name} is ${state}`),
  ]
}

t.test('the census holds, whatever the schedule', async (t) => {
  const property = fc.asyncProperty(steps, fc.nat(1_000_000), async (taken, seed) => {
    const node = await testNode({ app, seed, schedulers: 2 })
    try {
      const asked: Promise<unknown>[] = []
      for (const step of taken) await take(node, step, asked)
      await node.advance(60_000)
      await Promise.all(asked)
      await node.runUntilIdle()
      const wrong = await census(node)
      if (wrong.length > 0) throw new Error(wrong.join(', '))
    } finally {
      node.close()
    }
  })
  const outcome = await fc.check(property, { numRuns: 40 })
  t.notOk(outcome.failed, fc.defaultReportMessage(outcome) ?? 'the property holds')
})
