// What a channel's callbacks get follows from what is declared and from what join returns, without a cast. Checked by tsc.
// Longer than 400 lines because one kind of callback after the other is typed from the same few declarations.
import { type Self, stop, stopWithReply, topic } from 'beamish'
import {
  any,
  bytes,
  type ChannelSocket,
  type Contract,
  type ContractOf,
  channel,
  error,
  integer,
  joined,
  noreply,
  ok,
  optional,
  refuse,
  replyWith,
  socket,
  string,
} from 'beamish/channels'
import {
  type PhoenixSocket,
  type Received,
  type Refusal,
  typedChannel,
} from 'beamish/channels/client'

type Equal<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false
const same = <Verdict extends true>(verdict?: Verdict) => verdict

const User = socket('types.user', {
  connect: ({ user_id }, socket) =>
    typeof user_id === 'string' ? socket.assign({ userId: user_id, age: 7 }) : refuse(),
  id: ({ assigns }) => `user:${assigns.userId}`,
})
const prices = topic<{ changed: { price: number } }>('types.prices')

export const Room = channel('types.room', {
  socket: User,
  events: {
    new_msg: { body: string(1, 500), color: optional(string()) },
    vote: integer(1, 5),
    file: bytes(),
    poll: any(),
    bye: any(),
    later: any(),
  },
  pushes: {
    new_msg: { body: string(), from: string() },
    leaders: { names: any() },
    blob: bytes(),
    tick: {},
  },
  topics: [prices],
  params: { password: string(), page: optional(integer()) },
  async join(topic, params, socket) {
    void (topic satisfies string)
    same<Equal<typeof params.password, string>>()
    same<Equal<typeof params.page, number | undefined>>()
    const id: string = socket.assigns.userId
    // @ts-expect-error nobody has assigned it yet
    socket.assigns.sent
    if (params.password === 'wrong') return error({ reason: 'unauthorized', tries: 3 })
    return joined(socket.assign({ sent: 0, names: [] as readonly string[] }), {
      motd: `hello ${id}`,
    })
  },
  handleIn: {
    new_msg({ body, color }, socket) {
      same<Equal<typeof body, string>>()
      same<Equal<typeof color, string | undefined>>()
      void (socket.assigns.sent satisfies number)
      same<Equal<typeof socket.assigns.userId, string>>()
      same<Equal<typeof socket.assigns.names, readonly string[]>>()
      socket.update('sent', (sent) => sent + 1)
      // @ts-expect-error sent is a number
      socket.update('sent', (sent) => `${sent}`)
      // @ts-expect-error not assigned
      socket.assigns.other
      socket.broadcast('new_msg', { body, from: socket.assigns.userId })
      // @ts-expect-error from is missing
      socket.broadcast('new_msg', { body })
      // @ts-expect-error no such push
      socket.push('new_message', { body })
      socket.push('blob', new Uint8Array(1)).push('tick')
      // @ts-expect-error its payload is required
      socket.push('new_msg')
      if (body === '') return error({ reason: 'empty', at: 7 })
      return ok({ sent: socket.assigns.sent })
    },
    vote: (stars, socket) => {
      same<Equal<typeof stars, number>>()
      return stars > socket.assigns.age ? replyWith('busy', { retryInMs: 500 }) : { stars }
    },
    async file(data) {
      same<Equal<typeof data, Uint8Array>>()
      await null
      return ok(data)
    },
    poll: (payload) => {
      same<Equal<typeof payload, unknown>>()
      return noreply()
    },
    bye: () => (Math.random() > 2 ? stop('normal') : stopWithReply('normal', ok({ bye: true }))),
    later(_payload, socket) {
      socket.ref()
    },
  },
  handleOut: {
    new_msg(message, socket) {
      same<Equal<typeof message, { body: string; from: string }>>()
      void (socket.assigns.sent satisfies number)
      socket.push('new_msg', message)
    },
  },
  handleInfo: {
    changed({ price }, socket) {
      same<Equal<typeof price, number>>()
      socket.push('leaders', { names: [price] })
    },
  },
  handleMessage(_message, socket) {
    void (socket.assigns.sent satisfies number)
  },
  terminate(_reason, socket) {
    void (socket.assigns.sent satisfies number)
  },
})

type RoomContract = ContractOf<typeof Room>
same<Equal<RoomContract['events']['new_msg'], { body: string; color?: string | undefined }>>()
same<Equal<RoomContract['events']['vote'], number>>()
same<Equal<RoomContract['response'], { motd: string }>>()
same<Equal<RoomContract['refusal'], { reason: string; tries: number }>>()
same<Equal<RoomContract['params'], { password: string; page?: number | undefined }>>()
export const answers: {
  [K in keyof RoomContract['answers']]: RoomContract['answers'][K]
} = {} as never
export type A1 = RoomContract['answers']['new_msg']
same<Equal<Extract<A1, { status: 'ok' }>['response'], { sent: number }>>()
same<Equal<Extract<A1, { status: 'error' }>['response'], { reason: string; at: number }>>()
type A2 = RoomContract['answers']['vote']
same<Equal<A2['status'], 'ok' | 'busy'>>()
same<Equal<Extract<A2, { status: 'ok' }>['response'], { stars: number }>>()
same<Equal<RoomContract['answers']['file']['response'], Uint8Array>>()
same<Equal<RoomContract['answers']['poll'], never>>()
same<Equal<RoomContract['answers']['bye']['response'], { bye: boolean }>>()
same<Equal<RoomContract['pushes']['new_msg'], { body: string; from: string }>>()

// Nothing declared: any events for the client, assigns from whatever way join answers.
export const Plain = channel('types.plain', {
  join: (_topic, payload, socket) => {
    same<Equal<typeof payload, unknown>>()
    return socket.assign({ visits: 1 })
  },
  handleIn: (event, payload, socket) => {
    same<Equal<typeof event, string>>()
    same<Equal<typeof payload, unknown>>()
    socket.push('anything', { at: 'all' }).push(event)
    return ok({ visits: socket.assigns.visits })
  },
  handleMessage(_message, socket) {
    const n: number = socket.assigns.visits
    // @ts-expect-error there is no such assign
    socket.assigns.other
    void n
  },
})

export const Refuses = channel('types.refuses', { join: () => error({ reason: 'closed' }) })
same<Equal<ContractOf<typeof Refuses>['refusal'], { reason: string }>>()

channel('types.undeclared', {
  events: { ping: any() },
  join: (_topic, _payload, socket) => socket,
  handleIn: {
    ping: () => ok(),
    // @ts-expect-error it is not declared in events
    pong: () => ok(),
  },
})
channel('types.undeclaredOut', {
  pushes: { told: { text: string() } },
  join: (_topic, _payload, socket) => socket,
  handleOut: {
    told: ({ text }, socket) => socket.push('told', { text }),
    // @ts-expect-error it is not declared in pushes
    lost: () => {},
  },
})
channel('types.looseOut', {
  join: (_topic, _payload, socket) => socket.assign({ userId: 'ada' }),
  handleOut: {
    told({ text }: { text: string }, socket) {
      socket.push('told', { text, by: socket.assigns.userId })
    },
  },
})
channel('types.badJoin', {
  // @ts-expect-error a join answers the socket, joined() or error()
  join: () => ({ hello: true }),
})
channel('types.badRefusal', {
  // @ts-expect-error a refusal is an error
  join: () => ok(),
})
channel('types.badReply', {
  events: { ping: any() },
  join: (_topic, _payload, socket) => socket,
  // @ts-expect-error a reply is an object
  handleIn: { ping: () => 'pong' },
})
channel('types.changedAssigns', {
  join: (_topic, _payload, socket) => socket.assign({ count: 0 }),
  // @ts-expect-error count was a number
  handleMessage: (_message, socket) => socket.assign({ count: 'many' }),
})
channel('types.afterJoin', {
  join: (_topic, _payload, socket) => socket.assign({ count: 0, last: '' }),
  handleMessage(_message, socket) {
    socket.assign({ count: 1 }).assign(({ count }) => ({ count: count + 1, last: 'seen' }))
    // @ts-expect-error misspelt: join has made no such assign
    socket.assign({ cuont: 1 })
    // @ts-expect-error a function may not make one either
    socket.assign(() => ({ other: 1 }))
    // @ts-expect-error last is text
    socket.assign({ count: 1, last: 2 })
  },
})
channel('types.nothingAssigned', {
  join: (_topic, _payload, socket) => socket,
  // @ts-expect-error join has assigned nothing
  handleMessage: (_message, socket) => socket.assign({ count: 1 }),
})
channel('types.joins', {
  socket: User,
  join(_topic, _payload, socket) {
    const more = socket.subscribe('elsewhere').assign(({ age }) => ({ old: age > 7 }))
    greet(more)
    same<Equal<typeof more.assigns.old, boolean>>()
    return more.assign({ age: 'seven' }).update('old', (old) => !old)
  },
  handleMessage: (_message, { assigns }) => void (assigns.age satisfies string),
})

// Two topics that have an event of the same name: it is of the one or of the other.
const orders = topic<{ changed: { state: string }; gone: { id: number } }>('types.orders')
channel('types.twoTopics', {
  topics: [prices, orders],
  join: (_topic, _payload, socket) => socket,
  handleInfo: {
    changed(payload, socket, { topic }) {
      same<Equal<typeof payload, { price: number } | { state: string }>>()
      void (topic satisfies string)
      // @ts-expect-error it may be one of the orders
      payload.price
      socket.push('told', payload)
    },
    gone: ({ id }) => void (id satisfies number),
  },
})

// What is an object to TypeScript, and none on the wire.
interface Row {
  readonly id: number
}
declare const row: Row
declare const rows: readonly Row[]
declare const later: PromiseLike<Row>
export const Payloads = channel('types.payloads', {
  events: { one: any(), awaited: any(), thenable: any(), fields: any() },
  join: (_topic, _payload, socket) => socket,
  handleIn: {
    one: () => row,
    awaited: async () => ok(await later),
    thenable: () => later,
    fields: () => ok({ rows }),
  },
  handleMessage(_message, socket) {
    socket.push('row', row).push('rows', { rows }).push('bytes', new Uint8Array(1))
    // @ts-expect-error a list
    socket.push('rows', rows)
    // @ts-expect-error a promise
    socket.push('later', later)
    // @ts-expect-error a function
    socket.push('function', () => row)
    // @ts-expect-error text in JSON
    socket.push('date', new Date())
    // @ts-expect-error nothing in JSON
    socket.push('map', new Map([['a', 1]]))
    // @ts-expect-error a list
    ok(rows)
    // @ts-expect-error a promise
    ok(later)
  },
})
same<Equal<ContractOf<typeof Payloads>['answers']['thenable']['response'], Row>>()
channel('types.listReply', {
  events: { rows: any() },
  join: (_topic, _payload, socket) => socket,
  // @ts-expect-error a list is no reply
  handleIn: { rows: () => [1, 2] },
})
channel('types.noreply', {
  join: (_topic, _payload, socket) => socket,
  handleMessage: () => noreply({ timeoutMs: 1_000, hibernate: true }),
  mailbox: { maxLength: 100 },
  maxHeapBytes: 1_000_000,
  filterParameters: ['pin'],
  formatStatus: ({ state }) => ({ state: Object.keys(state) }),
})
channel('types.drops', {
  join: (_topic, _payload, socket) => socket,
  // @ts-expect-error a channel drops nothing
  mailbox: { policy: 'drop_newest' },
})

// @ts-expect-error a misspelt option
channel('types.misspelt', { join: (_t, _p, socket: ChannelSocket) => socket, handelIn: {} })

/** What is shared between channels asks for what it needs. */
export const greet = (socket: ChannelSocket<{ userId: string }>): string => socket.assigns.userId
export type Loose = Contract

// The client, typed by the channel: it takes what the events declare and gets what the handlers answer.
export async function client(phoenix: PhoenixSocket): Promise<void> {
  const room = typedChannel<typeof Room>(phoenix, 'room:lobby', { password: 'x' })
  typedChannel<typeof Room>(phoenix, 'room:lobby', () => ({ password: 'x', page: 2 }))
  // @ts-expect-error the params are declared
  typedChannel<typeof Room>(phoenix, 'room:lobby', { passwort: 'x' })
  // @ts-expect-error one of them is required
  typedChannel<typeof Room>(phoenix, 'room:lobby')
  const { motd } = await room.join()
  same<Equal<typeof motd, string>>()
  const reply = await room.push('new_msg', { body: motd })
  same<Equal<typeof reply, { sent: number }>>()
  // @ts-expect-error body is text
  await room.push('new_msg', { body: 7 })
  // @ts-expect-error body is required
  await room.push('new_msg')
  // @ts-expect-error no such event
  await room.push('new_message', { body: '' })
  const echoed = await room.push('file', new Uint8Array(1))
  same<Equal<typeof echoed, ArrayBuffer>>()
  await room.push('poll')
  const late = await room.push('later', undefined, { timeoutMs: 5 })
  same<Equal<typeof late, unknown>>()
  const outcome = await room.request('new_msg', { body: '' })
  if (outcome.status === 'ok') same<Equal<typeof outcome.response, { sent: number }>>()
  else if (outcome.status === 'error') {
    const { response } = outcome
    if ('at' in response) same<Equal<typeof response.at, number>>()
    else same<Equal<typeof response.issues, Refusal['issues']>>()
  } else same<Equal<typeof outcome.status, 'timeout' | 'closed' | 'lost'>>()
  const vote = await room.request('vote', 3)
  if (vote.status === 'busy') same<Equal<typeof vote.response, { retryInMs: number }>>()
  // @ts-expect-error no such status is answered
  if (vote.status === 'idle') return
  const off: () => void = room.on('new_msg', ({ body, from }) => {
    same<Equal<typeof body, string>>()
    same<Equal<typeof from, string>>()
  })
  off()
  room.on('blob', (data) => same<Equal<typeof data, ArrayBuffer>>())
  // @ts-expect-error it pushes no such event
  room.on('new_message', () => {})
  room.onTokenExpiring(({ expiresInMs }) => same<Equal<typeof expiresInMs, number>>())

  const bare = typedChannel<typeof Bare>(phoenix, 'bare:1')
  await bare.join()
  bare.on('anything', (payload) => void payload)
  const pong = await bare.push('ping', { any: 'thing' })
  same<Equal<typeof pong, { pong: boolean }>>()
  await room.leave()
}

// What a client gets has been JSON: it has not the types that JSON has not.
type Id = string & { readonly brand: 'id' }
interface Kept {
  readonly id: Id
  readonly at: Date
  readonly tags?: readonly string[]
  readonly nested: { readonly when: Date | null; readonly any: unknown; readonly pair: [Date, 1] }
  readonly method: () => void
  readonly all: Map<string, number>
  readonly kind: 'a' | 'b'
}
interface Arrives {
  readonly id: Id
  readonly at: string
  readonly tags?: readonly string[]
  readonly nested: {
    readonly when: string | null
    readonly any: unknown
    readonly pair: [string, 1]
  }
  readonly all: Record<never, never>
  readonly kind: 'a' | 'b'
}
same<Equal<Received<Kept>, { [K in keyof Arrives]: Arrives[K] }>>()
same<Equal<Received<Date>, string>>()
same<Equal<Received<unknown>, unknown>>()
// biome-ignore lint/suspicious/noExplicitAny: what has no type keeps none
same<Equal<Received<{ readonly a: any }>, { readonly a: any }>>()
same<Equal<Received<object>, object>>()
same<Equal<Received<{ readonly a: boolean }>, { readonly a: boolean }>>()
same<Equal<Received<Uint8Array>, ArrayBuffer>>()
same<Equal<Received<{ a: number; one: () => void; other(): void }>, { a: number }>>()
same<Equal<Received<{ a?: Date | undefined }>, { a?: string | undefined }>>()
same<Equal<Received<Record<string, Date>>, Record<string, string>>>()
type Value = string | number | null | readonly Value[] | { readonly [name: string]: Value }
same<Equal<Received<Value>, Value>>()
interface Tree {
  readonly at: Date
  readonly branches: readonly Tree[]
}
export const firstLeaf = (tree: Received<Tree>): string | undefined => tree.branches[0]?.at
same<Equal<Received<readonly { at: Date }[]>, readonly { at: string }[]>>()

export const Bare = channel('types.bare', {
  events: { ping: any() },
  join: (_topic, _payload, socket) => socket,
  handleIn: { ping: () => ({ pong: true }) },
})

// The official client's types, as they are published: callbacks of anything.
declare class PublishedPush {
  // biome-ignore lint/suspicious/noExplicitAny: as it is published
  receive(status: 'ok' | 'error' | 'timeout', callback: (response?: any) => any): this
}
declare class PublishedChannel {
  topic: string
  join(timeout?: number): PublishedPush
  leave(timeout?: number): PublishedPush
  push(event: string, payload: object, timeout?: number): PublishedPush
  // biome-ignore lint/suspicious/noExplicitAny: as it is published
  on(event: string, callback: (response?: any) => void | Promise<void>): number
  off(event: string, ref?: number): void
  // biome-ignore lint/suspicious/noExplicitAny: as it is published
  onClose(callback: (payload: any, ref: any, joinRef: any) => void | Promise<void>): number
}
declare class PublishedSocket {
  channel(topic: string, params?: object | (() => object)): PublishedChannel
}
export const published = (socket: PublishedSocket): unknown =>
  typedChannel<typeof Bare>(socket, 'bare:1')

/** What a channel says from outside is what it declares to push. */
const Said = channel('types.said', {
  pushes: { told: { text: string() } },
  join: (_topic, _params, socket) => socket,
})
export function tell(self: Self): void {
  Said.broadcast(self, 'said:1', 'told', { text: 'this' })
  // @ts-expect-error text is missing
  Said.broadcast(self, 'said:1', 'told', {})
  // @ts-expect-error it pushes no such event
  Said.broadcast(self, 'said:1', 'asked', {})
}
