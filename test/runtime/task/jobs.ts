// What dirty threads run. No process runs here.
import { threadId } from 'node:worker_threads'
import { task } from 'beamish'

export const where = (): number => threadId
export const add = (a: number, b: number): number => a + b
export const fail = (): never => {
  throw Object.assign(new TypeError('not a number'), { code: 'EBAD' })
}
export const exits = (): never => process.exit(3)
export const lengthOf = (buffer: ArrayBuffer): number => buffer.byteLength
export const filled = (length: number) => {
  const bytes = new Uint8Array(length).fill(7)
  return task.moved(bytes, [bytes.buffer])
}
export const uncloneable = (): unknown => () => {}
/** Never gives its thread back; says so by a shared cell, which counts on as long as it runs. */
export const spin = (cell: Int32Array): void => {
  for (;;) {
    Atomics.add(cell, 0, 1)
    Atomics.notify(cell, 0)
  }
}
/** Blocks until the cell is set, synchronously. */
export const gate = (cell: Int32Array): string => {
  Atomics.wait(cell, 0, 0)
  return 'through'
}
export default function twice(n: number): number {
  return n * 2
}
