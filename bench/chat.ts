/**
 * The chat: 40 pages, one sender. Throughput with 16 messages under way, latency at 20 messages a second, what a page and a
 * join cost, and the time from start to the first page. The server is pinned to one core when it has one scheduler.
 */
import { ChatServer } from './chatServer.ts'
import { fetchPage, LivePage } from './livePage.ts'

const PAGES = 40
const PIPELINE = 16
const THROUGHPUT_MS = 5_000
const PACED_PER_SECOND = 20
const PACED_MESSAGES = 100
const COLD_STARTS = 5
/** The list keeps this many: measure with it full, as a chat that has run for a while. */
const WARM_UP_MESSAGES = 120
const TEXT = 'x'.repeat(48)

interface Row {
  readonly schedulers: number
  diffsPerSecond: number
  messagesPerSecond: number
  cpuPerDiffUs: number
  bytesPerDiff: number
  p50Ms: number
  p99Ms: number
  cpuPerPageMs: number
  cpuPerJoinMs: number
  residentMb: number
}

export async function run(): Promise<void> {
  const rows: Row[] = []
  for (const schedulers of [1, 2]) rows.push(await measure(schedulers))
  console.table(rows)
  const starts: number[] = []
  for (let i = 0; i < COLD_STARTS; i++) starts.push(await coldStart())
  console.log(
    `cold start to first page, 2 schedulers, median of ${COLD_STARTS}: ${quantile(starts, 0.5)} ms`,
  )
}

async function measure(schedulers: number): Promise<Row> {
  const server = await ChatServer.start(schedulers, schedulers === 1 ? 0 : undefined)
  try {
    // The first pages load and compile what later ones share.
    for (let i = 0; i < 20; i++) (await LivePage.join(await fetchPage(server.url))).close()
    const beforePages = server.cpuMs()
    const fetched = []
    for (let i = 0; i < 10 * PAGES; i++) fetched.push(await fetchPage(server.url))
    const cpuPerPageMs = (server.cpuMs() - beforePages) / (10 * PAGES)
    const beforeJoins = server.cpuMs()
    for (const page of fetched.slice(0, 5 * PAGES)) (await LivePage.join(page)).close()
    const cpuPerJoinMs = (server.cpuMs() - beforeJoins) / (5 * PAGES)
    const pages = await Promise.all(fetched.slice(0, PAGES).map((page) => LivePage.join(page)))
    const sender = pages[0] as LivePage
    for (let i = 0; i < WARM_UP_MESSAGES; i++) await sender.submit('send', `text=${TEXT}`)

    let diffs = 0
    let bytes = 0
    for (const page of pages) {
      page.onDiff = (frame) => {
        diffs++
        bytes += frame.length
      }
    }
    const cpu = server.cpuMs()
    const started = performance.now()
    let sent = 0
    const lane = async (): Promise<void> => {
      while (performance.now() - started < THROUGHPUT_MS) {
        sent++
        await sender.submit('send', `text=${TEXT}`)
      }
    }
    await Promise.all(Array.from({ length: PIPELINE }, lane))
    const seconds = (performance.now() - started) / 1_000
    const busyMs = server.cpuMs() - cpu
    const latencies = await paced(pages, sender)
    const row: Row = {
      schedulers,
      diffsPerSecond: Math.round(diffs / seconds),
      messagesPerSecond: Math.round(sent / seconds),
      cpuPerDiffUs: round((busyMs * 1_000) / diffs),
      bytesPerDiff: Math.round(bytes / diffs),
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
      cpuPerPageMs: round(cpuPerPageMs),
      cpuPerJoinMs: round(cpuPerJoinMs),
      residentMb: Math.round(server.residentBytes() / 1_048_576),
    }
    for (const page of pages) page.close()
    return row
  } finally {
    await server.stop()
  }
}

/** Milliseconds from a submit to its diff, for every page. */
async function paced(pages: readonly LivePage[], sender: LivePage): Promise<number[]> {
  const latencies: number[] = []
  for (let i = 0; i < PACED_MESSAGES; i++) {
    const { promise, resolve } = Promise.withResolvers<void>()
    let left = pages.length
    const sentAt = performance.now()
    for (const page of pages) {
      page.onDiff = () => {
        latencies.push(performance.now() - sentAt)
        if (--left === 0) resolve()
      }
    }
    void sender.submit('send', `text=${i}`)
    await promise
    const rest = 1_000 / PACED_PER_SECOND - (performance.now() - sentAt)
    await new Promise((next) => setTimeout(next, Math.max(0, rest)))
  }
  return latencies
}

async function coldStart(): Promise<number> {
  const started = performance.now()
  const server = await ChatServer.start(2)
  await fetchPage(server.url)
  const ms = performance.now() - started
  await server.stop()
  return ms
}

const round = (value: number): number => Math.round(value * 100) / 100

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN)
}
