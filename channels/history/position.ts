/** A position in the history of a topic, as clients carry it: `epoch:offset`. */

export interface Position {
  /** Which count of the topic's messages it belongs to: a new one begins whenever the old one is lost. */
  readonly epoch: string
  /** Of the message last seen; 0: none yet. */
  readonly offset: number
}

/** Where payloads, join parameters and join replies carry it. */
export const HISTORY = 'history'

const FORM = /^([0-9a-z]{1,32}):(0|[1-9]\d{0,14})$/

export const formatPosition = ({ epoch, offset }: Position): string => `${epoch}:${offset}`

/** undefined for what is none: a client can send anything. */
export function parsePosition(value: unknown): Position | undefined {
  if (typeof value !== 'string' || value.length > 48) return undefined
  const [, epoch, offset] = FORM.exec(value) ?? []
  return epoch === undefined ? undefined : { epoch, offset: Number(offset) }
}

/** What a payload carries, or a client's join. */
export const positionIn = (payload: unknown): unknown =>
  typeof payload === 'object' && payload !== null && Object.hasOwn(payload, HISTORY)
    ? (payload as Readonly<Record<string, unknown>>)[HISTORY]
    : undefined
