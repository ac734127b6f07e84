/**
 * Channels of any behaviour beside each other: the one supervisor of a thread's channels waits for an init, and one that takes
 * its time would keep the joins of every socket waiting.
 */
import { type Behaviour, defineBehaviour, findBehaviour } from '../../runtime/process/behaviour.ts'
import type { Process } from '../../runtime/process/process.ts'
import type { ChildSpec } from '../../runtime/supervisor/childSpec.ts'
import type { Join, JoinsAside } from '../wire/link.ts'

interface Begun {
  readonly behaviour: string
  readonly join: Join
}

/** Its supervisor hears that it is there; then it becomes what it was to be. */
class Aside implements Behaviour, JoinsAside {
  readonly name: string
  readonly delivery = 'handle'
  readonly joinsAside = true
  readonly containStrays: boolean

  constructor(name: string, containStrays: boolean) {
    this.name = name
    this.containStrays = containStrays
  }

  start(process: Process, argument: unknown): unknown {
    const { behaviour, join } = argument as Begun
    const becomes = process.scheduler.behaviour(behaviour)
    process.behaviour = becomes
    process.trapExit = becomes.trapExit ?? false
    process.ready()
    return becomes.start(process, join)
  }

  handle(): void {}
}

/** A process is born with this one, and cannot change it. */
const ASIDE = defineBehaviour(new Aside('beamish.channelAside', false))
const CONTAINED = defineBehaviour(new Aside('beamish.containedChannelAside', true))

/** How the channel of a join is started. */
export function startOf(
  name: string,
  join: Join,
): Pick<ChildSpec, 'behaviour' | 'argument' | 'flags'> {
  const behaviour = findBehaviour(name)
  if (behaviour === undefined || 'joinsAside' in behaviour)
    return { behaviour: name, argument: join }
  const aside = behaviour.containStrays === true ? CONTAINED : ASIDE
  const argument: Begun = { behaviour: name, join }
  return { behaviour: aside.name, argument, flags: behaviour.flags }
}

/** The join that a channel was started for. */
export function joinOf({ argument }: Pick<ChildSpec, 'argument'>): Join {
  return 'join' in (argument as Begun | Join) ? (argument as Begun).join : (argument as Join)
}
