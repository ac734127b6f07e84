/**
 * The table of exit signals, cell by cell: how the signal came about, its reason, whether the receiver traps exits. Each
 * cell runs with both processes on one thread and on two.
 */
import type { Pid } from 'beamish'
import t from 'tap'
import { placements, Stage } from '../stage.ts'

const stage = await Stage.open()
t.teardown(() => stage.node.stop())

/** What the receiver makes of the signal: nothing, an EXIT message with the reason, or an end with a reason. */
type Effect = 'dropped' | 'message' | { readonly dies: unknown }

interface Cell {
  readonly otp?: string
  readonly reason: unknown
  readonly plain: Effect
  readonly trapping: Effect
}

const own = (reason: unknown, otp: string): Cell => ({
  otp,
  reason,
  plain: { dies: reason },
  trapping: 'message',
})
const other = (reason: unknown): Cell => ({ reason, plain: { dies: reason }, trapping: 'message' })

const partnerEnded: Cell[] = [
  { otp: 'otp 1, 2', reason: 'normal', plain: 'dropped', trapping: 'message' },
  own('kill', 'otp 5, 6'),
  own('boom', 'otp 3, 4'),
  ...['killed', 'shutdown', { shutdown: 'left' }, 'noproc', { code: 7, why: ['a'] }].map(other),
]

const exitByAnother: Cell[] = [
  { otp: 'otp 9, 10', reason: 'normal', plain: 'dropped', trapping: 'message' },
  { otp: 'otp 7', reason: 'kill', plain: { dies: 'killed' }, trapping: { dies: 'killed' } },
  ...['boom', 'killed', 'noproc', 'shutdown', { shutdown: 1 }, null, 0].map(other),
]

const exitBySelf: Cell[] = [
  { otp: 'otp 11', reason: 'normal', plain: { dies: 'normal' }, trapping: 'message' },
  { reason: 'kill', plain: { dies: 'killed' }, trapping: { dies: 'killed' } },
  ...['boom', 'killed', 'shutdown', { shutdown: 1 }].map(other),
]

const text = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value).replaceAll('"', '')

function title(how: string, cell: Cell, trapping: boolean, place: string): string {
  const effect = trapping ? cell.trapping : cell.plain
  const what = typeof effect === 'string' ? effect : `dies ${text(effect.dies)}`
  const mark = cell.otp === undefined ? '' : `${cell.otp}: `
  return `${mark}${how} ${text(cell.reason)}, ${trapping ? 'trapping' : 'not trapping'}: ${what} (${place})`
}

/** A cell as four tests: on one thread and on two, receiver trapping or not. `act` returns what the receiver got. */
function cellTests(
  how: string,
  cell: Cell,
  linked: boolean,
  act: (sender: Pid, receiver: Pid, effect: Effect) => Promise<unknown[]>,
): void {
  for (const place of placements) {
    for (const trapping of [false, true]) {
      t.test(title(how, cell, trapping, place.name), async (t) => {
        const { a: sender, b: receiver } = await stage.pair(t, place)
        await stage.tell(receiver, ['trap', trapping])
        if (linked) {
          await stage.tell(sender, ['link', receiver])
          await stage.until(sender, receiver)
        }
        const effect = trapping ? cell.trapping : cell.plain
        const got = await act(sender, receiver, effect)
        if (typeof effect !== 'string') {
          t.strictSame(await stage.ended(receiver), effect.dies, 'the receiver died')
          return
        }
        const exit = { type: 'EXIT', from: sender, reason: cell.reason }
        t.strictSame(got, effect === 'message' ? [exit] : [], 'all it got')
        t.equal(await stage.lives(receiver), true, 'the receiver lives')
      })
    }
  }
}

/** The sender ends; the receiver has seen its end once the link is gone there. */
async function end(reason: unknown, sender: Pid, receiver: Pid, effect: Effect) {
  stage.order(sender, ['end', reason])
  await stage.ended(sender)
  if (typeof effect !== 'string') return []
  await stage.infoWhen(receiver, (info) => !info.links.includes(sender))
  stage.node.self.send(receiver, 'after')
  return stage.untilMark(receiver, 'after')
}

/** The sender sends an exit signal, then a message behind it. */
async function signal(reason: unknown, sender: Pid, receiver: Pid, effect: Effect) {
  stage.order(sender, ['exit', receiver, reason], ['send', receiver, 'after'])
  return typeof effect === 'string' ? stage.untilMark(receiver, 'after') : []
}

for (const cell of partnerEnded) {
  cellTests('link partner ended', cell, true, (...args) => end(cell.reason, ...args))
}
for (const cell of exitByAnother) {
  cellTests('exit by another', cell, false, (...args) => signal(cell.reason, ...args))
  cellTests('exit by a linked one', cell, true, (...args) => signal(cell.reason, ...args))
}

for (const cell of exitBySelf) {
  for (const trapping of [false, true]) {
    t.test(title('exit(self)', cell, trapping, 'one process'), async (t) => {
      const it = await stage.puppet(1)
      await stage.tell(it, ['trap', trapping])
      const effect = trapping ? cell.trapping : cell.plain
      stage.order(it, ['exitSelf', cell.reason], ['send', it, 'ran on'])
      if (typeof effect !== 'string') {
        t.strictSame(await stage.ended(it), effect.dies)
        return
      }
      t.strictSame(await stage.hears(it, 2), [
        { type: 'EXIT', from: it, reason: cell.reason },
        'ran on',
      ])
      t.equal(await stage.lives(it), true)
    })
  }
}

for (const place of placements) {
  for (const trapping of [false, true]) {
    const who = trapping ? 'trapping' : 'not trapping'
    for (const reason of ['normal', 'killed', { code: 7 }]) {
      t.test(`monitored one ended ${text(reason)}, ${who}: DOWN (${place.name})`, async (t) => {
        const { a: watcher, b: watched } = await stage.pair(t, place)
        const [, ref] = await stage.tell(watcher, ['trap', trapping], ['monitor', watched])
        stage.order(watched, ['end', reason])
        t.strictSame(await stage.heard(watcher), { type: 'DOWN', ref, object: watched, reason })
        t.equal(await stage.lives(watcher), true, 'a DOWN ends nobody')
      })
    }

    t.test(`otp 23: monitor of a dead pid, ${who}: DOWN noproc (${place.name})`, async (t) => {
      const { a: watcher, b: dead } = await stage.pair(t, place)
      stage.order(dead, ['return'])
      await stage.ended(dead)
      const [, ref] = await stage.tell(watcher, ['trap', trapping], ['monitor', dead])
      const reason = 'noproc'
      t.strictSame(await stage.heard(watcher), { type: 'DOWN', ref, object: dead, reason })
    })
  }

  t.test(`otp 17: link to a dead pid, trapping: EXIT noproc (${place.name})`, async (t) => {
    const { a: linker, b: dead } = await stage.pair(t, place)
    stage.order(dead, ['return'])
    await stage.ended(dead)
    await stage.tell(linker, ['trap', true], ['link', dead])
    t.strictSame(await stage.heard(linker), { type: 'EXIT', from: dead, reason: 'noproc' })
    const [info] = await stage.tell(linker, ['info', linker])
    t.strictSame((info as { links: unknown }).links, [], 'no link is left')
  })
}

t.test('otp 16: link to a dead pid, not trapping: raises noproc (one thread)', async (t) => {
  const { a: linker, b: dead } = await stage.pair(t, placements[0]!)
  stage.order(dead, ['return'])
  await stage.ended(dead)
  const [caught] = await stage.tell(linker, ['try', ['link', dead]])
  t.strictSame(caught, { exit: 'noproc' }, 'it can be caught')
  stage.order(linker, ['link', dead])
  t.equal(await stage.ended(linker), 'noproc', 'and ends the process otherwise')
})

t.test('otp 16: link to a dead pid, not trapping: dies noproc (two threads)', async (t) => {
  const { a: linker, b: dead } = await stage.pair(t, placements[1]!)
  stage.order(dead, ['return'])
  await stage.ended(dead)
  stage.order(linker, ['try', ['link', dead]])
  t.equal(await stage.ended(linker), 'noproc', 'the answer comes as an exit signal')
})

t.test('otp 24: monitor of an unknown name: DOWN noproc with the name', async (t) => {
  const watcher = await stage.puppet(1)
  const [ref] = await stage.tell(watcher, ['monitor', 'nobody'])
  const down = { type: 'DOWN', ref, object: 'nobody', reason: 'noproc' }
  t.strictSame(await stage.heard(watcher), down)
})
