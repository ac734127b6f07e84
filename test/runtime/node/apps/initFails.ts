import { genServer, supervisor } from 'beamish'

const Failing = genServer('test.failing', {
  init: (_: undefined): number => {
    throw new Error('the database is not there')
  },
})
export default supervisor({ children: [Failing.child(undefined)] })
