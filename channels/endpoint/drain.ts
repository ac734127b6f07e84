/** The end of an endpoint's sockets when its node or thread stops. */
import type { Pid, Self } from '../../runtime/index.ts'

/** Sockets told to go in one step of a drain, and the pause to the next: their clients do not all return at once. */
const DRAIN_BATCH = 200
const DRAIN_PAUSE_MS = 20

/** Tells every transport to go, a batch at a time, and waits until none is left. */
export async function drain(
  self: Self,
  transports: Pid,
  channels: Pid,
  timeoutMs: number,
): Promise<void> {
  const deadline = self.now() + timeoutMs
  const children = (await self.call(transports, 'whichChildren')) as { readonly pid: Pid }[]
  for (let i = 0; i < children.length; i += DRAIN_BATCH) {
    for (const { pid } of children.slice(i, i + DRAIN_BATCH)) self.send(pid, { type: 'phx:drain' })
    if (i + DRAIN_BATCH < children.length) await self.sleep(DRAIN_PAUSE_MS)
  }
  for (;;) {
    const [sockets, pages] = (await Promise.all([
      self.call(transports, 'countChildren'),
      self.call(channels, 'countChildren'),
    ])) as { readonly active: number }[]
    if ((sockets?.active === 0 && pages?.active === 0) || self.now() >= deadline) return
    await self.sleep(DRAIN_PAUSE_MS)
  }
}
