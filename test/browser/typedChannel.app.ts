/** A channel, and a page without a bundler that has the official client and the typed one as modules. */
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { supervisor } from 'beamish'
import {
  bytes,
  channel,
  definePlugin,
  endpoint,
  joined,
  ok,
  socket,
  socketAt,
  string,
} from 'beamish/channels'

const Anybody = socket('browser-anybody', { connect: (_params, socket) => socket })

export const Hall = channel('browser-hall', {
  events: { say: { text: string(1, 50) }, echo: bytes(100) },
  pushes: { said: { text: string() } },
  join: (topic, _payload, socket) => joined(socket, { topic }),
  handleIn: {
    say({ text }, socket) {
      socket.broadcast('said', { text })
      return ok({ length: text.length })
    },
    echo: (data) => ok(data),
  },
})

const read = (url: URL): string => readFileSync(url, 'utf8')
const page = '<!doctype html><title>typed channel</title>'

const modules = definePlugin('browser-modules', ({ fastify }) => {
  fastify.get('/', (_request, reply) => reply.type('text/html').send(page))
  fastify.get('/phoenix.mjs', (_request, reply) =>
    reply
      .type('text/javascript')
      .send(read(new URL('../../node_modules/phoenix/priv/static/phoenix.mjs', import.meta.url))),
  )
  fastify.get('/client/:file', (request, reply) => {
    const { file } = request.params as { file: string }
    const source = read(new URL(`../../channels/client/${file}`, import.meta.url))
    return reply.type('text/javascript').send(stripTypeScriptTypes(source))
  })
})

export default supervisor({
  children: [
    endpoint({
      port: 0,
      plugins: [modules(undefined), socketAt('/socket', Anybody, { channels: { 'hall:*': Hall } })],
    }),
  ],
})
