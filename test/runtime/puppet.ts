/**
 * An app of puppets: raw processes that carry out orders and report to the one who spawned them. The same script runs with
 * puppets on one thread or on two, so a test states a behaviour once and asserts it for both placements.
 */
import {
  type Alias,
  BeamishError,
  Exit,
  type From,
  type MonitorOptions,
  type Pid,
  process,
  type Ref,
  type Self,
  supervisor,
} from 'beamish'

/** One thing a puppet can be told to do. Results come back in the order of the orders. */
export type Order =
  | readonly ['link', Pid]
  | readonly ['unlink', Pid]
  | readonly ['monitor', Pid | string, MonitorOptions?]
  | readonly ['alias', { readonly reply?: boolean }?]
  | readonly ['unalias', Alias]
  | readonly ['demonitor', Ref, { readonly flush?: boolean; readonly info?: boolean }?]
  | readonly ['trap', boolean]
  | readonly ['exit', Pid, unknown]
  /** exit(self, reason): a signal to itself. */
  | readonly ['exitSelf', unknown]
  /** self.exit(reason): throws. */
  | readonly ['end', unknown]
  | readonly ['error', string]
  | readonly ['throw', unknown]
  | readonly ['return']
  | readonly ['send', Pid | string | Alias, unknown]
  /** Sends { fn } with a function inside, which no other thread can get. */
  | readonly ['sendFunction', Pid | string]
  | readonly ['cast', Pid | string, string, unknown]
  | readonly ['call', Pid | string, string, unknown, number?]
  | readonly ['reply', From, unknown]
  | readonly ['sendAfter', number, unknown, (Pid | string | Alias)?]
  | readonly ['cancelTimer', Ref]
  | readonly ['readTimer', Ref]
  | readonly ['register', string]
  | readonly ['unregister']
  | readonly ['whereis', string]
  | readonly ['alive', Pid]
  | readonly ['info', Pid]
  | readonly ['scheduler']
  /** Spawns a puppet with orders it carries out first; linked and monitored as told. */
  | readonly ['spawn', readonly Order[], { link?: boolean; monitor?: boolean; scheduler?: number }]
  /** Takes the next message that is not an order, for scripts about what arrives first. */
  | readonly ['take', number]
  /** The same order; a throw becomes its result instead of the puppet's end. */
  | readonly ['try', Order]
  /** Blocks its thread. */
  | readonly ['spin', number]
  /** From here on what arrives stays in the mailbox until it is told to go on. */
  | readonly ['hold']

interface Orders {
  readonly orders: readonly Order[]
  readonly id: number
  readonly to: Pid
}

export interface PuppetArgument {
  readonly boss: Pid
  readonly first: readonly Order[]
}

const isOrders = (m: unknown): m is Orders => typeof m === 'object' && m !== null && 'orders' in m
const isRelease = (m: unknown): m is 'release' => m === 'release'
const isOther = (m: unknown): m is unknown => !isOrders(m)

/** What a puppet's `try` answers. */
export const asData = (thrown: unknown): unknown =>
  thrown instanceof Exit
    ? { exit: thrown.reason }
    : thrown instanceof BeamishError
      ? { code: thrown.code, message: thrown.message }
      : { threw: String(thrown) }

class Return {}

function act(self: Self, boss: Pid, order: Order): unknown {
  switch (order[0]) {
    case 'link':
      return self.link(order[1])
    case 'unlink':
      return self.unlink(order[1])
    case 'monitor':
      return self.monitor(order[1], order[2] as Parameters<Self['monitor']>[1])
    case 'alias':
      return self.alias(order[1])
    case 'unalias':
      return self.unalias(order[1])
    case 'demonitor':
      return self.demonitor(order[1], order[2])
    case 'trap':
      return self.trapExit(order[1])
    case 'exit':
      return self.exit(order[1], order[2] as string)
    case 'exitSelf':
      return self.exit(self.pid, order[1] as string)
    case 'end':
      return self.exit(order[1] as string)
    case 'error':
      throw new TypeError(order[1])
    case 'throw':
      throw order[1]
    case 'return':
      throw new Return()
    case 'send':
      return self.send(order[1], order[2])
    case 'sendFunction':
      return self.send(order[1], { deep: [{ fn: () => 1 }] })
    case 'cast':
      return self.cast(order[1], order[2], order[3])
    case 'call':
      return self.call(order[1], order[2], order[3], { timeoutMs: order[4] ?? 5_000 })
    case 'reply':
      return self.reply(order[1], order[2])
    case 'sendAfter':
      return self.sendAfter(order[1], order[2], order[3])
    case 'cancelTimer':
      return self.cancelTimer(order[1])
    case 'readTimer':
      return self.readTimer(order[1])
    case 'register':
      return self.register(order[1])
    case 'unregister':
      return self.unregister()
    case 'whereis':
      return self.whereis(order[1])
    case 'alive':
      return self.alive(order[1])
    case 'info':
      return self.info(order[1])
    case 'scheduler':
      return self.scheduler
    case 'spawn':
      return spawn(self, boss, order[1], order[2])
    case 'take':
      return self.receive(isOther, order[1])
    case 'try':
      return attempt(self, boss, order[1])
    case 'spin': {
      const end = performance.now() + order[1]
      while (performance.now() < end);
      return undefined
    }
    case 'hold':
      return self.receive(isRelease)
  }
}

function attempt(self: Self, boss: Pid, order: Order): unknown {
  try {
    const result = act(self, boss, order)
    return result instanceof Promise ? result.catch(asData) : result
  } catch (thrown) {
    return asData(thrown)
  }
}

function spawn(
  self: Self,
  boss: Pid,
  first: readonly Order[],
  how: { link?: boolean; monitor?: boolean; scheduler?: number },
): unknown {
  const argument = { boss, first }
  if (how.scheduler === undefined) return self.spawn(Puppet, argument, how)
  const place = { scheduler: how.scheduler }
  return self.spawn(Puppet, argument, { link: how.link, monitor: how.monitor, place })
}

export const Puppet = process('puppet', async (self, { boss, first }: PuppetArgument) => {
  try {
    for (const order of first) {
      // Awaited only where there is something to await: a script of sends is one synchronous step.
      const result = act(self, boss, order)
      if (result instanceof Promise) await result
    }
    for (;;) {
      const message = await self.receive()
      if (!isOrders(message)) {
        self.send(boss, { puppet: self.pid, got: message })
        continue
      }
      const results: unknown[] = []
      for (const order of message.orders) {
        const result = act(self, boss, order)
        results.push(result instanceof Promise ? await result : result)
      }
      self.send(message.to, { puppet: self.pid, done: message.id, results })
    }
  } catch (thrown) {
    if (!(thrown instanceof Return)) throw thrown
  }
})

export default supervisor({ strategy: 'one_for_one', children: [] })
