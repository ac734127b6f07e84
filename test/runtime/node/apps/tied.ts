// A root with a strategy: singletons around one placed `each`. `?strategy=` says which, `?refusals=` how many inits of
// the one placed `each` fail on a replacement, `?hangs` that they never end there; a file tells the order of starts and stops.
import { appendFileSync } from 'node:fs'
import { genServer, type Strategy, stop, supervisor } from 'beamish'

const { searchParams } = new URL(import.meta.url)
const refusals = Number(searchParams.get('refusals') ?? 0)
const hangs = searchParams.has('hangs')
const FIRST_REPLACEMENT = 3
let refused = 0

const note = (text: string): void => {
  const file = process.env.BEAMISH_TEST_NOTES
  if (file !== undefined) appendFileSync(file, `${text}\n`)
}

const Tied = genServer('test.tied', {
  trapExit: true,
  async init(id: string, self) {
    if (id === 'each') {
      if (self.scheduler >= FIRST_REPLACEMENT && refused < refusals) {
        refused++
        return stop('not yet')
      }
      if (self.scheduler >= FIRST_REPLACEMENT && hangs) await new Promise(() => {})
      await self.register(`each ${self.scheduler}`)
    }
    note(`start ${id}`)
    return id
  },
  handleCast: {
    crash() {
      throw new Error('boom')
    },
  },
  terminate: (_reason, id) => note(`stop ${id}`),
})

export default supervisor({
  strategy: (searchParams.get('strategy') ?? 'one_for_one') as Strategy,
  maxRestarts: Number(searchParams.get('maxRestarts') ?? 3),
  children: [
    Tied.child('first', { name: 'first', place: { key: 'a key' } }),
    Tied.child('each', { id: 'each', place: 'each' }),
    Tied.child('last', { name: 'last' }),
  ],
})
