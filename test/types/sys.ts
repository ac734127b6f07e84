// Types of what a server may add for sys and hibernation; never run.
import { continueWith, genServer, noreply, type Pid, type Self, sys } from 'beamish'

export const Basket = genServer('types.basket', {
  hibernateAfterMs: 15_000,
  init: (owner: string) => noreply({ owner, items: [] as string[] }, { timeoutMs: 5 }),
  handleCall: { items: (state) => state.items },
  handleCast: {
    add: (state, item: string) => noreply({ ...state, items: [item] }, { hibernate: true }),
  },
  codeChange: (state, { direction, from, to, extra }) => [state, direction, from, to, extra],
  formatStatus: ({ state }) => ({ state: state.items.length }),
})

export const Continued = genServer('types.continued', {
  init: (n: number) => continueWith('more', { n }, { hibernate: true }),
  handleCall: { n: (state) => state.n.toFixed() },
})

genServer('types.wrong', {
  // @ts-expect-error hibernate is a flag
  init: () => noreply({ n: 1 }, { hibernate: 'yes' }),
})

export async function ask(self: Self, pid: Pid): Promise<unknown> {
  const basket = await self.start(Basket, 'ada')
  const items: string[] = await self.call(basket, 'items')
  const state = await sys.getState<{ owner: string }>(self, basket)
  await sys.replaceState<{ n: number }>(self, pid, ({ n }) => ({ n: n + 1 }))
  await sys.replaceState(self, pid, { module: new URL('file:///x.ts'), export: 'up', argument: 1 })
  // @ts-expect-error an export is named
  await sys.replaceState(self, pid, { module: 'file:///x.ts' })
  await sys.changeCode(self, pid, { module: 'file:///x.ts', direction: 'down', extra: { a: 1 } })
  // @ts-expect-error up or down
  await sys.changeCode(self, pid, { module: 'file:///x.ts', direction: 'left' })
  await sys.trace(self, 'name', true, { limit: 10, timeoutMs: 1_000 })
  const counted = await sys.statistics(self, pid, 'get')
  const nothing: void = await sys.statistics(self, pid, true)
  const { info, suspended } = await sys.getStatus(self, pid)
  return [items, state.owner.length, counted?.messagesIn.toFixed(), nothing, info.status, suspended]
}
