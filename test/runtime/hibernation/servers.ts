// Servers that sleep: by themselves, when told to, or never although they should.
import { continueWith, genServer, type NextOptions, noreply, reply, supervisor } from 'beamish'

const rows = () =>
  Array.from({ length: 100 }, (_, i) => ({ id: i, name: `row ${i}`, tags: new Set([i]) }))

class Account {
  balance = 1
}

export const Sleeper = genServer('test.sleeper', {
  hibernateAfterMs: 20,
  init: () => ({ rows: rows(), log: [] as unknown[], account: undefined as Account | undefined }),
  handleCall: {
    names: (state) => state.rows.map(({ name }) => name),
    tags: (state) => state.rows.every(({ id, tags }) => tags.has(id)),
    note: (state, what: unknown) => {
      state.log.push(what)
      return state.log.length
    },
    reply: (state, options: NextOptions) => reply('asked', state, options),
    open: (state) => {
      state.account = new Account()
      return 'open'
    },
    balance: (state) => state.account?.balance,
  },
  handleCast: {
    note: (state, what: unknown) => {
      state.log.push(what)
    },
    hibernate: (state) => noreply(state, { hibernate: true }),
  },
  handleInfo: {
    timeout: (state) => {
      state.log.push('timeout')
    },
  },
  handleContinue: (state, step) => {
    state.log.push(step)
  },
})

/** Sleeps only when it is told to. */
export const Told = genServer('test.told', {
  init: (how: 'continue' | 'state') => {
    const state = { rows: rows(), log: [] as unknown[] }
    return how === 'continue'
      ? continueWith('first', state, { hibernate: true })
      : noreply(state, { hibernate: true })
  },
  handleCall: { log: (state) => [...state.log], size: (state) => state.rows.length },
  handleCast: {
    note: (state, what: unknown) => {
      state.log.push(what)
      return noreply(state, { hibernate: true })
    },
  },
  handleContinue: async (state, step, self) => {
    await self.sleep(1)
    state.log.push(step)
  },
})

/** So small that serializing it would gain nothing. */
export const Small = genServer('test.small', {
  hibernateAfterMs: 20,
  init: () => ({ count: 0 }),
  handleCall: { add: (state, n: number) => (state.count += n) },
})

export const add = (state: { count: number }): { count: number } => ({ count: state.count + 1 })

export default supervisor({ children: [] })
