// What the end of an application means, by its type; and an application that does not start.
import { type BeamishError, onEvent, type Pid } from 'beamish'
import t, { type Test } from 'tap'
import { nextEvent, rejection, startNode } from '../kit.ts'
import { type Bench, bench, notesOf, shop, started, stopped } from './bench.ts'

/** Its top supervisor gives up (maxRestarts is 0), or ends as somebody told it to. */
const ends = {
  gives_up: async ({ node }: Bench, name: string) => {
    node.self.cast((await node.self.whereis(name)) as Pid, 'crash')
  },
  normal: async ({ node }: Bench, name: string) => {
    await node.self.stop(`beamish.root.${name}`, 'normal')
  },
}

const cases = [
  ['permanent', 'gives_up', true, 'shutdown'],
  ['permanent', 'normal', true, 'normal'],
  ['transient', 'gives_up', true, 'shutdown'],
  ['transient', 'normal', false, 'normal'],
  ['temporary', 'gives_up', false, 'shutdown'],
] as const

for (const [type, end, endsNode, reason] of cases) {
  t.test(`${type}, ${end}: ${endsNode ? 'the node ends' : 'the rest runs on'}`, async (t) => {
    const one = await bench(t, { types: [`prices:${type}`] })
    const { node, notes } = one
    notes()
    const ended = nextEvent('application')
    await ends[end](one, 'prices')
    t.same(await ended, { application: 'prices', event: 'ended', type, reason })
    if (endsNode) {
      const error = (await node.closed) as BeamishError
      t.match(error, {
        code: 'BEAMISH_APPLICATION_ENDED',
        fields: { type, application: '"prices"' },
      })
      const seen = notes()
      const rest = ['shop', 'store', 'mail'].flatMap(stopped)
      t.same(seen.slice(-rest.length), rest, 'the others stop in order')
      const own = ['prices.prepStop', 'prices.stop', 'prices knows start prepStop']
      t.same(
        seen.slice(0, -rest.length).filter((line) => own.includes(line)),
        own,
      )
      return
    }
    const states = (await node.applications()).map(({ state }) => state)
    t.same(states, ['running', 'running', 'stopped', 'running', 'running'])
    const seen = notes()
    t.notOk(
      seen.some((line) => line.includes('shop') || line.includes('store')),
      seen.join(),
    )
    t.same(await node.startApplication('prices'), ['prices'], 'it may be started again')
  })
}

t.test(
  'autoShutdown at the top ends an application, and a plain tree, with shutdown',
  async (t) => {
    const one = await bench(t, { types: ['mail:temporary'] })
    const ended = nextEvent('application')
    await one.node.self.stop('mail', 'normal')
    t.match(await ended, { application: 'mail', event: 'ended', reason: 'shutdown' })
    t.equal(await one.node.self.whereis('beamish.root.mail'), undefined)
    await one.node.stop()
    const node = await startNode(new URL('./apps/significant.ts', import.meta.url), 1)
    t.same(
      (await node.applications()).map(({ name, supervisor }) => [name, supervisor]),
      [['app', 'beamish.root']],
    )
    await node.self.stop('significant', 'normal')
    t.match(await node.closed, { code: 'BEAMISH_TREE_ENDED', fields: { reason: 'shutdown' } })
  },
)

const refusals: [what: string, fails: string, message: RegExp, after: readonly string[]][] = [
  [
    'start',
    'prices.start',
    /"prices" did not start: start: prices\.start fails: /,
    ['prices.start'],
  ],
  [
    'a child',
    'prices',
    /"prices" did not start: prices does not start: /,
    [
      'prices.start',
      'start prices each',
      'start prices each',
      'stop prices each',
      'stop prices each',
    ],
  ],
  [
    'a phase',
    'prices.warm',
    /"prices" did not start: startPhases\.warm: prices\.warm fails: /,
    [
      ...started('prices'),
      ...stopped('prices').filter(
        (line) => !line.includes('.prepStop') && line.startsWith('stop '),
      ),
    ],
  ],
]

for (const [what, fails, message, after] of refusals) {
  t.test(`a permanent one that fails in ${what} keeps the node from starting`, async (t) => {
    const notes = notesOf(t)
    const error = await rejection(startNode(shop({ fails: [fails] }), 2))
    t.match(error, { code: 'BEAMISH_APPLICATION_START', message })
    const before = ['mail', 'store'].flatMap(started)
    t.same(notes(), [...before, ...after, ...['store', 'mail'].flatMap(stopped)])
  })
}

t.test('on a node where a temporary one does not start', async (t) => {
  const told: unknown[] = []
  t.teardown(
    onEvent('application', ({ application, event }) => told.push(`${application} ${event}`)),
  )
  const crashes: string[] = []
  t.teardown(onEvent('crash', ({ behaviour }) => crashes.push(behaviour)))
  const types = ['prices', 'shop', 'all'].map((name) => `${name}:temporary`)
  const { node, notes } = await bench(t, { fails: ['prices.open', 'mail.prepStop'], types })

  t.test('it is told, and so are those that need it; the others run', async (t) => {
    t.same(
      (await node.applications()).map(({ name, state }) => `${name} ${state}`),
      ['mail running', 'store running', 'prices stopped', 'shop stopped', 'all stopped'],
    )
    t.same(told.slice(2), ['prices start_failed', 'shop start_failed', 'all start_failed'])
  })

  t.test('a start by request fails with its reason, and leaves the node as it was', async (t) => {
    await node.stopApplication('store')
    notes()
    t.match(await rejection(node.startApplication('shop')), {
      code: 'BEAMISH_APPLICATION_START',
      fields: { application: '"prices"', reason: 'startPhases.open: prices.open fails' },
    })
    t.equal(notes().at(-1), 'store knows start prepStop', 'what it had started has stopped')
    await node.startApplication('store')
  })

  t.test(
    'a prepStop that throws is a crash, keeps the state, and keeps nothing from stopping',
    async (t) => {
      notes()
      await node.stopApplication('mail')
      t.same(notes().slice(-2), ['mail.stop', 'mail knows start'])
    },
  )
})

for (const type of ['permanent', 'temporary']) {
  t.test(`one that ends while a ${type} one starts keeps the node from starting`, async (t) => {
    const notes = notesOf(t)
    const url = new URL('./apps/early.ts', import.meta.url)
    url.searchParams.set('type', type)
    const error = await rejection(startNode(url, 1))
    const fields = { type: 'permanent', application: '"first"' }
    t.match(error, { code: 'BEAMISH_APPLICATION_ENDED', fields })
    t.same(notes(), ['first.stop', 'second.stop'])
  })
}

t.test('a permanent one that needs what does not run keeps the node from starting', async (t) => {
  notesOf(t)
  const query = { fails: ['prices.open'], types: ['prices:temporary'] }
  const error = await rejection(startNode(shop(query), 1))
  const message = /"shop" did not start: it needs "prices", which does not run/
  t.match(error, { code: 'BEAMISH_APPLICATION_START', message })
})

t.test('what keeps one from starting at all is one clear error', async (t: Test) => {
  const odd = (what: string) => {
    const url = new URL('./apps/odd.ts', import.meta.url)
    url.searchParams.set('what', what)
    return url
  }
  const cases: [string, string, RegExp][] = [
    ['circle', 'BEAMISH_APPLICATION_CYCLE', /circle: a -> b -> a: take/],
    ['twice', 'BEAMISH_APPLICATION_DUPLICATE', /two applications are named "b"/],
    [
      'state',
      'BEAMISH_APPLICATION_START',
      /start: callback start of application "b" returned .*state\.close is a function/,
    ],
    [
      'argument',
      'BEAMISH_APP_UNCLONEABLE',
      /default\.supervisor\.children\[0\]\.argument\.done is a function/,
    ],
    ['name', 'BEAMISH_APP_LOAD', /a behaviour named "application b" is already defined/],
    ['here', 'BEAMISH_APPLICATION_START', /use "any", "each" or \{ key \}/],
    ['stray', 'BEAMISH_APPLICATION_START', /start: left behind/],
    ['exit', 'BEAMISH_APPLICATION_START', /start: process\.exit\(3\) was called/],
  ]
  for (const [what, code, message] of cases) {
    t.match(await rejection(startNode(odd(what), 1)), { code, message }, what)
  }
})
