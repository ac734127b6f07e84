/**
 * beamish/channels/testing: clients for the channels of a test node, in virtual time (Phoenix.ChannelTest).
 * @module
 */

/** A joined channel. */
export { TestChannel } from './channel.ts'
/** Clients. */
export { TestClient } from './client.ts'
/** Their connections. */
export { type ClientOptions, clientOf, connect, type TestConnectInfo } from './connect.ts'
/** Refusals. */
export { ConnectRefused, JoinRefused } from './errors.ts'
