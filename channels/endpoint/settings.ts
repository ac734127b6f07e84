/** What all connections of a mount share, whichever transport they come by. */
import type { Pid, Placement } from '../../runtime/index.ts'
import { socketLimits } from '../transport/limits.ts'
import { overflowOption } from '../transport/overflow.ts'
import type { TransportSettings } from '../transport/transport.ts'
import { defaultDecodeLimits } from '../wire/message.ts'
import type { SocketMount } from './plugin.ts'

export type MountSettings = Omit<TransportSettings, 'serializer' | 'connect' | 'assigns'>

/** @throws BEAMISH_BAD_OPTION */
export function mountSettings(
  { routes, strict = false, limits: given, overflow }: SocketMount,
  { channels, place }: { readonly channels: Pid; readonly place: Placement },
): MountSettings {
  const limits = socketLimits(given)
  return {
    routes,
    strict,
    limits,
    decodeLimits: { ...defaultDecodeLimits, maxDepth: limits.maxDepth },
    overflow: overflowOption(overflow),
    channels,
    place,
  }
}
