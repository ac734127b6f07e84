import { genServer, supervisor } from 'beamish'

const Exiting = genServer('test.exiting', {
  init: (_: undefined): Promise<number> => {
    process.exit(3)
  },
})
export default supervisor({ children: [Exiting.child(undefined)] })
