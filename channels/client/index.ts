/**
 * beamish/channels/client: the official client's channels with the types of yours. For browsers: it imports nothing at run
 * time, and the channel it is typed by stays on the server.
 * @module
 */

/** What goes wrong. */
export { JoinError, PushError } from './errors.ts'
/** The official client, as far as it is used here. */
export type { PhoenixChannel, PhoenixPush, PhoenixSocket } from './phoenix.ts'
/** A channel with its types. */
export {
  type PushOptions,
  type TokenExpiring,
  TypedChannel,
  typedChannel,
} from './typedChannel.ts'
/** What a typed client reads of a channel. */
export type { AnswersOf, EventsOf, Outcome, ParamsOf, Received, Refusal } from './types.ts'
