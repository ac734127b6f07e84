// Processes that use registries as they are told, on any thread.
import {
  duplicateRegistry,
  genServer,
  noreply,
  type Self,
  supervisor,
  uniqueRegistry,
} from 'beamish'

const OPTIONS = { listeners: ['watch'] }
export const unique = uniqueRegistry<unknown>('unique', OPTIONS)
export const duplicate = duplicateRegistry<unknown>('duplicate', OPTIONS)
/** Without listeners. */
export const quiet = duplicateRegistry('quiet')
export const claims = uniqueRegistry<number>('claims')

type Key = string | number
type Order = readonly [name: string, ...args: unknown[]]

const orders: Record<string, (self: Self, ...args: never[]) => unknown> = {
  claim: (self, key: Key, value: unknown) =>
    unique.register(self, key, value).then(
      () => 'ok',
      (error: { code: string }) => error.code,
    ),
  giveUp: (self, key: Key) => unique.unregister(self, key),
  giveUpMatch: (self, key: Key, value: unknown) =>
    unique.unregisterMatch(self, key, (v) => v === value),
  change: (self, key: Key, value: unknown) => unique.updateValue(self, key, () => value) ?? 'error',
  find: (self, key: Key) => unique.lookup(self, key),
  join: (self, key: Key, value: unknown) => duplicate.register(self, key, value),
  leave: (self, key: Key) => duplicate.unregister(self, key),
  leaveMatch: (self, key: Key, value: unknown) =>
    duplicate.unregisterMatch(self, key, (v) => v === value),
  entries: (self, key: Key) => duplicate.lookup(self, key),
  count: async (self) => [await unique.count(self), await duplicate.count(self)],
  keys: async (self, pid: never) => [await unique.keys(self, pid), await duplicate.keys(self, pid)],
  values: async (self, key: Key) => [
    await unique.values(self, key),
    await duplicate.values(self, key),
  ],
  select: async (self) => [await unique.select(self), await duplicate.select(self)],
  putMeta: (self, key: string, value: unknown) => unique.putMeta(self, key, value),
  meta: (self, key: string) => unique.meta(self, key),
  /** Holds a lock until it is killed; says when it has it. */
  hold: (self, to: never, key: Key) =>
    void unique.lock(self, key, () => {
      self.send(to, { type: 'holds', pid: self.pid })
      return new Promise(() => {})
    }),
  /** Takes a lock, says so before and after a moment, and gives it back. */
  lock: (self, to: never, key: Key) =>
    unique.lock(self, key, async () => {
      self.send(to, { type: 'in', pid: self.pid })
      await self.sleep(1)
      self.send(to, { type: 'out', pid: self.pid })
      return 'done'
    }),
  impatient: (self, key: Key) =>
    unique
      .lock(self, key, () => 'in', { timeoutMs: 1 })
      .catch((e: { reason: { reason: unknown } }) => e.reason.reason),
}

export const Actor = genServer('test.registryActor', {
  init: (_: undefined) => ({ heard: [] as unknown[] }),
  handleCall: {
    async do(_state, [name, ...args]: Order, self) {
      return orders[name]?.(self, ...(args as never[]))
    },
    heard: (state) => state.heard.splice(0),
    echo: (_state, value: unknown) => value,
  },
  handleCast: {
    do(_state, [name, ...args]: Order, self) {
      orders[name]?.(self, ...(args as never[]))
    },
  },
  handleInfo: (state, message) => {
    state.heard.push(message)
    return noreply()
  },
})

export default supervisor({ children: [Actor.child(undefined, { name: 'watch' })] })
