/** Lines of JSON on a stream, with a limit for how long one may be. */
import type { Socket } from 'node:net'

/** Calls `line` with each value, in order, and `bad` once with what is wrong: nothing is read after that. */
export function readLines(
  socket: Socket,
  maxLength: number,
  line: (value: unknown) => void,
  bad: (why: string) => void,
): void {
  let rest = ''
  let over = false
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    if (over) return
    const fail = (why: string): void => {
      over = true
      bad(why)
    }
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() as string
    for (const text of lines) {
      if (over) return
      if (text.length > maxLength) return fail(`a line is longer than ${maxLength} characters`)
      let value: unknown
      try {
        value = JSON.parse(text)
      } catch {
        return fail('a line is no JSON')
      }
      line(value)
    }
    if (rest.length > maxLength) fail(`a line is longer than ${maxLength} characters`)
  })
}

export const writeLine = (socket: Socket, value: unknown): boolean =>
  socket.write(`${JSON.stringify(value)}\n`)
