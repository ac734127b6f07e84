/** A site without live views: its pages give sessions and tokens, its sockets take them. By the public door alone. */
import { supervisor } from 'beamish'
import {
  channel,
  definePlugin,
  endpoint,
  joined,
  refuse,
  secretOf,
  signToken,
  socket,
  socketAt,
  verifyToken,
} from 'beamish/channels'

const pages = definePlugin('visitors.pages', ({ fastify, self, session }) => {
  fastify.get('/page', (request, reply) => {
    const { csrfToken } = session(request, reply)
    return { csrfToken, again: session(request, reply).csrfToken }
  })
  fastify.get('/login/:user', (request, reply) => {
    const { user } = request.params as { user: string }
    reply.header('set-cookie', 'theme=dark')
    const visitor = session(request, reply)
    visitor.put({ user: 'nobody' })
    visitor.put({ user })
    const token = signToken(secretOf(self), 'visitor', { user }, { nowMs: Date.now() })
    return { csrfToken: visitor.csrfToken, user: visitor.data.user, token }
  })
})

const Visitor = socket('visitors.session', {
  connect: (_params, socket, { session }) =>
    session === undefined ? refuse() : socket.assign({ user: session.user }),
})

const Bearer = socket('visitors.token', {
  connect(_params, socket, { secret, authToken }) {
    const verified = verifyToken(secret, 'visitor', authToken, { nowMs: Date.now() })
    return verified.ok ? socket.assign(verified.data as { user: string }) : refuse()
  },
})

const Who = channel('visitors.who', {
  join: (_topic, _payload, socket) => joined(socket, { ...socket.assigns }),
})

export default supervisor({
  children: [
    endpoint({
      port: 0,
      plugins: [
        pages(undefined),
        socketAt('/session', Visitor, { channels: { who: Who } }),
        socketAt('/token', Bearer, { channels: { who: Who }, authToken: true }),
      ],
    }),
  ],
})
