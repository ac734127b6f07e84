/** The tour over HTTP: what happens outside of any channel reaches them all the same. */
import { definePlugin, shape, string, validate } from 'beamish/channels'
import { NAME, Terminations } from './terminations.ts'

const Broadcast = shape({ topic: string(1, 200), event: string(1, 200) })
const Disconnect = shape({ user_id: string(1, 100) })

export const http = definePlugin('tour.http', ({ fastify, self }) => {
  fastify.get('/', (_request, reply) =>
    reply.type('text/plain').send('Beamish tour: connect the official client to /socket\n'),
  )
  fastify.post('/broadcast', (request, reply) => {
    const checked = validate(Broadcast, request.body)
    if (!checked.ok) return reply.code(422).send({ issues: checked.issues })
    const { payload } = request.body as { payload?: unknown }
    self.broadcast(checked.value.topic, checked.value.event, payload ?? {})
    return reply.code(204).send()
  })
  fastify.post('/rooms/:id/messages', (request, reply) => {
    const { id } = request.params as { id: string }
    const message = { uid: 'http', body: '', ...(request.body as object | undefined) }
    for (const topic of [`room:${id}`, 'room:superadmin']) self.broadcast(topic, 'new_msg', message)
    return reply.redirect('/', 302)
  })
  fastify.post('/disconnect', (request, reply) => {
    const checked = validate(Disconnect, request.body)
    if (!checked.ok) return reply.code(422).send({ issues: checked.issues })
    self.broadcast(`user:${checked.value.user_id}`, 'disconnect', {})
    return reply.code(204).send()
  })
  fastify.get('/terminations', () => self.call(Terminations.named(NAME), 'list'))
})
