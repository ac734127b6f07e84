import { genServer } from 'beamish'

const Alone = genServer('test.alone', { init: (_: undefined) => 1 })
export default Alone.child(undefined)
