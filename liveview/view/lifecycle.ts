/** mount, handleParams and render of one view, the same for the page over HTTP and for the connected one. */
import { BeamishError, type Self } from '../../runtime/index.ts'
import type { Rendered } from '../template/rendered.ts'
import { Rendered as RenderedClass } from '../template/rendered.ts'
import type { LiveView, Params, Session } from './liveView.ts'
import { LiveSocket } from './socket.ts'

export type ViewSocket = LiveSocket<Record<string, unknown>>

export interface Visit {
  readonly params: Params
  readonly session: Session
  /** Absolute. */
  readonly url: string
}

/** Brings a view up: its socket, mounted and with its URL handled. */
export async function bringUp(
  view: LiveView,
  self: Self,
  connected: boolean,
  visit: Visit,
): Promise<ViewSocket> {
  const socket = new LiveSocket(self, connected, {})
  const { mount, handleParams } = view.callbacks
  const mounted = await mount.call(view.callbacks, visit.params, visit.session, socket)
  if (mounted !== socket) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: `what mount of live view "${view.name}" returned`,
      got: typeof mounted,
      fix: 'return socket.assign({ … })',
    })
  }
  const ready = socket as unknown as ViewSocket
  if (handleParams !== undefined) {
    await handleParams.call(view.callbacks, visit.params, visit.url, ready)
  }
  return ready
}

export function renderView(view: LiveView, socket: ViewSocket): Rendered {
  const rendered = view.callbacks.render(socket.assigns)
  if (!(rendered instanceof RenderedClass)) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: `what render of live view "${view.name}" returned`,
      got: typeof rendered,
      fix: 'return html`…`',
    })
  }
  return rendered
}
