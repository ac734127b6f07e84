/** Who is there: presences for browsers, and the trackers they are made of. */
export type { Fetch } from './fetching.ts'
export type { TrackerOptions } from './options.ts'
export { type Presence, type PresenceSpec, presence } from './presence.ts'
export type { PresenceDiff, PresenceEntry, Presences } from './shape.ts'
export {
  type Tracked,
  type Tracker,
  type TrackerDiff,
  type TrackerSpec,
  type Tracking,
  type TrackResult,
  tracker,
  type UpdateResult,
} from './tracker.ts'
