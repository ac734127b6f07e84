import { supervisor, topic } from 'beamish'
import { endpoint, string } from 'beamish/channels'
import { each, html, liveRoutes, liveView } from 'beamish/liveview'

type Message = { name: string; text: string }
const chat = topic<{ message: Message }>('chat')
const pick = (...words: string[]) => words[Math.floor(Math.random() * words.length)]
const randomName = () => `${pick('Quiet', 'Brave', 'Merry')} ${pick('Otter', 'Lynx', 'Wren')}`

const Chat = liveView('chat', {
  topics: [chat],
  events: { send: { text: string(1, 500) } },
  mount: (_params, _session, socket) =>
    socket.subscribe(chat).assign({ username: randomName(), messages: [] as Message[] }),
  handleEvent: {
    send({ text }, socket) {
      socket.broadcast(chat, 'message', { name: socket.assigns.username, text }).clear({ text })
    },
  },
  handleInfo: {
    message(message, socket) {
      socket.update('messages', (all) => [...all, message].slice(-100))
    },
  },
  render: ({ username, messages }) => html`<main>
    <h1>Chat</h1>
    <div id="log"><ol id="messages" aria-live="polite">
      ${each(messages, ({ name, text }) => html`<li><b>${name}</b> <span>${text}</span></li>`)}
    </ol></div>
    <form id="composer" phx-submit="send">
      <input id="text" name="text" placeholder="Say something, ${username}" aria-label="Message"
        maxlength="500" autocomplete="off" autofocus required>
      <button>Send</button>
    </form>
  </main>`,
})

const stylesheet = new URL('./chat.css', import.meta.url)
const pages = liveRoutes(
  { '/chat': Chat },
  { title: 'Chat', stylesheet, redirects: { '/': '/chat' } },
)
export default supervisor({ strategy: 'one_for_one', children: [endpoint({ plugins: [pages] })] })
