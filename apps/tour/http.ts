/** The tour over HTTP: what happens outside of any channel reaches them all the same. */
import { definePlugin, optional, shape, string, validate } from 'beamish/channels'
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
  fastify.post('/broadcast', (request, reply) => {
    const checked = validate(Broadcast, request.body)
    if (!checked.ok) return reply.code(422).send(checked)
    const { topic, event, payload = {} } = checked.value
    // Whoever asks names the topic: those of the runtime's own processes are not for them.
    if (topic.startsWith('beamish.')) {
      return reply.code(422).send({ issues: [{ path: 'topic', message: 'is not for you' }] })
    }
    self.broadcast(topic, event, payload)
    return reply.code(204).send()
  })
  fastify.post('/rooms/:id/messages', (request, reply) => {
    const checked = validate(Message, request.body ?? {})
    if (!checked.ok) return reply.code(422).send(checked)
    const { uid = 'http', body = '' } = checked.value
    const { id } = request.params as { id: string }
    for (const topic of new Set([`room:${id}`, SUPERADMIN])) {
      self.broadcast(topic, 'new_msg', { uid, body })
    }
    return reply.redirect('/', 302)
  })
  fastify.post('/disconnect', (request, reply) => {
    const checked = validate(Disconnect, request.body)
    if (!checked.ok) return reply.code(422).send(checked)
    self.broadcast(`user:${checked.value.user_id}`, 'disconnect', {})
    return reply.code(204).send()
  })
  fastify.get('/terminations', () => allEnds(self))
})
