/** One round: a thread is brought down while everybody chats, and what the survivors and the returning see of it. */
import type { Crowd } from './crowd.ts'
import type { Way } from './faults.ts'
import { LEAST_SAID } from './judge.ts'
import { Machine, processorMs } from './machine.ts'
import { probe } from './probe.ts'
import { type Calls, clockMs } from './protocol.ts'
import type { SoakServer } from './soakServer.ts'

export interface Round {
  readonly way: Way
  readonly scheduler: number
  readonly cause: string
  /** Visitors the thread had. */
  readonly victims: number
  /** It held the singleton, which answered elsewhere. */
  readonly singleton: boolean
  /** Milliseconds from the fault until the node gave the thread up. */
  readonly noticedMs: number
  /** From there until its replacement served. */
  readonly readyMs: number
  /** From the real end of the thread until the last of its visitors chatted again; its sockets close a little earlier. */
  readonly chatMs: number
  /** From there until the last of the new visitors was served. */
  readonly newMs: number
  /** From 0 to 1: the part of the machine that was there for us meanwhile. */
  readonly available: number
  /** Calls meanwhile. */
  readonly calls: Calls
  /** Visitors of the other threads, and what the one of them that did least said and heard meanwhile. */
  readonly survivors: number
  readonly leastSaid: number
  readonly leastHeard: number
  /** Why other threads were lost meanwhile. */
  readonly alsoLost: readonly string[]
  /** What must not have happened. */
  readonly problems: readonly string[]
}

const NEW_VISITORS = 4

/** Brings the `target`th thread down, or the one that has the singleton. At least `least` visitors are on each thread before. */
export async function round(
  server: SoakServer,
  crowd: Crowd,
  way: Way,
  target: number | 'singleton',
  least: number,
): Promise<Round> {
  const schedulers = await server.do('schedulers')
  await crowd.spread(schedulers, least)
  await crowd.caughtUp()
  const holder = await server.do('singleton')
  const scheduler = target === 'singleton' ? holder : (schedulers[target] as number)
  const held = holder === scheduler
  const victims = crowd.on(scheduler)
  const senders = victims.map(({ sender }) => sender)
  const survivors = crowd.clients.filter((client) => !victims.includes(client))
  const before = survivors.map(({ said, heard }) => ({ said, heard }))
  crowd.allow((client, what) => client.scheduler === scheduler && what === 'socket')

  let over = (): void => {}
  const losses = server.during('lost', () => new Promise<void>((resolve) => (over = resolve)))
  const lost = server.next('lost', (event) => event.scheduler === scheduler)
  const ended = server.next('ended', (event) => event.scheduler === scheduler)
  const serving = server.next('serving')
  const moved = held ? server.next('singleton') : undefined
  const back = Promise.all(victims.map((client) => crowd.chatsAgain(client)))
  // Those that come before the end may have to wait for it in the kernel.
  const early = newVisitors(server.base)
  const talked = crowd.eachSays(survivors, LEAST_SAID)
  const { processorMs: serverMs } = await server.do('latency')
  const machine = new Machine(processorMs() + serverMs)
  const began = clockMs()
  if (way === 'terminate') await server.do('kill', scheduler)
  else await server.do('fault', { scheduler, way })
  const end = await ended
  const served = await Promise.all([early, newVisitors(server.base)])
  const chatted = await back
  const { cause, at: noticed } = await lost
  const ready = await serving
  if (moved !== undefined) {
    await moved
    const now = await server.do('singleton')
    if (now === scheduler) crowd.problems.push(`the singleton answers from ${now}, which is gone`)
  }
  await talked
  await crowd.caughtUp()
  crowd.allow(() => false)
  crowd.checkAgreement(senders)
  over()
  const others = (await losses).filter((event) => event.scheduler !== scheduler)
  const { calls, processorMs: serverMsNow } = await server.do('latency')
  const available = machine.available(processorMs() + serverMsNow)
  return {
    way,
    scheduler,
    cause,
    victims: victims.length,
    singleton: held,
    noticedMs: noticed - began,
    readyMs: ready.at - noticed,
    chatMs: Math.max(0, ...chatted.map((at) => at - end.at)),
    newMs: Math.max(0, ...served.flat().map((at) => at - end.at)),
    available,
    calls,
    survivors: survivors.length,
    leastSaid: Math.min(...survivors.map(({ said }, i) => said - (before[i]?.said ?? 0))),
    leastHeard: Math.min(...survivors.map(({ heard }, i) => heard - (before[i]?.heard ?? 0))),
    alsoLost: others.map((event) => event.cause),
    problems: crowd.problems.splice(0),
  }
}

const newVisitors = (base: string): Promise<number[]> =>
  Promise.all(Array.from({ length: NEW_VISITORS }, () => probe(base)))
