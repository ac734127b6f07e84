/**
 * beamish/testing: a node whose time and schedule a test owns, to study how processes crash and terminate.
 * @module
 */

export type { AssertOptions } from './asserts.ts'
/** What a timeline holds. */
export type {
  ExitEvent,
  LinkEvent,
  MessageEvent,
  NoteEvent,
  Outcome,
  RestartEvent,
  SignalEvent,
  SpawnEvent,
  TerminateEvent,
  TimelineEvent,
  When,
} from './events.ts'
/** Many schedules of one test. */
export { type Explored, type ExploreOptions, explore } from './explore.ts'
/** Faults on demand. */
export type { AtMessage, Faults } from './faults.ts'
/** What an assert expects. */
export type { Match } from './match.ts'
export type { EndFault, MessageFault, MessageKind } from './messageFaults.ts'
/** Asserts for a real node. */
export { asserts, type NodeAsserts } from './nodeAsserts.ts'
/** The node. */
export { type TestNode, type TestNodeOptions, type Timeline, testNode } from './testNode.ts'
