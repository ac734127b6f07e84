// Presences of several kinds, and guests that are tracked, listen, and act on their own thread.
import { type BroadcastMessage, genServer, type Pid, type Self, supervisor } from 'beamish'
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
    return Object.fromEntries(
      Object.keys(presences).map((key) => [key, { name: `name of ${key}` }]),
    )
  },
})

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
