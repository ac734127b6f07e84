/** The two ways a client hears that its channel has ended. */
import { encodePush } from './serializerV2.ts'

/** The text of a phx_close: the channel ended in order, and the client does not come back by itself. */
export const encodeClose = (joinRef: string | null, topic: string): string =>
  withRef(joinRef, topic, 'phx_close', {})

/** The text of a phx_error: the channel crashed, and the client joins again. */
export const encodeCrash = (joinRef: string | null, topic: string): string =>
  withRef(joinRef, topic, 'phx_error', { reason: 'channel_crash' })

/** Both carry the join's ref twice (Phoenix.Socket). */
function withRef(joinRef: string | null, topic: string, event: string, payload: object): string {
  if (joinRef === null) return encodePush(null, topic, event, payload)
  const ref = JSON.stringify(joinRef)
  return `[${ref},${ref},${JSON.stringify(topic)},"${event}",${JSON.stringify(payload)}]`
}
