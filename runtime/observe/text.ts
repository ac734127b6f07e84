/**
 * A value as text of bounded length, made without running code of its owner: no accessor, toJSON or proxy is called, and no
 * more of it is read than the text has room for. For looking at messages that belong to others.
 */
import { types } from 'node:util'

const MAX_DEPTH = 8
const CUT = '…'

class Writer {
  text = ''
  readonly #max: number
  readonly #above: object[] = []

  constructor(max: number) {
    this.#max = max
  }

  get full(): boolean {
    return this.text.length > this.#max
  }

  value(value: unknown): void {
    if (this.full) return
    if (typeof value === 'string') {
      this.text += JSON.stringify(value.slice(0, this.#max + 1))
    } else if (typeof value === 'bigint') this.text += `${value}n`
    else if (typeof value === 'function') this.text += '[function]'
    else if (typeof value !== 'object' || value === null) this.text += String(value)
    else if (types.isProxy(value)) this.text += '[proxy]'
    else if (this.#above.includes(value)) this.text += '[above]'
    else if (this.#above.length >= MAX_DEPTH) this.text += CUT
    else {
      this.#above.push(value)
      this.#object(value)
      this.#above.pop()
    }
  }

  #object(value: object): void {
    if (Array.isArray(value)) {
      this.#list('[', ']', value.length, (i) => this.#own(value, String(i)))
    } else if (types.isMap(value)) {
      const entries = Map.prototype.entries.call(value)
      this.#list('Map{', '}', mapSize(value), () => {
        const [key, item] = entries.next().value as [unknown, unknown]
        this.value(key)
        this.text += ' => '
        this.value(item)
      })
    } else if (types.isSet(value)) {
      const items = Set.prototype.values.call(value)
      this.#list('Set{', '}', setSize(value), () => this.value(items.next().value))
    } else if (types.isDate(value)) this.text += dateText(value)
    else if (types.isTypedArray(value)) this.text += `[${value.length} elements]`
    else if (types.isAnyArrayBuffer(value)) this.text += `[${value.byteLength} bytes]`
    else if (types.isNativeError(value)) {
      this.text += 'Error '
      this.#own(value, 'message')
    } else {
      const keys = Object.keys(value)
      this.#list('{', '}', keys.length, (i) => {
        const key = keys[i] as string
        this.text += /^[\w$]+$/.test(key) ? `${key}: ` : `${JSON.stringify(key)}: `
        this.#own(value, key)
      })
    }
  }

  #own(value: object, key: string): void {
    const property = Object.getOwnPropertyDescriptor(value, key)
    if (property === undefined) this.text += 'undefined'
    else if ('value' in property) this.value(property.value)
    else this.text += '[accessor]'
  }

  #list(open: string, close: string, length: number, item: (index: number) => void): void {
    this.text += open
    for (let i = 0; i < length && !this.full; i++) {
      if (i > 0) this.text += ', '
      item(i)
    }
    this.text += close
  }
}

const mapSize = (map: object): number => sizeOf(Map.prototype, map)
const setSize = (set: object): number => sizeOf(Set.prototype, set)
const sizeOf = (prototype: object, value: object): number =>
  Object.getOwnPropertyDescriptor(prototype, 'size')?.get?.call(value) as number

function dateText(date: Date): string {
  const time = Date.prototype.getTime.call(date)
  return Number.isNaN(time) ? 'Invalid Date' : Date.prototype.toISOString.call(date)
}

/** At most `max` characters, and a mark where something was cut. Never throws. */
export function textOf(value: unknown, max: number): string {
  const writer = new Writer(max)
  try {
    writer.value(value)
  } catch {
    return '[unreadable]'
  }
  const { text } = writer
  return text.length > max ? `${text.slice(0, max)}${CUT}` : text
}
