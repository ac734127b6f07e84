/**
 * beamish/liveview: server-rendered pages kept live over a socket, on the official client.
 * @module
 */

/** Pages by path, for an endpoint. */
export { type LiveRoutesOptions, liveRoutes } from './page/routes.ts'
/** Templates. */
export {
  attr,
  type EachOptions,
  each,
  html,
  type Rendered,
  type SafeHtml,
  TemplateError,
  unsafeHtml,
} from './template/index.ts'
/** Views. */
export {
  type LiveView,
  type LiveViewSpec,
  liveView,
  type Params,
  type Session,
} from './view/liveView.ts'
export type { LiveSocket } from './view/socket.ts'
