/**
 * What a flood at one process costs its neighbours on the same thread: the time a call to another process takes, without a
 * flood, with one at a mailbox without limit, and with one at a mailbox that drops what is too much.
 */
import { genServer, type MailboxOptions, type Pid, process, start, supervisor } from 'beamish'

const CALLS = 5_000
/** Casts per turn of the flooder: more than the flooded one handles in the same time. */
const BURST = 1_000

const Flooded = genServer('bench.flooded', {
  init: (_: undefined) => ({ sum: 0 }),
  handleCast: {
    /** Some microseconds of work. */
    work(state, n: number) {
      for (let i = 0; i < 2_000; i++) state.sum = (state.sum * 31 + n + i) | 0
    },
  },
})

const Echo = genServer('bench.echo', {
  init: (_: undefined) => undefined,
  handleCall: { echo: (_state, n: number) => n },
})

const Flooder = process('bench.flooder', async (self, to: Pid) => {
  for (;;) {
    for (let i = 0; i < BURST; i++) self.cast(to, 'work', i)
    self.send(self.pid, 'again')
    await self.receive()
    // Its next burst comes when all others have had their turn.
    await self.sleep(0)
  }
})

interface Latency {
  readonly p50Us: number
  readonly p99Us: number
  readonly maxUs: number
  readonly waiting: number
  readonly dropped: number
}

const Driver = genServer('bench.overloadDriver', {
  init: (_: undefined) => undefined,
  handleCall: {
    async measure(
      _state,
      { flood, mailbox }: { flood: boolean; mailbox: MailboxOptions | undefined },
      self,
    ): Promise<Latency> {
      const flooded = self.spawn(Flooded, undefined, { mailbox })
      const echo = self.spawn(Echo, undefined)
      const flooder = flood ? self.spawn(Flooder, flooded) : undefined
      const times: number[] = []
      for (let i = 0; i < CALLS; i++) {
        const begun = performance.now()
        await self.call(echo, 'echo', i, { timeoutMs: 60_000 })
        times.push((performance.now() - begun) * 1_000)
        // As a client would: not one call in the same turn as the answer to the last.
        if (i % 10 === 0) await self.sleep(0)
      }
      const info = await self.info(flooded)
      for (const pid of [flooder, flooded, echo]) if (pid !== undefined) self.exit(pid, 'kill')
      times.sort((a, b) => a - b)
      const at = (share: number): number =>
        Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] as number)
      return {
        p50Us: at(0.5),
        p99Us: at(0.99),
        maxUs: at(1),
        waiting: info?.mailboxLength ?? 0,
        dropped: info?.dropped ?? 0,
      }
    },
  },
})

export default supervisor({ children: [Driver.child(undefined, { name: 'overload-driver' })] })

export async function run(): Promise<void> {
  const node = await start(import.meta.url, { schedulers: 1, log: false })
  const driver = Driver.named('overload-driver')
  const measure = (flood: boolean, mailbox?: MailboxOptions): Promise<Latency> =>
    node.self.call(driver, 'measure', { flood, mailbox }, { timeoutMs: 120_000 })
  await measure(false)
  const rows = {
    'no flood': await measure(false),
    'flood, no limit': await measure(true),
    'flood, maxLength 1,000': await measure(true, { maxLength: 1_000, policy: 'drop_newest' }),
  }
  await node.stop()
  console.table(rows)
}
