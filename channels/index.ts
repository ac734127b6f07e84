/**
 * beamish/channels: endpoints, sockets and payloads on Phoenix's wire.
 * @module
 */

/** What happens on a topic. */
export {
  type ChannelMailbox,
  type ChannelSpec,
  channel,
  type EventSpecs,
  type LogLevel,
} from './channel/channel.ts'
export type { Answer, AnyPushes, Channel, Contract, ContractOf } from './channel/contract.ts'
export { replyTo } from './channel/replyTo.ts'
/** What channels tell of themselves. */
export type { ChannelHandledIn, ChannelJoined, EventRefusal } from './channel/report.ts'
/** What its callbacks may answer. */
export {
  type AfterOptions,
  type ChannelReply,
  error,
  type Joined,
  joined,
  noreply,
  ok,
  replyWith,
} from './channel/results.ts'
export type { ChannelSocket, JoiningSocket, SocketRef } from './channel/socket.ts'
export type { DrainPace } from './endpoint/drain.ts'
/** Listens, on every thread. */
export { type EndpointOptions, endpoint } from './endpoint/endpoint.ts'
export type { PageSession } from './endpoint/pageSession.ts'
/** What an endpoint serves. */
export {
  definePlugin,
  type PluginContext,
  type PluginSetup,
  type PluginSpec,
  type SocketMount,
} from './endpoint/plugin.ts'
/** How a mounted socket is reached. */
export type {
  LongPollOptions,
  TransportOptions,
  WebSocketOptions,
} from './endpoint/transports.ts'
/** What the event `upgrades` carries. */
export type { UpgradesReport } from './endpoint/upgradeReport.ts'
/** Mistakes in using this layer. */
export { ChannelError } from './errors.ts'
/** What is kept for clients that come back. */
export type { HistoryOptions } from './history/options.ts'
/** Payloads, declared once: checked at run time, inferred by TypeScript. */
export {
  any,
  boolean,
  bytes,
  type InferPayload,
  integer,
  number,
  oneOf,
  optional,
  type PayloadIssue,
  type PayloadSpec,
  payloadSchema,
  shape,
  string,
  validate,
} from './payload/index.ts'
/** Who is there: presences of a topic, and the tracker below them. */
export {
  type Fetch,
  type Presence,
  type PresenceDiff,
  type PresenceEntry,
  type PresenceSpec,
  type Presences,
  presence,
  type Tracked,
  type Tracker,
  type TrackerDiff,
  type TrackerOptions,
  type TrackerSpec,
  type Tracking,
  type TrackResult,
  tracker,
  type UpdateResult,
} from './presence/index.ts'
/** What tokens are signed with. */
export { secretOf } from './secret.ts'
/** What a signed cookie carries. */
export type { SessionData } from './session.ts'
/** Who may connect, and where. */
export type { ConnectDetails, HeaderPairs } from './socket/details.ts'
export { type RoutedChannel, type SocketAtOptions, socketAt } from './socket/socketAt.ts'
export {
  type AssignsOf,
  type ConnectSocket,
  type ControlFrame,
  type Refusal,
  refuse,
  type SocketSpec,
  socket,
  type UserSocket,
} from './socket/userSocket.ts'
/** Signed tokens. */
export { signToken, type Verified, verifyToken } from './token.ts'
/** Limits of a socket and of those that want to open one; a socket's topics. */
export type { SocketLimits, UpgradeLimits } from './transport/limits.ts'
export type { Overflow } from './transport/outbox.ts'
export type { SocketOverflow } from './transport/overflow.ts'
export type { SocketConnected } from './transport/report.ts'
export type { Route } from './transport/routes.ts'
/** How messages stand in frames. */
export { checkSerializer, type WireEnd, type WireGaps } from './wire/checkSerializer.ts'
/** What is known of a connection, and which pages may open one. */
export { ChannelLink, type ConnectInfo, type Join, type ToChannel } from './wire/link.ts'
export type { Decoded, DecodeLimits, Message } from './wire/message.ts'
export type { OriginOption } from './wire/origin.ts'
export { phoenixV1 } from './wire/phoenixV1.ts'
export { phoenixV2 } from './wire/phoenixV2.ts'
export {
  defineSerializer,
  type Frame,
  type Payload,
  type Serializer,
  type SerializerOption,
} from './wire/serializer.ts'
