/** The app of these tests on a node of its own, and how its channels end. */
import { type BeamishNode, type BroadcastMessage, type StartOptions, start } from 'beamish'
import type { Test } from 'tap'
import { baseOf } from '../../liveview/startApp.ts'

process.env.PORT = '0'

export interface Polled {
  readonly node: BeamishNode
  /** An http URL. */
  readonly base: string
}

export async function startPolled(t: Test, options: StartOptions = {}): Promise<Polled> {
  const node = await start(new URL('./longPoll.app.ts', import.meta.url), {
    schedulers: 1,
    log: false,
    development: false,
    execArgv: ['--conditions=beamish-source'],
    ...options,
  })
  t.teardown(() => node.stop())
  node.self.subscribe('test.endings')
  return { node, base: await baseOf(node) }
}

interface Ending {
  readonly userId: string
  readonly reason: unknown
}

/** How the channel of this user ended. */
export async function ending({ node }: Polled, userId: string): Promise<unknown> {
  const message = await node.self.receive(
    (one): one is BroadcastMessage =>
      ((one as BroadcastMessage).payload as Partial<Ending> | undefined)?.userId === userId,
    30_000,
  )
  return (message?.payload as Ending | undefined)?.reason
}

let users = 0
/** A user nobody else is. */
export const somebody = (): { readonly user_id: string } => ({ user_id: `user-${++users}` })

/** What a push without an answer of its own gets. */
export const okay = { status: 'ok', response: {} }
