/**
 * beamish: processes, supervisors, registries and PubSub over worker threads.
 * @module
 */

export type { ThreadStats } from './edge/control.ts'
export type { LogOptions } from './edge/log.ts'
export type { ErrorCode } from './errors.ts'
export { BeamishError } from './errors.ts'
export type { CrashReport, RuntimeEvents } from './events.ts'
export { onEvent } from './events.ts'
export type { ExitReason } from './exit/reason.ts'
// Ends and errors as data; events.
export { Exit, formatReason } from './exit/reason.ts'
export type { GenServer, GenServerSpec } from './genServer/genServer.ts'
// Servers.
export { genServer } from './genServer/genServer.ts'
export type { NextOptions } from './genServer/results.ts'
export { continueWith, ignore, noreply, reply, stop, stopWithReply } from './genServer/results.ts'
export type { BeamishNode } from './node/node.ts'
export type { StartOptions } from './node/options.ts'
// Starting a node, and what it can be asked from outside.
export { start } from './node/start.ts'
export type { BroadcastMessage, DownMessage, ExitMessage, From } from './process/messages.ts'
export type { Destination, Name, Pid, Ref } from './process/pid.ts'
export { formatPid } from './process/pid.ts'
export type { StartResult } from './process/process.ts'
export type { RawBody } from './process/raw.ts'
// Processes and their context.
export { process } from './process/raw.ts'
export type { CallOptions, Self, SpawnOptions } from './process/self.ts'
export type { Topic } from './pubsub/topic.ts'
export { topic } from './pubsub/topic.ts'

// Finding processes, and telling many.
export { duplicateRegistry, uniqueRegistry } from './registry/registry.ts'
export type { ProcessInfo } from './scheduler/info.ts'
export type { Placement } from './scheduler/placement.ts'
export { StartError } from './scheduler/starts.ts'
export type { ChildOptions, ChildSpec, Restart, Shutdown } from './supervisor/childSpec.ts'
export type { DynamicSupervisorOptions } from './supervisor/dynamicSupervisor.ts'
export { dynamicSupervisor } from './supervisor/dynamicSupervisor.ts'
export type { SupervisorOptions, SupervisorTree } from './supervisor/spec.ts'
// Supervision.
export { supervisor } from './supervisor/spec.ts'
