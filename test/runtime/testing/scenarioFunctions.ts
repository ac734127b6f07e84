// What tasks and agents of the scenarios run on any thread.
import type { Self } from 'beamish'

export async function double(self: Self, n: number): Promise<number> {
  if (self.random() < 0.3) await self.sleep(1)
  if (self.random() < 0.1) throw new Error('on purpose')
  return 2 * n
}

export const zero = (): number => 0
export const plusOne = (n: number): number => n + 1
export const same = (n: number): number => n
