import { genServer, type Pid, type Self, supervisor } from 'beamish'

export const Keeper = genServer('flags.keeper', {
  init: (_: undefined, self) => {
    self.dictionary.set('born', true)
    return { kept: [] as string[] }
  },
  handleCall: {
    put: (_state, [key, value]: readonly [string, unknown], self) => {
      const before = self.dictionary.get(key)
      self.dictionary.set(key, value)
      return before
    },
    get: (_state, key: string, self) => self.dictionary.get(key),
    leader: (_state, _: undefined, self) => self.groupLeader,
    lead(_state, leader: Pid | undefined, self) {
      self.groupLeader = leader
    },
    spawn: (_state, scheduler: number, self): Promise<Pid> => spawnKeeper(self, scheduler),
    keep(state, text: string) {
      state.kept.push(text)
    },
  },
})

function spawnKeeper(self: Self, scheduler: number): Promise<Pid> {
  return self.spawn(Keeper, undefined, { place: { scheduler } })
}

export default supervisor({ children: [] })
