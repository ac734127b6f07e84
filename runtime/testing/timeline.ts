/** A timeline as people read it: as text, and as a Mermaid sequence diagram. Pure: from events to lines. */
import { type ExitReason, formatReason, safeText } from '../exit/reason.ts'
import { formatPid, NO_PID, type Pid } from '../process/pid.ts'
import type { MessageEvent, RestartEvent, SpawnEvent, TimelineEvent } from './events.ts'

const MAX_PAYLOAD = 60
/** Lines of a timeline that a message of an error has, at its beginning and at its end. */
const [FIRST, LAST] = [100, 300]

/** What processes are called. */
export type Named = (pid: Pid) => string

/** Names processes by what they were spawned as: `counter <0.1.3>`; `test` is the outside. */
export function namesOf(born: Iterable<SpawnEvent | RestartEvent>, outside: Pid): Named {
  const names = new Map<Pid, string>([
    [outside, 'test'],
    [NO_PID, 'the runtime'],
  ])
  for (const { pid, name, behaviour } of born) {
    if (pid !== outside) names.set(pid, `${name ?? behaviour} ${formatPid(pid)}`)
  }
  return (pid) => names.get(pid) ?? formatPid(pid)
}

/** Events where they took effect: a message stands where it was handled or lost. */
function inOrderOfEffect(events: readonly TimelineEvent[]): TimelineEvent[] {
  const place = (event: TimelineEvent): number =>
    'settled' in event && event.settled !== undefined ? event.settled.seq : event.seq
  return [...events].sort((a, b) => place(a) - place(b))
}

const valueText = (value: unknown): string =>
  value === undefined ? '' : safeText(value, MAX_PAYLOAD)

const reasonText = (reason: ExitReason): string => formatReason(reason).split('\n', 1)[0] ?? ''

function messageText({ kind, name, payload }: MessageEvent): string {
  switch (kind) {
    case 'cast':
    case 'call':
      return `${kind} ${name}(${valueText(payload)})`
    case 'reply':
      return `reply ${valueText(payload)}`.trimEnd()
    case 'send':
      return `send ${valueText(payload)}`
    case 'down':
      return `${name}: ${reasonText(payload as ExitReason)}`
    case 'broadcast':
      return `broadcast ${name}(${valueText(payload)})`
    case 'kernel':
      return name === 'stop' ? `stop: ${reasonText(payload as ExitReason)}` : name
  }
}

const EFFECTS = { die: 'which ends it', message: 'which it traps', drop: 'which does nothing' }

const OUTCOMES = {
  waits: ' (not handled yet)',
  handled: '',
  lost: ' (lost)',
  dropped: ' (dropped)',
}

/** One line per event. */
function textOf(event: TimelineEvent, named: Named): string {
  switch (event.kind) {
    case 'spawn':
      return `${named(event.by)} ${event.linked ? 'starts and links' : 'starts'} ${named(event.pid)} on thread ${event.scheduler}`
    case 'restart':
      return `${named(event.by)} restarts ${named(event.pid)} on thread ${event.scheduler}, in place of ${formatPid(event.was)}`
    case 'link':
      return `${named(event.from)} links ${named(event.to)}`
    case 'unlink':
      return `${named(event.from)} unlinks ${named(event.to)}`
    case 'monitor':
      return `${named(event.from)} monitors ${named(event.to)}`
    case 'signal': {
      const what = event.cause === 'link' ? 'link' : 'exit'
      return `${named(event.from)} -> ${named(event.to)}: ${what} signal ${reasonText(event.reason)}, ${EFFECTS[event.effect]}`
    }
    case 'terminate':
      return `${named(event.pid)} runs terminate: ${reasonText(event.reason)}`
    case 'exit':
      return `${named(event.pid)} ENDS: ${reasonText(event.reason)}`
    case 'fault':
      return `FAULT ${event.text}`
    case 'thread':
      return event.text
    default: {
      const who = event.from === NO_PID ? '' : `${named(event.from)} -> `
      return `${who}${named(event.to)}: ${messageText(event)}${OUTCOMES[event.outcome]}`
    }
  }
}

export function timelineText(events: readonly TimelineEvent[], named: Named): string {
  const lines = inOrderOfEffect(events).map((event) => {
    const { atMs } = 'settled' in event ? (event.settled ?? event) : event
    return `${`${Math.round(atMs)} ms`.padStart(8)}  ${textOf(event, named)}`
  })
  return lines.join('\n')
}

/** Mermaid takes `;` and `#` for its own. */
const escaped = (text: string): string =>
  text
    .replace(/#/g, '#35;')
    .replace(/;(?<!#35;)/g, '#59;')
    .replace(/\s*\n\s*/g, ' ')

export function timelineMermaid(events: readonly TimelineEvent[], named: Named): string {
  const ids = new Map<Pid, string>()
  const id = (pid: Pid): string => {
    const known = ids.get(pid)
    if (known !== undefined) return known
    const made = `p${ids.size}`
    ids.set(pid, made)
    return made
  }
  const lines = inOrderOfEffect(events).flatMap((event) => {
    const line = arrow(event, id)
    return line === undefined ? [] : [`  ${line}`]
  })
  const participants = [...ids].map(
    ([pid, name]) => `  participant ${name} as ${escaped(named(pid))}`,
  )
  return ['sequenceDiagram', ...participants, ...lines].join('\n')
}

function arrow(event: TimelineEvent, id: (pid: Pid) => string): string | undefined {
  const note = (pid: Pid, text: string): string => `Note over ${id(pid)}: ${escaped(text)}`
  switch (event.kind) {
    case 'spawn':
      return `${id(event.by)}->>${id(event.pid)}: spawn`
    case 'restart':
      return `${id(event.by)}->>${id(event.pid)}: restart`
    case 'link':
    case 'unlink':
    case 'monitor':
      return `${id(event.from)}-->>${id(event.to)}: ${event.kind}`
    case 'signal':
      return `${id(event.from)}-x${id(event.to)}: ${escaped(`${event.cause === 'link' ? 'link' : 'exit'} ${reasonText(event.reason)}`)}`
    case 'terminate':
      return note(event.pid, `terminate: ${reasonText(event.reason)}`)
    case 'exit':
      return note(event.pid, `ENDS: ${reasonText(event.reason)}`)
    case 'fault':
      return event.pid === NO_PID ? undefined : note(event.pid, `FAULT ${event.text}`)
    case 'thread':
      return undefined
    default: {
      const text = escaped(`${messageText(event)}${OUTCOMES[event.outcome]}`)
      if (event.from === NO_PID) return `Note over ${id(event.to)}: ${text}`
      const line =
        event.kind === 'reply' || event.kind === 'down'
          ? '-->>'
          : event.kind === 'call'
            ? '->>'
            : '-)'
      const lost = event.outcome === 'lost' || event.outcome === 'dropped'
      return `${id(event.from)}${lost ? '-x' : line}${id(event.to)}: ${text}`
    }
  }
}

/** A timeline for a message: of a long one the beginning and the end. */
export function abridged(text: string): string {
  const lines = text.split('\n')
  const left = lines.length - FIRST - LAST
  if (left <= 0) return text
  const cut = `          … ${left} more, which node.timeline() has …`
  return [...lines.slice(0, FIRST), cut, ...lines.slice(-LAST)].join('\n')
}
