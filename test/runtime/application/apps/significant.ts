/** A plain tree that ends with its one child. */
import { genServer, supervisor } from 'beamish'

const Once = genServer('test.once', { init: () => 0 })
const options = { name: 'significant', restart: 'transient', significant: true } as const

export default supervisor({
  autoShutdown: 'any_significant',
  children: [Once.child(undefined, options)],
})
