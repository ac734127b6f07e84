/** What the survivors see of a lost thread. */
import { type Pid, start } from 'beamish'
import t from 'tap'
import { Stage } from '../stage.ts'
import { Where } from './app.ts'

t.test(
  'a killed thread: everybody elsewhere is told, its names are free, a replacement serves',
  async (t) => {
    const stage = await Stage.open()
    t.teardown(() => stage.node.stop())
    const [survivor, caller, victim] = [
      await stage.puppet(1),
      await stage.puppet(1),
      await stage.puppet(2),
    ]
    const lost = { noconnection: { scheduler: 2, cause: 'exit' } }
    await stage.tell(victim, ['register', 'doomed'])
    const [, , ref] = await stage.tell(
      survivor,
      ['trap', true],
      ['link', victim],
      ['monitor', victim],
    )
    const [bound] = await stage.tell(caller, ['monitor', 'doomed'])
    const called = stage.order(caller, ['try', ['call', 'doomed', 'question', 1]])
    t.match(await stage.heard(victim), { type: 'call', event: 'question', payload: 1 })
    const fragile = await stage.puppet(1)
    await stage.tell(fragile, ['link', victim])
    await stage.until(fragile, victim)
    const last = Array.from({ length: 50 }, (_, i) => `last words ${i}`)
    await stage.tell(victim, ...last.map((word) => ['send', survivor, word] as const))

    stage.node.killThread(2)

    t.strictSame(await stage.ended(victim), lost, 'the outside is told')
    const got = await stage.hears(survivor, 52)
    t.strictSame(got.slice(0, 50), last, 'what it said before comes first')
    const ends = got.slice(50) as { type: string }[]
    t.strictSame(
      ends.sort((a, b) => a.type.localeCompare(b.type)),
      [
        { type: 'DOWN', ref, object: victim, reason: lost },
        { type: 'EXIT', from: victim, reason: lost },
      ],
    )
    t.strictSame(await stage.ended(fragile), lost, 'a link partner that does not trap dies of it')
    const [answer] = await stage.results(caller, called)
    t.strictSame(answer, { exit: { call: { to: '"doomed"', event: 'question' }, reason: lost } })
    t.strictSame(await stage.heard(caller), {
      type: 'DOWN',
      ref: bound,
      object: 'doomed',
      reason: lost,
    })

    const [where, alive, info] = await stage.tell(
      survivor,
      ['whereis', 'doomed'],
      ['alive', victim],
      ['info', victim],
    )
    t.strictSame([where, alive, info], [undefined, false, undefined])
    await stage.tell(survivor, ['register', 'doomed'])
    const [again] = await stage.tell(survivor, ['monitor', victim])
    t.strictSame(await stage.heard(survivor), {
      type: 'DOWN',
      ref: again,
      object: victim,
      reason: 'noproc',
    })
    const [gone] = await stage.tell(survivor, ['try', ['call', victim, 'question', 1]])
    t.match(gone, { exit: { reason: 'noproc' } })
    await stage.tell(survivor, ['send', victim, 'nobody hears'], ['exit', victim, 'kill'])

    const [late] = await stage.tell(survivor, ['try', ['spawn', [], { scheduler: 2 }]])
    t.strictSame(late, { exit: 'noproc' }, 'its id is never used again')
    let fresh: Pid | undefined
    while (fresh === undefined) {
      await new Promise((resolve) => setImmediate(resolve))
      if (stage.node.schedulers().includes(3)) fresh = await stage.puppet(3)
    }
    const [scheduler, found] = await stage.tell(fresh, ['scheduler'], ['whereis', 'doomed'])
    t.strictSame([scheduler, found], [3, survivor], 'the replacement serves and knows the names')
    await stage.tell(survivor, ['send', fresh, 'welcome'])
    t.equal(await stage.heard(fresh), 'welcome')
  },
)

for (const schedulers of [1, 2]) {
  t.test(
    `a child of a lost thread is restarted without counting, with ${schedulers} scheduler(s)`,
    async (t) => {
      const node = await start(new URL('./app.ts', import.meta.url), {
        schedulers,
        log: false,
        development: false,
        execArgv: ['--conditions=beamish-source'],
      })
      t.teardown(() => node.stop())
      const where = Where.named('where')
      const ref = node.self.monitor(where)
      const first = await node.self.call(where, 'scheduler')
      node.killThread(first)
      const end = await node.self.receive(
        (m): m is { reason: unknown } => (m as { ref?: unknown }).ref === ref,
        10_000,
      )
      t.strictSame(end?.reason, { noconnection: { scheduler: first, cause: 'exit' } })
      t.notOk(node.schedulers().includes(first), 'its id is not listed')
      while ((await node.self.whereis('where')) === undefined) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      t.not(await node.self.call(where, 'scheduler'), first)
    },
  )
}
