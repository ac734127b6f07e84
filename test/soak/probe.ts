/** A new visitor: page and join, each over a connection of its own, tried again when a connection breaks. */
import { connect, JoinRefused, LiveClient, visit } from '../liveview/liveClient.ts'
import { freshRequest } from './freshRequest.ts'
import { clockMs } from './protocol.ts'

/** How long it goes on trying. */
const GIVE_UP_MS = 20_000

/** Resolves with clockMs() when the page was live. */
export async function probe(base: string): Promise<number> {
  const began = clockMs()
  for (;;) {
    try {
      const page = await visit(base, '/chat', { request: freshRequest })
      if (page.status !== 200) throw new Error(`the page was answered with ${page.status}`)
      const wire = await connect(page)
      const closed = wire.closed.then(({ code }) => {
        throw new Error(`the socket closed with ${code}`)
      })
      await Promise.race([LiveClient.join(wire, page), closed])
      const at = clockMs()
      await wire.close()
      return at
    } catch (error) {
      if (error instanceof JoinRefused || clockMs() - began > GIVE_UP_MS) throw error
    }
  }
}
