/** Params of a connection by way of its URL: a client has no other way to send them. */
import { decodeForm, type FormParams } from '../wire/form.ts'

/** The query the official client makes of them: all of it text, nested as `a[b]=c`. */
export function queryOf(params: object, within?: string): string {
  return Object.entries(params)
    .map(([key, value]: [string, unknown]) => {
      const name = within === undefined ? key : `${within}[${key}]`
      if (typeof value === 'object') return queryOf(value ?? {}, name)
      return `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`
    })
    .filter((part) => part !== '')
    .join('&')
}

/** The version of the wire that the official client speaks, and says at the end. */
export const queryWithVersion = (params: object): string => queryOf({ ...params, vsn: '2.0.0' })

/** What the socket's connect gets. */
export const paramsOf = (query: string): FormParams => decodeForm(query)
