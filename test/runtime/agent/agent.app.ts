// Functions for agents on any thread.
import { agent, supervisor } from 'beamish'

const MODULE = import.meta.url

export const start = (value: unknown): unknown => value
export const fails = (): never => {
  throw new Error('no start')
}
export const read = (state: unknown): unknown => state
export const add = (state: number, n: number): number => state + n
export const slowAdd = async (state: number, n: number): Promise<number> => state + (await n)
export const swap = (state: unknown, next: unknown): [unknown, unknown] => [state, next]
export const bad = (): number => 1
export const raise = (_state: unknown, message: string): never => {
  throw new Error(message)
}

export default supervisor({
  children: [agent.child({ module: MODULE, name: 'start', args: [40] }, { name: 'answer' })],
})
