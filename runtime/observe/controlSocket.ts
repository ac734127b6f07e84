/**
 * The control socket of a node: how a terminal on the same machine looks at it. A request is a line of JSON,
 * `{ "observe": options }` or `{ "trace": options }`; the answer is `{ "report": … }`, or `{ "tracing": true }`, then an
 * `{ "event": … }` each, then `{ "ended": … }`; what cannot be is `{ "error": { code, fields } }`. Nothing can be changed through it.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { BeamishError } from '../errors.ts'
import { publish } from '../events.ts'
import { forget, isLeft, prepareDirectory, reach, socketPath } from './directory.ts'
import type { NodeReport } from './figures.ts'
import { readLines, writeLine } from './lines.ts'
import type { ObserveOptions } from './options.ts'
import type { NodeTrace } from './trace.ts'
import type { NodeTraceOptions } from './traceOptions.ts'

interface Watched {
  observe(options: ObserveOptions): Promise<NodeReport>
  trace(options: NodeTraceOptions): Promise<NodeTrace>
}

const MAX_CONNECTIONS = 16
const MAX_REQUEST = 65_536
/** What may wait for a terminal that does not read: its trace ends then. */
const MAX_WAITING_BYTES = 8 * 2 ** 20

/** A process has one: it is found by its id. */
let isOpen = false

export class ControlSocket {
  readonly #node: Watched
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #open = false

  constructor(node: Watched) {
    this.#node = node
    this.#server = createServer((socket) => this.#accept(socket))
    this.#server.maxConnections = MAX_CONNECTIONS
    this.#server.unref()
  }

  /** Opens it. What keeps it from opening is told as a notice: the node does without. */
  async open(): Promise<void> {
    try {
      if (isOpen) throw new Error('another node of this process has the control socket')
      isOpen = this.#open = true
      prepareDirectory()
      await this.#clear()
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject)
        this.#server.listen(socketPath(process.pid), resolve)
      })
      this.#server.on('error', () => {})
    } catch (error) {
      const { message } = error as Error
      publish('notice', () => ({
        level: 'warn',
        code: 'control_socket',
        message: `beamish tree and beamish trace cannot reach this node: ${message}`,
      }))
    }
  }

  /** Takes away what a process that had this id before has left. In a container two may have the same at once. */
  async #clear(): Promise<void> {
    const found = await reach(socketPath(process.pid))
    if (!('failed' in found)) {
      found.destroy()
      throw new Error(`another process ${process.pid} has ${socketPath(process.pid)}`)
    }
    if (isLeft(found.failed)) forget(process.pid)
  }

  close(): void {
    if (!this.#open) return
    isOpen = this.#open = false
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.unref()
    socket.on('close', () => this.#sockets.delete(socket))
    // Who goes away while it is told something has heard enough.
    socket.on('error', () => {})
    let work = Promise.resolve()
    readLines(
      socket,
      MAX_REQUEST,
      (request) => {
        work = work
          .then(() => this.#serve(socket, request))
          .catch((error: unknown) => this.#refuse(socket, error))
      },
      (why) => {
        socket.pause()
        this.#refuse(socket, badRequest(why))
        socket.end()
      },
    )
  }

  async #serve(socket: Socket, request: unknown): Promise<void> {
    const { observe, trace } = (request ?? {}) as { observe?: unknown; trace?: unknown }
    if (observe !== undefined) {
      writeLine(socket, { report: await this.#node.observe(observe as ObserveOptions) })
    } else if (trace !== undefined) await this.#trace(socket, trace as NodeTraceOptions)
    else throw badRequest('it asks for neither observe nor trace')
  }

  async #trace(socket: Socket, options: NodeTraceOptions): Promise<void> {
    const trace = await this.#node.trace({
      ...options,
      onEvent: (event) => {
        writeLine(socket, { event })
        if (socket.writableLength > MAX_WAITING_BYTES) socket.destroy()
      },
    })
    const stop = (): void => trace.stop()
    socket.once('close', stop)
    // It may have gone away while the threads were asked, or before its turn came.
    if (socket.destroyed) stop()
    writeLine(socket, { tracing: true })
    const ended = await trace.ended
    socket.off('close', stop)
    if (!socket.destroyed) writeLine(socket, { ended })
  }

  #refuse(socket: Socket, error: unknown): void {
    const told =
      error instanceof BeamishError ? error : badRequest(`it failed: ${(error as Error).message}`)
    const { code, fields } = told
    if (!socket.destroyed) writeLine(socket, { error: { code, fields } })
  }
}

const badRequest = (why: string): BeamishError =>
  new BeamishError('BEAMISH_CONTROL_REQUEST', { why })
