// Broadcasts are typed by their topic; a bare string takes anything. Checked by tsc.
import { type Self, topic } from 'beamish'

const chat = topic<{ message: { text: string }; left: number }>('chat')

export function broadcasts(self: Self): void {
  self.subscribe(chat)
  self.unsubscribe('chat')
  self.broadcast(chat, 'message', { text: 'hi' })
  self.broadcastFrom(chat, 'left', 1)
  self.localBroadcast(chat, 'left', 1)
  self.broadcast('any', 'thing', { at: 'all' })
  // @ts-expect-error a payload of another shape
  self.broadcast(chat, 'message', { text: 7 })
  // @ts-expect-error the payload of another event
  self.broadcastFrom(chat, 'left', { text: 'hi' })
  // @ts-expect-error an event the topic does not have
  self.localBroadcast(chat, 'joined', 1)
  // @ts-expect-error a topic is a string or made by topic()
  self.subscribe(7)
}
