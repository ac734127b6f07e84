// Frames as bytes, read back by the parser of `ws`.
import assert from 'node:assert/strict'
import type { Writable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import * as ws from 'ws'
import { encoded } from '../../../channels/transport/encoded.ts'
import type { Frame } from '../../../channels/wire/serializer.ts'
import { holds } from '../property.ts'

// Its types leave the parser out.
const { Receiver } = ws as unknown as {
  readonly Receiver: new (options: { readonly isServer: boolean }) => Writable
}

/** What a client reads. */
function read(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = []
  const receiver = new Receiver({ isServer: false })
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    frames.push(isBinary ? Uint8Array.from(data) : data.toString())
  })
  receiver.write(Buffer.from(bytes))
  return frames
}

const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(125, 126, 65_535, 65_536).map((length) => 'x'.repeat(length)),
  fc.constantFrom(125, 126, 65_535, 65_536).map((length) => new Uint8Array(length)),
)

t.test('a client reads the frames that were written, in order', async (t) => {
  holds(
    t,
    fc.property(fc.array(frame, { minLength: 1, maxLength: 6 }), (frames) => {
      assert.deepEqual(read(encoded(frames)), frames)
    }),
  )
})

t.test('sockets share what they send alike, and only that', async (t) => {
  holds(
    t,
    fc.property(
      fc.array(fc.array(fc.constantFrom('a', 'b', 'cc'), { minLength: 1, maxLength: 4 })),
      (sockets) => {
        for (const frames of sockets) assert.deepEqual(read(encoded(frames)), frames)
      },
    ),
  )
  const room = ['one', 'two']
  t.equal(encoded(room), encoded([...room]))
  t.not(encoded(room), encoded(['one', 'two', 'a reply of its own']))
  t.equal(encoded(['one']), encoded(['one']))
})

t.test('what was written in one turn is not kept for the next', async (t) => {
  const before = encoded(['once'])
  await new Promise(setImmediate)
  t.not(encoded(['once']), before)
})
