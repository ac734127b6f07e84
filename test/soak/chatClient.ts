/**
 * One visitor of the chat. It merges what its page is told by itself, which costs a tenth of the official client's code, and
 * comes back as the official client does: the same pauses, over the page it has.
 */
import type { Frame, Reply, WireClient } from '../channels/wireClient.ts'
import { connect, joinPayload, type Page } from '../liveview/liveClient.ts'

/** phoenix 1.8: reconnectAfterMs and rejoinAfterMs. */
const RECONNECT_MS = [10, 50, 100, 150, 200, 250, 500, 1_000, 2_000]
const RECONNECT_LAST_MS = 5_000
const REJOIN_MS = [1_000, 2_000, 5_000]
const REJOIN_LAST_MS = 10_000

type List = '' | { readonly k: { readonly kc: number; readonly [index: string]: unknown } }
type Diff = { readonly 0?: string; readonly 1?: List }
type Row = Readonly<Record<string, string>>

export interface Hearer {
  /** A client has joined: from now on it must hear everything. */
  joined(client: ChatClient): void
  /** A row of its page, in order; `serial` counts what the page was told, from 1. */
  heard(client: ChatClient, serial: number, sender: string, n: number): void
  /** Its page is gone: `socket` closed, or the `view` crashed and the socket is still there. */
  away(client: ChatClient, what: 'socket' | 'view'): void
  /** Something that never should be. */
  wrong(client: ChatClient, what: string): void
}

export class ChatClient {
  readonly page: Page
  /** The thread its page runs on. */
  scheduler = 0
  /** Whether it is in the chat. */
  present = false
  /** Times it has joined. */
  visits = 0
  /** What it said and heard in its life. */
  said = 0
  heard = 0
  /** What it said since it joined. */
  sent = 0
  /** What it said the time before. */
  sentBefore = 0
  readonly #name: string
  readonly #hearer: Hearer
  #wire: WireClient | undefined
  #joinRef = ''
  #rows: readonly Row[] = []
  #tries = 0
  #rejoins = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #leaving = false

  constructor(name: string, page: Page, hearer: Hearer) {
    this.#name = name
    this.page = page
    this.#hearer = hearer
  }

  /** The name it writes under: another one each time it joins, so that its numbers start anew. */
  get sender(): string {
    return `${this.#name}.${this.visits}`
  }

  get senderBefore(): string {
    return `${this.#name}.${this.visits - 1}`
  }

  /** Connects and joins, again and again until it works. */
  open(): void {
    this.#leaving = false
    void this.#connect()
  }

  say(): void {
    if (!this.present) return
    this.sent++
    this.said++
    this.#push('event', {
      type: 'click',
      event: 'say',
      value: { sender: this.sender, n: this.sent },
    })
  }

  /** Leaves for good, or until open(). */
  async close(): Promise<void> {
    this.#leaving = true
    clearTimeout(this.#timer)
    await this.#wire?.close()
  }

  async #connect(): Promise<void> {
    let wire: WireClient
    try {
      wire = await connect(this.page)
    } catch {
      this.#again()
      return
    }
    this.#tries = 0
    this.#wire = wire
    wire.listen(`lv:${this.page.id}`, (frame) => this.#received(frame))
    void wire.closed.then(() => {
      this.#left('socket')
      if (!this.#leaving) this.#again()
    })
    if (this.#leaving) await wire.close()
    else this.#join()
  }

  #again(): void {
    if (this.#leaving) return
    const pause = RECONNECT_MS[this.#tries++] ?? RECONNECT_LAST_MS
    this.#timer = setTimeout(() => void this.#connect(), pause)
  }

  #join(): void {
    this.#joinRef = this.#wire?.ref() ?? ''
    this.#push('phx_join', joinPayload(this.page), this.#joinRef)
  }

  #push(event: string, payload: unknown, ref: string | null = null): void {
    const topic = `lv:${this.page.id}`
    this.#wire?.send({ joinRef: this.#joinRef, ref, topic, event, payload })
  }

  #left(what: 'socket' | 'view'): void {
    if (!this.present) return
    this.present = false
    if (!this.#leaving) this.#hearer.away(this, what)
  }

  /** True always: nobody else looks at these frames. */
  #received({ event, ref, joinRef, payload }: Frame): boolean {
    if (joinRef !== null && joinRef !== this.#joinRef) return true
    if (event === 'diff') this.#merge(payload as Diff)
    else if (event === 'phx_reply' && ref === this.#joinRef) this.#joined(payload as Reply)
    else if (event === 'phx_error' || event === 'phx_close') {
      this.#left('view')
      this.#rejoin()
    }
    return true
  }

  #rejoin(): void {
    const pause = REJOIN_MS[this.#rejoins++] ?? REJOIN_LAST_MS
    this.#timer = setTimeout(() => this.#join(), pause)
  }

  #joined({ status, response }: Reply): void {
    if (response.reason === 'join crashed') {
      this.#hearer.away(this, 'view')
      this.#rejoin()
      return
    }
    if (status !== 'ok') {
      this.#hearer.wrong(this, `join: ${status} ${JSON.stringify(response)}`)
      return
    }
    const rendered = response.rendered as Diff
    this.#rejoins = 0
    this.#rows = []
    this.scheduler = Number(rendered[0])
    this.visits++
    this.sentBefore = this.sent
    this.sent = 0
    this.present = true
    this.#hearer.joined(this)
    this.#merge(rendered)
  }

  #merge(diff: Diff): void {
    const list = diff[1]
    if (list === undefined || list === '') return
    const before = this.#rows
    const rows = mergeRows(before, list.k)
    this.#rows = rows
    // Serials have no gaps, so the first row that is new is as far from the end as the last one is from what was seen.
    const [last] = partsOf(rows.at(-1))
    const seen = before.length === 0 ? 0 : partsOf(before.at(-1))[0]
    for (const row of rows.slice(Math.max(0, rows.length - (last - seen)))) {
      this.heard++
      this.#hearer.heard(this, ...partsOf(row))
    }
  }
}

function partsOf(row: Row | undefined): [serial: number, sender: string, n: number] {
  const [serial, sender, n] = (row?.['0'] ?? '').split(' ')
  return [Number(serial), sender ?? '', Number(n)]
}

/** Rows by new index: new ones whole, those that moved as where from. */
function mergeRows(old: readonly Row[], change: { kc: number; [index: string]: unknown }): Row[] {
  const rows: Row[] = []
  for (let i = 0; i < change.kc; i++) {
    const at = change[i]
    if (at === undefined) rows.push(old[i] as Row)
    else if (typeof at === 'number') rows.push(old[at] as Row)
    else if (Array.isArray(at)) rows.push({ ...old[at[0] as number], ...(at[1] as Row) })
    else rows.push({ ...old[i], ...(at as Row) })
  }
  return rows
}
