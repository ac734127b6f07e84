/**
 * beamish/channels: endpoints, sockets and payloads on Phoenix's wire.
 * @module
 */

export type { EndpointOptions } from './endpoint/endpoint.ts'
// The endpoint and what it serves.
export { endpoint } from './endpoint/endpoint.ts'
export type { PluginContext, PluginSetup, PluginSpec, SocketMount } from './endpoint/plugin.ts'
export { definePlugin } from './endpoint/plugin.ts'
export { ChannelError } from './errors.ts'
export type { InferPayload, PayloadIssue, PayloadSpec } from './payload/index.ts'
// Payloads, declared once.
export {
  boolean,
  integer,
  number,
  oneOf,
  optional,
  payloadSchema,
  shape,
  string,
  validate,
} from './payload/index.ts'
export type { Verified } from './token.ts'
// Signed tokens.
export { signToken, verifyToken } from './token.ts'
export type { SocketLimits } from './transport/limits.ts'
export type { Route } from './transport/routes.ts'
export type { ConnectInfo } from './wire/link.ts'
export type { OriginOption } from './wire/origin.ts'
