import { genServer, supervisor } from 'beamish'

const Calls = genServer('test.calls', { init: (options: { onDone: () => void }) => options })
export default supervisor({
  children: [Calls.child({ onDone: function done() {} }, { name: 'hits' })],
})
