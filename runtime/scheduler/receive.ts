/** What arrives from other schedulers, signal by signal, in the order it was sent. */
import type { ExitReason } from '../exit/reason.ts'
import {
  BroadcastMessage,
  CallMessage,
  CastMessage,
  StopMessage,
  SystemMessage,
  type SystemRequest,
} from '../process/messages.ts'
import { NO_PID, type Pid, type Ref, schedulerOf } from '../process/pid.ts'
import type { StartResult } from '../process/process.ts'
import { systemDelivered } from '../sys/attended.ts'
import { aliasReceived } from './aliases.ts'
import { ARITY, Op } from './ops.ts'
import { answerQuery, type Query } from './queries.ts'
import type { Scheduler } from './scheduler.ts'
import {
  downReceived,
  exitSignal,
  linkExitReceived,
  linkReceived,
  schedulerLost,
  unlinkReceived,
} from './signals.ts'
import { type RemoteSpawn, spawnedReceived, spawnReceived } from './starts.ts'

/** A batch from the scheduler `peer`. Main's port is emptied first: what it announced comes before what follows from it. */
export function receiveBatch(scheduler: Scheduler, peer: number, batch: readonly unknown[]): void {
  if (peer !== 0) scheduler.peers.drainMain()
  for (let at = 0; at < batch.length; at += ARITY[batch[at] as number] as number) {
    signal(scheduler, peer, batch, at)
  }
}

function signal(s: Scheduler, peer: number, batch: readonly unknown[], at: number): void {
  const from = batch[at + 1] as Pid
  const a = batch[at + 2]
  const b = batch[at + 3]
  s.tracer?.receives(batch, at)
  switch (batch[at]) {
    case Op.Send: {
      const process = s.find(a as Pid)
      if (process !== undefined) s.deliver(process, b)
      return
    }
    case Op.Cast: {
      const process = s.find(a as Pid)
      if (process !== undefined) s.deliver(process, new CastMessage(b as string, batch[at + 4]))
      return
    }
    case Op.Call: {
      const process = s.find(a as Pid)
      if (process === undefined) {
        s.peers.push5(schedulerOf(from), Op.Down, a as Pid, from, b, 'noproc')
        return
      }
      process.watchersOrNew().set(b as Ref, from)
      const message = new CallMessage(from, b as Ref, batch[at + 4] as string, batch[at + 5])
      s.deliver(process, message)
      return
    }
    case Op.Reply:
      s.answered(a as Pid, b as Ref, batch[at + 4], batch[at + 5] === 1)
      return
    case Op.Exit: {
      const process = s.find(a as Pid)
      if (process !== undefined) exitSignal(s, process, from, b as ExitReason, 'exit')
      return
    }
    case Op.Link:
      linkReceived(s, a as Pid, from, b as number)
      return
    case Op.Unlink:
      unlinkReceived(s, a as Pid, from, { mine: b as number, theirs: batch[at + 4] as number })
      return
    case Op.LinkExit: {
      const view = { mine: b as number, theirs: batch[at + 4] as number }
      linkExitReceived(s, a as Pid, from, view, batch[at + 5] as ExitReason)
      return
    }
    case Op.Monitor: {
      const process = s.find(a as Pid)
      if (process !== undefined) process.watchersOrNew().set(b as Ref, from)
      else s.peers.push5(schedulerOf(from), Op.Down, a as Pid, from, b, 'noproc')
      return
    }
    case Op.Demonitor:
      s.find(a as Pid)?.watchers?.delete(b as Ref)
      return
    case Op.Down:
      downReceived(s, a as Pid, b as Ref, batch[at + 4] as ExitReason)
      return
    case Op.Spawn:
      spawnReceived(s, from, a as Ref, b as RemoteSpawn)
      return
    case Op.Spawned:
      spawnedReceived(s, a as Pid, b as Ref, batch[at + 4] as Pid, batch[at + 5] as ExitReason)
      return
    case Op.Started:
      s.find(a as Pid)
        ?.pending?.get(b as Ref)
        ?.reply(batch[at + 4] as StartResult, false)
      return
    case Op.NameSet:
      s.names.set(a as string, b as Pid)
      return
    case Op.NameGone:
      s.names.goneReceived(peer, a as string, b as Pid)
      return
    case Op.Broadcast: {
      const message = new BroadcastMessage(a as string, b as string, batch[at + 4])
      s.pubsub.dispatch(message, batch[at + 5] as Pid)
      return
    }
    case Op.Query: {
      const value = answerQuery(s, b as Query, batch[at + 4])
      const answer = (): void =>
        s.peers.push6(schedulerOf(from), Op.Reply, NO_PID, from, a, value, 0)
      // A name is on every port before the one who asked for it can speak of it.
      if (b === 'register') s.peers.afterFlush(answer)
      else answer()
      return
    }
    case Op.Lost:
      lost(s, a as number, b as ExitReason)
      return
    case Op.CancelTimer:
      s.clock.cancelRef(a as Ref)
      return
    case Op.Stop: {
      const process = s.find(a as Pid)
      if (process === undefined) {
        s.peers.push5(schedulerOf(from), Op.Down, a as Pid, from, b, 'noproc')
        return
      }
      process.watchersOrNew().set(b as Ref, from)
      const message = new StopMessage({ pid: from, ref: b as Ref }, batch[at + 4] as ExitReason)
      s.deliverUrgent(process, message)
      return
    }
    case Op.System: {
      const process = s.find(a as Pid)
      if (process === undefined) {
        s.peers.push5(schedulerOf(from), Op.Down, a as Pid, from, b, 'noproc')
        return
      }
      process.watchersOrNew().set(b as Ref, from)
      const request = batch[at + 4] as SystemRequest
      const message = new SystemMessage({ pid: from, ref: b as Ref }, request, batch[at + 5])
      systemDelivered(process, message)
      return
    }
    case Op.Dispatch:
      s.registries.dispatchHere(a as string, b as string | number, batch[at + 4])
      return
    case Op.SendAlias:
      aliasReceived(s, a as Pid, b as Ref, batch[at + 4])
      return
  }
}

/**
 * A thread is gone: what it still said is heard first, then everything that pointed there fires. The notice may come up
 * while one of its batches is in the works (each batch empties main's port first): that batch counts as said.
 */
export function lost(s: Scheduler, scheduler: number, reason: ExitReason): void {
  const port = s.peers.port(scheduler)
  const fire = (): void => {
    s.peers.disconnect(scheduler)
    schedulerLost(s, scheduler, reason)
  }
  if (port === undefined) fire()
  else port.drain(fire)
}

/** A signal for a scheduler that is gone: whoever expects an answer gets noproc. */
export function noSuchScheduler(s: Scheduler, op: number, from: Pid, a: unknown, b: unknown): void {
  switch (op) {
    case Op.Call:
    case Op.Monitor:
    case Op.Stop:
    case Op.System:
      downReceived(s, from, b as Ref, 'noproc')
      return
    case Op.Query:
      s.find(from)
        ?.pending?.get(a as Ref)
        ?.down('noproc')
      return
    case Op.Spawn:
      spawnedReceived(s, from, a as Ref, NO_PID, 'noproc')
      return
    case Op.Link: {
      const process = s.find(from)
      if (process === undefined) return
      process.links?.delete(a as Pid)
      exitSignal(s, process, a as Pid, 'noproc', 'link')
    }
  }
}
