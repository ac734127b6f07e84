// Processes that leave something behind: in a handler, in init, before or after an await, and on request.
import { EventEmitter } from 'node:events'
import { appendFileSync } from 'node:fs'
import { exit } from 'node:process'
import {
  type CrashReport,
  genServer,
  onEvent,
  type Pid,
  process as rawProcess,
  type Self,
  supervisor,
} from 'beamish'

interface Kind {
  readonly stray: NonNullable<CrashReport['stray']>
  leave(self: Self, error: Error): void
}

const fail = (error: Error) => (): never => {
  throw error
}
const forgotten = async (error: Error, after: Promise<unknown>): Promise<void> => {
  await after
  throw error
}

/** What can be left behind, and what the report must call it. */
export const kinds = {
  'a timer': {
    stray: 'uncaughtException',
    leave: (_, error) => void setTimeout(fail(error), 1),
  },
  'an interval': {
    stray: 'uncaughtException',
    leave: (_, error) => {
      const interval = setInterval(() => {
        clearInterval(interval)
        throw error
      }, 1)
    },
  },
  'an immediate in an immediate': {
    stray: 'uncaughtException',
    leave: (_, error) => void setImmediate(() => setImmediate(fail(error))),
  },
  'a tick': { stray: 'uncaughtException', leave: (_, error) => process.nextTick(fail(error)) },
  'a microtask': { stray: 'uncaughtException', leave: (_, error) => queueMicrotask(fail(error)) },
  'an emitter without an error listener': {
    stray: 'uncaughtException',
    leave: (_, error) => {
      const emitter = new EventEmitter()
      setTimeout(() => emitter.emit('error', error), 1)
    },
  },
  'a forgotten function that throws at once': {
    stray: 'unhandledRejection',
    leave: (_, error) => void (async () => fail(error)())(),
  },
  'a forgotten await of the runtime': {
    stray: 'unhandledRejection',
    leave: (self, error) => void forgotten(error, self.sleep(1)),
  },
  'a forgotten await of Node': {
    stray: 'unhandledRejection',
    leave: (_, error) => void forgotten(error, new Promise((resolve) => setTimeout(resolve, 1))),
  },
  'a rejected promise': {
    stray: 'unhandledRejection',
    leave: (_, error) => void Promise.reject(error),
  },
  'process.exit in a timer': {
    stray: 'process.exit',
    leave: () => void setTimeout(() => process.exit(4), 1),
  },
  'exit of node:process in a forgotten function': {
    stray: 'process.exit',
    leave: () =>
      void (async () => {
        await new Promise((resolve) => setTimeout(resolve, 1))
        exit(4)
      })(),
  },
} satisfies Record<string, Kind>

const trap = fail(new Error('a trap'))
const revoked = (target: object): object => {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

/** What throws when it is looked at. */
export const hostile = {
  'an error with a stack that throws': () =>
    Object.defineProperty(new Error('x'), 'stack', { get: trap }),
  'an error with a message that throws': () =>
    Object.defineProperty(new Error('x'), 'message', { get: trap }),
  'a proxy that throws': () => new Proxy({}, { get: trap, has: trap, getPrototypeOf: trap }),
  'a revoked proxy': () => revoked({}),
  'a revoked error': () => revoked(new Error('x')),
  'a revoked function': () => revoked(trap),
} satisfies Record<string, () => unknown>

export type Hostile = keyof typeof hostile

export type KindName = keyof typeof kinds

export interface Order {
  readonly kind: KindName
  readonly when: 'at once' | 'after an await'
}

/** Leaves something of a kind behind; its error names the kind. */
export async function carryOut(self: Self, { kind, when }: Order): Promise<void> {
  if (when === 'after an await') await self.sleep(1)
  kinds[kind].leave(self, new Error(kind))
}

const leaver = (name: string, containStrays: boolean) =>
  genServer(name, {
    containStrays,
    init(first: Order | 'exit' | undefined, self): Promise<void> | undefined {
      if (first === 'exit') process.exit(4)
      return first === undefined ? undefined : carryOut(self, first)
    },
    handleCast: {
      leave: (_state, order: Order, self) => void carryOut(self, order),
      leaveHostile(_state, { what, rejected }: { what: Hostile; rejected: boolean }) {
        const value = hostile[what]()
        if (rejected) void Promise.reject(value)
        else setTimeout(fail(value as Error), 1)
      },
      /** Not a stray: in the handler itself. */
      exit: (_state, code: number) => process.exit(code),
      exitCaught() {
        try {
          process.exit(4)
        } catch {
          // As code that catches everything does.
        }
      },
      /** From a process that contains its strays to one that may not, in the same turn. */
      tell(_state, { to, order }: { to: Pid; order: Order }, self) {
        self.send(to, { type: 'leave', order })
      },
      spawnPlain(_state, order: Order, self) {
        self.spawn(Plain, order)
      },
      /** A call nobody awaits, of a process that this one ends. */
      callForgotten(_state, to: Pid, self) {
        void self.call(to as never, 'never' as never)
      },
      kill(_state, to: Pid, self) {
        self.exit(to, 'kill')
      },
      abortListener(_state, _: undefined, self) {
        self.signal.addEventListener('abort', fail(new Error('an abort listener')))
      },
      /** Its last act: what it left behind fails when it is gone. */
      leaveAndEnd(_state, order: Order, self) {
        void carryOut(self, order)
        self.exit('normal')
      },
      /** Its last act: what fails from then on, every millisecond. */
      failForEver(_state, _: undefined, self) {
        setInterval(fail(new Error('again')), 1)
        self.exit('normal')
      },
      function(_state, order: Order, self) {
        self.spawn(async (own) => {
          await carryOut(own, order)
          await own.receive()
        })
      },
    },
    handleCall: {
      /** Never answers. */
      never: (): Promise<never> => new Promise(() => {}),
    },
    handleInfo: {
      leave: (_state, { order }: { order: Order }, self) => void carryOut(self, order),
    },
    terminate: () => terminated++,
  })

let terminated = 0

export const Contained = leaver('test.contained', true)
export const Plain = leaver('test.plain', false)

export const ContainedRaw = rawProcess(
  'test.containedRaw',
  async (self, first: Order | undefined) => {
    if (first !== undefined) await carryOut(self, first)
    for (;;) {
      const { order } = (await self.receive()) as { order: Order }
      void carryOut(self, order)
    }
  },
  { containStrays: true },
)

/** What was published on this thread and not yet asked for. */
class Published {
  readonly #all: unknown[] = []
  #waiting: (() => void) | undefined

  push(event: unknown): void {
    this.#all.push(event)
    this.#waiting?.()
  }

  take(): unknown[] {
    return this.#all.splice(0)
  }

  /** What there is, once there is something. */
  async next(): Promise<unknown[]> {
    if (this.#all.length === 0) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
    return this.take()
  }
}
// As an app does that cleans up when its thread ends.
const notes = process.env.BEAMISH_TEST_NOTES
if (notes !== undefined) process.on('exit', () => appendFileSync(notes, 'exit\n'))

const crashes = new Published()
onEvent('crash', (report) => crashes.push(report))
const notices = new Published()
onEvent('notice', (notice) => notices.push(notice))
const timedNotices = new Published()
onEvent('notice', (notice) => timedNotices.push({ ...notice, at: performance.now() }))

/** Tells what this thread was told, each thing once. */
export const Witness = genServer('test.witness', {
  init: (_: undefined) => undefined,
  handleCall: {
    crashes: () => crashes.take(),
    nextCrashes: () => crashes.next(),
    notices: () => notices.take(),
    nextNotices: () => notices.next(),
    failAtCrashes(): void {
      onEvent('crash', fail(new Error('a metric is broken')))
    },
    timedNotices: () => timedNotices.next(),
    terminated: (): number => terminated,
    /** Timers of a millisecond have rung by then. */
    async later(_state, _: undefined, self): Promise<void> {
      await self.sleep(5)
    },
    /** The app listens itself from here on. */
    listen(): void {
      process.on('uncaughtException', () => {})
    },
    listenAndThrow(): void {
      process.on('uncaughtException', fail(new Error('the listener of the app')))
    },
  },
})

export default supervisor({ children: [Witness.child(undefined, { name: 'witness' })] })
