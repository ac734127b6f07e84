/**
 * Decides about a connection beside its process, by what its socket says: a connect may take its time, and meanwhile the
 * process hears of its client's end, of a drain, and of the time.
 */
import type { Ref } from '../../runtime/index.ts'
import { Self } from '../../runtime/process/self.ts'
import { runOnceAs } from '../../runtime/process/strays.ts'
import { secretOf } from '../secret.ts'
import { OPEN, type Opening, openSocket } from '../socket/open.ts'
import type { Connecting } from './connecting.ts'
import { type SocketConnected, socketConnected } from './report.ts'

/** A connection whose connect has not answered yet. */
export interface Deciding<C extends Connecting> {
  readonly connecting: C
  readonly by: SocketConnected['transport']
  readonly startedMs: number
  /** Rings when connect has taken too long. */
  readonly timer: Ref | undefined
  opening: Opening | undefined
}

/** Begins. Its process is told `phx:decided` when `decided` has something to say. */
export function decide<C extends Connecting>(
  connecting: C,
  by: SocketConnected['transport'],
  self: Self,
): Deciding<C> {
  const { definition, details, settings } = connecting
  const { connectTimeoutMs } = settings.limits
  const tell = (type: string): void => self.send(self.pid, { type })
  const state: Deciding<C> = {
    connecting,
    by,
    startedMs: self.now(),
    timer:
      definition === undefined || connectTimeoutMs === Number.POSITIVE_INFINITY
        ? undefined
        : self.sendAfter(connectTimeoutMs, { type: 'phx:undecided' }),
    opening: undefined,
  }
  const answered = (opening: Opening): void => {
    state.opening = opening
    tell('phx:decided')
  }
  connecting.onGone(() => tell('phx:gone'))
  if (definition === undefined) answered(OPEN)
  else {
    const { params } = settings.connect
    // What the application's connect leaves behind is this process's, and not its thread's. It never rejects.
    const told = details.knows(secretOf(self))
    runOnceAs(Self.processOf(self), () => openSocket(definition, params, told)).then(answered)
  }
  return state
}

/** What has become of it, as a message of its process says; undefined: nothing yet. gone: nobody waits for it any more. */
export function decided(
  state: Deciding<Connecting>,
  { type }: { readonly type: string },
  self: Self,
): Opening | 'gone' | undefined {
  const opening = outcome(state, type)
  if (opening === undefined) return undefined
  if (state.timer !== undefined) self.cancelTimer(state.timer)
  if (opening !== 'gone') report(state, opening, self)
  return opening
}

function outcome(
  { opening, connecting }: Deciding<Connecting>,
  type: string,
): Opening | 'gone' | undefined {
  switch (type) {
    case 'phx:decided':
      return opening
    case 'phx:undecided': {
      const { connectTimeoutMs } = connecting.settings.limits
      return { ok: false, status: 503, reason: `its connect took over ${connectTimeoutMs} ms` }
    }
    case 'phx:drain':
    case 'phx:stopping':
      return { ok: false, status: 503, reason: 'this endpoint stops' }
    case 'phx:gone':
      return 'gone'
  }
  return undefined
}

function report({ connecting, by, startedMs }: Deciding<Connecting>, { ok }: Opening, self: Self) {
  const { definition, settings } = connecting
  if (definition === undefined) return
  socketConnected(
    {
      socket: definition.name,
      transport: by,
      serializer: settings.serializer.name,
      pid: self.pid,
      connected: ok,
      tookMs: self.now() - startedMs,
    },
    settings.connect.params,
    definition.log,
    definition.filter,
  )
}
