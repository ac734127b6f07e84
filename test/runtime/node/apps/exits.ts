import { genServer, supervisor } from 'beamish'

/** Takes its thread along as soon as it is up. */
const Exiting = genServer('test.exits', {
  init: (_: undefined, self) => {
    self.send(self.pid, 'end')
    return 1
  },
  handleInfo: {
    // In the handler itself it would end this process alone.
    end: () => {
      setImmediate(() => process.exit(7))
    },
  },
})
export default supervisor({ children: [Exiting.child(undefined)] })
