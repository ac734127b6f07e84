/** References of presences: 16 characters of base64url, of which no two are the same in a node's life or across its restarts. */

/** Six bytes that make the references of one replica its own. */
export function refPrefix(random: () => number): Buffer {
  return Buffer.from(Array.from({ length: 6 }, () => Math.floor(random() * 256)))
}

/** @param clock of the operation, below 2^48 */
export function makeRef(prefix: Buffer, clock: number): string {
  const bytes = Buffer.alloc(12)
  prefix.copy(bytes)
  bytes.writeUIntBE(clock, 6, 6)
  return bytes.toString('base64url')
}
