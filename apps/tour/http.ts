/** The tour over HTTP: what happens outside of any channel reaches them all the same. */
import {
  definePlugin,
  optional,
  type PayloadSchema,
  shape,
  string,
  validate,
} from 'beamish/channels'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { allEnds } from './janitor.ts'
import { SUPERADMIN } from './room.ts'
import { sendable } from './sendable.ts'

const Broadcast = shape({
  topic: string(1, 200),
  event: string(1, 200),
  payload: optional(sendable),
})
const Message = shape({ uid: optional(string(1, 100)), body: optional(string(0, 2_000)) })
const Disconnect = shape({ user_id: string(1, 100) })

export const http = definePlugin('tour.http', ({ fastify, self }) => {
  fastify.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  )
  fastify.get('/', (_request, reply) =>
    reply.type('text/plain').send('Beamish tour: connect the official client to /socket\n'),
  )
  fastify.post(
    '/broadcast',
    taking(Broadcast, ({ topic, event, payload = {} }, _request, reply) => {
      self.broadcast(topic, event, payload)
      return reply.code(204).send()
    }),
  )
  fastify.post(
    '/rooms/:id/messages',
    taking(Message, ({ uid = 'http', body = '' }, request, reply) => {
      const { id } = request.params as { id: string }
      for (const topic of new Set([`room:${id}`, SUPERADMIN])) {
        self.broadcast(topic, 'new_msg', { uid, body })
      }
      return reply.redirect('/', 302)
    }),
  )
  fastify.post(
    '/disconnect',
    taking(Disconnect, ({ user_id }, _request, reply) => {
      self.broadcast(`user:${user_id}`, 'disconnect', {})
      return reply.code(204).send()
    }),
  )
  fastify.get('/terminations', () => allEnds(self))
})

/** A route for bodies of this shape; any other is answered with 422 and what is wrong with it. */
const taking =
  <T>(
    schema: PayloadSchema<T>,
    handle: (body: T, request: FastifyRequest, reply: FastifyReply) => unknown,
  ) =>
  (request: FastifyRequest, reply: FastifyReply): unknown => {
    const checked = validate(schema, request.body ?? {})
    return checked.ok
      ? handle(checked.value, request, reply)
      : reply.code(422).send({ issues: checked.issues })
  }
