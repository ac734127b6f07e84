/** `beamish trace`: prints what processes of a running node do, until a limit is reached. */
import type { TraceEnd } from '../observe/trace.ts'
import type { NodeTraceEvent } from '../observe/traceOptions.ts'
import { makePid, type Pid } from '../process/pid.ts'
import { bad, given, readArguments, styled } from './arguments.ts'
import { connect } from './connection.ts'
import { count, plainText } from './table.ts'

const USAGE = `beamish trace <pid or behaviour> [options]
  --name text       whoever is registered under this name
  --event text      messages of this name, wherever they come
  --kinds a,b       spawn, send, cast, call, reply, receive, handle, drop,
                    link, unlink, monitor, signal, terminate, exit (all but receive)
  --limit n         events before it ends (100)
  --sample part     part of the events that is told, up to 1 (1)
  --seconds n       seconds before it ends (60)
  --text n          characters told of a message; 0: none (200)
  --node which      process id or socket of the node
  --json            one event a line, as it is`

const OPTIONS = {
  name: { type: 'string' },
  event: { type: 'string' },
  kinds: { type: 'string' },
  limit: { type: 'string' },
  sample: { type: 'string' },
  seconds: { type: 'string' },
  text: { type: 'string' },
  node: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

const PATIENCE_MS = 5_000
const DEFAULT_SECONDS = 60

export async function trace(args: readonly string[]): Promise<void> {
  const { words, text, flag, number } = readArguments(args, OPTIONS, 'see beamish trace --help')
  if (flag('help')) {
    console.log(USAGE)
    return
  }
  if (words.length > 1) throw bad('trace', JSON.stringify(words[1]), 'name one pid or behaviour')
  const [what] = words
  const pid = what === undefined ? undefined : parsePid(what)
  const seconds = number('seconds') ?? DEFAULT_SECONDS
  const connection = await connect(text('node'))
  try {
    connection.ask({
      trace: given({
        pid,
        behaviour: pid === undefined ? what : undefined,
        name: text('name'),
        event: text('event'),
        kinds: text('kinds')?.split(','),
        limit: number('limit'),
        sample: number('sample'),
        maxText: number('text'),
        timeoutMs: Math.round(seconds * 1_000),
      }),
    })
    for (;;) {
      const answer = await connection.next('trace', seconds * 1_000 + PATIENCE_MS)
      if (answer.ended !== undefined) {
        if (!flag('json')) console.log(styled('weak', endText(answer.ended as TraceEnd)))
        return
      }
      if (answer.event === undefined) continue
      const event = answer.event as NodeTraceEvent
      console.log(flag('json') ? JSON.stringify(event) : eventText(event))
    }
  } finally {
    connection.close()
  }
}

/** `<0.1.7>`, `<0.1.7.3>` or without the brackets; undefined for anything else. */
function parsePid(text: string): Pid | undefined {
  const match = /^<?0\.(\d+)\.(\d+)(?:\.(\d+))?>?$/.exec(text)
  if (match === null) return undefined
  return makePid(Number(match[1]), Number(match[2]), Number(match[3] ?? 1))
}

/** What comes from somebody, and not goes to them. */
const INWARD: readonly string[] = ['spawn', 'receive', 'handle', 'drop', 'signal']

function eventText(told: NodeTraceEvent): string {
  const { at, kind, process, name, behaviour, peer, event, text } = told
  const time = new Date(at).toISOString().slice(11, 23)
  const way = peer === undefined ? '' : `${INWARD.includes(kind) ? 'from' : 'to'} ${peer}`
  const parts = [time, process, name ?? behaviour, kind, event ?? '', text ?? '', way]
  return plainText(parts.filter((part) => part !== '').join(' '))
}

function endText({ reason, events, dropped }: TraceEnd): string {
  const lost = dropped > 0 ? `, ${count(dropped)} more came too fast to be told` : ''
  return `ended (${reason}) after ${count(events)} events${lost}`
}
