/**
 * Whole sessions at random: several sockets of both versions of the wire join, talk, leave, crash and send rubbish on the same
 * topics. No socket hears what is another's, each push is answered at most once, and nothing is left. `FUZZ_SEED=<seed>` repeats
 * a run.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { WebSocket } from 'ws'
import { startSockets } from './sockets.ts'

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
t.comment(`seed ${seed}: repeat with FUZZ_SEED=${seed}`)
const RUNS = 30

const sockets = await startSockets()
t.teardown(() => sockets.node.stop())
const { node, base } = sockets

interface Message {
  readonly joinRef: string | null
  readonly ref: string | null
  readonly topic: string
  readonly event: string
  readonly payload: unknown
}

/** A connection that keeps all it hears. */
class Session {
  readonly name: string
  readonly heard: Message[] = []
  readonly joins = new Map<string, string>()
  readonly everJoined = new Set<string>()
  readonly sent = new Map<string, string>()
  readonly #socket: WebSocket
  readonly #first: boolean
  #next = 1
  #seen: (() => void) | undefined

  private constructor(name: string, socket: WebSocket, first: boolean) {
    this.name = name
    this.#socket = socket
    this.#first = first
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (!isBinary) this.heard.push(this.#read(data.toString()))
      this.#seen?.()
    })
    socket.on('error', () => {})
  }

  static open(name: string, first: boolean): Promise<Session> {
    const url = `${base.replace('http', 'ws')}/socket/websocket?user=${name}&vsn=${first ? '1.0.0' : '2.0.0'}`
    const socket = new WebSocket(url, { perMessageDeflate: false })
    const session = new Session(name, socket, first)
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(session))
      socket.once('error', reject)
    })
  }

  #read(text: string): Message {
    if (this.#first) return { joinRef: null, ...JSON.parse(text) }
    const [joinRef, ref, topic, event, payload] = JSON.parse(text)
    return { joinRef, ref, topic, event, payload }
  }

  raw(frame: string | Uint8Array): void {
    this.#socket.send(frame)
  }

  /** Sends an event under a ref that says whose it is. */
  push(topic: string, event: string, payload: unknown, joinRef: string | null): string {
    const ref = `${this.name}-${this.#next++}`
    this.sent.set(ref, event)
    const own = event === 'phx_join' ? ref : joinRef
    if (event === 'phx_join') {
      this.joins.set(topic, ref)
      this.everJoined.add(topic)
    }
    this.raw(
      this.#first
        ? JSON.stringify({ topic, event, payload, ref, join_ref: own })
        : JSON.stringify([own, ref, topic, event, payload]),
    )
    return ref
  }

  /** Resolves when the socket has handled all that was sent to it. */
  async settled(): Promise<void> {
    const ref = this.push('phoenix', 'heartbeat', {}, null)
    while (!this.heard.some((message) => message.ref === ref)) {
      await new Promise<void>((resolve, reject) => {
        this.#seen = resolve
        this.#socket.once('close', (code) => reject(new Error(`${this.name} closed: ${code}`)))
      })
      this.#socket.removeAllListeners('close')
    }
  }

  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
    this.#socket.close()
    return closed
  }
}

const topics = ['room:f1', 'room:f1', 'room:f2', 'trap:f', 'deaf:f', 'custom:f', 'nowhere']

type Step = (session: Session, topic: string) => void
const event =
  (name: string, payload: (session: Session) => unknown = () => ({})): Step =>
  (session, topic) => {
    session.push(topic, name, payload(session), session.joins.get(topic) ?? null)
  }
const join = event('phx_join', () => ({ how: 'ok' }))
const mine = ({ name }: Session): object => ({ of: name })

const rubbish = fc.oneof(
  fc.string().map((text) => text.toWellFormed()),
  fc.json(),
  fc.array(fc.jsonValue(), { maxLength: 6 }).map((frame) => JSON.stringify(frame)),
  fc
    .dictionary(fc.constantFrom('topic', 'event', 'payload', 'ref'), fc.jsonValue())
    .map((frame) => JSON.stringify(frame)),
  fc.uint8Array({ maxLength: 40 }),
  // A client push that ends somewhere in its fields.
  fc.uint8Array({ maxLength: 30 }).map((rest) => Uint8Array.of(0, ...rest)),
)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(join) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('error', 'throw', 'crash', 'after')
      .map((how) => event('phx_join', () => ({ how }))),
  },
  { weight: 3, arbitrary: fc.constant(event('phx_leave')) },
  {
    weight: 9,
    arbitrary: fc.constantFrom('say', 'shout', 'push', 'ping').map((name) => event(name, mine)),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('quiet', 'crash', 'array', 'nonsense', 'login', 'close')
      .map((name) => event(name)),
  },
  { weight: 2, arbitrary: fc.jsonValue().map((payload) => event('ping', () => payload)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '0', 'stale', null).map(
      (joinRef): Step =>
        (session, topic) => {
          session.push(topic, 'ping', {}, joinRef)
        },
    ),
  },
  {
    weight: 3,
    arbitrary: rubbish.map(
      (frame): Step =>
        (session) =>
          session.raw(frame),
    ),
  },
)

const command = fc.record({ socket: fc.nat(3), topic: fc.constantFrom(...topics), step })

/** What `of` says of a payload, as deep as the channels put it. */
function ownerOf(payload: unknown): unknown {
  const inner = (payload as { payload?: { of?: unknown } } | null)?.payload
  return typeof inner === 'object' && inner !== null ? inner.of : undefined
}

function judge(session: Session): void {
  const answers = new Map<string, number>()
  for (const { topic, event, ref, joinRef, payload } of session.heard) {
    if (event === 'phx_reply') {
      if (ref === null) continue
      // A mutant may have the ref of nobody; one with a name in it is ours.
      if (/^s\d-\d+$/.test(ref)) assert.ok(session.sent.has(ref), `${ref} came to ${session.name}`)
      answers.set(ref, (answers.get(ref) ?? 0) + 1)
      continue
    }
    if (topic !== 'phoenix') assert.ok(session.everJoined.has(topic) || joinRef === null)
    if (joinRef !== null && /^s\d-\d+$/.test(joinRef)) {
      assert.ok(joinRef.startsWith(`${session.name}-`), `${event} of ${joinRef}`)
    }
    if (event === 'said' || event === 'shouted') assert.ok(session.everJoined.has(topic))
    if (event === 'pushed') assert.equal(ownerOf(payload) ?? session.name, session.name)
    if (event === 'shouted') assert.notEqual(ownerOf(payload), session.name)
  }
  for (const [ref, count] of answers) {
    if (session.sent.has(ref)) assert.equal(count, 1, `${ref} was answered ${count} times`)
  }
  // What is refused without a channel is refused at once: all of these have come.
  for (const [ref, event] of session.sent) {
    if (event === 'heartbeat') assert.equal(answers.get(ref), 1)
  }
}

const processes = async (): Promise<number> =>
  (await node.stats()).reduce((sum, one) => sum + one.processes, 0)

/** All that a run has started has ended. */
async function calm(before: number): Promise<void> {
  for (let look = 0; (await processes()) !== before; look++) {
    assert.ok(look < 600, `${await processes()} processes, ${before} before`)
    await node.self.sleep(50)
  }
}

t.test(
  "no session hears what is another one's, and nothing is left of any",
  { timeout: 110_000 },
  async (t) => {
    const before = await processes()
    const threads = node.schedulers()
    const heard = new Map<string, number>()
    const run = async (commands: readonly { socket: number; topic: string; step: Step }[]) => {
      const sessions = await Promise.all(
        ['s0', 's1', 's2', 's3'].map((name) => Session.open(name, name === 's3')),
      )
      for (const session of sessions) {
        for (const topic of ['room:f1', 'room:f2', 'custom:f']) join(session, topic)
      }
      for (const { socket, topic, step } of commands) {
        const session = sessions[socket]
        if (session !== undefined) step(session, topic)
      }
      for (const session of sessions) await session.settled()
      await Promise.all(sessions.map((session) => session.close()))
      for (const session of sessions) {
        judge(session)
        for (const { event } of session.heard) heard.set(event, (heard.get(event) ?? 0) + 1)
      }
      await calm(before)
    }
    const commands = fc.array(command, { minLength: 40, maxLength: 120, size: 'max' })
    const outcome = await fc.check(fc.asyncProperty(commands, run), {
      numRuns: RUNS,
      seed,
      interruptAfterTimeLimit: 60_000,
      endOnFailure: true,
    })
    t.ok(!outcome.failed, fc.defaultReportMessage(outcome) ?? 'the property holds')
    t.comment(`${outcome.numRuns} runs`, Object.fromEntries(heard))
    for (const event of ['phx_reply', 'phx_close', 'phx_error', 'said', 'shouted', 'pushed']) {
      t.ok((heard.get(event) ?? 0) > 0, `${event} was heard`)
    }
    t.same(node.schedulers(), threads, 'no thread was lost')
  },
)
