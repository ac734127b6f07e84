/** Does what takes long, beside the channels on whichever thread has least to do, and answers their clients itself. */
import { process } from 'beamish'
import { replyTo, type SocketRef } from 'beamish/channels'

interface Job {
  readonly ref: SocketRef
  readonly ms: number
}

export const Work = process('tour.work', async (self, { ref, ms }: Job) => {
  await self.sleep(ms)
  replyTo(self, ref, 'ok', { done: true, scheduler: self.scheduler })
})
