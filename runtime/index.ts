/**
 * beamish: processes, supervisors, registries and PubSub over worker threads.
 * @module
 */

/** State behind functions. */
export { type AgentFunction, type AgentOf, type AgentOptions, agent } from './agent/agent.ts'
/** Named parts of a node. */
export type { ApplicationInfo, ApplicationState } from './application/controller.ts'
export {
  type Application,
  type ApplicationOptions,
  type ApplicationType,
  application,
} from './application/spec.ts'
/** What the control plane tells of a thread. */
export type { ThreadStats } from './edge/control.ts'
/** The default log. */
export type { LogOptions } from './edge/log.ts'
/** Errors: a code, and a message that names the fix. */
export { BeamishError, type ErrorCode } from './errors.ts'
/** Events of the runtime. */
export {
  type ApplicationEvent,
  type CrashReport,
  type MailboxReport,
  onEvent,
  type RuntimeEvents,
  type TraceEvent,
} from './events.ts'
/** Ends as data. */
export { Exit, type ExitReason, formatReason } from './exit/reason.ts'
/** Servers. */
export { type GenServer, type GenServerSpec, genServer } from './genServer/genServer.ts'
/** What a server's callbacks may answer. */
export {
  continueWith,
  ignore,
  type NextOptions,
  noreply,
  reply,
  stop,
  stopWithReply,
} from './genServer/results.ts'
/** A running node, from outside. */
export type { BeamishNode } from './node/node.ts'
export type { StartOptions } from './node/options.ts'
/** Starts one. */
export { start } from './node/start.ts'
/** A look at a running node. */
export type {
  NodeReport,
  ProcessFigures,
  ThreadCounts,
  ThreadFigures,
  Top,
  TopEntry,
  TreeNode,
} from './observe/figures.ts'
export type { ObserveOptions } from './observe/options.ts'
export type { NodeTrace, TraceEnd } from './observe/trace.ts'
export type { NodeTraceEvent, NodeTraceOptions, TraceKind } from './observe/traceOptions.ts'
/** What formatStatus and codeChange are told. */
export type { CodeChange, StatusReport } from './process/behaviour.ts'
/** What a process is born with. */
export type { Flags, MailboxOptions, MailboxPolicy, Priority } from './process/flags.ts'
/** Messages the runtime sends. */
export type { BroadcastMessage, DownMessage, ExitMessage, From } from './process/messages.ts'
/** Who a process is, and where messages can go. */
export {
  type Alias,
  type Destination,
  formatPid,
  type Name,
  type Pid,
  type Ref,
} from './process/pid.ts'
/** The outcome of a start, as a supervisor answers it. */
export type { StartResult } from './process/process.ts'
/** Raw processes. */
export { process, type RawBody } from './process/raw.ts'
/** Functions for any thread. */
export type { RemoteFunction } from './process/remoteFunction.ts'
/** A process's own context. */
export type { CallOptions, MonitorOptions, Self, SpawnOptions } from './process/self.ts'
/** Errors outside of any handler. */
export type { Stray, StrayOptions } from './process/strays.ts'
/** Topics with typed events. */
export { type Topic, topic } from './pubsub/topic.ts'
/** Finding processes by key. */
export type {
  KeyedEntry,
  RegistryEntry,
  RegistryKey,
  RegistryMessage,
} from './registry/registries.ts'
export {
  type DuplicateRegistry,
  duplicateRegistry,
  type RegistryOptions,
  type UniqueRegistry,
  uniqueRegistry,
} from './registry/registry.ts'
/** What is known of a process. */
export type { ProcessInfo } from './scheduler/info.ts'
/** Where a process is started. */
export type { Placement } from './scheduler/placement.ts'
/** Why one was not. */
export { StartError } from './scheduler/starts.ts'
/** How a process is supervised. */
export type {
  AutoShutdown,
  ChildOptions,
  ChildSpec,
  Restart,
  Shutdown,
} from './supervisor/childSpec.ts'
/** Supervisors whose children come and go. */
export { type DynamicSupervisorOptions, dynamicSupervisor } from './supervisor/dynamicSupervisor.ts'
/** The same child on every thread. */
export {
  type Partition,
  type PartitionSupervisor,
  type PartitionSupervisorOptions,
  partitionSupervisor,
} from './supervisor/partitionSupervisor.ts'
/** Supervision trees. */
export { type SupervisorOptions, type SupervisorTree, supervisor } from './supervisor/spec.ts'
export type { Strategy } from './supervisor/strategy.ts'
/** What may be asked of any process with a behaviour. */
export type { StateUpdate } from './sys/requests.ts'
export type { Statistics } from './sys/statistics.ts'
export type { ProcessStatus } from './sys/status.ts'
export { type ChangeCodeOptions, type SysOptions, sys, type TraceOptions } from './sys/sys.ts'
/** Functions beside their caller. */
export type { CpuOptions } from './task/cpu.ts'
export type { TaskMessage, TaskResult } from './task/entry.ts'
export type { TaskOptions } from './task/launch.ts'
export type { StreamOptions, StreamResult } from './task/stream.ts'
export { type Task, task, taskSupervisor } from './task/task.ts'
