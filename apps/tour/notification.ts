/** notification:<user>: a channel that listens to other topics for its client. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { channel, error, ok, optional, string, validate } from 'beamish/channels'
import { User } from './user.ts'

const productId = string(1, 100)

const MAX_PRODUCTS = 100

/** Each once: who subscribes twice hears twice. */
const productIds: StandardSchemaV1<unknown, readonly string[]> = {
  '~standard': {
    version: 1,
    vendor: 'beamish tour',
    validate(value) {
      if (!Array.isArray(value) || value.length > MAX_PRODUCTS) {
        return { issues: [{ message: `must be a list of at most ${MAX_PRODUCTS} ids` }] }
      }
      const checked = value.map((one) => validate(productId, one))
      const issues = checked.flatMap((one, n) =>
        one.ok ? [] : one.issues.map(({ message }) => ({ message, path: [n] })),
      )
      if (issues.length > 0) return { issues }
      return { value: [...new Set(checked.flatMap((one) => (one.ok ? [one.value] : [])))] }
    },
  },
}

export const Notification = channel('tour.notification', {
  socket: User,
  params: { ids: optional(productIds) },
  events: { watch: { product_id: productId }, unwatch: { product_id: productId } },
  join(_topic, { ids: products = [] }, socket) {
    for (const product of products) socket.subscribe(`product:${product}`)
    return socket.assign({ products })
  },
  handleIn: {
    watch({ product_id: product }, socket) {
      if (socket.assigns.products.includes(product)) return ok()
      if (socket.assigns.products.length >= MAX_PRODUCTS) {
        return error({ reason: 'too many products' })
      }
      socket.subscribe(`product:${product}`)
      socket.update('products', (products) => [...products, product])
      return ok()
    },
    unwatch({ product_id: product }, socket) {
      socket.unsubscribe(`product:${product}`)
      socket.update('products', (products) => products.filter((one) => one !== product))
      return ok()
    },
  },
  handleMessage(message, socket) {
    const { type, event, payload } = message as { type?: unknown; event: string; payload: object }
    if (type === 'broadcast') socket.push(event, payload)
  },
})
