/**
 * beamish/channels: endpoints, sockets and payloads on Phoenix's wire.
 * @module
 */

/** Listens, on every thread. */
export { type EndpointOptions, endpoint } from './endpoint/endpoint.ts'
/** What an endpoint serves. */
export {
  definePlugin,
  type PluginContext,
  type PluginSetup,
  type PluginSpec,
  type SocketMount,
} from './endpoint/plugin.ts'
/** What the event `upgrades` carries. */
export type { UpgradesReport } from './endpoint/upgradeReport.ts'
/** Mistakes in using this layer. */
export { ChannelError } from './errors.ts'
/** Payloads, declared once: checked at run time, inferred by TypeScript. */
export {
  boolean,
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
/** Signed tokens. */
export { signToken, type Verified, verifyToken } from './token.ts'
/** Limits of a socket and of those that want to open one; a socket's topics. */
export type { SocketLimits, UpgradeLimits } from './transport/limits.ts'
export type { Route } from './transport/routes.ts'
/** What is known of a connection, and which pages may open one. */
export type { ConnectInfo } from './wire/link.ts'
export type { OriginOption } from './wire/origin.ts'
