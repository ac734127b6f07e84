/**
 * Subprotocols of an upgrade (RFC 6455 section 1.9), and the token an official client hides among them: a browser can send
 * no header of its own with a WebSocket.
 */

const TOKEN_PREFIX = 'base64url.bearer.phx.'
const CLIENT_PROTOCOL = 'phoenix'

export type Offered =
  | { readonly ok: true; readonly protocol: string | undefined; readonly token: string | undefined }
  | { readonly ok: false; readonly reason: string }

export interface Spoken {
  /** Those the mount speaks; empty: whatever is offered is passed over. */
  readonly subprotocols: readonly string[]
  /** It takes a token: then `phoenix` is spoken, too. */
  readonly authToken: boolean
}

/**
 * Which of the offered subprotocols is spoken: the first that the mount knows. One that offers only strangers to a mount that
 * speaks some is refused, one that offers none is not.
 */
export function chooseSubprotocol(header: string | undefined, spoken: Spoken): Offered {
  const offered = (header ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
  const known = spoken.authToken ? [...spoken.subprotocols, CLIENT_PROTOCOL] : spoken.subprotocols
  const hidden = offered.find((one) => one.startsWith(TOKEN_PREFIX))
  const names = offered.filter((one) => one !== hidden)
  const protocol = names.find((one) => known.includes(one))
  if (protocol === undefined && known.length > 0 && names.length > 0) {
    return { ok: false, reason: 'none of the subprotocols it offers is spoken' }
  }
  if (hidden === undefined || !spoken.authToken) return { ok: true, protocol, token: undefined }
  const token = decodeToken(hidden.slice(TOKEN_PREFIX.length))
  if (token === undefined) return { ok: false, reason: 'its token is not base64' }
  return { ok: true, protocol, token }
}

const BASE64 = /^[\w+/-]*={0,2}$/
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Base64 of either alphabet, padded or not: the clients write the standard one, whatever the prefix says. */
function decodeToken(text: string): string | undefined {
  if (!BASE64.test(text)) return undefined
  try {
    return decoder.decode(Buffer.from(text, 'base64'))
  } catch {
    return undefined
  }
}
