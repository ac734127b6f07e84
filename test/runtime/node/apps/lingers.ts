/** An app whose thread is in a native call when its tree has ended already. */
import { execSync } from 'node:child_process'
import { genServer, supervisor } from 'beamish'

/** Longer than a thread is given in any case. */
const NATIVE_SECONDS = 2.5

const Lingering = genServer('lingering', {
  trapExit: true,
  init: () => ({}),
  terminate() {
    // When the tree has told of its end.
    setTimeout(() => execSync(`sleep ${NATIVE_SECONDS}`, { stdio: 'ignore' }), 0)
  },
})

export default supervisor({ children: [Lingering.child(undefined)] })
