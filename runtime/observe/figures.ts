/** What observe() tells: figures of threads and processes, and the tree they stand in, as plain data. */
import type { Ran } from '../events.ts'
import type { Pid } from '../process/pid.ts'
import type { ProcessInfo } from '../scheduler/info.ts'
import type { Restart } from '../supervisor/childSpec.ts'

/** One process, as its record says; no process is asked. */
export interface ProcessFigures {
  readonly pid: Pid
  /** The pid as text. */
  readonly process: string
  readonly name: string | undefined
  /** Its behaviour, or what that calls it: `task fetchPage`. */
  readonly behaviour: string
  readonly scheduler: number
  readonly parent: Pid
  readonly supervisor: boolean
  readonly status: ProcessInfo['status']
  /** Taken from its mailbox since it was born; begins anew at 2^30. */
  readonly messages: number
  readonly mailboxLength: number
  /** Messages its mailbox was too full for. */
  readonly dropped: number
  readonly links: number
  readonly monitors: number
  /** With `memory`: about what its state, mailbox and dictionary take; at most 2 MB are looked at. */
  readonly bytes: number | undefined
}

/** restarting: its supervisor is about to start it again. stopped: it is not. unknown: its thread did not answer. */
export type AbsentStatus = 'restarting' | 'stopped' | 'unknown'

/** A place in the tree: a process, or a child without one. */
export interface TreeNode {
  /** As its supervisor knows it; undefined when none started it. */
  readonly id: string | undefined
  readonly restart: Restart | undefined
  readonly behaviour: string
  readonly supervisor: boolean
  readonly status: ProcessInfo['status'] | AbsentStatus
  /** undefined: it has no process now, or its thread did not answer. */
  readonly figures: ProcessFigures | undefined
  /** Those it started: what it supervises, in order, then what it spawned besides. */
  readonly children: readonly TreeNode[]
  /** Of its children, not shown: beyond maxChildren or maxProcesses, or 200 levels deep. */
  readonly left: number
}

/** One thread; 0 is main. */
export interface ThreadFigures {
  readonly scheduler: number
  /** silent: it did not answer in time; the figures it would have given are undefined. */
  readonly status: 'running' | 'silent'
  /** Part of the time its loop was busy, 0 to 1: within the window, else since the last observe(). */
  readonly utilization: number
  readonly processes: number
  /** What a silent one ran last, as far as is known. */
  readonly ranLast: Ran | undefined
  readonly counts: ThreadCounts | undefined
}

export interface ThreadCounts {
  readonly supervisors: number
  readonly hibernated: number
  /** Processes that wait for their turn. */
  readonly runnable: number
  /** Messages that wait in mailboxes. */
  readonly queued: number
  /** Messages handled since the start; those that receive() takes are not among them. */
  readonly messages: number
  /** Within the window; 0 without. */
  readonly messagesPerSecond: number
  /** Messages that full mailboxes did not take. */
  readonly dropped: number
  readonly timers: number
  readonly links: number
  readonly monitors: number
  readonly heapUsedBytes: number
  readonly heapLimitBytes: number
  /** With `memory`: processes whose memory was estimated before the time for that was up. */
  readonly measured: number
  /** What answering has cost this thread. */
  readonly tookMs: number
}

/** A process in one of the lists of the largest. */
export interface TopEntry {
  readonly value: number
  readonly figures: ProcessFigures
}

/** The processes with the most of something, largest first; those with nothing of it are left out. */
export interface Top {
  readonly mailbox: readonly TopEntry[]
  /** By messages handled: within the window, else since they were born. */
  readonly messages: readonly TopEntry[]
  /** By estimated memory, of those that were measured. */
  readonly memory: readonly TopEntry[]
}

/** What observe() resolves with: plain data. */
export interface NodeReport {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Id of the operating system's process. */
  readonly pid: number
  readonly upMs: number
  /** Resident memory of the operating system's process. */
  readonly rssBytes: number
  /** Over which messages per second, and the list by messages, were counted; 0: there was no window. */
  readonly windowMs: number
  readonly threads: readonly ThreadFigures[]
  readonly processes: {
    readonly total: number
    /** Started by a supervisor. */
    readonly supervised: number
    /** By anything else: spawned by a process or from outside. */
    readonly spawned: number
    /** In the tree or in `loose`. */
    readonly shown: number
  }
  /** What nobody alive started, with all below: the root, and the services of the node. */
  readonly tree: readonly TreeNode[]
  /** What nobody alive started, and has no children: spawned from outside, or by a process that has ended. */
  readonly loose: { readonly count: number; readonly processes: readonly TreeNode[] }
  readonly top: Top
}
