/** The HTTP side of an endpoint, on Fastify: the only file that makes an instance. */
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { fastify as createFastify, type FastifyInstance } from 'fastify'
import { BeamishError } from '../../runtime/index.ts'
import { logLine } from '../../runtime/log.ts'

export type FastifyPlugin = (instance: FastifyInstance) => Promise<void>
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Requests a browser may send; a page or a form, not an upload. */
const BODY_LIMIT_BYTES = 1_048_576
/** How long a request may take to arrive: a slow one holds a connection, nothing else. */
const REQUEST_TIMEOUT_MS = 30_000

export function createServer(onUpgrade: UpgradeHandler): FastifyInstance {
  const fastify = createFastify({
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    http: { shouldUpgradeCallback: isWebSocketUpgrade },
  })
  const running: Running = { count: 0, done: undefined }
  runningRequests.set(fastify, running)
  fastify.addHook('onRequest', async (_request, reply) => {
    running.count++
    // Comes in any case: one whose client hangs up has no response to end with.
    reply.raw.once('close', () => {
      if (--running.count === 0) running.done?.()
    })
  })
  fastify.addHook('onSend', async (_request, reply) => {
    // Kept alive, the connection would lead its client here again.
    if (!fastify.server.listening) reply.header('connection', 'close')
  })
  // What went wrong is for the log; the visitor gets no more than that it did.
  fastify.setErrorHandler((error: { statusCode?: number } & Error, request, reply) => {
    const status = error.statusCode ?? 500
    if (status < 500) return reply.code(status).type('text/plain').send(`${error.message}\n`)
    logLine(
      'error',
      `${request.method} ${request.url.slice(0, 200)} failed: ${error.message}`,
      () => ({
        stack: error.stack,
      }),
    )
    return reply.code(status).type('text/plain').send('Something went wrong on our side.\n')
  })
  fastify.server.on('upgrade', onUpgrade)
  return fastify
}

/** A client may ask for any protocol (h2c, say), and goes on without where the server does not switch (RFC 9110 section 7.8). */
const isWebSocketUpgrade = ({ headers }: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === 'websocket'

interface Running {
  count: number
  done: (() => void) | undefined
}
const runningRequests = new WeakMap<FastifyInstance, Running>()

/** Resolves when no request is being answered. */
export function requestsDone(fastify: FastifyInstance): Promise<void> {
  const running = runningRequests.get(fastify)
  if (running === undefined || running.count === 0) return Promise.resolve()
  return new Promise((resolve) => {
    running.done = resolve
  })
}

export interface ListenOptions {
  readonly host: string
  readonly port: number
  /** Several threads on one port (SO_REUSEPORT). */
  readonly reusePort: boolean
}

/** Listens and answers the port. @throws BEAMISH_PORT_IN_USE, BEAMISH_LISTEN_FAILED */
export async function listen(fastify: FastifyInstance, options: ListenOptions): Promise<number> {
  const { host, port, reusePort } = options
  await fastify.ready()
  return new Promise((resolve, reject) => {
    const { server } = fastify
    const failed = (error: NodeJS.ErrnoException): void => {
      reject(
        error.code === 'EADDRINUSE'
          ? new BeamishError('BEAMISH_PORT_IN_USE', { host, port })
          : new BeamishError('BEAMISH_LISTEN_FAILED', { host, port, message: error.message }),
      )
    }
    server.once('error', failed)
    server.listen({ host, port, exclusive: true, ...(reusePort ? { reusePort } : {}) }, () => {
      server.off('error', failed)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** No new connections, and no request after the running ones; upgraded sockets stay. */
export function stopListening(fastify: FastifyInstance): Promise<void> {
  return new Promise((resolve) => {
    if (!fastify.server.listening) {
      resolve()
      return
    }
    fastify.server.close(() => resolve())
    fastify.server.closeIdleConnections()
    // Its sockets are still open on purpose; close() calls back only when all are gone.
    resolve()
  })
}
