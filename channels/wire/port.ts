/**
 * The transports of a thread, by pid. Like an Erlang port, a socket may be written to by whoever owns a channel on it: a
 * frame for a transport on the channel's own thread goes into its queue at once, and not by way of its mailbox. All that one
 * channel sends takes the one way or the other, so its order holds; and so does what others send for it, by an inlet.
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

/** Where others write for a channel: the process, and the reference there, of an inlet. Plain data. */
export interface Via {
  readonly via: Pid
  readonly inlet: Ref
}

/**
 * Takes what others write for a channel on the channel's thread, when it arrives and not when somebody has a turn: from any
 * thread in the order of all that its writer sends, so that what the channel sends on account of it comes later. To the kernel
 * it is a call that may be answered for ever.
 */
class Inlet implements Pending {
  readonly scheduler: number
  readonly standing = true
  readonly port: Pick<TransportPort, 'fromChannel'>
  readonly ref: Ref

  /** Ends with the process of `self`. */
  constructor(self: Self, port: Pick<TransportPort, 'fromChannel'>) {
    const { scheduler } = localNode(self)
    this.scheduler = scheduler.id
    this.port = port
    this.ref = scheduler.refs.next()
    SelfClass.processOf(self).pendingOrNew().set(this.ref, this)
  }

  reply(message: unknown): void {
    this.port.fromChannel(message as ToTransport)
  }

  down(): void {}
  abandon(): void {}
}

interface Here {
  readonly port: TransportPort
  readonly inlet: Ref
}

const transports = new WeakMap<Scheduler, Map<Pid, Here>>()

const here = (self: Self, pid: Pid): Here | undefined =>
  transports.get(localNode(self).scheduler)?.get(pid)

/** The transport of this pid, if it runs on the thread of `self`. */
export const transportHere = (self: Self, pid: Pid): TransportPort | undefined =>
  here(self, pid)?.port

/**
 * What takes frames from whoever answers for the channel `self`: its transport beside it; or, for one on another thread, an
 * inlet that this makes at the channel, which sends them on as the channel's own.
 */
export function viaFor(self: Self, transport: Pid): Via {
  const beside = here(self, transport)
  if (beside !== undefined) return { via: transport, inlet: beside.inlet }
  const own = new Inlet(self, { fromChannel: (message) => self.send(transport, message) })
  return { via: self.pid, inlet: own.ref }
}

/** From now on the transport is reached directly, until the function this returns is called. */
export function openPort(self: Self, port: TransportPort): () => void {
  const { scheduler } = localNode(self)
  let all = transports.get(scheduler)
  if (all === undefined) {
    all = new Map()
    transports.set(scheduler, all)
  }
  const mine = all
  mine.set(self.pid, { port, inlet: new Inlet(self, port).ref })
  return () => {
    mine.delete(self.pid)
  }
}
