/** Bytes as the official client takes them. */

/**
 * The official client sends an ArrayBuffer as a binary frame, the whole of it, and anything else as JSON: of a view it gets a
 * copy of what the view shows. The buffer behind a view may hold more, and be shared.
 */
export function framed(payload: unknown): object {
  if (!ArrayBuffer.isView(payload)) return (payload ?? {}) as object
  const { buffer, byteOffset, byteLength } = payload
  // Not by way of its own slice(): with some kinds of array that is a view again.
  return new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength)).buffer
}
