/** notification:<user>: a channel that listens to other topics for its client. */
import { channel, ok, string } from 'beamish/channels'
import { User } from './user.ts'

export const Notification = channel('tour.notification', {
  socket: User,
  events: { watch: { product_id: string(1, 100) }, unwatch: { product_id: string(1, 100) } },
  join(_topic, payload, socket) {
    const { ids } = (payload ?? {}) as { ids?: unknown }
    const products = Array.isArray(ids) ? ids.map(String) : []
    for (const product of products) socket.subscribe(`product:${product}`)
    return socket.assign({ products })
  },
  handleIn: {
    watch({ product_id: product }, socket) {
      if (socket.assigns.products.includes(product)) return ok()
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
