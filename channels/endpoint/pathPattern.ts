/** Paths with variables, as `/rooms/:id/websocket`: what is found there becomes a parameter of the connection. */

type Segment = { readonly text: string } | { readonly variable: string }

/** A path a socket is mounted at. */
export class PathPattern {
  readonly #segments: readonly Segment[]

  constructor(path: string) {
    this.#segments = path
      .split('/')
      .map((part) => (part.startsWith(':') ? { variable: part.slice(1) } : { text: part }))
  }

  /** Its variables, decoded, if this is such a path; one that cannot be decoded is none. */
  match(path: string): Readonly<Record<string, string>> | undefined {
    const parts = path.split('/')
    if (parts.length !== this.#segments.length) return undefined
    const variables: Record<string, string> = {}
    for (const [index, segment] of this.#segments.entries()) {
      const part = parts[index] as string
      if ('text' in segment) {
        if (part !== segment.text) return undefined
        continue
      }
      const value = decoded(part)
      if (value === undefined || value === '') return undefined
      variables[segment.variable] = value
    }
    return variables
  }
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
