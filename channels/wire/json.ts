/** JSON of a text frame, which may be hostile: not built where it nests too deep. */
import { isDeeperThan } from './depth.ts'
import { type Decoded, type DecodeLimits, refuse } from './message.ts'

export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | Extract<Decoded, { ok: false }>

/** Never throws. The frame itself is one level more than its payload. */
export function parseFrame(text: string, { maxDepth }: DecodeLimits): Parsed {
  if (isDeeperThan(text, maxDepth + 1)) {
    return refuse('too_deep', `the payload nests deeper than ${maxDepth} levels`)
  }
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch {
    return refuse('bad_json', 'the frame is not JSON')
  }
}
