// What application() tells TypeScript. Checked by tsc.
import {
  type Application,
  type ApplicationInfo,
  application,
  type BeamishNode,
  onEvent,
  type Pid,
} from 'beamish'

const store: Application = application({ name: 'types.store' })

application({
  name: 'types.shop',
  type: 'transient',
  applications: [store],
  async start(self) {
    const pid: Pid = self.pid
    return { pid, opened: 0 }
  },
  startPhases: {
    open: (state, self) => state.opened.toFixed() + self.name,
    // @ts-expect-error the state has no such field
    warm: (state) => state.closed,
  },
  prepStop: (state) => ({ ...state, opened: state.opened + 1 }),
  stop: ({ opened }) => opened.toFixed(),
})

// Nothing returned keeps the state.
application({ name: 'types.kept', start: () => 1, prepStop: (state) => void state.toFixed() })

application({
  name: 'types.other',
  start: () => 1,
  // @ts-expect-error the state is a number
  prepStop: (state) => `${state}`,
})

// @ts-expect-error it needs applications, not their names
application({ name: 'types.names', applications: ['store'] })
// @ts-expect-error there is no such type
application({ name: 'types.type', type: 'eternal' })

export async function running(node: BeamishNode): Promise<void> {
  const all: ApplicationInfo[] = await node.applications()
  const started: readonly string[] = await node.startApplication('types.shop')
  await node.stopApplication('types.shop')
  onEvent('application', ({ application, event, reason }) => {
    event satisfies 'started' | 'start_failed' | 'stopped' | 'ended'
    void [application, reason]
  })
  void [all[0]?.state satisfies string | undefined, started]
}
