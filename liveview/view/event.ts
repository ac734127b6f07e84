/** Events of the page: from the wire to a payload a handler can trust. Pure. */
import { type PayloadIssue, validate } from '../../channels/payload/index.ts'
import { decodeForm, type FormParams, mergeMeta } from '../../channels/wire/form.ts'
import type { LiveView } from './liveView.ts'

export type DecodedEvent =
  | { readonly do: 'handle'; readonly event: string; readonly payload: unknown }
  /** unknown: no such event. invalid: its payload does not fit. component: for a component, of which there are none. */
  | {
      readonly do: 'refuse'
      readonly why: 'unknown' | 'invalid' | 'component' | 'malformed'
      readonly event: string
      readonly issues?: readonly PayloadIssue[]
    }

/** Reads the payload of an `event` push: `{ type, event, value, meta?, cid? }`. Never throws for what a client can send. */
export function decodeEvent(view: LiveView, wire: unknown): DecodedEvent {
  if (typeof wire !== 'object' || wire === null) return malformed('')
  const { type, event, value, meta, cid } = wire as Record<string, unknown>
  if (typeof event !== 'string') return malformed('')
  if (cid !== undefined && cid !== null) return { do: 'refuse', why: 'component', event }
  const schema = view.schemas.get(event)
  if (schema === undefined) return { do: 'refuse', why: 'unknown', event }
  let given: unknown = value ?? {}
  if (type === 'form') {
    if (typeof value !== 'string') return malformed(event)
    try {
      given = mergeMeta(decodeForm(value), isObject(meta) ? (meta as FormParams) : {})
    } catch {
      return malformed(event)
    }
  }
  const checked = validate(schema, given)
  if (!checked.ok) return { do: 'refuse', why: 'invalid', event, issues: checked.issues }
  return { do: 'handle', event, payload: checked.value }
}

const malformed = (event: string): DecodedEvent => ({ do: 'refuse', why: 'malformed', event })

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
