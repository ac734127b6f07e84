/**
 * Every protocol event under random and mutated frames: the server lives, a chat beside it goes on, and the memory is
 * given back. `FUZZ_SEED=<seed>` repeats a run.
 */
import fc from 'fast-check'
import t from 'tap'
import { connect, joinPayload, LiveClient, visit } from '../liveview/liveClient.ts'
import { baseOf, heaps, startApp } from '../liveview/startApp.ts'
import { type WireClient, withTimeout } from './wireClient.ts'

const FRAMES = 1_000
/** Views of one socket are joined again after this many frames: some end them. */
const BATCH = 50
const FIVE_MEGABYTES = 5_000_000

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
t.comment(`seed ${seed}: repeat with FUZZ_SEED=${seed}`)

const node = await startApp()
t.teardown(() => node.stop())
const base = await baseOf(node)

/** What a frame is made of: the right values most of the time, so that mutants get past the first check. */
interface Known {
  readonly joinRef: string
  readonly topic: string
  readonly payload: unknown
}

const surprise = fc.oneof(
  { weight: 4, arbitrary: fc.jsonValue() },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', '', '\u0000', '\ud800') },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 200 }).map(nested) },
)

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { a: value }
  return value
}

const eventPayload = fc.record(
  {
    type: fc.oneof(fc.constantFrom('click', 'form', 'hook', 'js'), surprise),
    event: fc.oneof(fc.constantFrom('add', 'say', 'title', 'notify'), surprise),
    value: fc.oneof(
      fc.record({ n: fc.integer() }),
      fc.string().map((text) => `text=${encodeURIComponent(text.toWellFormed())}`),
      fc.string(),
      surprise,
    ),
    meta: fc.oneof(fc.record({ _target: fc.string() }), surprise),
    cid: fc.oneof(fc.integer(), surprise),
  },
  { requiredKeys: ['type', 'event', 'value'] },
)

const payloads: Record<string, fc.Arbitrary<unknown>> = {
  phx_join: fc.record({ url: surprise, session: surprise, params: surprise }),
  phx_leave: surprise,
  heartbeat: surprise,
  event: eventPayload,
  live_patch: fc.record({ url: fc.oneof(fc.webUrl({ withQueryParameters: true }), surprise) }),
  cids_will_destroy: fc.record({ cids: fc.oneof(fc.array(fc.integer()), surprise) }),
  cids_destroyed: fc.record({ cids: fc.oneof(fc.array(fc.integer()), surprise) }),
  'allow_upload or whatever': surprise,
}

type Frame = (known: Known) => string | Uint8Array

/** A frame of this event: well formed, with parts swapped for something else, or with its text damaged. */
function frameOf(event: string): fc.Arbitrary<Frame> {
  const payload = payloads[event] ?? surprise
  const usual = { weight: 5, arbitrary: fc.constant(undefined) }
  const parts = fc.record({
    joinRef: fc.oneof(usual, { weight: 1, arbitrary: surprise }),
    ref: fc.oneof({ weight: 5, arbitrary: fc.string() }, { weight: 1, arbitrary: surprise }),
    topic: fc.oneof(usual, { weight: 1, arbitrary: surprise }),
    payload: fc.oneof(usual, { weight: 5, arbitrary: payload }, { weight: 2, arbitrary: surprise }),
    extra: fc.array(surprise, { maxLength: 2 }),
  })
  const text = parts.map(
    ({ joinRef, ref, topic, payload: given, extra }) =>
      (known: Known): string =>
        JSON.stringify([
          joinRef ?? known.joinRef,
          ref,
          topic ?? (event === 'heartbeat' ? 'phoenix' : known.topic),
          event,
          given ?? known.payload,
          ...extra,
        ]),
  )
  const damage = fc.record({ at: fc.nat(), length: fc.nat(8), insert: fc.string() })
  const damaged = fc
    .tuple(text, damage)
    .map(([make, { at, length, insert }]) => (known: Known): string => {
      const whole = make(known)
      const start = at % whole.length
      return `${whole.slice(0, start)}${insert}${whole.slice(start + length)}`.toWellFormed()
    })
  const bytes = fc.uint8Array({ maxLength: 64 }).map((data) => () => data)
  return fc.oneof(
    { weight: 6, arbitrary: text },
    { weight: 3, arbitrary: damaged },
    { weight: 1, arbitrary: bytes },
  )
}

/** Sends frames to live views, a fresh one per batch, and waits until each batch is handled. */
async function bombard(frames: readonly Frame[], cookie: string | undefined): Promise<void> {
  for (let start = 0; start < frames.length; start += BATCH) {
    const page = await visit(base, '/counter/fuzz', { cookie })
    const wire = await connect(page)
    const view = await LiveClient.join(wire, page)
    const known = { joinRef: view.joinRef, topic: view.topic, payload: joinPayload(page) }
    for (const frame of frames.slice(start, start + BATCH)) wire.raw(frame(known))
    await alive(wire)
    await wire.close()
  }
}

/** The socket still answers: by the heartbeat's ref, since mutants may have the refs of others. */
async function alive(wire: WireClient): Promise<void> {
  const ref = `alive ${Math.random()}`
  const reply = wire.replyTo(ref)
  wire.send({ joinRef: null, ref, topic: 'phoenix', event: 'heartbeat', payload: {} })
  await reply
}

t.test('protocol events under fuzz', { timeout: 110_000 }, async (t) => {
  const neighbour = await LiveClient.open(base, '/room/fuzz?name=neighbour')
  const { cookie } = neighbour.page
  let said = 0
  const chat = async (): Promise<void> => {
    const text = `message ${++said}`
    await neighbour.submit('send', { text })
    await neighbour.until((html) => html.includes(text))
  }
  const warmUp = Object.keys(payloads).map((event) =>
    fc.sample(frameOf(event), { seed, numRuns: 250 }),
  )
  for (const frames of warmUp) await bombard(frames, cookie)
  await settled()
  const before = await heaps(node)

  for (const event of Object.keys(payloads)) {
    t.test(`${FRAMES} frames of ${event}`, async (t) => {
      const frames = fc.sample(frameOf(event), { seed, numRuns: FRAMES })
      let done = false
      const attack = bombard(frames, cookie).finally(() => {
        done = true
      })
      let chats = 0
      while (!done) {
        await chat()
        chats++
      }
      await attack
      t.ok(chats > 0, `the neighbour said ${chats} things meanwhile`)
      t.same(node.schedulers(), [1, 2], 'no thread was lost')
      await settled()
      for (const [scheduler, bytes] of await heaps(node)) {
        const grown = bytes - (before.get(scheduler) ?? 0)
        t.ok(
          grown < FIVE_MEGABYTES,
          `scheduler ${scheduler}: ${grown} bytes more than at the start`,
        )
      }
    })
  }
  t.teardown(() => neighbour.close())
})

/** All that the frames started has ended: what is left is the neighbour. */
async function settled(): Promise<void> {
  let processes = Number.POSITIVE_INFINITY
  await withTimeout<void>(
    'calm',
    () => processes,
    (resolve) => {
      let stopped = false
      const look = async (): Promise<void> => {
        const stats = await node.stats()
        const now = stats.reduce((sum, one) => sum + one.processes, 0)
        if (now === processes) resolve()
        else if (!stopped) {
          processes = now
          node.self.sleep(100).then(look)
        }
      }
      void look()
      return () => {
        stopped = true
      }
    },
  )
}
