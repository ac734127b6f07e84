/** room:*: the samples of the Phoenix.Channel document, each at work. */
import { stop, stopWithReply } from 'beamish'
import {
  any,
  bytes,
  channel,
  error,
  integer,
  joined,
  ok,
  optional,
  type SocketRef,
  string,
} from 'beamish/channels'
import { noteEnd, watchRoom } from './janitor.ts'
import { sendable } from './sendable.ts'
import { User } from './user.ts'
import { workElsewhere } from './work.ts'

export const SUPERADMIN = 'room:superadmin'
/** Of more, the longest ago are heard again. */
const MAX_IGNORED = 100

export const Room = channel('tour.room', {
  socket: User,
  events: {
    new_msg: { uid: string(1, 100), body: string(0, 2_000) },
    say: sendable,
    shout: sendable,
    announce: sendable,
    ping: sendable,
    ignore: { user_id: string(1, 100) },
    file_chunk: bytes(),
    echo_binary: bytes(),
    blob: bytes(),
    'create:post': { title: string(1, 200) },
    current_rank: any(),
    work: { ms: optional(integer(0, 60_000)) },
    crash: any(),
    stop: { reason: string(1, 200) },
    bye: any(),
    kill_me: any(),
  },
  async join(topic, payload, socket) {
    await watchRoom(socket.self, topic)
    if (topic === 'room:crash-join') throw new Error('this room crashes')
    if (topic === 'room:slow-join') await socket.self.sleep(2_000)
    const { password } = (payload ?? {}) as { password?: unknown }
    if (topic !== 'room:lobby' && password === 'wrong') return error({ reason: 'unauthorized' })
    socket.self.send(socket.self.pid, 'afterJoin')
    return joined(socket.assign({ ignored: [] as readonly string[] }))
  },
  handleIn: {
    new_msg({ uid, body }, socket) {
      socket.broadcast('new_msg', { uid, body })
      return ok()
    },
    say(payload, socket) {
      socket.broadcast('say', payload)
    },
    shout(payload, socket) {
      socket.broadcastFrom('shout', payload)
    },
    announce(payload, socket) {
      socket.broadcast('announce', payload)
      if (socket.topic !== SUPERADMIN) socket.publish(SUPERADMIN, 'announce', payload)
      return ok()
    },
    ping: (payload) => ok(payload),
    ignore({ user_id }, socket) {
      socket.update('ignored', (ignored) => [...new Set([...ignored, user_id])].slice(-MAX_IGNORED))
      return ok()
    },
    file_chunk: (chunk) => ok({ size: chunk.length }),
    echo_binary: (data) => ok(data),
    blob(data, socket) {
      socket.broadcast('blob', data)
    },
    'create:post': ({ title }) => ok({ title }),
    current_rank(_payload, socket) {
      socket.push('leaders', { leaders: ['ada', 'grace'] })
      socket.push('badge', Uint8Array.of(1, 2, 3))
      return { rank: 7 }
    },
    work({ ms = 0 }, socket) {
      workElsewhere(socket.self, { ref: refOf(socket), ms })
    },
    crash() {
      throw new Error('crashed on request')
    },
    stop: ({ reason }) => stop(reason === 'left' ? { shutdown: 'left' } : reason),
    bye: () => stopWithReply({ shutdown: 'left' }, ok({ bye: true })),
    kill_me(_payload, socket) {
      socket.self.exit(socket.self.pid, 'kill')
    },
  },
  handleOut: {
    new_msg(message: { uid: string; body: string }, socket) {
      socket.push('new_msg', { ...message, is_editable: message.uid === socket.assigns.userId })
    },
    user_joined(message: { user_id: string }, socket) {
      if (!socket.assigns.ignored.includes(message.user_id)) socket.push('user_joined', message)
    },
  },
  handleMessage(message, socket) {
    if (message === 'afterJoin') {
      socket.broadcastFrom('user_joined', { user_id: socket.assigns.userId })
    }
  },
  terminate(reason, socket) {
    noteEnd(socket.self, socket.topic, reason)
  },
})

/** A push without a ref wants no answer. */
function refOf(socket: { ref(): SocketRef }): SocketRef | undefined {
  try {
    return socket.ref()
  } catch {
    return undefined
  }
}
