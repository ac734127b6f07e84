/** What the process of a channel keeps, and what of it is its state to others. */
import type { StateAccess } from '../../runtime/process/behaviour.ts'
import type { ChannelLink } from '../wire/link.ts'
import type { ChannelSocket } from './socket.ts'

export interface State {
  readonly link: ChannelLink
  readonly socket: ChannelSocket
}

/** The state of a channel is its assigns. */
export const assignsOf: StateAccess = {
  get: (process) => (process.state as State | undefined)?.socket.assigns,
  set(process, assigns) {
    ;(process.state as State).socket.restore(assigns as Record<never, never>)
  },
}
