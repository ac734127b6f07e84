/** Topics with declared events, so that broadcasts and their handlers are typed. */

declare const eventsBrand: unique symbol

/** A topic and, to TypeScript, the payload of each of its events. */
export interface Topic<Events extends object = Record<string, unknown>> {
  readonly name: string
  readonly [eventsBrand]?: Events
}

/** The events of a topic; anything goes for a bare string. */
export type TopicEvents<T> =
  T extends Topic<infer Events> ? Events : Readonly<Record<string, unknown>>

/**
 * Declares a topic.
 *
 * @example
 * ```ts
 * import { topic } from 'beamish'
 * const chat = topic<{ message: { name: string; text: string } }>('chat')
 * console.assert(chat.name === 'chat')
 * ```
 */
export function topic<Events extends object>(name: string): Topic<Events> {
  return { name }
}
