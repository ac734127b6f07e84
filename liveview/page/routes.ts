/** Live views as an endpoint plugin: their pages over HTTP, the files they load, and the socket `/live` they come back on. */
import { randomBytes } from 'node:crypto'
import {
  definePlugin,
  type PluginContext,
  type PluginSpec,
} from '../../channels/endpoint/plugin.ts'
import type { SocketLimits } from '../../channels/transport/limits.ts'
import type { OriginOption } from '../../channels/wire/origin.ts'
import { BeamishError } from '../../runtime/index.ts'
import { findView, type LiveView } from '../view/liveView.ts'
import { LIVE_VIEW } from '../view/process.ts'
import { type Asset, pageScripts, stylesheetAsset } from './assets.ts'
import { renderPage } from './deadRender.ts'
import { writeDocument } from './document.ts'
import { EXPLANATION, isStale } from './stale.ts'
import { makePageToken } from './token.ts'
import { visitAt } from './visit.ts'

export interface LiveRoutesOptions {
  /** Title of the page until a view sets one. Default: the view's name. */
  readonly title?: string
  /** A CSS file, as `new URL('./app.css', import.meta.url)`. */
  readonly stylesheet?: URL | string
  /** Language of the pages. Default en. */
  readonly lang?: string
  /** Redirects, from path to path: `{ '/': '/chat' }`. */
  readonly redirects?: Readonly<Record<string, string>>
  readonly checkOrigin?: OriginOption
  readonly limits?: Partial<SocketLimits>
}

interface Options extends Omit<LiveRoutesOptions, 'stylesheet'> {
  readonly routes: Readonly<Record<string, string>>
  readonly stylesheet: string | undefined
}

const ROOT_ID_BYTES = 12
/** A host and port as browsers write them (RFC 3986 section 3.2): it goes into a policy header. */
const AUTHORITY = /^([\w.-]+|\[[\da-fA-F:.]+\])(:\d{1,5})?$/
const FOREVER = 'public, max-age=31536000, immutable'

const liveRoutesPlugin = definePlugin('beamish.liveRoutes', (context, options: Options) => {
  const scripts = pageScripts()
  const stylesheet =
    options.stylesheet === undefined ? undefined : stylesheetAsset(options.stylesheet)
  for (const asset of stylesheet === undefined ? scripts : [...scripts, stylesheet]) {
    serveAsset(context, asset)
  }
  for (const [from, to] of Object.entries(options.redirects ?? {})) {
    context.fastify.get(from, (_request, reply) => reply.redirect(to, 302))
  }
  for (const [path, name] of Object.entries(options.routes)) {
    const view = findView(name)
    if (view === undefined) {
      throw new BeamishError('BEAMISH_BAD_OPTION', {
        option: `route ${path}`,
        got: `live view "${name}"`,
        fix: 'define it in a module that the app module imports',
      })
    }
    servePage(context, options, path, view, scripts, stylesheet)
  }
  context.mount({
    path: '/live',
    routes: [{ topic: 'lv:*', behaviour: LIVE_VIEW }],
    ...(options.checkOrigin === undefined ? {} : { checkOrigin: options.checkOrigin }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  })
})

/**
 * Routes paths to live views, for an endpoint's plugins.
 *
 * @example
 * ```ts
 * import { endpoint } from 'beamish/channels'
 * import { html, liveRoutes, liveView } from 'beamish/liveview'
 * const Hello = liveView('doc-hello', {
 *   mount: (_params, _session, socket) => socket.assign({ name: 'you' }),
 *   render: ({ name }) => html`<p>Hello ${name}</p>`,
 * })
 * export const web = endpoint({ plugins: [liveRoutes({ '/hello': Hello }, { redirects: { '/': '/hello' } })] })
 * ```
 */
export function liveRoutes(
  routes: Readonly<Record<string, LiveView>>,
  options: LiveRoutesOptions = {},
): PluginSpec {
  const { stylesheet, ...rest } = options
  const names = Object.entries(routes).map(([path, view]) => [path, view.name] as const)
  return liveRoutesPlugin({
    ...rest,
    routes: Object.fromEntries(names),
    stylesheet: stylesheet instanceof URL ? stylesheet.href : stylesheet,
  })
}

function serveAsset({ fastify }: PluginContext, asset: Asset): void {
  fastify.get(asset.path, (_request, reply) =>
    reply
      .header('content-type', asset.type)
      .header('cache-control', FOREVER)
      .header('x-content-type-options', 'nosniff')
      .send(asset.body),
  )
}

function servePage(
  context: PluginContext,
  options: Options,
  path: string,
  view: LiveView,
  scripts: readonly Asset[],
  stylesheet: Asset | undefined,
): void {
  const { fastify, self, node } = context
  fastify.get(path, async (request, reply) => {
    if (!AUTHORITY.test(request.host))
      return reply.code(400).type('text/plain').send('bad Host header\n')
    const url = new URL(request.url, `${request.protocol}://${request.host}`)
    const { data, csrfToken } = context.session(request, reply)
    const visit = { ...visitAt(url, path), session: data }
    const page = await renderPage(self, view, visit)
    reply.header('cache-control', 'no-store').type('text/html; charset=utf-8')
    for (const [name, value] of Object.entries(securityHeaders(url.host))) reply.header(name, value)
    if (!page.ok) {
      return reply
        .code(500)
        .send('<!doctype html><title>500</title><p>Something went wrong on our side.</p>\n')
    }
    const id = `phx-${randomBytes(ROOT_ID_BYTES).toString('base64url')}`
    const stale = await isStale(self, request.ip, request.headers['user-agent'], url.pathname)
    return reply.send(
      writeDocument({
        lang: options.lang ?? 'en',
        title: page.title ?? options.title ?? view.name,
        csrfToken,
        scripts: scripts.map((script) => script.url),
        stylesheet: stylesheet?.url,
        root: {
          id,
          session: makePageToken(node.secret, { id, view: view.name, path }),
          content: page.rendered,
        },
        notice: stale ? EXPLANATION : undefined,
      }),
    )
  })
}

/** Our pages load nothing from elsewhere and run no inline script; injected markup could not either. */
function securityHeaders(host: string): Record<string, string> {
  return {
    'content-security-policy': [
      "default-src 'self'",
      `connect-src 'self' ws://${host} wss://${host}`,
      "img-src 'self' data:",
      "style-src 'self' 'unsafe-inline'",
      "object-src 'none'",
      "base-uri 'self'",
      "frame-ancestors 'self'",
    ].join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
  }
}
