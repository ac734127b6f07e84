// What the runtime's tests share: a node per file, the outside as a process, and awaited messages instead of sleeps.
import {
  type BeamishNode,
  type DownMessage,
  type ExitReason,
  onEvent,
  type Pid,
  type Ref,
  type RuntimeEvents,
  start,
} from 'beamish'
import { schedulerOf } from '../../runtime/process/pid.ts'

export const SOURCE = ['--conditions=beamish-source']

/** Numbers of threads a suite runs with: TEST_SCHEDULERS of the environment, as in `TEST_SCHEDULERS=1,2,4`. */
export const schedulerCounts: readonly number[] = (process.env.TEST_SCHEDULERS ?? '1,2,4')
  .split(',')
  .map(Number)

export function startNode(
  module: URL,
  schedulers: number,
  options: Parameters<typeof start>[1] = {},
): Promise<BeamishNode> {
  return start(module, {
    schedulers,
    log: false,
    development: false,
    execArgv: SOURCE,
    ...options,
  })
}

/** The next event of that name on main. */
export function nextEvent<K extends keyof RuntimeEvents>(name: K): Promise<RuntimeEvents[K]> {
  return new Promise((resolve) => {
    const off = onEvent(name, (event) => {
      off()
      resolve(event)
    })
  })
}

/** Asks for a name until a process of a scheduler that `there` accepts has it: a name that is taken is no event. */
export async function whenNamed(
  node: BeamishNode,
  name: string,
  there: (scheduler: number) => boolean = () => true,
): Promise<Pid> {
  for (;;) {
    const pid = await node.self.whereis(name)
    if (pid !== undefined && there(schedulerOf(pid))) return pid
    await new Promise((resolve) => setImmediate(resolve))
  }
}

export const isDown =
  (ref: Ref) =>
  (message: unknown): message is DownMessage =>
    (message as Partial<DownMessage>).type === 'DOWN' && (message as DownMessage).ref === ref

export const isType =
  <T extends string>(type: T) =>
  (message: unknown): message is { readonly type: T; readonly [key: string]: unknown } =>
    (message as { type?: unknown } | undefined)?.type === type

/** The reason in the DOWN of a monitor. */
export async function downReason(node: BeamishNode, ref: Ref): Promise<ExitReason> {
  const down = await node.self.receive(isDown(ref), 45_000)
  return down === undefined ? 'no DOWN came' : down.reason
}

/** The reason a promise is rejected with, as data. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return (error as { reason?: unknown }).reason ?? error
  }
  return 'resolved'
}
