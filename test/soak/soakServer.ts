/** The node under test, as the test process sees it. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Commands, FromServer, ServerEvent, ServerSettings, ToServer } from './protocol.ts'

const ENTRY = fileURLToPath(new URL('./server.ts', import.meta.url))
/** How long any answer or event may take. */
const TIMEOUT_MS = 30_000

type EventOf<K extends ServerEvent['event']> = Extract<ServerEvent, { event: K }>

interface Waiter {
  readonly match: (event: ServerEvent) => boolean
  readonly resolve: (event: ServerEvent) => void
  readonly reject: (error: Error) => void
}

interface Asked {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

export class SoakServer {
  readonly #child: ChildProcess
  readonly #waiters = new Set<Waiter>()
  readonly #asked = new Map<number, Asked>()
  #nextId = 1
  #base = ''
  /** Why nothing comes any more. */
  #gone: Error | undefined

  private constructor(settings: ServerSettings) {
    this.#child = fork(ENTRY, [JSON.stringify(settings)], {
      execArgv: ['--conditions=beamish-source', '--expose-gc'],
      env: { PATH: process.env.PATH, NODE_ENV: 'production' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', (message: FromServer) => this.#heard(message))
    this.#child.on('exit', (code, signal) =>
      this.#end(new Error(`the node's process ended (${signal ?? code})`)),
    )
  }

  static async start(settings: ServerSettings): Promise<SoakServer> {
    const server = new SoakServer(settings)
    const { base } = await server.next('ready')
    server.#base = base
    return server
  }

  /** URL of its endpoint. */
  get base(): string {
    return this.#base
  }

  /** The next event of a kind; asked for before what causes it. */
  next<K extends ServerEvent['event']>(
    kind: K,
    match: (event: EventOf<K>) => boolean = () => true,
  ): Promise<EventOf<K>> {
    return this.#limited(`event ${kind}`, (resolve, reject) => {
      const waiter: Waiter = {
        match: (event) => event.event === kind && match(event as EventOf<K>),
        resolve: (event) => resolve(event as EventOf<K>),
        reject,
      }
      this.#waiters.add(waiter)
      return () => this.#waiters.delete(waiter)
    })
  }

  /** The events of a kind that come while something runs. */
  async during<K extends ServerEvent['event']>(
    kind: K,
    run: () => Promise<unknown>,
  ): Promise<EventOf<K>[]> {
    const events: EventOf<K>[] = []
    const waiter: Waiter = {
      match: (event) => event.event === kind,
      resolve: (event) => events.push(event as EventOf<K>),
      reject: () => {},
    }
    this.#waiters.add(waiter)
    try {
      await run()
    } finally {
      this.#waiters.delete(waiter)
    }
    return events
  }

  /** Asks for something and resolves with the answer. */
  do<K extends keyof Commands>(
    command: K,
    ...[argument, timeoutMs]: Commands[K]['argument'] extends null
      ? [argument?: null, timeoutMs?: number]
      : [argument: Commands[K]['argument'], timeoutMs?: number]
  ): Promise<Commands[K]['answer']> {
    return this.#limited(
      `answer to ${command}`,
      (resolve, reject) => {
        const id = this.#nextId++
        this.#asked.set(id, { resolve: resolve as Asked['resolve'], reject })
        this.#child.send({ id, do: command, argument: argument ?? null } satisfies ToServer)
        return () => this.#asked.delete(id)
      },
      timeoutMs,
    )
  }

  async stop(): Promise<void> {
    if (this.#gone === undefined) {
      const exited = new Promise((resolve) => this.#child.once('exit', resolve))
      await this.do('stop').catch(() => this.#child.kill('SIGKILL'))
      await exited
    }
  }

  #heard(message: FromServer): void {
    if (message.event === 'answer') {
      this.#asked.get(message.id)?.resolve(message.answer)
    } else if (message.event === 'refused') {
      this.#asked.get(message.id)?.reject(new Error(message.message))
    } else {
      if (message.event === 'closed') this.#end(new Error(`the node has ended: ${message.message}`))
      for (const waiter of [...this.#waiters]) {
        if (waiter.match(message)) waiter.resolve(message)
      }
    }
  }

  #end(error: Error): void {
    this.#gone ??= error
    for (const { reject } of [...this.#waiters, ...this.#asked.values()]) reject(error)
  }

  #limited<T>(
    what: string,
    begin: (resolve: (value: T) => void, reject: (error: Error) => void) => () => void,
    timeoutMs: number = TIMEOUT_MS,
  ): Promise<T> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone)
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer)
        forget()
      }
      const timer = setTimeout(() => {
        done()
        reject(new Error(`no ${what} came within ${timeoutMs} ms`))
      }, timeoutMs)
      const forget = begin(
        (value) => {
          done()
          resolve(value)
        },
        (error) => {
          done()
          reject(error)
        },
      )
    })
  }
}
