/** The app of the soak of the runtime: on each thread supervised servers, and a driver that keeps so many actors alive. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  type BroadcastMessage,
  Exit,
  genServer,
  onEvent,
  type Pid,
  process,
  type Self,
  supervisor,
} from 'beamish'
import { localNode } from '../../../runtime/node/local.ts'
import { seededRandom } from '../../../runtime/testing/choice.ts'
import { deed } from './deeds.ts'
import { type Account, ledger } from './ledger.ts'
import { Life } from './life.ts'
import { crews, driverOf, ENDLESS, Sleeper, supervised } from './servers.ts'

setFlagsFromString('--expose_gc')
const gc = runInNewContext('gc') as () => void

onEvent('crash', () => ledger.count('crash'))
onEvent('supervisor', ({ context }) => ledger.count(`supervisor told: ${context}`))

/** A driver looks after its actors so often, and lets the others know some of them. */
const TICK_MS = 50
const MAX_SPAWNS = 400
const SAMPLE = 400
const MAX_LIFE_MS = 30_000
const ELSEWHERE = 0.1
const SAMPLES = 'soak.runtime.samples'

export interface Orders {
  readonly seed: number
  /** Of each thread, all that runs there included. */
  readonly processes: number
  /** An actor rests so long between two deeds, on average. */
  readonly pauseMs: number
  readonly threads: number
}

interface ActorArgument {
  readonly seed: number
  readonly pauseMs: number
}

const Actor = process('soak.runtime.actor', async (self: Self, argument: ActorArgument) => {
  const life = new Life(self, seededRandom(argument.seed))
  ledger.count('actor')
  self.trapExit(life.random() < 0.5)
  const until = self.now() + life.int(MAX_LIFE_MS)
  while (!life.finished && !ledger.ending && self.now() < until) {
    await life.rest(life.int(2 * argument.pauseMs))
    if (ledger.known.length > 1 && !life.finished && !ledger.ending) await deed(life)
  }
  await life.audit()
  const end = life.random()
  if (end < 0.3) throw new Exit('over')
  if (end < 0.5) throw new Error('over')
  if (end < 0.6) self.exit(self.pid, 'kill')
})

/** Who is to end when the run does; those of a trial end with it, and the supervised ones stay. */
const PASSING = [Actor, Sleeper].map(({ name }) => name)

const Driver = genServer('soak.runtime.driver', {
  trapExit: true,
  async init(_: undefined, self) {
    self.subscribe(SAMPLES)
    await self.register(driverOf(self.scheduler))
    return { orders: undefined as Orders | undefined, samples: new Map<number, Pid[]>() }
  },
  handleCall: {
    begin(state, orders: Orders, self) {
      ledger.begin(orders.seed ^ (self.scheduler * 7_919), orders.threads)
      state.orders = orders
      self.sendAfter(0, 'tick')
    },
    /** Everybody ends by and by. */
    finish(state, _: undefined, self) {
      state.orders = undefined
      state.samples.clear()
      ledger.ending = true
      for (const { pid, behaviour } of localNode(self).scheduler.slots) {
        if (PASSING.includes(behaviour.name)) {
          self.send(pid, { type: 'finish' })
          if (behaviour.name === Sleeper.name) self.cast(pid, 'finish' as never)
        }
      }
    },
    /** Of this thread, after a collection of garbage: what the counts of a thread leave out. */
    collect(_state, _: undefined, self) {
      gc()
      gc()
      let aliases = 0
      const of: Record<string, number> = {}
      for (const process of localNode(self).scheduler.slots) {
        aliases += process.aliases?.size ?? 0
        const kind = `processes of ${process.behaviour.name}`
        of[kind] = (of[kind] ?? 0) + 1
      }
      return { aliases, calling: ledger.calling, ...of }
    },
    account: (_state, _: undefined, self): Account => ledger.account(self.scheduler),
  },
  handleInfo: {
    EXIT: () => ledger.count('EXIT of one linked to a driver'),
    tick({ orders, samples }, _message: 'tick', self) {
      if (orders === undefined) return
      const { scheduler } = localNode(self)
      const lack = Math.min(MAX_SPAWNS, orders.processes - scheduler.processCount)
      for (let i = 0; i < lack; i++) spawn(self, orders)
      const actors: Pid[] = []
      for (const { pid, behaviour } of scheduler.slots) {
        if (behaviour.name === Actor.name && ledger.random() * orders.processes < SAMPLE) {
          actors.push(pid)
        }
      }
      self.broadcast(SAMPLES, 'some', { scheduler: self.scheduler, actors })
      ledger.known = [...samples.values()].flat()
      self.sendAfter(TICK_MS, 'tick')
    },
    broadcast({ samples, orders }, message: BroadcastMessage) {
      const { scheduler, actors } = message.payload as { scheduler: number; actors: Pid[] }
      if (orders !== undefined) samples.set(scheduler, actors)
    },
  },
})

function spawn(self: Self, { threads, pauseMs }: Orders): void {
  const argument = { seed: Math.floor(ledger.random() * 2 ** 31), pauseMs }
  const at = 1 + Math.floor(ledger.random() * threads)
  if (at === self.scheduler || ledger.random() > ELSEWHERE) self.spawn(Actor, argument)
  else void self.spawn(Actor, argument, { place: { scheduler: at } })
}

export default supervisor({
  strategy: 'one_for_one',
  ...ENDLESS,
  children: [...supervised, crews, Driver.child(undefined, { place: 'each' })],
})
