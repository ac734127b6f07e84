/** Does what takes long on another thread than the channel's, if there is one, and answers its client itself. */
import {
  genServer,
  type Name,
  type PartitionSupervisor,
  partitionSupervisor,
  process,
  type Self,
} from 'beamish'
import { replyTo, type SocketRef } from 'beamish/channels'

interface Job {
  /** undefined: the client waits for no answer. */
  readonly ref: SocketRef | undefined
  readonly ms: number
}

const Work = process('tour.work', async (self, { ref, ms }: Job) => {
  await self.sleep(ms)
  if (ref !== undefined) replyTo(self, ref, 'ok', { done: true, scheduler: self.scheduler })
})

/** Gives each job a process of its own: one that takes long holds up no other. */
const Foreman = genServer('tour.foreman', {
  init: () => 0,
  handleCast: {
    work(_state, job: Job, self) {
      self.spawn(Work, job)
    },
  },
})

/** One foreman on each thread, for the supervisor of the app. */
export const foremen: PartitionSupervisor = partitionSupervisor(Foreman.child(undefined), {
  name: 'tour.foremen',
})

/** Has it done elsewhere. */
export function workElsewhere(self: Self, job: Job): void {
  const local = foremen.local(self)
  const all: Name[] = Array.from({ length: foremen.count(self) }, (_, n) => foremen.via(self, n))
  const others = all.filter((name) => name !== local)
  const name = others[Math.floor(self.random() * others.length)] ?? local
  self.cast(Foreman.named(name), 'work', job)
}
