/**
 * What a thread knows of the presences of one tracker. It is kept beside the tracker's process: any process of the thread reads
 * it without a call, and a tracker that is restarted finds whom the one before had tracked.
 */
import type { Self } from '../../runtime/index.ts'
import { Self as Context } from '../../runtime/process/self.ts'
import type { Orswot } from './orswot.ts'
import { Pending } from './pending.ts'

/** A meta as its tracker keeps it. */
export type Tracked<M> = M & { readonly phx_ref: string; readonly phx_ref_prev?: string }

export interface Store<M> {
  /** Undefined until a tracker of this thread has started. */
  set: Orswot<Tracked<M>> | undefined
  /** What is to be told, to handleDiff say. */
  readonly pending: Pending<Tracked<M>>
  /** What a layer above keeps for as long. */
  above: unknown
}

/** By scheduler, of which a thread may hold several in tests. */
const stores = new WeakMap<object, Map<string, Store<never>>>()

export function storeOf<M>(self: Self, tracker: string): Store<M> {
  const { scheduler } = Context.processOf(self)
  let named = stores.get(scheduler)
  if (named === undefined) {
    named = new Map()
    stores.set(scheduler, named)
  }
  let store = named.get(tracker) as Store<M> | undefined
  if (store === undefined) {
    store = { set: undefined, pending: new Pending(), above: undefined }
    named.set(tracker, store as never)
  }
  return store
}

/** Ids of all scheduler threads this process can send to, its own first. */
export function schedulersNear(self: Self): number[] {
  const { scheduler } = Context.processOf(self)
  return [scheduler.id, ...scheduler.peers.ids()]
}
