/**
 * What a thread that does not answer executes: V8 interrupts it for the debugger, also in a loop, a regular expression or
 * an endless chain of microtasks. A native call cannot be interrupted; it has no stack to show until it is over.
 */
import { threadId } from 'node:worker_threads'

type Inspector = typeof import('node:inspector')
type Session = import('node:inspector').Session

/** A Node built without it has none. */
const inspector = (): Inspector | undefined => process.getBuiltinModule('node:inspector')

const MAX_FRAMES = 12

interface Frame {
  readonly functionName: string
  readonly location: {
    readonly scriptId: string
    readonly lineNumber: number
    readonly columnNumber?: number
  }
}

/**
 * The stack of the worker with this thread id, innermost frame first, as `function (url:line:column)`; undefined when it does
 * not stop before `signal` aborts. The thread goes on afterwards: abort before it is terminated, one that is stopped for the
 * debugger does not end.
 */
export async function stackOf(
  workerId: number,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const module = inspector()
  if (module === undefined || threadId !== 0) return undefined
  const session = new module.Session()
  try {
    session.connect()
    return await ask(session, workerId, signal)
  } catch {
    // A node started without leave to inspect: the report does without.
    return undefined
  } finally {
    session.disconnect()
  }
}

/** Whether somebody debugs this process: stopping at a breakpoint is no fault. */
export function isDebugged(): boolean {
  return inspector()?.url() !== undefined
}

function ask(
  session: Session,
  workerId: number,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  return new Promise((resolve, reject) => {
    session.on('NodeWorker.attachedToWorker', ({ params }) => {
      // workerInfo.workerId counts what was attached; the thread id is in the title alone.
      if (!params.workerInfo.title.startsWith(`[worker ${workerId}]`)) return
      const { sessionId } = params
      const urls = new Map<string, string>()
      let id = 0
      const send = (method: string): void => {
        const message = JSON.stringify({ id: ++id, method })
        session.post('NodeWorker.sendMessageToWorker', { sessionId, message })
      }
      session.on('NodeWorker.receivedMessageFromWorker', (event) => {
        if (event.params.sessionId !== sessionId) return
        const { method, params: told } = JSON.parse(event.params.message)
        if (method === 'Debugger.scriptParsed') urls.set(told.scriptId, told.url)
        if (method !== 'Debugger.paused') return
        signal.removeEventListener('abort', takeBack)
        // Detached it runs on; a paused thread could not be terminated.
        session.post('NodeWorker.detach', { sessionId })
        const frames = (told.callFrames as readonly Frame[]).slice(0, MAX_FRAMES)
        resolve(frames.map((frame) => frameText(frame, urls)))
      })
      const takeBack = (): void => {
        // A pause that comes after a mere disconnect holds the thread for ever (measured).
        send('Debugger.resume')
        send('Debugger.disable')
        session.post('NodeWorker.detach', { sessionId })
        resolve(undefined)
      }
      signal.addEventListener('abort', takeBack)
      send('Debugger.enable')
      send('Debugger.pause')
    })
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, (error) => {
      if (error !== null) reject(error)
    })
    signal.addEventListener('abort', () => resolve(undefined))
  })
}

function frameText({ functionName, location }: Frame, urls: ReadonlyMap<string, string>): string {
  const url = urls.get(location.scriptId)
  const place = `${url}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`
  return `${functionName === '' ? '<anonymous>' : functionName} (${place})`
}
