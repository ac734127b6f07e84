import t from 'tap'
import { type FrameWriter, Topics } from '../../../channels/transport/topics.ts'

const writer: FrameWriter = { write: () => {}, tooEarly: () => {} }
const join = { joinRef: '1', ref: '1', topic: 'room', event: 'phx_join' }

t.test('a page that waits goes with its join, and none is taken after it', async (t) => {
  const ends = ['ending', 'close', 'remove'] as const
  for (const how of ends) {
    const topics = new Topics(writer)
    const entry = topics.add(join, undefined)
    t.notOk(entry.putPage(['early']), 'its join is not answered')
    entry.state = 'joined'
    t.ok(entry.putPage(['one']))
    t.same(entry.takePage(), ['one'])
    t.equal(entry.takePage(), undefined, 'written once')
    entry.putPage(['two'])
    if (how === 'remove') topics.remove(entry)
    else entry[how]()
    t.equal(entry.takePage(), undefined, `${how}: nothing waits any more`)
    t.notOk(entry.putPage(['three']), how)
  }
})
