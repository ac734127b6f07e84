// What a live view infers from its declarations, without an annotation, and what it refuses. Checked by tsc.
import { topic } from 'beamish'
import { number, string } from 'beamish/channels'
import { each, html, liveView } from 'beamish/liveview'

const chat = topic<{ message: { name: string; text: string }; left: { name: string } }>('chat')

export const View = liveView('types', {
  topics: [chat],
  events: { send: { text: string(1, 500) } },
  mount: (_params, _session, socket) =>
    socket.subscribe(chat).assign({ username: 'a', messages: [] as { text: string }[] }),
  handleEvent: {
    send({ text }, socket) {
      const typed: string = text
      const user: string = socket.assigns.username
      socket.broadcast(chat, 'message', { name: user, text: typed })
      // @ts-expect-error a payload of another shape
      socket.broadcast(chat, 'message', { name: user })
      // @ts-expect-error an event the topic does not have
      socket.broadcast(chat, 'nonsense', { name: user })
      // @ts-expect-error text is a string
      const wrong: number = text
      // @ts-expect-error no such assign
      socket.assigns.nonsense
      socket.update('messages', (all) => [...all, { text }])
      // @ts-expect-error messages are objects with a text
      socket.update('messages', (all) => [...all, 7])
      return wrong as never
    },
  },
  handleInfo: {
    message(message, socket) {
      const text: string = message.text
      // @ts-expect-error text is a string
      const wrong: number = message.text
      // @ts-expect-error no such field
      message.nonsense
      socket.update('messages', (all) => [...all, { text }])
      return wrong as never
    },
  },
  render: ({ username, messages }) => {
    const user: string = username
    // @ts-expect-error username is a string
    const wrong: number = username
    return html`<p>${user}${wrong}</p>${each(messages, ({ text }) => html`<i>${text}</i>`)}`
  },
})
void number
