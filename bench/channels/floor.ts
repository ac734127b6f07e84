/**
 * What `ws` alone does on Node: no processes, no limits, no supervision; just enough of Phoenix's wire for the bench. With
 * `BATCH=1` what a socket is sent in one turn of the loop leaves in one write.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'

const batch = process.env.BATCH === '1'

interface Member {
  readonly socket: WebSocket
  readonly raw: Duplex
  corked: boolean
}

const members = new Set<Member>()
const corked: Member[] = []

function uncork(): void {
  for (const member of corked) {
    member.corked = false
    member.raw.uncork()
  }
  corked.length = 0
}

function send(member: Member, frame: string): void {
  if (batch && !member.corked) {
    member.corked = true
    member.raw.cork()
    if (corked.push(member) === 1) setImmediate(uncork)
  }
  member.socket.send(frame)
}

function handle(member: Member, text: string): void {
  const [joinRef, ref, topic, event, payload] = JSON.parse(text) as [
    ...(string | null)[],
    payload: unknown,
  ]
  let response: unknown = {}
  if (event === 'phx_join') members.add(member)
  else if (event === 'ping') response = payload
  else if (event === 'gc') (globalThis as { gc?: () => void }).gc?.()
  else if (event === 'new_msg') {
    const frame = JSON.stringify([null, null, topic, event, payload])
    for (const each of members) send(each, frame)
  }
  send(member, JSON.stringify([joinRef, ref, topic, 'phx_reply', { status: 'ok', response }]))
}

const sockets = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
})
const server = createServer().on('upgrade', (request, raw, head) => {
  sockets.handleUpgrade(request, raw, head, (socket) => {
    const member = { socket, raw, corked: false }
    socket.on('error', () => {})
    socket.on('close', () => members.delete(member))
    socket.on('message', (data: Buffer) => handle(member, data.toString()))
  })
})
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', 10_000, () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
