/**
 * Long polling over HTTP: GET opens a session or polls it, POST sends to it. The status of an answer stands in its body, as the
 * official client reads it there and browsers keep that of a refused request from it; over HTTP it is 200.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { LongPollAt } from '../endpoint/transports.ts'
import type { SocketLimits } from '../transport/limits.ts'
import { readBatch } from './batch.ts'
import { type OpenSession, type Sessions, TOO_BIG } from './sessions.ts'

/** As much as a batch of several large frames. */
const BODY_FRAMES = 8

const CORS_METHODS = 'get, post, options'
const CORS_MAX_AGE_S = '3600'

interface Answer {
  readonly status: number
  readonly token?: string | null
  readonly messages?: readonly string[]
}

/** A Fastify plugin with the one route of a mount. */
export function longPollRoute(
  { path }: LongPollAt,
  { maxFrameBytes }: SocketLimits,
  sessions: Sessions,
): (instance: FastifyInstance) => Promise<void> {
  const poll = async (request: FastifyRequest, reply: FastifyReply): Promise<Answer> => {
    const { token, pid, query } = sessions.named(request.raw)
    if (pid !== undefined) {
      const { status, messages } = await sessions.poll(pid, reply.raw)
      if (status !== 410) return { status, token, messages }
    }
    const params = request.params as Readonly<Record<string, string>>
    const opened: OpenSession = await sessions.open(request.raw, reply.raw, query, params)
    // What the official client takes as the word that it is open. Another client goes on with the new token at once.
    return opened.ok
      ? { status: 410, token: opened.token, messages: [] }
      : { status: opened.status, token: null, messages: [] }
  }
  const publish = async (request: FastifyRequest): Promise<Answer> => {
    const { pid } = sessions.named(request.raw)
    if (pid === undefined) return { status: 410 }
    const body = (request.body as Buffer | undefined) ?? Buffer.alloc(0)
    const batch = readBatch(body, request.headers['content-type'], maxFrameBytes)
    if (batch.ok) return { status: await sessions.publish(pid, batch.frames) }
    // As with a WebSocket: who breaks the rules of the transport loses it.
    sessions.end(pid, batch.status === 413 ? TOO_BIG : { shutdown: 'bad_encoding' })
    return { status: batch.status }
  }
  return async (instance) => {
    // Whatever the content type says, a body is read by the rules of this transport.
    instance.removeAllContentTypeParsers()
    instance.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    )
    instance.addHook('onRequest', async (_request, reply) => {
      reply.header('access-control-allow-origin', '*').header('cache-control', 'no-store')
    })
    instance.setErrorHandler((error: { statusCode?: number }, request, reply) => {
      // Answered as any other request: the client reads the body alone.
      if (error.statusCode !== 413) throw error
      const { pid } = sessions.named(request.raw)
      if (pid !== undefined) sessions.end(pid, TOO_BIG)
      return reply.code(200).send({ status: 413 } satisfies Answer)
    })
    instance.route({
      method: instance.supportedMethods as string[],
      url: path,
      exposeHeadRoute: false,
      bodyLimit: BODY_FRAMES * maxFrameBytes,
      handler: async (request, reply) => {
        switch (request.method) {
          case 'OPTIONS':
            return reply
              .header(
                'access-control-allow-headers',
                request.headers['access-control-request-headers'] ?? '',
              )
              .header('access-control-allow-methods', CORS_METHODS)
              .header('access-control-max-age', CORS_MAX_AGE_S)
              .send()
          case 'GET':
            return sessions.allowed(request.raw)
              ? poll(request, reply)
              : ({ status: 403, token: null, messages: [] } satisfies Answer)
          case 'POST':
            return sessions.allowed(request.raw)
              ? publish(request)
              : ({ status: 403 } satisfies Answer)
          default:
            return reply.code(400).type('text/plain').send('this path takes GET and POST\n')
        }
      },
    })
  }
}
