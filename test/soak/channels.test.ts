/**
 * A crowd on both threads joins, chats and leaves; every broadcast is accounted for. `CROWD=8000` says how many: npm run
 * soak:channels.
 */
import { start } from 'beamish'
import t from 'tap'
import { WebSocket } from 'ws'
import { baseOf } from '../liveview/startApp.ts'

const CLIENTS = Number(process.env.CROWD ?? 5_000)
/** Members of a room: each message of one of them is delivered to all of them. */
const MEMBERS = 20
/** What each of them says. */
const MESSAGES = 2
/** Connections that are being opened at a time. */
const WIDTH = 200

const node = await start(new URL('./channels.app.ts', import.meta.url), {
  schedulers: 2,
  log: false,
  development: false,
  execArgv: ['--conditions=beamish-source'],
})
t.teardown(() => node.stop())
const base = await baseOf(node)

interface Said {
  readonly by: number
  readonly n: number
}

/** As little as a client can be, so that thousands fit beside the servers. */
class Member {
  readonly id: number
  readonly topic: string
  /** For each who speaks in this room, how many of its messages have come, in order. */
  readonly heard = new Map<number, number>()
  readonly wrong: string[] = []
  scheduler = 0
  #socket!: WebSocket
  #replies = new Map<string, (response: Record<string, unknown>) => void>()
  #all = Promise.withResolvers<void>()
  #closed = Promise.withResolvers<void>()
  #left = MEMBERS * MESSAGES
  #gone = Promise.withResolvers<void>()

  constructor(id: number) {
    this.id = id
    this.topic = `room:${Math.floor(id / MEMBERS)}`
  }

  /** Resolves when it has heard all that is to be said in its room. */
  get all(): Promise<void> {
    return this.#all.promise
  }

  async enter(): Promise<void> {
    const url = `${base.replace('http', 'ws')}/socket/websocket?vsn=2.0.0`
    this.#socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true })
    this.#socket.on('message', (data: Buffer) => this.#received(data.toString()))
    this.#socket.on('close', () => this.#gone.resolve())
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('open', () => resolve())
      this.#socket.once('error', reject)
      this.#socket.once('unexpected-response', (_request, response) =>
        reject(new Error(`${this.id} was answered ${response.statusCode}`)),
      )
    })
    await this.#push('phx_join')
    this.scheduler = (await this.#push('where')).scheduler as number
  }

  say(n: number): void {
    this.#socket.send(JSON.stringify(['j', null, this.topic, 'say', { by: this.id, n }]))
  }

  async leave(): Promise<void> {
    await this.#push('phx_leave')
    await this.#closed.promise
    this.#socket.close()
    await this.#gone.promise
  }

  #push(event: string): Promise<Record<string, unknown>> {
    const ref = event === 'phx_join' ? 'j' : event
    this.#socket.send(JSON.stringify(['j', ref, this.topic, event, {}]))
    return new Promise((resolve) => this.#replies.set(ref, resolve))
  }

  #received(text: string): void {
    const [, ref, topic, event, payload] = JSON.parse(text)
    if (topic !== this.topic) this.wrong.push(`${event} of ${topic}`)
    if (event === 'phx_reply') {
      if (payload.status !== 'ok') this.wrong.push(text)
      this.#replies.get(ref)?.(payload.response)
    } else if (event === 'phx_close') this.#closed.resolve()
    else if (event === 'said') this.#said(payload)
    else this.wrong.push(text)
  }

  #said({ by, n }: Said): void {
    const before = this.heard.get(by) ?? 0
    if (n !== before) this.wrong.push(`${n} of ${by} came after ${before} others`)
    this.heard.set(by, before + 1)
    if (--this.#left === 0) this.#all.resolve()
  }
}

const processes = async (): Promise<number> =>
  (await node.stats()).reduce((sum, one) => sum + one.processes, 0)

/** Runs `work` for all, so many at a time. */
async function each(members: readonly Member[], work: (member: Member) => Promise<void>) {
  const waiting = [...members]
  const worker = async (): Promise<void> => {
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) await work(one)
  }
  await Promise.all(Array.from({ length: WIDTH }, worker))
}

t.test(
  `${CLIENTS} clients join, chat and leave; each broadcast is heard once, in order`,
  {
    timeout: 110_000,
  },
  async (t) => {
    const before = await processes()
    const members = Array.from({ length: CLIENTS }, (_, id) => new Member(id))
    const startMs = performance.now()
    await each(members, (member) => member.enter())
    const joinedMs = performance.now()
    const threads = new Set(members.map(({ scheduler }) => scheduler))
    t.equal(threads.size, 2, 'they are on both threads')
    for (let n = 0; n < MESSAGES; n++) for (const member of members) member.say(n)
    await Promise.all(members.map(({ all }) => all))
    const heardMs = performance.now()
    await each(members, (member) => member.leave())
    const wrong = members.flatMap((member) => member.wrong)
    t.same(wrong.slice(0, 10), [])
    const heard = members.flatMap((member) => [...member.heard.values()])
    t.equal(heard.length, CLIENTS * MEMBERS, 'everybody has heard everybody of the room')
    t.ok(heard.every((count) => count === MESSAGES))
    while ((await processes()) !== before) await node.self.sleep(50)
    const took = [joinedMs - startMs, heardMs - joinedMs, performance.now() - heardMs]
    t.comment(`joined, heard, left in ${took.map((ms) => `${Math.round(ms)} ms`).join(', ')}`)
  },
)
