/** start(): an app module on a node of scheduler threads. */
import { ControlSocket } from '../observe/controlSocket.ts'
import { BeamishNode } from './node.ts'
import { checkOptions, type StartOptions } from './options.ts'

/**
 * Boots the scheduler threads, each of which imports `module`, and starts what is its default export: a supervision tree,
 * or an application with all it needs. Resolves when all of it is up.
 *
 * @param module URL of the app module: `new URL('./app.ts', import.meta.url)`
 * @throws BEAMISH_BAD_OPTION, BEAMISH_APP_LOAD, BEAMISH_APP_EXPORT, BEAMISH_BOOT_TIMEOUT, BEAMISH_START_FAILED,
 * BEAMISH_APPLICATION_START, BEAMISH_APPLICATION_CYCLE, BEAMISH_APPLICATION_DUPLICATE; no thread is left behind then.
 *
 * @example
 * ```ts no-run
 * import { start } from 'beamish'
 * const node = await start(new URL('./app.ts', import.meta.url), { schedulers: 2 })
 * await node.stop()
 * ```
 */
export async function start(
  module: URL | string,
  options: StartOptions = {},
): Promise<BeamishNode> {
  const settings = checkOptions(module, options)
  const node = new BeamishNode(settings)
  await node.boot()
  if (settings.controlSocket) await openControlSocket(node)
  if (settings.signals) onSignals(node)
  return node
}

async function openControlSocket(node: BeamishNode): Promise<void> {
  const socket = new ControlSocket(node)
  void node.closed.then(() => socket.close())
  await socket.open()
}

function onSignals(node: BeamishNode): void {
  let signalled = false
  const stop = (): void => {
    // A second signal means: now.
    if (signalled) process.exit(130)
    signalled = true
    void node.stop().then(() => exit(node, 0))
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  void node.closed.then((error) => {
    process.off('SIGTERM', stop)
    process.off('SIGINT', stop)
    if (error !== undefined) {
      console.error(error.message)
      exit(node, 1)
    }
  })
}

/** process.exit waits for threads, and a native call may never return: then only a signal ends the process. */
function exit(node: BeamishNode, code: number): void {
  if (node.stillRunning > 0) process.kill(process.pid, 'SIGKILL')
  else process.exit(code)
}
