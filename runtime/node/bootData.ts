import type { MessagePort } from 'node:worker_threads'
import type { DirtySettings } from '../edge/dirty.ts'
import type { LogOptions } from '../edge/log.ts'
import type { NodeIdentity } from './local.ts'

/** What main hands to a new thread. */
export interface BootData {
  readonly scheduler: number
  readonly slot: number
  readonly board: SharedArrayBuffer
  readonly module: string
  readonly development: boolean
  readonly log: LogOptions | false
  /** Milliseconds between two signs of life. */
  readonly beatMs: number
  readonly identity: NodeIdentity
  readonly dirty: DirtySettings
  readonly mainPort: MessagePort
  readonly controlPort: MessagePort
  readonly peers: readonly { readonly id: number; readonly port: MessagePort }[]
}
