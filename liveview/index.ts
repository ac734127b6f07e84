/**
 * beamish/liveview: server-rendered pages kept live over a socket, on the official client.
 * @module
 */

// What nearly every live page needs of the layers below.
export { endpoint } from '../channels/endpoint/endpoint.ts'
export { boolean, integer, number, oneOf, optional, string } from '../channels/payload/index.ts'
export { topic } from '../runtime/pubsub/topic.ts'
export { supervisor } from '../runtime/supervisor/spec.ts'
export type { LiveRoutesOptions } from './page/routes.ts'
export { liveRoutes } from './page/routes.ts'
export type { EachOptions, Rendered, SafeHtml } from './template/index.ts'
// Templates.
export { attr, each, html, TemplateError, unsafeHtml } from './template/index.ts'
export type { LiveView, LiveViewSpec, Params, Session } from './view/liveView.ts'
// Views and their routes.
export { liveView } from './view/liveView.ts'
export type { LiveSocket } from './view/socket.ts'
