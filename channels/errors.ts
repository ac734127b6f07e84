// Errors of the channels layer: programmer mistakes, thrown at once, each with a code and a
// message that names the fix. What a peer sends wrong is never thrown; it is returned as data.

const brand = Symbol.for('beamish.channelError')

/** Every code a channels function throws, with what it means. */
export const channelErrorCodes = {
  CHN_PAYLOAD: 'an outgoing payload is not an object that JSON can carry',
  CHN_FIELD_TOO_LONG: 'a binary frame field is over 255 bytes of UTF-8',
  CHN_ORIGIN_RULE: 'an entry of checkOrigin cannot be read',
  CHN_SECRET: 'the secret is too short to sign with',
  CHN_TOKEN_DATA: 'the data of a token cannot be signed',
  CHN_TOKEN_TOO_LONG: 'a token is over its maximal length',
  CHN_CSRF_SECRET: 'the CSRF secret of the session was not made by createCsrf',
  CHN_COOKIE: 'a cookie cannot be written',
  CHN_SESSION_TOO_LARGE: 'the session does not fit in a cookie',
  CHN_SCHEMA: 'a payload schema is declared wrongly',
  CHN_SCHEMA_ASYNC: 'a payload schema answered with a promise',
  CHN_PENDING: 'a pending queue was used wrongly',
} as const

export type ChannelErrorCode = keyof typeof channelErrorCodes

/**
 * A mistake in code that uses the channels layer. `code` is stable, `message` names the fix.
 * `instanceof` also holds for an error made by another copy of this module.
 *
 * @example
 * ```ts
 * import { ChannelError, signToken } from 'beamish/channels'
 * try {
 *   signToken('too short', 'salt', null, { nowMs: Date.now() })
 * } catch (error) {
 *   console.assert(error instanceof ChannelError && error.code === 'CHN_SECRET')
 * }
 * ```
 */
export class ChannelError extends Error {
  readonly code: ChannelErrorCode

  constructor(code: ChannelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ChannelError'
    this.code = code
    Object.defineProperty(this, brand, { value: true })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value
  }
}
