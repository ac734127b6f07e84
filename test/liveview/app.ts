/** What the tests of channels and live views run against: small views, each for one thing that may happen to a page. */
import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  type BroadcastMessage,
  type From,
  genServer,
  noreply,
  type Pid,
  supervisor,
  topic,
} from 'beamish'
import { endpoint, integer, optional, string } from 'beamish/channels'
import { each, html, liveRoutes, liveView } from 'beamish/liveview'

/** Every view tells this topic how it ended. */
const endings = topic<{ ended: { id: string; reason: unknown } }>('test.endings')

/** Holds whoever waits at a gate until it is opened; a gate that is open stays so. */
export const Gates = genServer('test.gates', {
  init: () => ({
    open: new Set<string>(),
    waiting: new Map<string, From[]>(),
    watching: new Map<string, From[]>(),
  }),
  handleCall: {
    wait(state, gate: string, self, from) {
      if (state.open.has(gate)) return true
      state.waiting.set(gate, [
        ...(state.waiting.get(gate) ?? []),
        { pid: from.pid, ref: from.ref },
      ])
      for (const watcher of state.watching.get(gate) ?? []) self.reply(watcher, true)
      state.watching.delete(gate)
      return noreply()
    },
    /** Answers when somebody waits. */
    reached(state, gate: string, _self, from) {
      if (state.waiting.has(gate)) return true
      state.watching.set(gate, [
        ...(state.watching.get(gate) ?? []),
        { pid: from.pid, ref: from.ref },
      ])
      return noreply()
    },
    open(state, gate: string, self) {
      state.open.add(gate)
      for (const from of state.waiting.get(gate) ?? []) self.reply(from, true)
      state.waiting.delete(gate)
      return true
    },
  },
})

/** On each thread: collects garbage when asked, and tells the one who asked. */
const Collector = genServer('test.collector', {
  init: (_: undefined, self) => {
    self.subscribe('test.collect')
    setFlagsFromString('--expose-gc')
    return { collect: runInNewContext('gc') as () => void }
  },
  handleInfo: {
    broadcast(state, message: BroadcastMessage, self) {
      state.collect()
      state.collect()
      const { to } = message.payload as { to: Pid }
      self.send(to, { type: 'collected', scheduler: self.scheduler })
    },
  },
})

/** The view most tests use: typed events, parameters, a title, crashes on request. */
const Counter = liveView('test.counter', {
  events: {
    add: { n: integer(1, 10) },
    say: { text: string(1, 50), tag: optional(string(1, 10)) },
    title: { to: string(1, 50) },
    notify: { name: string(1, 20) },
    crash: {},
    crashLater: {},
    crashInRender: {},
    die: {},
    hang: { gate: string(1, 100) },
  },
  mount: (params, session, socket) =>
    socket.assign({
      id: String(params.id),
      visitor: typeof session.visitor === 'string' ? session.visitor : 'nobody',
      scheduler: socket.self.scheduler,
      tab: 'none',
      count: 0,
      said: '',
      broken: false,
    }),
  handleParams(params, _url, socket) {
    if (params.tab === 'crash') throw new Error('no such tab')
    socket.assign({ tab: typeof params.tab === 'string' ? params.tab : 'none' })
  },
  handleEvent: {
    add({ n }, socket) {
      socket.update('count', (count) => count + n)
    },
    say({ text, tag }, socket) {
      socket.assign({ said: tag === undefined ? text : `${tag}: ${text}` })
    },
    title({ to }, socket) {
      socket.pageTitle(to)
    },
    notify({ name }, socket) {
      socket.pushEvent(name, { count: socket.assigns.count })
    },
    crash() {
      throw new Error('crash was clicked')
    },
    async crashLater(_payload, socket) {
      await socket.self.sleep(1)
      throw new Error('crashLater was clicked')
    },
    crashInRender(_payload, socket) {
      socket.assign({ broken: true })
    },
    die(_payload, socket) {
      socket.self.exit({ shutdown: 'asked to' })
    },
    async hang({ gate }, socket) {
      await socket.self.call(Gates.named('gates'), 'wait', gate, { timeoutMs: 60_000 })
    },
  },
  render({ id, tab, count, said, broken }) {
    if (broken) throw new Error('cannot render this')
    return html`<h1>Counter ${id}</h1>
      <p id="tab">${tab}</p>
      <p id="count">${count}</p>
      <p id="said">${said}</p>
      <form phx-submit="say"><input name="text"><button>Say</button></form>`
  },
  terminate(reason, socket) {
    socket.broadcast(endings, 'ended', { id: socket.assigns.id, reason })
  },
})

/** Shows where it runs: the dead page and the live one differ in that. */
const Where = liveView('test.where', {
  events: { look: {} },
  mount: (_params, _session, socket) =>
    socket.assign({ scheduler: socket.self.scheduler, looks: 0 }),
  handleEvent: {
    look(_payload, socket) {
      socket.update('looks', (looks) => looks + 1)
    },
  },
  render: ({ scheduler, looks }) =>
    html`<p id="scheduler">${scheduler}</p><p id="looks">${looks}</p>`,
})

type Message = { readonly key: string; readonly name: string; readonly text: string }
type Room = { readonly message: Message }

/** A chat room per path. */
const RoomView = liveView('test.room', {
  topics: [topic<Room>('room')],
  events: { send: { text: string(1, 500) } },
  mount(params, _session, socket) {
    const room = topic<Room>(`room:${String(params.id)}`)
    return socket.subscribe(room).assign({
      room,
      name: String(params.name ?? 'anonymous'),
      scheduler: socket.self.scheduler,
      messages: [] as readonly Message[],
    })
  },
  handleEvent: {
    send({ text }, socket) {
      const { room, name } = socket.assigns
      socket.broadcast(room, 'message', { key: randomUUID(), name, text })
    },
  },
  handleInfo: {
    message(message, socket) {
      socket.update('messages', (all) => [...all, message].slice(-20))
    },
  },
  render: ({ scheduler, messages }) => html`<p id="scheduler">${scheduler}</p>
    <ul id="messages">${each(messages, ({ name, text }) => html`<li><b>${name}</b> ${text}</li>`)}</ul>`,
})

/** Mounts when its gate opens; then lists what came. */
const Slow = liveView('test.slow', {
  events: { mark: { n: string(1, 10) } },
  async mount(params, _session, socket) {
    const gate = String(params.gate)
    if (socket.connected) {
      await socket.self.call(Gates.named('gates'), 'wait', gate, { timeoutMs: 60_000 })
    }
    return socket.assign({ gate, marks: [] as readonly string[] })
  },
  handleEvent: {
    mark({ n }, socket) {
      socket.update('marks', (marks) => [...marks, n])
    },
  },
  render: ({ marks }) => html`<p id="marks">${marks.join(' ')}</p>`,
  async terminate(_reason, socket) {
    const { gate } = socket.assigns
    if (gate.startsWith('sticky')) {
      await socket.self.call(Gates.named('gates'), 'wait', `${gate} end`, { timeoutMs: 60_000 })
    }
  },
})

/** Fails to mount: always, or once the page has connected. */
const Broken = liveView('test.broken', {
  mount(params, _session, socket) {
    if (params.when === 'always' || socket.connected) throw new Error('cannot mount')
    return socket.assign({})
  },
  render: () => html`<p>not yet broken</p>`,
})

/** Sends as much as it is asked to. */
const Flood = liveView('test.flood', {
  events: { flood: { bytes: integer(1, 1_000_000), times: integer(1, 1_000) } },
  mount: (_params, _session, socket) => socket.assign({}),
  handleEvent: {
    flood({ bytes, times }, socket) {
      for (let i = 0; i < times; i++) socket.pushEvent('flood', 'x'.repeat(bytes))
    },
  },
  render: () => html`<p>flood</p>`,
})

const routes = {
  '/counter/:id': Counter,
  '/where': Where,
  '/room/:id': RoomView,
  '/slow/:gate': Slow,
  '/broken/:when': Broken,
  '/flood': Flood,
}

const port = Number(process.env.BEAMISH_TEST_PORT ?? 0)
const reusePort = process.env.BEAMISH_TEST_REUSE_PORT !== 'false'
const fewer = { maxChannels: 3, maxFrameBytes: 5_000, maxQueueBytes: 300_000 }

export default supervisor({
  strategy: 'one_for_one',
  children: [
    Gates.child(undefined, { name: 'gates' }),
    Collector.child(undefined, { id: 'collector', place: 'each' }),
    endpoint({ port, reusePort, plugins: [liveRoutes(routes, { redirects: { '/': '/where' } })] }),
    endpoint({ id: 'tight', port: 0, reusePort, plugins: [liveRoutes(routes, { limits: fewer })] }),
    endpoint({
      id: 'idle',
      port: 0,
      reusePort,
      plugins: [liveRoutes(routes, { limits: { idleTimeoutMs: 2_000 } })],
    }),
    endpoint({
      id: 'open',
      port: 0,
      reusePort,
      plugins: [liveRoutes(routes, { checkOrigin: ['https://example.com'] })],
    }),
  ],
})
