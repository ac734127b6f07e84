/**
 * beamish/liveview: server-rendered pages kept live over a socket, on the official client.
 * @module
 */
