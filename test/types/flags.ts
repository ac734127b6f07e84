// What a process may be born with, wherever it is said. Checked by tsc.
import { dynamicSupervisor, genServer, type Pid, process, type Self, supervisor } from 'beamish'

const Limited = genServer('types.limited', {
  mailbox: { maxLength: 100, policy: 'drop_oldest' },
  priority: 'low',
  init: (_: undefined) => 0,
})
const Raw = process('types.limitedRaw', () => {}, {
  maxHeapBytes: 1_000,
  mailbox: { highWater: 5 },
})
// @ts-expect-error no such policy
Limited.child(undefined, { mailbox: { policy: 'drop' } })
// @ts-expect-error no such priority
Limited.child(undefined, { priority: 'max' })

supervisor({
  autoShutdown: 'any_significant',
  children: [
    Limited.child(undefined, { restart: 'transient', significant: true, priority: 'high' }),
    dynamicSupervisor({ extraArguments: { repo: 'main' } }),
  ],
})
// @ts-expect-error no such mode
supervisor({ autoShutdown: 'always', children: [] })

export function flags(self: Self): void {
  const pid: Pid = self.spawn(Raw, undefined, { mailbox: { policy: 'exit' }, priority: 'high' })
  const before: 'low' | 'normal' | 'high' = self.priority('low')
  const leader: Pid | undefined = self.groupLeader
  self.groupLeader = pid
  const value: unknown = self.dictionary.get('key')
  void [before, leader, value]
}
