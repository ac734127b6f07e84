/** The app under test: a chat in which everybody can count, faults on request, and a cast of processes to be killed. */
import { type BroadcastMessage, genServer, type Pid, supervisor, topic } from 'beamish'
import { endpoint, integer, string } from 'beamish/channels'
import { each, html, liveRoutes, liveView } from 'beamish/liveview'
import { localNode } from '../../runtime/node/local.ts'
import { processInfo } from '../../runtime/scheduler/info.ts'
import { ON_MAIN, Sink, stewards, views, workers } from './cast.ts'
import { fault, type Way } from './faults.ts'

export interface FaultRequest {
  readonly scheduler: number
  readonly way: Way
}

/** What the app tells the outside. */
export type StatusEvents = {
  /** The endpoint of this thread listens, and all that is placed `each` runs; or its steward has been restarted. */
  serving: { readonly scheduler: number; readonly steward: Pid }
  /** The singleton has started. */
  singleton: { readonly scheduler: number }
}

export const status = topic<StatusEvents>('soak.status')

interface Row {
  readonly serial: number
  readonly sender: string
  readonly n: number
}

const chat = topic<{ said: { readonly sender: string; readonly n: number } }>('soak.chat')

/** Rows kept when the list is cut: more than one diff can stand for (64 messages), so that no page misses a row. */
const KEPT = 100

const Chat = liveView('soak.chat', {
  topics: [chat],
  events: { say: { sender: string(1, 50), n: integer(1, 2 ** 31) } },
  mount(_params, _session, socket) {
    if (socket.connected) views.register(socket.self, 'view')
    return socket
      .subscribe(chat)
      .assign({ scheduler: socket.self.scheduler, serial: 0, rows: [] as readonly Row[] })
  },
  handleEvent: {
    say(message, socket) {
      socket.broadcast(chat, 'said', message)
    },
  },
  handleInfo: {
    said({ sender, n }, socket) {
      const serial = socket.assigns.serial + 1
      const { rows } = socket.assigns
      const row: Row = { serial, sender, n }
      // Cut seldom, and a lot at once: where the front moves, a diff names every row.
      socket.assign({
        serial,
        rows: [...(rows.length < 2 * KEPT ? rows : rows.slice(-KEPT)), row],
      })
    },
  },
  render: ({ scheduler, rows }) =>
    html`<p id="scheduler">${scheduler}</p><ul>${each(
      rows,
      ({ serial, sender, n }) => html`<li>${`${serial} ${sender} ${n}`}</li>`,
    )}</ul>`,
})

/** On each thread. */
const Faults = genServer('soak.faults', {
  init: (_: undefined, self) => self.subscribe('soak.faults'),
  handleInfo: {
    broadcast(_state, message: BroadcastMessage, self) {
      const { scheduler, way } = message.payload as FaultRequest
      if (scheduler === self.scheduler) fault(way)
    },
  },
})

/** One on the whole node. */
export const Singleton = genServer('soak.singleton', {
  init: (_: undefined, self) => {
    self.broadcast(status, 'singleton', { scheduler: self.scheduler })
    return { scheduler: self.scheduler }
  },
  handleCall: { where: (state) => state.scheduler },
})

/** A process of a thread, as who looks for a victim sees it. */
export interface Inhabitant {
  readonly pid: Pid
  readonly behaviour: string
}

/** Does on its thread what main asks for. The last of a thread's children: when it starts, the others run. */
const Steward = genServer('soak.steward', {
  init(_: undefined, self) {
    stewards.register(self, 'steward')
    self.broadcast(status, 'serving', { scheduler: self.scheduler, steward: self.pid })
  },
  handleCall: {
    collect() {
      globalThis.gc?.()
      globalThis.gc?.()
    },
    census: (_state, _payload, self): Inhabitant[] =>
      [...localNode(self).scheduler.slots]
        .map(processInfo)
        .flatMap(({ status, pid, behaviour }) => (status === 'starting' ? [] : { pid, behaviour })),
    echo() {},
    /** How long a call of this thread to main takes. */
    async callMain(_state, _payload, self) {
      const began = self.now()
      await self.call(ON_MAIN, 'addresses')
      return self.now() - began
    },
  },
})

/** Restarts are what this app is about: no number of them is too many. */
const ENDLESS = { maxRestarts: 1_000_000, maxSeconds: 1 }

export default supervisor({
  strategy: 'one_for_one',
  ...ENDLESS,
  children: [
    Faults.child(undefined, { place: 'each' }),
    Sink.child(undefined, { place: 'each' }),
    endpoint({ port: 0, plugins: [liveRoutes({ '/chat': Chat })] }),
    supervisor({ id: 'workers', place: 'each', ...ENDLESS, children: workers }),
    Steward.child(undefined, { place: 'each' }),
    Singleton.child(undefined, { name: 'singleton' }),
  ],
})
