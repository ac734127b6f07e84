/**
 * The load: `node bench/channels/client.ts CASE PORT PID` drives the server that is process PID and prints its figures as JSON.
 * Every delivery is accounted for before a figure counts.
 */
import { cpuMs, residentBytes } from '../usage.ts'
import { Connection, textFrame } from './connection.ts'

const PATH = '/socket/websocket?vsn=2.0.0'
const TOPIC = 'room:bench'
const BODY = 'x'.repeat(64)
/** Messages under way at once: enough that the server never waits for the load. */
const WINDOW = 16
/** Sockets that connect at once. */
const LANES = 64
const WARM_UP_MS = 1_500
const MEASURE_MS = 4_000
const DRAIN_MS = 10_000
const PACED_PER_SECOND = 20
const PACED_WARM_UP = 40
const PACED_MESSAGES = 200
const PINGERS = 64
const CONNECTS = 2_000
const IDLE = 5_000
const SETTLE_MS = 500

/** What one run found: `cpuUs` is the server's, `busy` and `load` the parts of a core that it and this process took. */
export interface Figures {
  readonly perSecond?: number
  readonly cpuUs?: number
  readonly p50Ms?: number
  readonly p99Ms?: number
  readonly kilobytes?: number
  readonly busy?: number
  readonly load?: number
}

const frame = (event: string, payload: object, ref = '2'): Buffer =>
  textFrame(JSON.stringify(['1', ref, TOPIC, event, payload]))

const JOIN = frame('phx_join', {}, '1')
const MESSAGE = frame('new_msg', { body: BODY })
const PING = frame('ping', { body: BODY })
const COLLECT = frame('gc', {})

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const isOk = (text: string): boolean =>
  text.includes('"phx_reply"') && text.includes('"status":"ok"')

async function askOk(connection: Connection, request: Buffer, expected = ''): Promise<void> {
  const reply = await connection.ask(request)
  if (!isOk(reply) || !reply.includes(expected)) throw new Error(`not the reply: ${reply}`)
}

async function join(port: number, count: number): Promise<Connection[]> {
  const joined: Connection[] = []
  let left = count
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const connection = await Connection.open(port, PATH)
      await askOk(connection, JOIN)
      connection.frames = 0
      joined.push(connection)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return joined
}

/** Rate and cost of what `done` counts, from after the warm-up on. */
async function measure(pid: number, done: () => number): Promise<Figures> {
  await sleep(WARM_UP_MS)
  const [count, cpu, own, at] = [done(), cpuMs(pid), cpuMs(process.pid), performance.now()]
  await sleep(MEASURE_MS)
  const ms = performance.now() - at
  const counted = done() - count
  const spent = cpuMs(pid) - cpu
  return {
    perSecond: (counted * 1_000) / ms,
    cpuUs: (spent * 1_000) / counted,
    busy: spent / ms,
    load: (cpuMs(process.pid) - own) / ms,
  }
}

/** A room whose first member speaks: what it hears is told apart, the others' frames are all deliveries. */
class Room {
  readonly members: readonly Connection[]
  sent = 0
  delivered = 0
  #replies = 0

  constructor(members: readonly Connection[], onDelivered: (room: Room) => void) {
    this.members = members
    const [speaker, ...others] = members as [Connection, ...Connection[]]
    speaker.read((text) => {
      if (isOk(text)) {
        this.#replies++
        return
      }
      if (!text.includes(BODY)) throw new Error(`not the broadcast: ${text}`)
      this.delivered++
      onDelivered(this)
    })
    for (const other of others) {
      other.onFrames = (count) => {
        this.delivered += count
        onDelivered(this)
      }
    }
  }

  send(): void {
    this.sent++
    this.members[0]?.write(MESSAGE)
  }

  /** Waits for what is under way. @throws when any member has heard less or more than all. */
  async settle(): Promise<void> {
    const until = performance.now() + DRAIN_MS
    const whole = (): boolean =>
      this.delivered >= this.sent * this.members.length && this.#replies >= this.sent
    while (!whole() && performance.now() < until) await sleep(10)
    await sleep(SETTLE_MS)
    const [speaker, ...others] = this.members
    const odd = others.filter(({ frames }) => frames !== this.sent).length
    if (odd > 0 || speaker?.frames !== this.sent + this.#replies || this.#replies !== this.sent) {
      throw new Error(
        `${this.sent} sent, ${this.#replies} replies, ${this.delivered} deliveries, ${odd} clients with another number`,
      )
    }
  }
}

async function fanOut(port: number, pid: number, clients: number): Promise<Figures> {
  let open = true
  const top = (room: Room): void => {
    while (open && room.sent * clients - room.delivered <= (WINDOW - 1) * clients) room.send()
  }
  const room = new Room(await join(port, clients), top)
  top(room)
  const figures = await measure(pid, () => room.delivered)
  open = false
  await room.settle()
  return figures
}

async function latency(port: number, pid: number, clients: number): Promise<Figures> {
  const members = await join(port, clients)
  const sentAt: number[] = []
  const room = new Room(members, () => {})
  const latencies: number[] = []
  for (const member of members.slice(1)) {
    const count = member.onFrames
    member.onFrames = (frames) => {
      count?.(frames)
      const now = performance.now()
      for (let i = member.frames - frames; i < member.frames; i++) {
        if (i >= PACED_WARM_UP) latencies.push(now - (sentAt[i] as number))
      }
    }
  }
  const begun = performance.now()
  let cpu = cpuMs(pid)
  for (let i = 0; i < PACED_WARM_UP + PACED_MESSAGES; i++) {
    if (i === PACED_WARM_UP) cpu = cpuMs(pid)
    const due = begun + (i * 1_000) / PACED_PER_SECOND
    await sleep(Math.max(0, due - performance.now()))
    sentAt.push(performance.now())
    room.send()
  }
  await room.settle()
  latencies.sort((a, b) => a - b)
  return {
    p50Ms: latencies[Math.floor(latencies.length * 0.5)],
    p99Ms: latencies[Math.floor(latencies.length * 0.99)],
    cpuUs: ((cpuMs(pid) - cpu) * 1_000) / latencies.length,
  }
}

async function ping(port: number, pid: number): Promise<Figures> {
  const members = await join(port, PINGERS)
  for (const member of members) await askOk(member, PING, BODY)
  let done = 0
  for (const member of members) {
    member.onFrames = (count) => {
      if (count !== 1) throw new Error('more replies than pings')
      done++
      member.write(PING)
    }
    member.write(PING)
  }
  return measure(pid, () => done)
}

/** After so many others, which are gone by then. */
async function connects(port: number, pid: number, others: number): Promise<Figures> {
  for (let left = others; left > 0; left -= CONNECTS) {
    for (const member of await join(port, Math.min(left, CONNECTS))) member.close()
    await sleep(SETTLE_MS)
  }
  const [cpu, at] = [cpuMs(pid), performance.now()]
  await join(port, CONNECTS)
  const ms = performance.now() - at
  return {
    perSecond: (CONNECTS * 1_000) / ms,
    cpuUs: ((cpuMs(pid) - cpu) * 1_000) / CONNECTS,
  }
}

async function memory(port: number, pid: number): Promise<Figures> {
  const [asker] = (await join(port, 1)) as [Connection]
  const weigh = async (): Promise<number> => {
    for (let i = 0; i < 3; i++) {
      await sleep(SETTLE_MS)
      await askOk(asker, COLLECT)
    }
    return residentBytes(pid)
  }
  const before = await weigh()
  await join(port, IDLE)
  return { kilobytes: ((await weigh()) - before) / IDLE / 1_024 }
}

type Drive = (port: number, pid: number) => Promise<Figures>

export const DRIVES: Readonly<Record<string, Drive>> = {
  fanout100: (port, pid) => fanOut(port, pid, 100),
  fanout1000: (port, pid) => fanOut(port, pid, 1_000),
  latency1000: (port, pid) => latency(port, pid, 1_000),
  ping64: ping,
  connect: (port, pid) => connects(port, pid, 1_000),
  connectWarm: (port, pid) => connects(port, pid, 10_000),
  memory,
}

if (import.meta.main) {
  const [name = '', port, pid] = process.argv.slice(2)
  const drive = DRIVES[name]
  if (drive === undefined) throw new Error(`no case ${name}`)
  console.log(JSON.stringify(await drive(Number(port), Number(pid))))
  process.exit(0)
}
