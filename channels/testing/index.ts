/**
 * beamish/channels/testing: clients for the channels of a test node, in virtual time (Phoenix.ChannelTest).
 * @module
 */

/** A joined channel. */
export { TestChannel } from './channel.ts'
/** Clients. */
export {
  type ClientOptions,
  clientOf,
  connect,
  TestClient,
  type TestConnectInfo,
} from './client.ts'
/** Refusals. */
export { ConnectRefused, JoinRefused } from './errors.ts'
