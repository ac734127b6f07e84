/** What is measured side by side with the BEAM: a name that both sides know, and how to read its figure. */
export interface Case {
  readonly name: string
  readonly label: string
  readonly unit: 'per second' | 'bytes'
  /** Scheduler threads on this side. */
  readonly schedulers: number
  /** The BEAM has this case, with as many schedulers. */
  readonly beam: boolean
}

const rate = (name: string, label: string): Case => ({
  name,
  label,
  unit: 'per second',
  schedulers: 1,
  beam: true,
})

export const CASES: readonly Case[] = [
  rate('pingPong', 'ping-pong of two processes, round trips'),
  rate('pairs100', 'ping-pong of 100 pairs, round trips'),
  rate('spawn', 'spawn with monitor, exit, DOWN'),
  rate('call', 'GenServer call, one client'),
  rate('call100', 'GenServer call, 100 clients'),
  rate('cast', 'GenServer casts handled'),
  rate('ring', 'ring of 1,000, hops'),
  rate('fanOut', 'fan-out from 1 to 10,000, delivered'),
  rate('dispatch', 'registry dispatch to 10,000 under one key, delivered'),
  rate('timers', 'timer set and cancelled'),
  rate('restart100', 'restarts, 100 children killed at once'),
  rate('restart10000', 'restarts, 10,000 children killed at once'),
  { ...rate('idleBytes', 'idle GenServer with a map of 5 keys'), unit: 'bytes' },
  { ...rate('hibernatedBytes', 'the same, hibernated'), unit: 'bytes' },
  { ...rate('crossCast', 'casts, thread to thread'), schedulers: 2, beam: false },
  { ...rate('crossCall', 'calls, thread to thread, 1 in flight'), schedulers: 2, beam: false },
  { ...rate('crossCall100', 'calls, thread to thread, 100 in flight'), schedulers: 2, beam: false },
  {
    ...rate('crossFanOut', 'fan-out from 1 to 10,000 over both threads, delivered'),
    schedulers: 2,
    beam: false,
  },
]
