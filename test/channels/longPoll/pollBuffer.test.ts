import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type PollAnswer, PollBuffer } from '../../../channels/longPoll/pollBuffer.ts'
import { holds } from '../property.ts'

interface Poll {
  readonly id: string
}

function watched() {
  const answers: (readonly [string, PollAnswer])[] = []
  const buffer = new PollBuffer<Poll>(({ id }, answer) => answers.push([id, answer]))
  const send = (...frames: string[]): void => {
    buffer.send(frames)
  }
  return { answers, buffer, send }
}

t.test('every message is given once, in order, and every poll is answered once', async (t) => {
  const step = fc.oneof(
    fc
      .array(fc.string({ maxLength: 5 }), { maxLength: 3 })
      .map((frames) => ({ do: 'send', frames }) as const),
    fc.constant({ do: 'poll' } as const),
    fc.nat({ max: 20 }).map((id) => ({ do: 'expire', id: String(id) }) as const),
  )
  holds(
    t,
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const { answers, buffer, send } = watched()
      const sent: string[] = []
      let polls = 0
      for (const one of steps) {
        if (one.do === 'send') {
          sent.push(...one.frames)
          send(...one.frames)
        } else if (one.do === 'poll') buffer.poll({ id: String(polls++) })
        else buffer.expire(one.id)
      }
      buffer.close()
      // What was left can still be fetched; then there is no more.
      buffer.poll({ id: String(polls++) })
      buffer.poll({ id: String(polls++) })
      assert.deepEqual(
        answers.flatMap(([, { messages }]) => messages),
        sent,
      )
      assert.deepEqual(
        answers.map(([id]) => Number(id)).sort((a, b) => a - b),
        [...Array(polls).keys()],
      )
      assert.equal(answers.at(-1)?.[1].status, 410)
      assert.equal(buffer.bufferedBytes, 0)
      assert.equal(buffer.polled, false)
    }),
  )
})

t.test('what waits is counted in bytes', async (t) => {
  const { buffer, send } = watched()
  send('ä', 'b')
  t.equal(buffer.bufferedBytes, 3)
})

t.test('204 when its time is up, 500 when a newer one came', async (t) => {
  const { answers, buffer } = watched()
  buffer.poll({ id: 'a' })
  buffer.poll({ id: 'b' })
  buffer.expire('a')
  t.ok(buffer.polled)
  buffer.expire('b')
  t.same(answers, [
    ['a', { status: 500, messages: [] }],
    ['b', { status: 204, messages: [] }],
  ])
})
