/**
 * The transports of a thread, by pid. Like an Erlang port, a socket may be written to by whoever owns a channel on it: a
 * frame for a transport on the channel's own thread goes into its queue at once, and not by way of its mailbox. All that one
 * channel sends takes the one way or the other, so its order holds.
 */
import type { Pid, Self } from '../../runtime/index.ts'
import { localNode } from '../../runtime/node/local.ts'
import type { Scheduler } from '../../runtime/scheduler/scheduler.ts'
import type { ToTransport } from './link.ts'
import type { Frame } from './serializer.ts'

/** A transport, as its channels reach it. */
export interface TransportPort {
  fromChannel(message: ToTransport): void
  /** The place of one join on it; undefined: there is none any more. */
  lane(id: number): FrameLane | undefined
}

/** Takes the frames of one join. */
export interface FrameLane {
  frame(frame: Frame, spare: boolean, event: string): void
}

const ports = new WeakMap<Scheduler, Map<Pid, TransportPort>>()

/** The transport of this pid, if it runs on the thread of `self`. */
export const transportHere = (self: Self, pid: Pid): TransportPort | undefined =>
  ports.get(localNode(self).scheduler)?.get(pid)

/** From now on the transport is reached directly, until the function this returns is called. */
export function openPort(self: Self, port: TransportPort): () => void {
  const { scheduler } = localNode(self)
  let here = ports.get(scheduler)
  if (here === undefined) {
    here = new Map()
    ports.set(scheduler, here)
  }
  here.set(self.pid, port)
  return () => {
    here.delete(self.pid)
  }
}
