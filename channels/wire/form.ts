import { ChannelError } from '../errors.ts'

/** What a form field decodes to. */
export type FormValue = string | FormValue[] | FormParams

/** Decoded fields by name. Has no prototype, so a field's name can never reach an inherited one. */
export interface FormParams {
  [name: string]: FormValue
}

/** Form data that cannot be decoded or is beyond a limit. */
export class FormDecodeError extends ChannelError {
  constructor(message: string, options?: ErrorOptions) {
    super('CHN_FORM', message, options)
    this.name = 'FormDecodeError'
  }
}

const MAX_FIELDS = 1_000
const MAX_LEVELS = 100

/**
 * Decodes URL-encoded form data with nested names, as Plug does.
 *
 * `a=1` is a field, `a[b]=1` a field in an object, `a[]=1` appends to a list. The last of several
 * plain fields wins; where a name is used both as a field and as an object or list, the last use
 * wins. A name whose brackets do not match is taken literally. Names with a `__proto__` part are
 * dropped.
 *
 * @throws FormDecodeError above 1,000 fields or 100 levels, and for broken percent-encoding.
 * @example
 * decodeForm('user[name]=Ada&user[tags][]=a&user[tags][]=b')
 * // { user: { name: 'Ada', tags: ['a', 'b'] } }
 */
export function decodeForm(encoded: string): FormParams {
  const params = emptyParams()
  let fields = 0
  let start = 0
  while (start < encoded.length) {
    let end = encoded.indexOf('&', start)
    if (end === -1) end = encoded.length
    if (end > start) {
      if (++fields > MAX_FIELDS) {
        throw new FormDecodeError(`a form has more than ${MAX_FIELDS} fields; send fewer`)
      }
      decodeField(params, encoded.slice(start, end))
    }
    start = end + 1
  }
  return params
}

/**
 * Lays a form event's `meta` over its decoded fields.
 *
 * `_target`, the name of the input that changed, becomes its path: `user[email]` is
 * `['user', 'email']`. A list's `[]` is no part of it. The other entries are taken as they are.
 *
 * @throws FormDecodeError if `_target` nests deeper than 100 levels.
 * @example
 * mergeMeta(decodeForm('user[email]=a'), { _target: 'user[email]' })
 * // { user: { email: 'a' }, _target: ['user', 'email'] }
 */
export function mergeMeta(
  params: FormParams,
  meta: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = Object.create(null)
  for (const name of Object.keys(params)) merged[name] = params[name]
  for (const name of Object.keys(meta)) {
    if (name === '__proto__') continue
    const value = meta[name]
    merged[name] =
      name === '_target' && typeof value === 'string'
        ? pathOf(value).filter((part) => part !== '')
        : value
  }
  return merged
}

function decodeField(params: FormParams, field: string): void {
  const equals = field.indexOf('=')
  const name = decodeText(equals === -1 ? field : field.slice(0, equals))
  const value = equals === -1 ? '' : decodeText(field.slice(equals + 1))
  const path = pathOf(name)
  if (!path.includes('__proto__')) assign(params, path, value)
}

function decodeText(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw new FormDecodeError('a form field has broken percent-encoding; encode it as UTF-8', {
      cause,
    })
  }
}

/** The parts of a field's name; a list's `[]` is an empty part. */
function pathOf(name: string): string[] {
  const open = name.indexOf('[')
  if (open < 1 || !name.endsWith(']')) return [name]
  // A bracket inside a part means the brackets do not pair up.
  const parts = name.slice(open + 1, -1).split('][')
  if (parts.some((part) => part.includes('[') || part.includes(']'))) return [name]
  if (parts.length >= MAX_LEVELS) {
    throw new FormDecodeError(`a form field nests deeper than ${MAX_LEVELS} levels`)
  }
  return [name.slice(0, open), ...parts]
}

function assign(params: FormParams, path: readonly string[], value: string): void {
  let target: FormParams | FormValue[] = params
  const last = path.length - 1
  for (let i = 0; i < last; i++) {
    const container: FormParams | FormValue[] = containerFor(target, path, i)
    target = container
  }
  put(target, path[last] as string, value)
}

/** The container below a part of the path, made anew if there is none or another kind. */
function containerFor(
  target: FormParams | FormValue[],
  path: readonly string[],
  level: number,
): FormParams | FormValue[] {
  const part = path[level] as string
  const wantsList = path[level + 1] === ''
  const existing = Array.isArray(target) ? undefined : target[part]
  if (typeof existing === 'object' && Array.isArray(existing) === wantsList) return existing
  const container = wantsList ? [] : emptyParams()
  put(target, part, container)
  return container
}

function put(target: FormParams | FormValue[], part: string, value: FormValue): void {
  if (Array.isArray(target)) target.push(value)
  else target[part] = value
}

function emptyParams(): FormParams {
  return Object.create(null) as FormParams
}
