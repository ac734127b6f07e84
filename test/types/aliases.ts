// Aliases are destinations of messages, and nothing else. Checked by tsc.
import { type Alias, type DownMessage, genServer, type Pid, type Ref, type Self } from 'beamish'

genServer('types.tagged', {
  init: () => 0,
  handleInfo: {
    gone: (_state, message: DownMessage<'gone'>) => {
      const type: 'gone' = message.type
      const ref: Ref = message.ref
      return void [type, ref]
    },
  },
})

export function aliases(self: Self, other: Pid): void {
  const plain: Ref = self.monitor(other)
  const tagged: Ref = self.monitor('name', { tag: 'gone' })
  const alias: Alias = self.monitor(other, { alias: 'reply_demonitor', tag: 'gone' })
  // @ts-expect-error with an alias the answer is the alias, its ref is the monitor's
  const wrong: Ref = self.monitor(other, { alias: 'demonitor' })
  // @ts-expect-error reply is a mode of alias() only
  self.monitor(other, { alias: 'reply' })
  self.demonitor(alias.ref)
  self.send(self.alias({ reply: true }), { from: alias })
  self.sendAfter(10, 'late', alias)
  const was: boolean = self.unalias(alias)
  // @ts-expect-error a call goes to a pid or a name
  void self.call(alias, 'read')
  // @ts-expect-error so does a cast
  self.cast(alias, 'add')
  // @ts-expect-error a reference alone is no alias
  self.send(plain, 'lost')
  void [tagged, wrong, was]
}
