/** Version 2: it counts otherwise. */
import { any, channel, ok } from 'beamish/channels'

export const Sleeper = channel('test.sleeper', {
  events: { add: any(), count: any(), nap: any() },
  join: (_topic, _payload, socket) => socket.assign({ rows: [] as object[], version: 2 }),
  handleIn: {
    add: () => ok({ version: 2 }),
    count: (_payload, { assigns }) => ok({ version: assigns.version, count: assigns.rows.length }),
    nap: () => ok(),
  },
  codeChange: (assigns) => ({ rows: (assigns as { rows: object[] }).rows, version: 2 }),
})
