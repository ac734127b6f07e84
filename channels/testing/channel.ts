/** A joined channel of a test's client: what it sends, and what is expected to come. Every assert awaits; none polls. */
import type { ExitReason, Pid } from '../../runtime/index.ts'
import type { AssertOptions, Match, TestNode } from '../../runtime/testing/index.ts'
import { phoenixV2 } from '../wire/phoenixV2.ts'
import type { TestClient } from './client.ts'
import { expectListening } from './listening.ts'
import type { ToTest } from './socket.ts'

const CLOSE_MS = 5_000

/** Part of a pattern, unless there is none. */
const partly = (name: string, pattern: Match | undefined): object =>
  pattern === undefined ? {} : { [name]: pattern }

/**
 * A channel that a client has joined. Made by its join().
 *
 * @example
 * ```ts
 * import { any, channel } from 'beamish/channels'
 * import { clientOf, type TestChannel } from 'beamish/channels/testing'
 * import { testNode } from 'beamish/testing'
 * const Shout = channel('doc-test-shout', {
 *   events: { shout: any() },
 *   join: (_topic, _payload, socket) => socket,
 *   handleIn: {
 *     shout(text, socket) {
 *       socket.broadcastFrom('shouted', { text })
 *     },
 *   },
 * })
 * const node = await testNode()
 * const channels = { 'hall:*': Shout }
 * const ada: TestChannel = await (await clientOf(node, {}, { channels })).subscribeAndJoin('hall:1')
 * const bob: TestChannel = await (await clientOf(node, {}, { channels })).join('hall:1')
 * ada.push('shout', 'hey')
 * await bob.assertPush('shouted', { text: /^he/ })
 * await ada.assertBroadcast('shouted')
 * await ada.refutePush('shouted')
 * ```
 */
export class TestChannel {
  readonly client: TestClient
  readonly topic: string
  /** The process of the channel. */
  readonly pid: Pid
  readonly joinRef: string
  /** What its join answered. */
  readonly response: unknown

  constructor(client: TestClient, topic: string, pid: Pid, joinRef: string, response: unknown) {
    this.client = client
    this.topic = topic
    this.pid = pid
    this.joinRef = joinRef
    this.response = response
  }

  get #node(): TestNode {
    return this.client.node
  }

  #send(event: string, payload: unknown): string {
    const { topic, joinRef, client } = this
    const ref = client.ref()
    client.send({ event, payload, topic, ref, joinRef })
    return ref
  }

  /** Sends an event to the channel; the result is for assertReply. */
  push(event: string, payload: unknown = {}): string {
    return this.#send(event, payload)
  }

  /** Leaves; the result is for assertReply. */
  leave(): string {
    return this.#send('phx_leave', {})
  }

  /**
   * Ends the channel as the end of its connection does, with its terminate; kills it when that takes longer than `timeoutMs`
   * of virtual time. Resolves with the reason it ended with.
   */
  async close(timeoutMs: number = CLOSE_MS): Promise<ExitReason> {
    const node = this.#node
    node.self.send(this.pid, { type: 'phx:stop', reason: { shutdown: 'closed' } })
    const ref = node.monitor(this.pid)
    const down = { type: 'DOWN', ref }
    const ended = await node.self.receive(
      (message) => (message as { ref?: unknown } | null)?.ref === ref,
      timeoutMs,
    )
    // Of one that had ended before, the DOWN only says that it is not there.
    if (ended !== undefined) return node.assertExit(this.pid)
    node.exit(this.pid, 'kill')
    return (await node.assertReceive<{ readonly reason: ExitReason }>(down)).reason
  }

  /** Broadcasts on its topic to all but this channel's client. @throws CHN_PAYLOAD, CHN_FIELD_TOO_LONG beside bytes */
  broadcastFrom(event: string, payload: object = {}): void {
    phoenixV2.encodeBroadcast(this.topic, event, payload)
    this.#node.self.broadcastFrom(this.topic, event, payload, this.pid)
  }

  #pushed(event: string, payload: Match | undefined): object {
    const { client, topic, joinRef: join } = this
    const parts = { event, ...partly('payload', payload) }
    return { type: 'push', client: client.number, topic, join, ...parts }
  }

  /**
   * Its client gets this event, pushed or broadcast, with a payload that matches; the payload. What is for an earlier or a later
   * join of the topic does not count.
   */
  assertPush<T = unknown>(event: string, payload?: Match, options?: AssertOptions): Promise<T> {
    return payloadOf(this.#node.assertReceive<ToTest>(this.#pushed(event, payload), options))
  }

  /** Its client gets no such event within 100 ms of virtual time, or `withinMs`. */
  refutePush(event: string, payload?: Match, options?: AssertOptions): Promise<void> {
    return this.#node.refuteReceive(this.#pushed(event, payload), options)
  }

  #replied(ref: string, status: string, payload: Match | undefined): object {
    const { client, topic } = this
    const parts = { ref, status, ...partly('payload', payload) }
    return { type: 'reply', client: client.number, topic, ...parts }
  }

  /** The push `ref` is answered with this status and a response that matches; the response. */
  assertReply<T = unknown>(
    ref: string,
    status: string,
    payload?: Match,
    options?: AssertOptions,
  ): Promise<T> {
    return payloadOf(this.#node.assertReceive<ToTest>(this.#replied(ref, status, payload), options))
  }

  /** No such answer comes within 100 ms of virtual time, or `withinMs`. Without a status: none at all. */
  refuteReply(
    ref: string,
    status?: string,
    payload?: Match,
    options?: AssertOptions,
  ): Promise<void> {
    const { client, topic } = this
    const parts = { ...partly('status', status), ...partly('payload', payload) }
    return this.#node.refuteReceive(
      { type: 'reply', client: client.number, topic, ref, ...parts },
      options,
    )
  }

  #broadcasted(event: string, payload: Match | undefined): object {
    return { type: 'broadcast', topic: this.topic, event, ...partly('payload', payload) }
  }

  /** This is broadcast on its topic, to whoever listens; the payload. The test listens since subscribeAndJoin. */
  async assertBroadcast<T = unknown>(
    event: string,
    payload?: Match,
    options?: AssertOptions,
  ): Promise<T> {
    const at = new Error()
    const heard = this.#node.assertReceive(this.#broadcasted(event, payload), options)
    return payloadOf<T>(
      heard.catch((error: unknown) => {
        expectListening(this.#node, this.topic, at)
        throw error
      }),
    )
  }

  /**
   * No such broadcast within 100 ms of virtual time, or `withinMs`.
   * @throws BEAMISH_TEST_ASSERTION when it comes, or the test does not listen to the topic
   */
  async refuteBroadcast(event: string, payload?: Match, options?: AssertOptions): Promise<void> {
    expectListening(this.#node, this.topic, new Error())
    await this.#node.refuteReceive(this.#broadcasted(event, payload), options)
  }

  /** The process ends, or has ended, with that reason if one is given. */
  assertEnded(reason?: Match, options?: AssertOptions): Promise<ExitReason> {
    return this.#node.assertExit(this.pid, reason, options)
  }
}

const payloadOf = async <T>(message: Promise<unknown>): Promise<T> =>
  ((await message) as { readonly payload: T }).payload
