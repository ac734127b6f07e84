/** The first render of a page, over HTTP: in a process of its own, so that a view that throws costs one request. */

import type { Self } from '../../runtime/index.ts'
import { localNode } from '../../runtime/node/local.ts'
import { anonymous } from '../../runtime/process/raw.ts'
import type { Rendered } from '../template/rendered.ts'
import { bringUp, renderView, type Visit } from '../view/lifecycle.ts'
import type { LiveView } from '../view/liveView.ts'

export type Page =
  | { readonly ok: true; readonly rendered: Rendered; readonly title: string | undefined }
  | { readonly ok: false }

/** A mount that takes longer than this is killed; the visitor gets an error page. */
const RENDER_TIMEOUT_MS = 10_000

/** Mounts and renders a view once, not connected. Never rejects: what went wrong is in the crash report. */
export function renderPage(self: Self, view: LiveView, visit: Visit): Promise<Page> {
  const { scheduler } = localNode(self)
  return new Promise((resolve) => {
    const body = async (own: Self): Promise<void> => {
      const socket = await bringUp(view, own, false, visit)
      resolve({ ok: true, rendered: renderView(view, socket), title: socket.takeTitle() })
    }
    const named = Object.defineProperty(body, 'name', { value: `page of live view ${view.name}` })
    const request = { parent: self.pid, ancestors: [self.pid] }
    const process = scheduler.spawn(anonymous(named, true), undefined, request)
    const timer = scheduler.clock.after(process, RENDER_TIMEOUT_MS, () => {
      scheduler.report(process, { timeout: `mount of live view ${view.name}` }, undefined)
      scheduler.exit(process, 'killed')
    })
    process.onExit(() => {
      scheduler.clock.cancelRef(timer)
      resolve({ ok: false })
    })
  })
}
