/** The end of an endpoint's sockets when its node or thread stops. */
import { BeamishError, type Pid, type Self } from '../../runtime/index.ts'

/** How sockets are told to go when a node stops: so many in one step, and the pause to the next. Their clients do not all return at once. */
export interface DrainPace {
  readonly batchSize: number
  readonly pauseMs: number
}

const DEFAULT_PACE: DrainPace = { batchSize: 200, pauseMs: 20 }
/** How often it is looked whether all are gone. */
const LOOK_MS = 20

/** The pace given, over the default. @throws BEAMISH_BAD_OPTION */
export function drainPace(given: Partial<DrainPace> | false | undefined): DrainPace | false {
  if (given === false) return false
  const pace = { ...DEFAULT_PACE, ...given }
  for (const [name, least] of [
    ['batchSize', 1],
    ['pauseMs', 0],
  ] as const) {
    if (Number.isInteger(pace[name]) && pace[name] >= least) continue
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: `drain.${name}`,
      got: String(pace[name]),
      fix: `give a whole number from ${least} up`,
    })
  }
  return pace
}

/** Tells those whose connect has not answered yet that it is not waited for: all that is done where sockets are not drained. */
export async function refuseConnecting(self: Self, transports: Pid): Promise<void> {
  for (const { pid } of await childrenOf(self, transports)) {
    self.send(pid, { type: 'phx:stopping' })
  }
}

const childrenOf = async (self: Self, of: Pid): Promise<readonly { readonly pid: Pid }[]> =>
  (await self.call(of, 'whichChildren')) as { readonly pid: Pid }[]

/** Tells every transport to go, a batch at a time, and waits until none is left. */
export async function drain(
  self: Self,
  transports: Pid,
  channels: Pid,
  { batchSize, pauseMs }: DrainPace,
  timeoutMs: number,
): Promise<void> {
  const deadline = self.now() + timeoutMs
  const children = await childrenOf(self, transports)
  for (let i = 0; i < children.length; i += batchSize) {
    for (const { pid } of children.slice(i, i + batchSize)) self.send(pid, { type: 'phx:drain' })
    if (i + batchSize < children.length) {
      await self.sleep(Math.min(pauseMs, Math.max(0, deadline - self.now())))
    }
  }
  for (;;) {
    const [sockets, pages] = (await Promise.all([
      self.call(transports, 'countChildren'),
      self.call(channels, 'countChildren'),
    ])) as { readonly active: number }[]
    if ((sockets?.active === 0 && pages?.active === 0) || self.now() >= deadline) return
    await self.sleep(LOOK_MS)
  }
}
