/**
 * The visitors of the chat, and what must hold of what they hear: from the moment one has joined it hears everything that
 * is said, each sender's numbers in order, none missing and none twice.
 */
import { visit } from '../liveview/liveClient.ts'
import { ChatClient, type Hearer } from './chatClient.ts'
import { freshRequest } from './freshRequest.ts'
import { clockMs } from './protocol.ts'

/** How long it may take until something said is heard by all. */
const HEARD_WITHIN_MS = 10_000
/** Visitors that move at once when they spread. */
const MOVES = 8

interface Ears {
  /** Last number heard, or said before it joined, by sender. */
  readonly last: Map<string, number>
  /** Senders nothing was heard of yet: theirs may start anywhere up to one past what `last` says. */
  readonly fresh: Set<string>
  serial: number
  /** What it waits for. */
  awaited: Map<string, number>
  caughtUp: () => void
}

export class Crowd implements Hearer {
  readonly clients: ChatClient[] = []
  /** What must not have happened. */
  readonly problems: string[] = []
  readonly #ears = new Map<ChatClient, Ears>()
  readonly #joins = new Map<ChatClient, (() => void)[]>()
  readonly #echoes = new Map<ChatClient, (() => void)[]>()
  /** Clients that may lose their page now, and how. */
  #mayLeave: (client: ChatClient, what: 'socket' | 'view') => boolean = () => false
  #ticker: ReturnType<typeof setInterval> | undefined
  #turn = 0
  #spoken = (): void => {}

  /** Opens `count` pages. */
  static async gather(base: string, count: number): Promise<Crowd> {
    const crowd = new Crowd()
    for (let i = 0; i < count; i++) {
      const page = await visit(base, '/chat', { request: freshRequest })
      const client = new ChatClient(`c${i}`, page, crowd)
      const joined = crowd.#nextJoin(client)
      client.open()
      await joined
      crowd.clients.push(client)
    }
    return crowd
  }

  /** Everybody says something once per `everyMs`, one after the other. */
  talk(everyMs: number): void {
    this.#ticker = setInterval(() => {
      this.clients[this.#turn++ % this.clients.length]?.say()
      this.#spoken()
    }, everyMs / this.clients.length)
  }

  hush(): void {
    clearInterval(this.#ticker)
  }

  on(scheduler: number): ChatClient[] {
    return this.clients.filter((client) => client.present && client.scheduler === scheduler)
  }

  /** Who may lose their page from now on; for all others it is a problem. */
  allow(mayLeave: (client: ChatClient, what: 'socket' | 'view') => boolean): void {
    this.#mayLeave = mayLeave
  }

  /** Resolves when each of these has said something so many times more. */
  async eachSays(clients: readonly ChatClient[], times: number): Promise<void> {
    const due = clients.map((client) => [client, client.said + times] as const)
    await this.#limited(
      'not everybody talked',
      () =>
        new Promise<void>((resolve) => {
          this.#spoken = () => {
            if (due.every(([{ said }, wanted]) => said >= wanted)) resolve()
          }
        }),
    )
  }

  /** Resolves when everybody has read what they said since this was asked for, those who have to come back for that included. */
  async eachEchoes(): Promise<void> {
    await this.eachSays(this.clients, 1)
    await this.#limited('not everybody reads what it says', () =>
      Promise.all(
        this.clients.map(
          (client) => new Promise<void>((resolve) => push(this.#echoes, client, resolve)),
        ),
      ),
    )
  }

  /** Resolves with the time at which this client, not there now, has come back and read what it said since. */
  async chatsAgain(client: ChatClient): Promise<number> {
    await this.#nextJoin(client)
    const heard = new Promise<void>((resolve) => push(this.#echoes, client, resolve))
    client.say()
    await heard
    return clockMs()
  }

  /** Everybody is there, and has heard all that was said by now. */
  async caughtUp(): Promise<void> {
    await this.#limited('not everybody is back', () =>
      Promise.all(
        this.clients.filter((one) => !one.present).map((client) => this.#nextJoin(client)),
      ),
    )
    const said = this.clients.map(({ sender, sent }) => [sender, sent] as const)
    const behind = (): string =>
      [...this.#ears]
        .flatMap(([client, { awaited }]) =>
          awaited.size > 0
            ? [`${client.sender} on ${client.scheduler}: ${[...awaited].join(' ')}`]
            : [],
        )
        .join('; ')
    await this.#limited(
      'not heard',
      () => Promise.all(this.clients.map((one) => this.#hears(one, said))),
      behind,
    )
  }

  #hears(client: ChatClient, said: readonly (readonly [string, number])[]): Promise<void> {
    const ears = this.#ears.get(client) as Ears
    ears.awaited = new Map(said.filter(([sender, n]) => (ears.last.get(sender) ?? 0) < n))
    return new Promise((resolve) => {
      if (ears.awaited.size === 0) resolve()
      else ears.caughtUp = resolve
    })
  }

  /** Clients of one thread have heard the same of those who are gone. */
  checkAgreement(gone: readonly string[]): void {
    const heard = new Map<number, Map<string, number>>()
    for (const client of this.clients) {
      const { last, fresh } = this.#ears.get(client) as Ears
      const others = heard.get(client.scheduler) ?? new Map<string, number>()
      heard.set(client.scheduler, others)
      for (const sender of gone) {
        const n = last.get(sender)
        if (n === undefined || fresh.has(sender)) continue
        const other = others.get(sender)
        if (other !== undefined && other !== n) {
          this.problems.push(
            `on ${client.scheduler} some heard ${sender} up to ${other}, some ${n}`,
          )
        }
        others.set(sender, n)
      }
    }
  }

  /** Moves visitors until each of these threads has `least` of them. A connection goes where the kernel sends it. */
  async spread(schedulers: readonly number[], least: number): Promise<void> {
    for (let moved = 0; moved < 40 * this.clients.length; moved += MOVES) {
      const few = schedulers.filter((scheduler) => this.on(scheduler).length < least)
      if (few.length === 0) return
      const movers = schedulers
        .flatMap((scheduler) => this.on(scheduler).slice(least))
        .slice(0, MOVES)
      await Promise.all(movers.map((client) => this.#move(client)))
    }
    const counts = schedulers.map((scheduler) => `${scheduler}: ${this.on(scheduler).length}`)
    throw new Error(`the visitors do not spread: ${counts.join(', ')}`)
  }

  async #move(client: ChatClient): Promise<void> {
    const joined = this.#nextJoin(client)
    await client.close()
    client.open()
    await joined
  }

  /** Everybody leaves. */
  async leave(): Promise<void> {
    this.hush()
    await Promise.all(this.clients.map((client) => client.close()))
  }

  /** Everybody comes back. */
  async comeBack(): Promise<void> {
    const joined = this.clients.map((client) => this.#nextJoin(client))
    for (const client of this.clients) client.open()
    await Promise.all(joined)
  }

  joined(client: ChatClient): void {
    // The last words of somebody's visit before may still be on their way.
    const last = new Map(
      this.clients.flatMap(({ sender, sent, senderBefore, sentBefore }) => [
        [sender, sent],
        [senderBefore, sentBefore],
      ]),
    )
    last.set(client.sender, 0)
    const ears: Ears = {
      last,
      fresh: new Set(last.keys()),
      serial: 0,
      awaited: new Map(),
      caughtUp: () => {},
    }
    this.#ears.set(client, ears)
    for (const resolve of take(this.#joins, client)) resolve()
  }

  heard(client: ChatClient, serial: number, sender: string, n: number): void {
    const ears = this.#ears.get(client) as Ears
    if (serial !== ears.serial + 1) {
      this.problems.push(`${client.sender}: row ${serial} came after row ${ears.serial}`)
    }
    ears.serial = serial
    const last = ears.last.get(sender) ?? 0
    // What was said while it joined may be heard or not; what follows that must be.
    const fits = ears.fresh.delete(sender) ? n <= last + 1 : n === last + 1
    if (!fits) {
      const where = `${client.sender} on ${client.scheduler}`
      this.problems.push(`${where}: ${sender} said ${n} after ${last}`)
    }
    ears.last.set(sender, n)
    const awaited = ears.awaited.get(sender)
    if (awaited !== undefined && n >= awaited) {
      ears.awaited.delete(sender)
      if (ears.awaited.size === 0) ears.caughtUp()
    }
    if (sender === client.sender) for (const resolve of take(this.#echoes, client)) resolve()
  }

  away(client: ChatClient, what: 'socket' | 'view'): void {
    // Nobody can wait for what it may have said to a process that was gone.
    for (const ears of this.#ears.values()) {
      if (ears.awaited.delete(client.sender) && ears.awaited.size === 0) ears.caughtUp()
    }
    if (this.#mayLeave(client, what)) return
    this.problems.push(`${client.sender} on ${client.scheduler} lost its ${what}`)
  }

  wrong(client: ChatClient, what: string): void {
    this.problems.push(`${client.sender}: ${what}`)
  }

  #nextJoin(client: ChatClient): Promise<void> {
    return new Promise((resolve) => push(this.#joins, client, resolve))
  }

  async #limited(
    what: string,
    wait: () => Promise<unknown>,
    detail: () => string = () => '',
  ): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(true), HEARD_WITHIN_MS)
    })
    if (await Promise.race([wait().then(() => false), late])) {
      this.problems.push(`${what} within ${HEARD_WITHIN_MS} ms: ${detail()}`.slice(0, 500))
    }
    clearTimeout(timer)
  }
}

function push<K>(to: Map<K, (() => void)[]>, key: K, resolve: () => void): void {
  to.set(key, [...(to.get(key) ?? []), resolve])
}

function take<K>(from: Map<K, (() => void)[]>, key: K): readonly (() => void)[] {
  const found = from.get(key) ?? []
  from.delete(key)
  return found
}
