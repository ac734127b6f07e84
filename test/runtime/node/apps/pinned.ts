import { genServer, supervisor } from 'beamish'

const Alone = genServer('test.alone', { init: (_: undefined) => 1 })
export default supervisor({ children: [Alone.child(undefined, { place: { scheduler: 1 } })] })
