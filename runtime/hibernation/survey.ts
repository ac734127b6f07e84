/**
 * Looks a state over before it is serialized: whether it would come back equal, about how much heap it takes, and who else
 * has a part of it. Walks objects in one fixed order, so that they can be told by number after they came back.
 */

/** What would not come back equal. */
export interface Unserializable {
  readonly kind: 'unserializable'
  /** Where: `state.user.save`. */
  readonly path: string
  readonly what: string
}

export type Survey =
  | Unserializable
  /** Some object is part of another process's state as well. */
  | { readonly kind: 'shared' }
  /** More than can be looked over and serialized between two messages. */
  | { readonly kind: 'large' }
  | {
      readonly kind: 'own'
      /** Estimate of the heap it takes. */
      readonly heapBytes: number
      /** Numbers of the objects that are frozen. */
      readonly frozen: readonly number[]
    }

/**
 * Whose state an object was part of when it was last looked over. Remembers a bounded number: a WeakMap never gives back the
 * room of what is gone, and what many share turns up again soon.
 */
export class Owners {
  #recent = new WeakMap<object, number>()
  #before = new WeakMap<object, number>()
  #count = 0

  get(value: object): number | undefined {
    return this.#recent.get(value) ?? this.#before.get(value)
  }

  set(value: object, owner: number): void {
    if (++this.#count > MAX_OWNED) {
      this.#before = this.#recent
      this.#recent = new WeakMap()
      this.#count = 1
    }
    this.#recent.set(value, owner)
  }
}

/** About half a megabyte per map. */
const MAX_OWNED = 16_384

/** Objects and values, all in all: about 10 ms of work. */
const MAX_VALUES = 20_000

/** The 10 ms are up with these, too: deflating what does not deflate takes 70 ms per MB. */
const MAX_BYTES = 131_072
/** V8 reads nested objects by recursion, and takes more of the stack than when it wrote them. */
const MAX_DEPTH = 200

/** An object in the order of the walk, and how the walk came to it. */
interface Found {
  readonly value: object
  readonly by: Found | undefined
  readonly key: string
  readonly depth: number
}

/** `owner` says whose state it is; objects that `owners` knows as another's are shared. */
export function survey(state: unknown, owner: number, owners: Owners): Survey {
  const found: Found[] = []
  const seen = new Set<object>()
  const texts = new Set<string>()
  const buffers = new Map<ArrayBufferLike, ArrayBufferView[]>()
  const frozen: number[] = []
  let heapBytes = 0
  let values = 0
  let bad: Unserializable | undefined

  const visit = (value: unknown, by: Found | undefined, key: string): void => {
    values++
    switch (typeof value) {
      case 'string':
        if (texts.has(value)) return
        texts.add(value)
        heapBytes += 16 + value.length
        return
      case 'number':
        if (!Number.isSafeInteger(value) || Math.abs(value) > 2 ** 31) heapBytes += 16
        return
      case 'bigint':
        heapBytes += 24
        return
      case 'function':
      case 'symbol':
        bad ??= { kind: 'unserializable', path: pathOf(by, key), what: `a ${typeof value}` }
        return
      case 'object':
        if (value === null || seen.has(value)) return
        seen.add(value)
        found.push({ value, by, key, depth: (by?.depth ?? 0) + 1 })
    }
  }

  /** Known as part of another one's state. */
  const isOthers = (value: object): boolean => (owners.get(value) ?? owner) !== owner

  visit(state, undefined, 'state')
  for (let i = 0; i < found.length; i++) {
    const one = found[i] as Found
    const { value } = one
    if (isOthers(value) || (isWhole(value) && isOthers(value.buffer))) {
      return { kind: 'shared' }
    }
    const isFrozen = Object.isFrozen(value)
    if (isFrozen) frozen.push(i)
    if (ArrayBuffer.isView(value)) {
      if (overlaps(buffers, value)) {
        return {
          kind: 'unserializable',
          path: pathOf(one.by, one.key),
          what: 'one of two views on a buffer',
        }
      }
    }
    const what = unequal(value, isFrozen)
    if (what !== undefined) return { kind: 'unserializable', path: pathOf(one.by, one.key), what }
    heapBytes += shallowBytes(value)
    eachChild(value, (child, key) => visit(child, one, key))
    if (bad !== undefined) return bad
    if (values > MAX_VALUES || heapBytes > MAX_BYTES || one.depth > MAX_DEPTH)
      return { kind: 'large' }
  }
  if (bad !== undefined) return bad
  for (const { value } of found) {
    owners.set(value, owner)
    // Views of two states on one buffer show the same bytes, and would come back apart.
    if (isWhole(value)) owners.set(value.buffer, owner)
  }
  return { kind: 'own', heapBytes, frozen }
}

/** Freezes the objects of these numbers, in a copy of what was surveyed. */
export function freezeAgain(copy: unknown, frozen: readonly number[]): void {
  if (frozen.length === 0 || typeof copy !== 'object' || copy === null) return
  const found: object[] = [copy]
  const seen = new Set<object>(found)
  for (let i = 0; i < found.length; i++) {
    eachChild(found[i] as object, (child) => {
      if (typeof child !== 'object' || child === null || seen.has(child)) return
      seen.add(child)
      found.push(child)
    })
  }
  for (const number of frozen) Object.freeze(found[number])
}

/** A view on all of its buffer: small Buffers have the one they are cut from in common, and show no bytes of each other. */
function isWhole(value: object): value is ArrayBufferView {
  return ArrayBuffer.isView(value) && value.byteLength === value.buffer.byteLength
}

/** Whether a view shows bytes that another one of the state shows, too: they would come back apart. */
function overlaps(known: Map<ArrayBufferLike, ArrayBufferView[]>, view: ArrayBufferView): boolean {
  const others = known.get(view.buffer) ?? []
  known.set(view.buffer, others)
  const { byteOffset: from, byteLength } = view
  const shared = others.some(
    (o) => o.byteOffset < from + byteLength && from < o.byteOffset + o.byteLength,
  )
  others.push(view)
  return shared
}

/** Own values in one order: properties, then the entries of a Map or Set. */
function eachChild(value: object, visit: (child: unknown, key: string) => void): void {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return
  for (const key of Object.keys(value)) visit((value as Record<string, unknown>)[key], key)
  if (value instanceof Map) {
    for (const [key, item] of value) {
      visit(key, '(key)')
      visit(item, typeof key === 'string' || typeof key === 'number' ? `get(${key})` : '(value)')
    }
  } else if (value instanceof Set) for (const item of value) visit(item, '(item)')
}

/** Prototypes of what v8.serialize gives back as it was. */
const PLAIN: ReadonlySet<unknown> = new Set([
  Object.prototype,
  Array.prototype,
  Map.prototype,
  Set.prototype,
  Date.prototype,
])

const VIEWS: ReadonlySet<unknown> = new Set(
  [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
    DataView,
  ].map(({ prototype }) => prototype),
)

/** Why an object would not come back equal; undefined: it would, as far as itself is concerned. */
function unequal(value: object, frozen: boolean): string | undefined {
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null
  if (prototype === Buffer.prototype) return undefined
  if (VIEWS.has(prototype)) return unequalView(value as ArrayBufferView)
  if (!PLAIN.has(prototype)) {
    if (prototype === null) return 'an object without a prototype'
    return `an instance of ${String(prototype.constructor?.name ?? 'a class')}`
  }
  if (!Object.isExtensible(value) && !frozen) return 'an object that takes no more properties'
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key === 'symbol') return `an object with the key ${String(key)}`
    if (key === 'length' && Array.isArray(value)) continue
    const { get, set, enumerable, writable } = Object.getOwnPropertyDescriptor(
      value,
      key,
    ) as PropertyDescriptor
    if (get !== undefined || set !== undefined) return `an object with an accessor (${key})`
    if (enumerable !== true) return `an object with a hidden property (${key})`
    if (writable !== true && !frozen) return `an object with a read-only property (${key})`
  }
  const own = value instanceof Map || value instanceof Set || value instanceof Date
  return own && Object.keys(value).length > 0 ? `a ${kindOf(value)} with properties` : undefined
}

const kindOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1)

/** Each view comes back on a buffer of its own: one that showed a part of a larger one, or is frozen around, would not be equal. */
function unequalView(view: ArrayBufferView): string | undefined {
  const { buffer } = view
  const kind = kindOf(view)
  if (!(buffer instanceof ArrayBuffer)) return `a ${kind} on shared memory`
  if (buffer.resizable) return `a ${kind} on a buffer that can be resized`
  if (view.byteOffset !== 0 || view.byteLength !== buffer.byteLength) {
    return `a ${kind} on a part of its buffer`
  }
  if (Object.getOwnPropertySymbols(view).length > 0 || !Object.isExtensible(view)) {
    return `a ${kind} with properties`
  }
  return undefined
}

/** What V8 takes for an object on 64 bits, without what it refers to. */
function shallowBytes(value: object): number {
  if (ArrayBuffer.isView(value)) return 200 + value.byteLength
  if (Array.isArray(value)) return 48 + 8 * value.length
  if (value instanceof Map) return 120 + 40 * value.size
  if (value instanceof Set) return 120 + 32 * value.size
  if (value instanceof Date) return 96
  return 24 + 8 * Object.keys(value).length
}

function pathOf(by: Found | undefined, key: string): string {
  return by === undefined ? key : `${pathOf(by.by, by.key)}.${key}`
}
