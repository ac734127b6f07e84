/**
 * A connected live view: one process per page, on the channel `lv:<id>`. Mounts, renders, and from then on sends what
 * changed: once per message, or once for several that were already waiting.
 */

import { endWith } from '../../channels/channel/orphan.ts'
import {
  ChannelLink,
  type Join,
  type JoinsAside,
  type ToChannel,
} from '../../channels/wire/link.ts'
import { plain, reasonOf, safeText } from '../../runtime/exit/reason.ts'
import { type ExitReason, formatReason } from '../../runtime/index.ts'
import { logLine } from '../../runtime/log.ts'
import { localNode } from '../../runtime/node/local.ts'
import {
  type Behaviour,
  defineBehaviour,
  type StateAccess,
} from '../../runtime/process/behaviour.ts'
import { BroadcastMessage, DownMessage, StopMessage } from '../../runtime/process/messages.ts'
import { type Process, Status } from '../../runtime/process/process.ts'
import { type DiffNode, diff, type Prints } from '../diff/index.ts'
import { noteStale } from '../page/stale.ts'
import { readPageToken } from '../page/token.ts'
import { visitOf } from '../page/visit.ts'
import { decodeEvent } from './event.ts'
import { bringUp, renderView, type ViewSocket } from './lifecycle.ts'
import { findView, type LiveView } from './liveView.ts'
import { type Shelf, shelve, unshelve } from './shelf.ts'

/** Name of the behaviour, for the route `lv:*`. */
export const LIVE_VIEW = 'beamish.liveView'

/** Version of the official client we speak to; another one only warns in the browser's console. */
const CLIENT_VERSION = '1.2.12'
/** How long a view may live on without its page. */
const ORPHAN_TIMEOUT_MS = 5_000
/** Messages that may be handled before their common diff is due, when ever more are waiting. */
const MAX_COALESCED = 64

interface State {
  readonly view: LiveView
  readonly link: ChannelLink
  readonly pattern: string
  socket: ViewSocket
  prints: Prints | undefined
  /** Templates of the prints that are at rest. */
  templates: Shelf['templates']
  coalesced: number
  /** The push that is being handled: it gets a reply even if its handler throws. */
  ref: string | null
  complained: boolean
}

/** Its assigns were replaced from outside: the page must hear of it. */
class Refresh {}

interface Rested {
  readonly assigns: Record<string, unknown>
  readonly root: Shelf['root'] | undefined
}

/** The state of a view is its assigns. It rests with what the page shows, for that refers to the same items. */
const assignsOf: StateAccess = {
  get: (process) => (process.state as State).socket.assigns,
  set(process, assigns) {
    ;(process.state as State).socket.restore(assigns as Record<string, unknown>, true)
    process.scheduler.deliver(process, new Refresh())
  },
  rest: {
    look(process): Rested {
      const state = process.state as State
      const { assigns } = state.socket
      if (state.prints === undefined) return { assigns, root: undefined }
      const { root, templates } = shelve(state.prints)
      state.templates = templates
      return { assigns, root }
    },
    leave(process) {
      const state = process.state as State
      state.socket.restore({}, false)
      state.prints = undefined
    },
    take(process, rested) {
      const { assigns, root } = rested as Rested
      const state = process.state as State
      state.socket.restore(assigns, false)
      const { templates } = state
      if (root !== undefined) state.prints = unshelve({ root, templates })
      state.templates = []
    },
    stateOf: (rested) => (rested as Rested).assigns,
  },
}

class LiveViewBehaviour implements Behaviour, JoinsAside {
  readonly joinsAside = true
  readonly name = LIVE_VIEW
  readonly delivery = 'handle'
  readonly containStrays = true
  readonly data = assignsOf

  describe(process: Process): string | undefined {
    const state = process.state as State | undefined
    return state === undefined ? undefined : `live view ${state.view.name}`
  }

  inspectState(process: Process): unknown {
    return (process.state as State | undefined)?.socket?.assigns
  }

  async start(process: Process, argument: unknown): Promise<void> {
    const join = argument as Join
    const { self } = process
    const link = new ChannelLink(self, join)
    endWith(process, join.transport, ORPHAN_TIMEOUT_MS)
    // Its supervisor waits for the process, not for the page.
    process.ready()
    const node = localNode(self)
    const token = readPageToken(node.secret, join)
    const view = token === undefined ? undefined : findView(token.view)
    if (token === undefined || view === undefined) {
      await noteStale(self, join)
      link.joined('error', { reason: 'stale' })
      process.scheduler.exit(process, 'normal')
      return
    }
    process.state = {
      view,
      link,
      pattern: token.path,
      socket: undefined as unknown as ViewSocket,
      prints: undefined,
      templates: [],
      coalesced: 0,
      ref: null,
      complained: false,
    } satisfies State
    const state = process.state as State
    const visit = visitOf(join, token.path)
    // From here on it is this view that runs, and no longer any view.
    process.label = 0
    process.scheduler.journal.runs(process)
    process.scheduler.journal.notes('mount')
    state.socket = await bringUp(view, self, true, visit)
    if (process.status === Status.Dead) return
    link.joined('ok', { rendered: changes(state) ?? {}, liveview_version: CLIENT_VERSION })
    process.scheduler.sleepers.watch(process, view.hibernateAfterMs)
  }

  handle(process: Process, message: unknown): unknown {
    const state = process.state as State
    if (message instanceof BroadcastMessage) return this.#broadcast(process, state, message)
    if (message instanceof DownMessage && message.object === state.link.join.transport) {
      const reason: ExitReason =
        message.reason === 'normal' ? { shutdown: 'closed' } : message.reason
      return this.#stop(process, state, reason)
    }
    if (message instanceof StopMessage) return this.#stop(process, state, message.reason)
    if (message instanceof Refresh) return this.#flush(state)
    const known = message as ToChannel
    // A diff that was put off for this message must not wait longer if it changes nothing itself.
    if (state.coalesced > 0) this.#flush(state)
    switch (typeof message === 'object' && message !== null ? known.type : undefined) {
      case 'phx:event':
        return this.#pushed(process, state, known as ToChannel & { type: 'phx:event' })
      case 'phx:leave':
        state.link.reply((known as { ref: string | null }).ref, 'ok', {})
        state.link.closed()
        return this.#stop(process, state, { shutdown: 'left' })
      case 'phx:stop':
        return this.#stop(process, state, (known as { reason: ExitReason }).reason)
      default:
        return this.#other(process, state, message)
    }
  }

  #broadcast(process: Process, state: State, message: BroadcastMessage): unknown {
    const { handleInfo } = state.view.callbacks
    const handler =
      handleInfo !== undefined && Object.hasOwn(handleInfo, message.event)
        ? handleInfo[message.event]
        : undefined
    if (handler === undefined) return this.#other(process, state, message)
    return after(handler(message.payload, state.socket), () => this.#changed(process, state))
  }

  #other(process: Process, state: State, message: unknown): unknown {
    const { callbacks, name } = state.view
    if (callbacks.handleMessage === undefined) {
      if (state.coalesced > 0) this.#flush(state)
      logLine('warn', `live view ${name} has no handler for a message: dropped`, () => ({
        got: safeText(message, 200),
      }))
      return undefined
    }
    return after(callbacks.handleMessage(message, state.socket), () =>
      this.#changed(process, state),
    )
  }

  /** A push of the page. Every one gets its reply. */
  #pushed(process: Process, state: State, push: ToChannel & { type: 'phx:event' }): unknown {
    const { ref, event, payload } = push
    switch (event) {
      case 'event':
        return this.#event(process, state, ref, payload)
      case 'live_patch':
        return this.#patched(process, state, ref, payload)
      // There are no components yet: whatever ids the client names are gone already.
      case 'cids_will_destroy':
        state.link.reply(ref, 'ok', {})
        return undefined
      case 'cids_destroyed':
        state.link.reply(ref, 'ok', { cids: [] })
        return undefined
      default:
        this.#complain(state, `push "${event.slice(0, 100)}" is not known`)
        state.link.reply(ref, 'error', { reason: 'unknown event' })
        return undefined
    }
  }

  #event(process: Process, state: State, ref: string | null, wire: unknown): unknown {
    const decoded = decodeEvent(state.view, wire)
    if (decoded.do === 'refuse') {
      const issues = decoded.issues?.map(({ path, message }) => `${path} ${message}`).join(', ')
      const detail = issues === undefined ? '' : ` (${issues})`
      this.#complain(state, `event "${decoded.event.slice(0, 100)}" is ${decoded.why}${detail}`)
      // "ok" and no change: an error reply would leave the client's form locked.
      state.link.reply(ref, 'ok', {})
      return undefined
    }
    const handler = state.view.callbacks.handleEvent?.[decoded.event]
    process.scheduler.journal.notes(decoded.event)
    state.ref = ref
    return after(handler?.(decoded.payload, state.socket), () => this.#reply(process, state, ref))
  }

  #patched(process: Process, state: State, ref: string | null, payload: unknown): unknown {
    const url = (payload as { url?: unknown } | null)?.url
    const { handleParams } = state.view.callbacks
    if (typeof url !== 'string' || handleParams === undefined) {
      state.link.reply(ref, 'ok', {})
      return undefined
    }
    state.ref = ref
    const { join } = state.link
    const visit = visitOf({ ...join, payload: { url } }, state.pattern)
    const result = handleParams.call(state.view.callbacks, visit.params, visit.url, state.socket)
    return after(result, () => this.#reply(process, state, ref))
  }

  #reply(process: Process, state: State, ref: string | null): void {
    if (process.status === Status.Dead) return
    const changed = changes(state)
    state.ref = null
    if (ref !== null) state.link.reply(ref, 'ok', changed === undefined ? {} : { diff: changed })
    // Nobody waits for a reply; the page must change all the same.
    else if (changed !== undefined) state.link.push('diff', changed)
  }

  /** A message has been handled: its diff leaves now, or with those of the messages that already wait. */
  #changed(process: Process, state: State): void {
    if (process.status === Status.Dead) return
    if (process.mailbox.length > 0 && ++state.coalesced < MAX_COALESCED) return
    this.#flush(state)
  }

  #flush(state: State): void {
    const changed = changes(state)
    if (changed !== undefined) state.link.push('diff', changed)
  }

  /** Once per view: a client that sends rubbish must not fill the log. */
  #complain(state: State, what: string): void {
    if (state.complained) return
    state.complained = true
    logLine(
      'warn',
      `live view ${state.view.name}: ${what}; further ones of this page are not logged`,
    )
  }

  crashed(process: Process, thrown: unknown, message: unknown): unknown {
    const reason = plain(reasonOf(thrown))
    const state = process.state as State | undefined
    process.scheduler.report(process, reason, message)
    if (state?.socket === undefined) {
      process.scheduler.exit(process, reason)
      return undefined
    }
    if (state.ref !== null) state.link.reply(state.ref, 'error', { reason: 'event crashed' })
    return this.#stop(process, state, reason)
  }

  /** Runs terminate, then ends. An exception in terminate becomes the reason. */
  async #stop(process: Process, state: State, reason: ExitReason): Promise<void> {
    const { terminate } = state.view.callbacks
    let last = reason
    // Its supervisor's shutdown must not cut off what runs because of one; its kill does, when its time is up.
    process.trapExit = true
    if (terminate !== undefined) {
      try {
        await terminate.call(state.view.callbacks, reason, state.socket)
      } catch (thrown) {
        last = plain(reasonOf(thrown))
        process.scheduler.report(process, last, `terminate(${formatReason(reason)})`)
      }
    }
    process.scheduler.exit(process, last)
  }
}

/** What the page must be told, or undefined. */
function changes(state: State): DiffNode | undefined {
  const { socket, view } = state
  state.coalesced = 0
  let changed: (DiffNode & { t?: string; e?: unknown }) | undefined
  if (socket.takeDirty()) {
    const result = diff(state.prints, renderView(view, socket))
    state.prints = result.prints
    changed = result.diff
  }
  if (socket.hasEvents) {
    changed ??= {}
    const title = socket.takeTitle()
    if (title !== undefined) changed.t = title
    const events = socket.takeEvents()
    if (events !== undefined) changed.e = events
  }
  return changed
}

/** Goes on at once after a synchronous handler, later after an asynchronous one. */
function after(result: unknown, next: () => void): unknown {
  if (result instanceof Promise) return result.then(next)
  next()
  return undefined
}

defineBehaviour(new LiveViewBehaviour())
