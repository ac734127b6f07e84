// Presences of several kinds, and guests that are tracked, listen, and act on their own thread.
import {
  type BeamishError,
  type BroadcastMessage,
  genServer,
  type Pid,
  type Self,
  supervisor,
} from 'beamish'
import {
  type PresenceDiff,
  type Presences,
  presence,
  tracker,
} from '../../../channels/presence/index.ts'

export interface Meta {
  readonly n?: number
  readonly status?: string
}

export const Here = presence<Meta>('test-here')

/** What cannot go to every thread, or to clients; the last word says which. */
export function bad(what: string): unknown {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  const all: Record<string, unknown> = { function: () => {}, bigint: 10n, cycle, fine: 1 }
  return all[what.split(' ').at(-1) as string]
}

/** Names from a table; the topic says how the asking goes. */
export const Named = presence<Meta>('test-named', {
  fetchTimeoutMs: 50,
  fetch: async (topic, presences, self) => {
    if (topic === 'fails') throw new Error('no table')
    if (topic === 'hangs') await self.sleep(Number.POSITIVE_INFINITY)
    if (topic === 'rude')
      return {
        stranger: {},
        ...Object.fromEntries(Object.keys(presences).map((key) => [key, { metas: [] }])),
      }
    if (topic.startsWith('untold ')) {
      return Object.fromEntries(Object.keys(presences).map((key) => [key, { more: bad(topic) }]))
    }
    return Object.fromEntries(
      Object.keys(presences).map((key) => [key, { name: `name of ${key}` }]),
    )
  },
})

/** Nobody has put its child anywhere. */
export const Forgotten = presence<Meta>('test-forgotten')

/** Its fetch never answers where the topic says so, and few may wait for it. */
export const Impatient = presence<Meta>('test-impatient', {
  fetchTimeoutMs: 2 ** 31 - 1,
  maxWaiting: 3,
  fetch: async (topic, _presences, self) => {
    if (topic.startsWith('never')) await self.sleep(Number.POSITIVE_INFINITY)
    return {}
  },
})

interface Heard {
  readonly topic: string
  readonly joins: readonly string[]
  readonly leaves: readonly string[]
  readonly after: Readonly<Record<string, number>>
}

/** What handleMetas heard, for the test to read. */
const heard: Heard[] = []
const names = (presences: Presences<Meta>): string[] =>
  Object.keys(presences).flatMap((key) => presences[key]!.metas.map(({ n }) => `${key}${n}`))

/** Once per thread. */
let crashed = false

export const Counted = presence<Meta, { total: number }>('test-counted', {
  init: () => ({ total: 0 }),
  handleMetas(topic, { joins, leaves }, presences, state) {
    if (Object.hasOwn(joins, 'crash') && !crashed) {
      crashed = true
      throw new Error('as ordered')
    }
    state.total += names(joins).length - names(leaves).length
    const after = Object.fromEntries([...presences].map(([key, metas]) => [key, metas.length]))
    heard.push({
      topic,
      joins: names(joins),
      leaves: names(leaves),
      after: { ...after, total: state.total },
    })
  },
})

export const Sizes = presence<Meta>('test-sizes', { maxDiffSize: 100 })

const changes: unknown[] = []
export const Rooms = tracker<Meta>('test-rooms', {
  handleDiff(diff) {
    for (const [topic, { joins, leaves }] of diff) {
      changes.push([topic, joins.map(([key]) => key), leaves.map(([key]) => key)])
    }
  },
})

const kinds = { Here, Named, Counted, Sizes }
export type Kind = keyof typeof kinds

interface GuestState {
  readonly diffs: Map<string, PresenceDiff<Meta>[]>
}

export const Guest = genServer('test-guest', {
  init: (_argument: undefined): GuestState => ({ diffs: new Map() }),
  handleCall: {
    async listen(state, topic: string, self) {
      self.subscribe(topic)
      state.diffs.set(topic, [])
    },
    diffs: (state, topic: string) => [...(state.diffs.get(topic) ?? [])],
    list: (
      _state,
      { kind, topic }: { kind: Kind; topic: string },
      self,
    ): Promise<Presences<Meta>> => kinds[kind].list(self, topic),
    /** Tracks or updates itself with what may be none; on its own thread nothing is copied on the way. */
    async tries(
      _state,
      { how, topic, what }: { how: 'track' | 'update' | 'updateBy'; topic: string; what: string },
      self,
    ): Promise<string> {
      const meta = { n: bad(what) } as Meta
      const one = what.startsWith('room') ? Rooms : Here
      try {
        const argument = how === 'updateBy' ? () => meta : meta
        const { ok } =
          how === 'track'
            ? await one.track(self, topic, self.pid, 'me', meta)
            : await one.update(self, topic, self.pid, 'me', argument)
        return String(ok)
      } catch (error) {
        const { code, message } = error as BeamishError
        return `${code} ${message}`
      }
    },
    /** Tracks itself, and changes its meta behind the back of the tracker. */
    async meddles(_state, topic: string, self) {
      const meta = { n: 1, status: 'here', nested: { n: 1 } }
      await Here.track(self, topic, self.pid, 'me', meta)
      meta.nested.n = 2
      await Here.update(self, topic, self.pid, 'me', (old) => {
        Object.assign(old, { status: 'changed in place', save: () => {} })
        return { n: 2 }
      })
    },
    /** Adds one to its meta that often, all at once. */
    async adds(_state, { topic, pid, times }: { topic: string; pid: Pid; times: number }, self) {
      const add = () =>
        Here.update(self, topic, pid, 'me', ({ n = 0 }) => {
          if (n % 7 === 3 && self.random() < 0.2) throw new Error('not now')
          return { n: n + 1 }
        })
      const all = await Promise.allSettled(Array.from({ length: times }, add))
      return {
        done: all.filter((one) => one.status === 'fulfilled' && one.value.ok).length,
        failed: all.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])),
      }
    },
    /** How many joins and leaves each diff had. */
    sizes: (state, topic: string): number[] =>
      (state.diffs.get(topic) ?? []).map(
        ({ joins, leaves }) => names(joins).length + names(leaves).length,
      ),
    count: async (_state, topic: string, self): Promise<number> =>
      Object.keys(await Sizes.list(self, topic)).length,
    heard: (): readonly Heard[] => [...heard],
    changes: (): readonly unknown[] => [...changes],
    /** Tracks so many processes of its own, each under a key of its own; answers their pids. */
    async crowd(_state, { topic, count }: { topic: string; count: number }, self) {
      const pids = Array.from({ length: count }, () => self.spawn(idle))
      const results = await Promise.all(
        pids.map((pid, n) => Sizes.track(self, topic, pid, `user ${n}`, { n })),
      )
      return { pids, tracked: results.filter(({ ok }) => ok).length }
    },
    kill(_state, pids: readonly Pid[], self) {
      for (const pid of pids) self.exit(pid, 'kill')
    },
  },
  handleInfo: {
    broadcast(state, { topic, event, payload }: BroadcastMessage) {
      if (event === 'presence_diff') state.diffs.get(topic)?.push(payload as PresenceDiff<Meta>)
    },
  },
})

async function idle(self: Self): Promise<void> {
  await self.receive()
}

export default supervisor({
  children: [
    Here.child(),
    Named.child(),
    Impatient.child(),
    Counted.child(),
    Sizes.child(),
    Rooms.child(),
  ],
})
