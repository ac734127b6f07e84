import { type CodeChange, genServer } from 'beamish'

/** While it judges the state its process ends: `extra` sees to that. */
export const Ending = genServer('test.sys.ending', {
  init: () => 0,
  handleCall: { version: () => 2 },
  codeChange: async (state, { extra }: CodeChange) => {
    await (extra as () => Promise<void>)()
    return state
  },
})
