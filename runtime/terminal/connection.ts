/** The terminal's end of a control socket: finds the node that is meant, asks it, hands over what it says. */
import type { Socket } from 'node:net'
import { BeamishError, type ErrorCode, errorCodes } from '../errors.ts'
import {
  findNodes,
  forget,
  isLeft,
  reach,
  runtimeDirectory,
  socketPath,
} from '../observe/directory.ts'
import { readLines, writeLine } from '../observe/lines.ts'

/** A report may be long. */
const MAX_ANSWER = 2 ** 28

/** An answer of a node, as it came. */
export type Answer = Readonly<Record<string, unknown>>

export class Connection {
  readonly #socket: Socket
  readonly #which: string
  readonly #answers: Answer[] = []
  #ended: string | undefined
  #wake: () => void = () => {}

  constructor(socket: Socket, which: string) {
    this.#socket = socket
    this.#which = which
    const end = (why: string): void => {
      this.#ended ??= why
      this.#wake()
    }
    readLines(
      socket,
      MAX_ANSWER,
      (answer) => {
        this.#answers.push((answer ?? {}) as Answer)
        this.#wake()
      },
      end,
    )
    socket.on('error', ({ message }) => end(message))
    socket.on('close', () => end('it has ended'))
  }

  ask(request: unknown): void {
    writeLine(this.#socket, request)
  }

  /** The next answer, within `timeoutMs`. @throws BEAMISH_NODE_SILENT, and what the node answers as an error */
  async next(call: string, timeoutMs: number): Promise<Answer> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const answer = this.#answers.shift()
      if (answer?.error !== undefined) throw refusal(answer.error)
      if (answer !== undefined) return answer
      const leftMs = deadline - performance.now()
      const why = this.#ended ?? (leftMs > 0 ? undefined : `none within ${timeoutMs} ms`)
      if (why !== undefined) {
        throw new BeamishError('BEAMISH_NODE_SILENT', { which: this.#which, call, why })
      }
      await this.#more(leftMs)
    }
  }

  #more(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** What a node has refused, as it would say itself. */
function refusal(error: unknown): BeamishError {
  const { code, fields } = (error ?? {}) as { code?: ErrorCode; fields?: Record<string, unknown> }
  if (code !== undefined && errorCodes.includes(code)) return new BeamishError(code, fields)
  return new BeamishError('BEAMISH_CONTROL_REQUEST', { why: `it refuses with ${String(code)}` })
}

/**
 * Connects with a node: by the id of its process, by the path of its socket, or with the only one there is.
 * @throws BEAMISH_NO_NODE, BEAMISH_WHICH_NODE
 */
export async function connect(target: string | undefined): Promise<Connection> {
  const directory = runtimeDirectory()
  const isPid = target !== undefined && /^\d+$/.test(target)
  if (target !== undefined && !isPid) {
    const socket = await reach(target)
    if ('failed' in socket) throw noNode(`answers at ${target}`, directory)
    return new Connection(socket, target)
  }
  const found = new Map<number, Socket>()
  for (const pid of isPid ? [Number(target)] : findNodes()) {
    const socket = await reach(socketPath(pid))
    if (!('failed' in socket)) found.set(pid, socket)
    // Its process is gone, and has not cleared up.
    else if (isLeft(socket.failed)) forget(pid)
  }
  const [first] = found
  if (first === undefined) throw noNode(isPid ? `of process ${target}` : 'runs', directory)
  if (found.size > 1) {
    for (const socket of found.values()) socket.destroy()
    throw new BeamishError('BEAMISH_WHICH_NODE', { pids: [...found.keys()].join(', ') })
  }
  return new Connection(first[1], String(first[0]))
}

const noNode = (which: string, directory: string): BeamishError =>
  new BeamishError('BEAMISH_NO_NODE', { which, directory })
