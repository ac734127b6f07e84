/** Version 2: other pushes, and another event is kept. */
import { any, channel, ok, string } from 'beamish/channels'

export const Pushing = channel('pushes.pushing', {
  events: { who: any(), tell: any() },
  pushes: { new: { n: string() }, kept: {} },
  history: { events: ['kept'] },
  join: (_topic, _payload, socket) => socket.assign({ n: 'one' }),
  handleIn: {
    who: (_payload, { self }) => ok({ pid: self.pid }),
    tell: (_payload, socket) => socket.push('new', { n: socket.assigns.n }).broadcast('kept'),
  },
  codeChange: (assigns) => ({ n: `was ${(assigns as { n: number }).n}` }),
})
