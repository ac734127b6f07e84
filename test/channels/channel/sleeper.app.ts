import { supervisor } from 'beamish'
import { endpoint, socket, socketAt } from 'beamish/channels'
import { Sleeper, Waking } from './sleeper.ts'

const Anybody = socket('test.anybody', { connect: (_params, socket) => socket })

export default supervisor({
  children: [
    endpoint({
      port: 0,
      plugins: [
        socketAt('/socket', Anybody, { channels: { 'sleep:*': Sleeper, 'wake:*': Waking } }),
      ],
    }),
  ],
})
