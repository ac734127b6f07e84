import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { MAX_BATCH_LINES, readBatch } from '../../../channels/longPoll/batch.ts'
import type { Frame } from '../../../channels/wire/serializer.ts'
import { holds } from '../property.ts'

const BATCH = 'application/x-ndjson'
const bytesOf = (text: string): Buffer => Buffer.from(text)

const text = fc.array(fc.string()).map((values) => JSON.stringify(['', '', ...values]))
const binary = fc.uint8Array({ minLength: 1, maxLength: 200 })

const lineOf = (frame: Frame): string =>
  typeof frame === 'string' ? frame : Buffer.from(frame).toString('base64')

t.test(
  'what an official client writes is read as it was sent, whatever ends the lines',
  async (t) => {
    holds(
      t,
      fc.property(
        fc.array(fc.oneof(text, binary), { maxLength: 2 * MAX_BATCH_LINES }),
        fc.constantFrom('\n', '\r\n'),
        (frames, end) => {
          const batch = readBatch(bytesOf(frames.map(lineOf).join(end)), BATCH, 1_000_000)
          assert.deepEqual(batch, { ok: true, frames: frames.slice(0, MAX_BATCH_LINES) })
        },
      ),
    )
  },
)

t.test('no body is too strange to be read', async (t) => {
  holds(
    t,
    fc.property(
      fc.uint8Array({ maxLength: 500 }),
      fc.constantFrom(BATCH, undefined),
      (body, type) => {
        const batch = readBatch(body, type, 100)
        if (!batch.ok) return
        for (const frame of batch.frames) {
          if (Buffer.byteLength(frame) > 100) throw new Error('a frame over the limit')
        }
      },
    ),
  )
})

t.test(
  'without that content type a body is one frame, also where it reads like base64',
  async (t) => {
    for (const type of [undefined, '', 'text/plain', 'application/x-ndjson-like']) {
      t.same(readBatch(bytesOf('null'), type, 100), { ok: true, frames: ['null'] })
      t.same(readBatch(bytesOf('a\nb'), type, 100), { ok: true, frames: ['a\nb'] })
    }
    const batch = readBatch(bytesOf('["a"]'), 'Application/X-NDJSON; charset=utf-8', 100)
    t.same(batch, { ok: true, frames: ['["a"]'] })
    t.same(readBatch(bytesOf('["a"]\n["b"]'), `${BATCH}; charset=utf-8`, 100), {
      ok: true,
      frames: ['["a"]', '["b"]'],
    })
  },
)

t.test('an empty line is no frame, but counts', async (t) => {
  t.same(readBatch(bytesOf('\n["a"]\n\n'), BATCH, 100), { ok: true, frames: ['["a"]'] })
  const padded = `${'\n'.repeat(MAX_BATCH_LINES)}["late"]`
  t.same(readBatch(bytesOf(padded), BATCH, 100), { ok: true, frames: [] })
})

t.test('the limit is that of a frame, in bytes', async (t) => {
  t.equal(readBatch(bytesOf(`["${'ä'.repeat(48)}"]`), BATCH, 100).ok, true)
  t.same(readBatch(bytesOf(`["${'ä'.repeat(49)}"]`), BATCH, 100), { ok: false, status: 413 })
  const base64 = Buffer.alloc(100).toString('base64')
  t.equal(readBatch(bytesOf(base64), BATCH, 100).ok, true, 'of base64, what it stands for')
  t.same(readBatch(Uint8Array.of(0xff), BATCH, 100), { ok: false, status: 400 })
})
