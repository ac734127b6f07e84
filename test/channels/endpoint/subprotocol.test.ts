import t from 'tap'
import { chooseSubprotocol } from '../../../channels/endpoint/subprotocol.ts'

const token = 'a token ÿÿ?>~!'
const offer = (text: string): string => `phoenix, base64url.bearer.phx.${text}`
const taking = { subprotocols: [], authToken: true }

t.test('a token is read in both alphabets of base64, padded or not', async (t) => {
  const standard = Buffer.from(token).toString('base64')
  t.match(standard, /[+/].*=/, 'it has what the two differ in')
  const url = Buffer.from(token).toString('base64url')
  for (const text of [
    standard,
    standard.replaceAll('=', ''),
    url,
    `${url}==`.slice(0, standard.length),
  ]) {
    t.same(chooseSubprotocol(offer(text), taking), { ok: true, protocol: 'phoenix', token }, text)
  }
})

t.test('what is no base64, or no UTF-8 in it, is refused', async (t) => {
  for (const text of ['$$', 'a b', Buffer.from([0xff, 0xfe]).toString('base64url')]) {
    t.match(chooseSubprotocol(offer(text), taking), { ok: false })
  }
})

t.test('a mount that takes no token reads none', async (t) => {
  const spoken = { subprotocols: ['xmpp'], authToken: false }
  t.same(chooseSubprotocol(`${offer('eA')}, xmpp`, spoken), {
    ok: true,
    protocol: 'xmpp',
    token: undefined,
  })
})

t.test(
  'channels 31, 32: the first that is known, none for none, and strangers are refused',
  async (t) => {
    const spoken = { subprotocols: ['a', 'b'], authToken: false }
    t.same(chooseSubprotocol('x, b ,a', spoken), { ok: true, protocol: 'b', token: undefined })
    t.same(chooseSubprotocol(undefined, spoken), {
      ok: true,
      protocol: undefined,
      token: undefined,
    })
    t.match(chooseSubprotocol('x, y', spoken), { ok: false })
    const none = { subprotocols: [], authToken: false }
    t.same(chooseSubprotocol('x', none), { ok: true, protocol: undefined, token: undefined })
  },
)
