/** A channel whose next version pushes and keeps what the first one does not. */
import { supervisor } from 'beamish'
import { endpoint, socket, socketAt } from 'beamish/channels'
import { Pushing } from './pushes1.ts'

const Anybody = socket('pushes.anybody', { connect: (_params, socket) => socket })

export default supervisor({
  children: [
    endpoint({
      port: 0,
      plugins: [socketAt('/socket', Anybody, { channels: { 'push:*': Pushing } })],
    }),
  ],
})
