/** What an actor may do next, and what has to come of it. */
import {
  duplicateRegistry,
  type ExitReason,
  type Pid,
  type StartError,
  task,
  uniqueRegistry,
} from 'beamish'
import { ledger } from './ledger.ts'
import { type Life, PATIENCE_MS } from './life.ts'
import {
  crews,
  driverOf,
  ENDS,
  type End,
  Idler,
  nameOf,
  SERIALS,
  Server,
  Sleeper,
  Stillborn,
} from './servers.ts'

const rooms = uniqueRegistry('soak.runtime.rooms')
const crowds = duplicateRegistry('soak.runtime.crowds')

type Deed = (life: Life) => unknown

const NAMES = 2_000
const TOPICS = 300

const code = (thrown: unknown): unknown => (thrown as { code?: unknown }).code
const thread = (life: Life): number => 1 + life.int(ledger.threads)
/** A server of any thread, by its name. */
const server = (life: Life): string => nameOf(thread(life), life.pick(SERIALS))

async function name(life: Life): Promise<void> {
  const { self } = life
  const name = `soak name ${life.int(NAMES)}`
  try {
    await self.register(name)
  } catch (thrown) {
    const known = code(thrown) === 'BEAMISH_NAME_TAKEN' || code(thrown) === 'BEAMISH_NAME_SECOND'
    life.check(known, () => `register failed with ${thrown}`)
    return
  }
  const found = await self.whereis(name)
  life.check(found === self.pid, () => `${name} was registered, and leads to ${found}`)
  if (life.random() < 0.3) return
  self.unregister()
  const later = await self.whereis(name)
  life.check(later !== self.pid, () => `${name} was given up, and leads to its process`)
}

async function key(life: Life): Promise<void> {
  const { self } = life
  const key = life.int(NAMES)
  try {
    await rooms.register(self, key, { by: self.pid })
  } catch (thrown) {
    life.check(code(thrown) === 'BEAMISH_ALREADY_REGISTERED', () => `a key failed: ${thrown}`)
    return
  }
  const found = await rooms.lookup(self, key)
  life.check(found?.pid === self.pid, () => `key ${key} was registered, and leads elsewhere`)
  if (life.random() < 0.3) return
  rooms.unregister(self, key)
  const later = await rooms.whereis(self, key)
  life.check(later !== self.pid, () => `key ${key} was given up, and leads to its process`)
}

async function entry(life: Life): Promise<void> {
  const { self } = life
  const key = life.int(NAMES)
  crowds.register(self, key, self.pid)
  if (life.random() < 0.2) {
    const found = await crowds.lookup(self, key)
    const own = found.filter(({ pid }) => pid === self.pid)
    life.check(own.length > 0, () => `an entry of ${key} was not found`)
  }
  if (life.random() < 0.5) crowds.unregister(self, key)
  else crowds.dispatch(self, key, { type: 'dispatched' })
}

async function topic(life: Life): Promise<void> {
  const { self } = life
  const topic = `soak topic ${life.int(TOPICS)}`
  // Heard once per subscription.
  if (life.topics.has(topic)) return
  const token = life.token()
  self.subscribe(topic)
  self.broadcast(topic, 'said', { from: self.pid, token })
  const own = (message: unknown): message is never => {
    const { payload } = message as { payload?: { from?: Pid; token?: number } }
    return payload?.from === self.pid && payload.token === token
  }
  const heard = await self.receive(own, PATIENCE_MS)
  life.check(heard !== undefined, () => 'a subscriber did not hear its own broadcast')
  const twice = await self.receive(own, 0)
  life.check(twice === undefined, () => 'a subscriber heard a broadcast twice')
  if (life.random() < 0.3) life.topics.add(topic)
  else self.unsubscribe(topic)
}

/** Two that are linked, or were: who ends with whom. */
async function pair(life: Life): Promise<void> {
  const { self } = life
  const [a, b] = await Promise.all([idler(life), idler(life)])
  const [atA, atB] = [self.monitor(a), self.monitor(b)]
  const obeys = (pid: Pid, event: string, payload?: unknown): Promise<unknown> =>
    self.call(pid, event as never, payload as never, { timeoutMs: PATIENCE_MS })
  const traps = life.random() < 0.5
  await obeys(b, 'trap', traps)
  await obeys(a, 'link', b)
  if (life.random() < 0.2) await obeys(b, 'link', a)
  const linked = life.random() < 0.8
  const [from, to] = life.random() < 0.5 ? [a, b] : [b, a]
  if (!linked) await obeys(from, 'unlink', to)
  const by = life.pick([...(Object.keys(ENDS) as End[]), 'kill'] as const)
  const reason: ExitReason = by === 'kill' ? 'killed' : ENDS[by]
  if (by === 'kill') self.exit(a, 'kill')
  else self.send(a, { type: 'end', by })
  await life.ended('a linked one', atA, reason)
  const goes = linked && !traps && reason !== 'normal'
  if (goes) {
    await life.ended('its partner', atB, reason)
    return
  }
  const exits = (await obeys(b, 'exits')) as { from: Pid }[]
  const due = linked && traps ? 1 : 0
  life.check(
    exits.length === due && exits.every(({ from }) => from === a),
    () => `${exits.length} EXITs came, not ${due}`,
  )
  self.exit(b, 'kill')
  await life.ended('who was left', atB, 'killed')
}

const idler = (life: Life): Promise<Pid> =>
  life.self.start(Idler, undefined, { place: { scheduler: thread(life) } })

async function child(life: Life): Promise<void> {
  const { self } = life
  const by = life.pick(Object.keys(ENDS) as End[])
  const { pid, ref } = self.spawnMonitor(Idler, undefined)
  self.send(pid, { type: 'end', by })
  await life.ended('a child', ref, ENDS[by])
}

/** The reasons that may be heard; on a busy thread what hangs may be through with that before anybody looks. */
const UNBORN = {
  ignores: ['normal'],
  stops: ['unwanted'],
  throws: undefined,
  hangs: ['timeout', 'normal'],
} as const

async function stillborn(life: Life): Promise<void> {
  const how = life.pick(Object.keys(UNBORN) as (keyof typeof UNBORN)[])
  const place = { scheduler: thread(life) }
  try {
    await life.self.start(Stillborn, how, { place, ...(how === 'hangs' ? { timeoutMs: 50 } : {}) })
    ledger.problem(`one that ${how} was started`)
  } catch (thrown) {
    const { reason, ignored } = thrown as StartError
    const expected: readonly unknown[] | undefined = UNBORN[how]
    const right = expected === undefined || expected.includes(reason)
    life.check(
      right && (ignored === true) === (how === 'ignores'),
      () => `one that ${how}: ${thrown}`,
    )
  }
}

async function timeout(life: Life): Promise<void> {
  const { self } = life
  const ms = life.int(200)
  const began = self.now()
  const nothing = await self.receive(() => false, ms)
  const took = self.now() - began
  life.check(nothing === undefined && took >= ms - 2, () => `${took} ms for ${ms}`)
}

async function runTask(life: Life): Promise<void> {
  const { self } = life
  const n = life.int(1_000)
  const fails = life.random() < 0.3
  const one = task.asyncNoLink(self, async (own) => {
    await own.sleep(n % 20)
    if (fails) throw new Error('in a task')
    return n
  })
  const result = await task.yield(self, one, { timeoutMs: PATIENCE_MS })
  const right =
    result !== undefined && (fails ? 'exit' in result : 'ok' in result && result.ok === n)
  life.check(right, () => `a task gave ${JSON.stringify(result)}`)
}

/** Under the dynamic supervisor of a thread: started again when it crashes, and forgotten when it is done. */
async function recruit(life: Life): Promise<void> {
  const spec = Server.child({ lifeMs: 500 }, { restart: 'transient' })
  const started = await life.call(
    crews.via(life.self, thread(life)),
    'startChild',
    spec,
    PATIENCE_MS,
  )
  const { ok, pid } = (started ?? {}) as { ok?: boolean; pid?: Pid }
  life.check(started === undefined || ok === true, () => 'a crew took nobody')
  if (pid === undefined) return
  await life.call(pid, 'echo', 1)
  if (life.random() < 0.5) life.self.cast(pid, 'crash' as never)
  else life.self.cast(pid, 'finish' as never)
}

async function sleeper(life: Life): Promise<void> {
  const pid = life.self.spawn(Sleeper, undefined)
  for (let i = life.int(4); i >= 0; i--) await life.call(pid, 'wake', undefined)
  sleepers.push(pid)
  if (sleepers.length > MAX_SLEEPERS) life.self.cast(sleepers.shift() as Pid, 'finish' as never)
}
const sleepers: Pid[] = []
const MAX_SLEEPERS = 500

async function wakes(life: Life): Promise<void> {
  if (sleepers.length > 0) await life.call(life.pick(sleepers), 'wake', undefined)
}

async function echo(life: Life): Promise<void> {
  const value = life.token()
  const began = life.self.now()
  const answer = await life.call(server(life), 'echo', value)
  if (answer !== undefined) ledger.callTook(life.self.now() - began)
  life.check(answer === undefined || answer === value, () => `an echo of ${value}: ${answer}`)
}

async function callActor(life: Life): Promise<void> {
  const to = life.peer()
  const words = life.words(to)
  const answer = await life.call(to, 'said', words)
  life.check(answer === undefined || answer === words.n, () => `${answer} answers ${words.n}`)
}

async function alias(life: Life): Promise<void> {
  const pid = await life.self.whereis(server(life))
  if (pid !== undefined) await life.aliased(pid)
}

function link(life: Life): void {
  const to = life.peer()
  try {
    life.self.link(to)
    life.linked.push(to)
  } catch (thrown) {
    // Dead, on the same thread.
    life.check((thrown as { reason?: unknown }).reason === 'noproc', () => `link: ${thrown}`)
  }
}

/** With one that outlives all: what is not taken back on both sides, now or at the end, is left over there. */
async function hold(life: Life): Promise<void> {
  const { self } = life
  const driver = await self.whereis(driverOf(thread(life)))
  if (driver === undefined) return
  const ref = self.monitor(driver)
  self.link(driver)
  if (life.random() < 0.5) self.demonitor(ref)
  if (life.random() < 0.5) self.unlink(driver)
}

function unlink(life: Life): void {
  const to = life.linked.shift()
  if (to !== undefined) life.self.unlink(to)
}

function send(life: Life): void {
  const to = life.peer()
  life.self.send(to, life.words(to))
}

function cast(life: Life): void {
  const to = life.peer()
  life.self.cast(to, 'said' as never, life.words(to) as never)
}

const calls =
  (event: string, payload: (life: Life) => unknown, timeoutMs?: (life: Life) => number): Deed =>
  (life) =>
    life.call(server(life), event, payload(life), timeoutMs?.(life))
const nothing = (): undefined => undefined

/** What is done, and how often among all. */
const DEEDS: readonly (readonly [kind: string, weight: number, deed: Deed])[] = [
  ['send', 20, send],
  ['cast', 20, cast],
  ['call of an actor', 15, callActor],
  ['call of a server', 20, echo],
  ['call answered later', 3, calls('later', (life) => life.int(100))],
  ['call never answered', 1, calls('never', nothing, (life) => 50 + life.int(200))],
  ['call that crashes', 1, calls('crash', nothing)],
  ['call that closes', 1, calls('close', nothing)],
  ['cast that crashes', 1, (life) => life.self.cast(server(life), 'crash' as never)],
  ['monitor', 15, (life) => life.watch(life.peer())],
  ['demonitor', 5, (life) => life.unwatch()],
  ['link', 3, link],
  ['unlink', 3, unlink],
  ['hold', 3, hold],
  ['exit signal', 4, (life) => life.self.exit(life.peer(), life.pick(['kill', 'over', 'normal']))],
  ['linked pair', 3, pair],
  ['child', 4, child],
  ['failed start', 1, stillborn],
  ['name', 5, name],
  ['unique key', 5, key],
  ['duplicate key', 5, entry],
  ['topic', 4, topic],
  ['timer', 8, (life) => life.setTimer(life.int(500))],
  ['receive timeout', 3, timeout],
  ['alias', 3, alias],
  ['task', 3, runTask],
  ['recruit', 2, recruit],
  ['sleeper', 2, sleeper],
  ['wake a sleeper', 3, wakes],
]
const WEIGHTS = DEEDS.reduce((sum, [, weight]) => sum + weight, 0)

/** One of them, drawn. What it throws is a problem: each deals with what may come. */
export async function deed(life: Life): Promise<void> {
  let at = life.int(WEIGHTS)
  for (const [kind, weight, run] of DEEDS) {
    at -= weight
    if (at >= 0) continue
    try {
      await run(life)
      ledger.count(kind)
    } catch (thrown) {
      ledger.problem(`${kind}: ${thrown}`)
    }
    return
  }
}
