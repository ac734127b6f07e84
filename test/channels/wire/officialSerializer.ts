// The serializer of the official client, unmodified.

/** A message as the client names its parts. */
export type ClientMessage = {
  join_ref: string | null
  ref: string | null
  topic: string
  event: string
  payload: unknown
}

type Official = {
  encode(message: ClientMessage, done: (frame: string | ArrayBuffer) => void): void
  decode(frame: string | ArrayBuffer, done: (message: ClientMessage) => void): void
}

// The package ships no types; a name the compiler does not follow leaves them to the line below.
const packageName: string = 'phoenix'
const { Serializer }: { Serializer: Official } = await import(packageName)

/** What the client writes. */
export function clientEncode(message: ClientMessage): string | ArrayBuffer {
  let written: string | ArrayBuffer = ''
  Serializer.encode(message, (frame) => {
    written = frame
  })
  return written
}

/** What the client reads. */
export function clientDecode(frame: string | ArrayBuffer): ClientMessage {
  let read: ClientMessage | undefined
  Serializer.decode(frame, (message) => {
    read = message
  })
  if (read === undefined) throw new Error('the client did not decode the frame')
  return read
}
