/**
 * The transports of a thread, by pid. Like an Erlang port, a socket may be written to by whoever owns a channel on it: a
 * frame for a transport on the channel's own thread goes into its queue at once, and not by way of its mailbox. All that one
 * channel sends takes the one way or the other, so its order holds; and so does what others send for it, by its inlet.
 */
import type { Pid, Ref, Self } from '../../runtime/index.ts'
import { localNode } from '../../runtime/node/local.ts'
import type { Pending } from '../../runtime/process/process.ts'
import { Self as SelfClass } from '../../runtime/process/self.ts'
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

/**
 * Takes what others write for a channel beside its transport, when it arrives and not when the transport has a turn: from any
 * thread in the order of all that its writer sends, so that what the channel sends on account of it comes later. To the kernel
 * it is a call that may be answered for ever.
 */
class Inlet implements Pending {
  readonly scheduler: number
  readonly standing = true
  readonly port: TransportPort
  readonly ref: Ref

  constructor(scheduler: number, port: TransportPort, ref: Ref) {
    this.scheduler = scheduler
    this.port = port
    this.ref = ref
  }

  reply(message: unknown): void {
    this.port.fromChannel(message as ToTransport)
  }

  down(): void {}
  abandon(): void {}
}

const inlets = new WeakMap<Scheduler, Map<Pid, Inlet>>()

const inletHere = (self: Self, pid: Pid): Inlet | undefined =>
  inlets.get(localNode(self).scheduler)?.get(pid)

/** The transport of this pid, if it runs on the thread of `self`. */
export const transportHere = (self: Self, pid: Pid): TransportPort | undefined =>
  inletHere(self, pid)?.port

/** What a transport beside the channel `self` takes frames by, from whoever answers for that channel. */
export const inletOf = (self: Self, transport: Pid): Ref | undefined =>
  inletHere(self, transport)?.ref

/** From now on the transport is reached directly, until the function this returns is called. */
export function openPort(self: Self, port: TransportPort): () => void {
  const { scheduler } = localNode(self)
  let here = inlets.get(scheduler)
  if (here === undefined) {
    here = new Map()
    inlets.set(scheduler, here)
  }
  const inlet = new Inlet(scheduler.id, port, scheduler.refs.next())
  SelfClass.processOf(self).pendingOrNew().set(inlet.ref, inlet)
  here.set(self.pid, inlet)
  return () => {
    here.delete(self.pid)
  }
}
