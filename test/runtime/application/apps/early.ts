/** An application that ends, and the node with it, while the next one starts, which is of the type `?type=`. */
import { appendFileSync } from 'node:fs'
import { type ApplicationInfo, type ApplicationType, application, genServer } from 'beamish'

const type = new URL(import.meta.url).searchParams.get('type') as ApplicationType
const note = (text: string): void =>
  appendFileSync(process.env.BEAMISH_TEST_NOTES as string, `${text}\n`)

const Crasher = genServer('test.crasher', {
  init: (_: undefined) => 0,
  handleCast: {
    crash() {
      throw new Error('boom')
    },
  },
})

const first = application({
  name: 'first',
  maxRestarts: 0,
  children: [Crasher.child(undefined, { name: 'crasher' })],
  stop: () => note('first.stop'),
})

const second = application({
  name: 'second',
  type,
  applications: [first],
  async start(self) {
    self.cast('crasher', 'crash')
    for (;;) {
      const infos = await self.call('beamish.applications', 'whichApplications')
      if ((infos as ApplicationInfo[]).some(({ state }) => state === 'stopping')) return
    }
  },
  stop: () => note('second.stop'),
})

export default application({ name: 'third', applications: [second], start: () => note('third') })
