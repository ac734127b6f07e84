/** Clients of a test: they connect, join and hear as those of a browser do, on a test node. */
import { BeamishError, type Pid } from '../../runtime/index.ts'
import { findBehaviour } from '../../runtime/process/behaviour.ts'
import type { AssertOptions, TestNode } from '../../runtime/testing/index.ts'
import { findChannel } from '../channel/channel.ts'
import type { Channel } from '../channel/contract.ts'
import type { RoutedChannel } from '../socket/socketAt.ts'
import type { Route } from '../transport/routes.ts'
import { TestChannel } from './channel.ts'
import { JoinRefused } from './errors.ts'
import { listen } from './listening.ts'
import type { ToSend, ToTest } from './socket.ts'
import { type Sent, sentFrame } from './wire.ts'

/**
 * A connected client. Made by connect() and clientOf().
 *
 * @example
 * ```ts
 * import { channel } from 'beamish/channels'
 * import { clientOf, type TestClient } from 'beamish/channels/testing'
 * import { testNode } from 'beamish/testing'
 * const Gone = channel('doc-test-gone', { join: (_topic, _payload, socket) => socket })
 * const client: TestClient = await clientOf(await testNode(), {})
 * const gone = await client.join('gone:1', {}, Gone)
 * client.disconnect()
 * await gone.assertEnded({ shutdown: 'closed' })
 * ```
 */
export class TestClient {
  readonly node: TestNode
  /** The process that stands for the other end of the connection. */
  readonly pid: Pid
  /** The process that holds the connection. */
  readonly transport: Pid
  /** What connect assigned. */
  readonly assigns: Readonly<Record<string, unknown>>
  /** What the socket's id answered. */
  readonly id: string | undefined
  readonly #number: number
  readonly #routes: Route[]
  #refs = 0

  constructor(
    node: TestNode,
    parts: {
      readonly pid: Pid
      readonly transport: Pid
      readonly number: number
      readonly routes: Route[]
      readonly assigns: Readonly<Record<string, unknown>>
      readonly id: string | undefined
    },
  ) {
    this.node = node
    this.pid = parts.pid
    this.transport = parts.transport
    this.assigns = parts.assigns
    this.id = parts.id
    this.#number = parts.number
    this.#routes = parts.routes
  }

  /** Its number: messages to the test carry it as `client`. */
  get number(): number {
    return this.#number
  }

  /**
   * Joins a topic. The channel is looked up among the routes, unless it is given. Resolves as soon as the join is taken, also when
   * the channel has ended by then.
   * @throws JoinRefused when it was answered otherwise, or the connection was closed
   */
  async join<C = unknown>(
    topic: string,
    params: unknown = {},
    channel?: Channel<C>,
  ): Promise<TestChannel> {
    if (channel !== undefined) this.#routes.unshift(routeOf(topic, channel))
    const ref = this.ref()
    this.send({ event: 'phx_join', payload: params, topic, ref, joinRef: ref })
    const client = this.#number
    const answer = await this.node.assertReceive<ToTest & { type: 'reply' | 'unanswered' }>(
      function theAnswerToTheJoin(message: unknown) {
        const told = message as (ToTest & { readonly ref?: unknown }) | null
        if (told?.client !== client || told.ref !== ref) return false
        return told.type === 'reply' || told.type === 'unanswered'
      },
      { withinMs: Number.POSITIVE_INFINITY },
    )
    if (answer.type === 'unanswered') throw new JoinRefused(topic, { reason: 'closed' })
    if (answer.status !== 'ok') throw new JoinRefused(topic, answer.payload)
    const pid = await this.node.self.call(this.pid, 'channelOf', ref)
    return new TestChannel(this, topic, pid as Pid, ref, answer.payload)
  }

  /** Joins, and subscribes the test to the topic first: assertBroadcast hears what is broadcast on it. */
  async subscribeAndJoin<C = unknown>(
    topic: string,
    params: unknown = {},
    channel?: Channel<C>,
  ): Promise<TestChannel> {
    listen(this.node, topic)
    return this.join(topic, params, channel)
  }

  /**
   * Sends a message, as it stands, in a frame: JSON, or a binary one for bytes.
   * @throws TypeError for what has no JSON, CHN_FIELD_TOO_LONG beside bytes
   */
  send(sent: Sent): void {
    const { event, topic, ref } = sent
    const join = event === 'phx_join' && ref !== null ? { topic, ref } : undefined
    this.node.self.send(this.pid, { frame: sentFrame(sent), join } satisfies ToSend)
  }

  /** The next ref of this client. */
  ref(): string {
    return String(++this.#refs)
  }

  /** Ends the connection from the client's side. */
  disconnect(code = 1001): void {
    this.node.self.send(this.pid, { disconnect: code })
  }

  /** The server has closed the connection with this code. */
  assertClosed(
    code?: number,
    options?: AssertOptions,
  ): Promise<{ readonly code: number; readonly reason: string }> {
    const match = { type: 'closed', client: this.#number }
    return this.node.assertReceive(code === undefined ? match : { ...match, code }, options)
  }
}

export function routeOf(topic: string, given: Channel | RoutedChannel): Route {
  const { channel, assigns } = 'channel' in given ? given : { channel: given, assigns: undefined }
  const definition = findChannel(channel.name)
  if (definition === undefined && findBehaviour(channel.name) === undefined) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: `the channel of ${topic}`,
      got: channel.name,
      fix: 'give one that channel() has made, or a behaviour',
    })
  }
  const route = { topic, behaviour: channel.name, shutdown: definition?.shutdown ?? 5_000 }
  return assigns === undefined ? route : { ...route, assigns }
}
