/** A MessagePort as the connection between two schedulers: the shell around PeerPort. */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { asNobody } from '../process/strays.ts'
import { Inbox } from '../scheduler/inbox.ts'
import type { PeerPort } from '../scheduler/peers.ts'
import { receiveBatch } from '../scheduler/receive.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'

/** Main tells a thread of a new one by putting this on the thread's main port, ahead of whatever mentions the new id. */
export interface NewPeer {
  readonly peer: number
  readonly port: MessagePort
}

/**
 * Connects `scheduler` with the scheduler `peer` over `port`. Returns the function that begins to receive: until a thread
 * has loaded the app's behaviours, what is sent to it waits in its ports.
 */
export function connectPort(scheduler: Scheduler, peer: number, port: MessagePort): () => void {
  const inbox = new Inbox(
    // A handler may ask for what main has said, and a new peer's port is made by reading it.
    peer === 0 ? () => asNobody(receiveMessageOnPort, port) : () => receiveMessageOnPort(port),
    (message) => {
      if (Array.isArray(message)) receiveBatch(scheduler, peer, message)
      else {
        const { peer: id, port: newPort } = message as NewPeer
        connectPort(scheduler, id, newPort)()
      }
    },
  )
  const connection: PeerPort = {
    post: (batch) => port.postMessage(batch),
    drain: (done) => inbox.drain(done),
    close: () => port.close(),
    offer: (id, newPort) => {
      const offered: NewPeer = { peer: id, port: newPort as MessagePort }
      port.postMessage(offered, [offered.port])
    },
  }
  scheduler.peers.connect(peer, connection)
  return () => {
    port.on('message', (message) => inbox.receive(message))
  }
}
