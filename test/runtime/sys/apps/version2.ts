import { type CodeChange, genServer } from 'beamish'

/** Keeps a list where version 1 kept a number. */
export const Versioned = genServer('test.sys.versioned', {
  init: (count: number) => ({ counts: [count] }),
  handleCall: { read: (state): unknown => ({ version: 2, counts: state.counts }) },
  codeChange: (state, change: CodeChange) => {
    const { direction, extra } = change
    if (extra === 'refuse') throw new Error('version 2 refuses')
    return direction === 'up'
      ? { counts: [(state as { count: number }).count, change] }
      : { count: (state as { counts: number[] }).counts[0] }
  },
})
