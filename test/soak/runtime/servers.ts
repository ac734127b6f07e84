/** Servers of the soak: supervised ones that crash on request, sleepers, and processes for one trial. */
import {
  type Alias,
  type ChildSpec,
  dynamicSupervisor,
  Exit,
  type From,
  genServer,
  ignore,
  noreply,
  type Pid,
  partitionSupervisor,
  process,
  type Self,
  stop,
  stopWithReply,
  supervisor,
} from 'beamish'
import { ledger } from './ledger.ts'

/** Restarts are what this is about: no number of them is too many. */
export const ENDLESS = { maxRestarts: 1_000_000, maxSeconds: 1 }
const PER_STRATEGY = 6

interface ServerArgument {
  /** Its name is made of this and its thread. */
  readonly serial?: string
  /** Ends after so long. */
  readonly lifeMs?: number
}

export const nameOf = (scheduler: number, serial: string): string =>
  `soak server ${scheduler}.${serial}`

export const Server = genServer('soak.runtime.server', {
  async init({ serial, lifeMs }: ServerArgument, self) {
    ledger.count('server started')
    if (lifeMs !== undefined) self.sendAfter(lifeMs, 'over')
    if (serial !== undefined) await self.register(nameOf(self.scheduler, serial))
    return { later: new Map<number, From>(), serial: 0 }
  },
  handleCall: {
    echo: (_state, value: unknown) => value,
    /** Answers after so long. */
    later(state, ms: number, self, { pid, ref }) {
      const serial = ++state.serial
      state.later.set(serial, { pid, ref })
      self.sendAfter(ms, { type: 'answer', serial, value: ms })
      return noreply()
    },
    never: () => noreply(),
    crash() {
      throw new Error('asked to')
    },
    close: (_state, value: unknown) => stopWithReply('shutdown', value),
  },
  handleCast: {
    crash() {
      throw new Error('asked to')
    },
    finish: () => stop('normal'),
    tell(_state, { alias, token }: { alias: Alias; token: number }, self) {
      self.send(alias, { type: 'told', token })
    },
  },
  handleInfo: {
    over: () => stop('normal'),
    answer(state, { serial, value }: { serial: number; value: number }, self) {
      const from = state.later.get(serial)
      state.later.delete(serial)
      if (from !== undefined) self.reply(from, value)
    },
  },
})

const TEXT = 'all of it is there again when it wakes; '

/** Registered name of what looks after the actors of a thread; it lives as long as the thread. */
export const driverOf = (scheduler: number): string => `soak driver ${scheduler}`

/** A dynamic supervisor on each thread. */
export const crews = partitionSupervisor(dynamicSupervisor(ENDLESS), {
  name: 'soak crews',
  ...ENDLESS,
})

/** Hibernates soon, and knows what it held. */
export const Sleeper = genServer('soak.runtime.sleeper', {
  hibernateAfterMs: 200,
  init: (_: undefined) => ({
    times: 0,
    lines: [] as string[],
    byTime: new Map<number, { readonly at: number }>(),
  }),
  handleCall: {
    wake(state) {
      const { times, lines, byTime } = state
      const whole =
        lines.length === times &&
        byTime.size === times &&
        (times === 0 || byTime.get(times)?.at === times)
      ledger.check(whole, () => `a sleeper woke with ${lines.length} of ${times} lines`)
      if (times > 40) return stopWithReply('normal', times)
      state.times++
      lines.push(`${state.times} ${TEXT}`)
      byTime.set(state.times, { at: state.times })
      return times
    },
  },
  handleCast: { finish: () => stop('normal') },
})

/** How one ends, and the reason that gives. */
export const ENDS = {
  returns: 'normal',
  exits: 'over',
  throws: { error: { name: 'Error', message: 'over' } },
} as const
export type End = keyof typeof ENDS

interface Order {
  readonly type: 'call'
  readonly event: 'link' | 'unlink' | 'ping' | 'exits' | 'trap'
  readonly payload: unknown
}

/** Does what it is told, until it is told to end, or whoever started it has. */
export const Idler = process('soak.runtime.idler', async (self, _: undefined) => {
  const parent = self.monitor(self.parent)
  const exits: { from: Pid; reason: unknown }[] = []
  for (;;) {
    const message = (await self.receive()) as
      | ({ type: 'call' } & Order & From)
      | { type: 'EXIT'; from: Pid; reason: unknown }
      | { type: 'DOWN'; ref: unknown }
      | { type: 'end'; by: End }
    if (message.type === 'EXIT') exits.push({ from: message.from, reason: message.reason })
    else if (message.type === 'end') return end(message.by)
    else if (message.type === 'call') self.reply(message, await obey(self, message, exits))
    else if (message.ref === parent) return
  }
})

async function obey(self: Self, { event, payload }: Order, exits: unknown): Promise<unknown> {
  const other = payload as Pid
  if (event === 'trap') return self.trapExit(payload as boolean)
  if (event === 'link' || event === 'unlink') {
    self[event](other)
    // What comes behind it on the same way is answered: the other side knows.
    await self.call(other, 'ping' as never, undefined as never, { timeoutMs: Infinity })
  }
  return event === 'exits' ? exits : 'done'
}

function end(by: End): undefined {
  if (by === 'exits') throw new Exit('over')
  if (by === 'throws') throw new Error('over')
}

/** Starts in vain, or takes too long about it. */
export const Stillborn = genServer('soak.runtime.stillborn', {
  async init(how: 'ignores' | 'stops' | 'throws' | 'hangs', self) {
    if (how === 'ignores') return ignore()
    if (how === 'stops') return stop('unwanted')
    if (how === 'throws') throw new Error('unborn')
    // Who started it may have ended, and ends it no more.
    await self.sleep(1_000)
    return stop('normal')
  },
})

const servers = (strategy: string): ChildSpec[] =>
  Array.from({ length: PER_STRATEGY }, (_, i) => {
    const serial = `${strategy} ${i}`
    return Server.child({ serial }, { id: serial })
  })

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const

/** Of each thread. */
export const SERIALS = STRATEGIES.flatMap((strategy) =>
  Array.from({ length: PER_STRATEGY }, (_, i) => `${strategy} ${i}`),
)

export const supervised = STRATEGIES.map((strategy) =>
  supervisor({ id: strategy, strategy, place: 'each', ...ENDLESS, children: servers(strategy) }),
)
