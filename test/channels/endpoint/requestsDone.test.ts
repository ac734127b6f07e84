/** What a drain waits for: the requests that are being answered, and not those whose clients have gone. */
import { request } from 'node:http'
import t from 'tap'
import { createServer, listen, requestsDone } from '../../../channels/endpoint/server.ts'

t.test('a request whose client has hung up is done', async (t) => {
  const fastify = createServer(() => {})
  t.teardown(() => fastify.close())
  let came: () => void = () => {}
  const arrived = new Promise<void>((resolve) => {
    came = resolve
  })
  let answer: () => void = () => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  fastify.get('/slow', async () => {
    came()
    await answered
    return 'late'
  })
  const port = await listen(fastify, { host: '127.0.0.1', port: 0, reusePort: false })
  const client = request({ port, path: '/slow' }).on('error', () => {})
  client.end()
  await arrived
  const done = requestsDone(fastify)
  t.equal(
    await Promise.race([done, new Promise((resolve) => setImmediate(resolve, 'runs'))]),
    'runs',
  )
  client.destroy()
  await done
  answer()
})

t.test('one that was answered is, too', async (t) => {
  const fastify = createServer(() => {})
  t.teardown(() => fastify.close())
  fastify.get('/', () => 'here')
  const port = await listen(fastify, { host: '127.0.0.1', port: 0, reusePort: false })
  t.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'here')
  await requestsDone(fastify)
})
