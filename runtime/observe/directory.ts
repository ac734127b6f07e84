/**
 * Where the nodes of this machine that are run by this user can be found: a directory only that user may enter, with a socket
 * per node, named after the id of its operating system process. On Windows a named pipe.
 */

import { once } from 'node:events'
import { chmodSync, lstatSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BeamishError } from '../errors.ts'

const PIPES = '\\\\.\\pipe\\'
const PIPE = 'beamish-'
/** What a socket's path may have at most, on the strictest of systems. */
const MAX_PATH = 103

const isWindows = process.platform === 'win32'

/** CONTROL_DIR, else a place of the user's own in XDG_RUNTIME_DIR or the directory for temporary files. */
export function runtimeDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const { CONTROL_DIR, XDG_RUNTIME_DIR } = env
  if (CONTROL_DIR) return CONTROL_DIR
  if (XDG_RUNTIME_DIR) return join(XDG_RUNTIME_DIR, 'beamish')
  return join(tmpdir(), `beamish-${process.getuid?.() ?? 'user'}`)
}

export function socketPath(pid: number): string {
  return isWindows ? `${PIPES}${PIPE}${pid}` : join(runtimeDirectory(), `${pid}.sock`)
}

/** Makes the directory, and makes sure that nobody else can get in: in a shared one somebody may have made it before. */
export function prepareDirectory(): void {
  if (isWindows) return
  const directory = runtimeDirectory()
  const refuse = (why: string): BeamishError =>
    new BeamishError('BEAMISH_CONTROL_SOCKET', { path: directory, why })
  if (Buffer.byteLength(socketPath(2 ** 22)) > MAX_PATH) throw refuse('its path is too long')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const found = lstatSync(directory)
  if (!found.isDirectory()) throw refuse('it is no directory')
  if (found.uid !== process.getuid?.()) throw refuse('it belongs to another user')
  if ((found.mode & 0o077) !== 0) chmodSync(directory, 0o700)
}

/**
 * Process ids of the nodes that seem to run. Only connecting tells whether one does: in a directory that is shared with a
 * container the ids are those of another system.
 */
export function findNodes(): number[] {
  return entries()
    .flatMap((name) => {
      const match = isWindows ? /^beamish-(\d+)$/.exec(name) : /^(\d+)\.sock$/.exec(name)
      return match === null ? [] : [Number(match[1])]
    })
    .sort((a, b) => a - b)
}

function entries(): string[] {
  try {
    return readdirSync(isWindows ? PIPES : runtimeDirectory())
  } catch {
    return []
  }
}

/** Connects with a socket; with what keeps it from that, if it cannot. */
export async function reach(
  path: string,
): Promise<Socket | { readonly failed: string | undefined }> {
  const socket = createConnection(path)
  try {
    await once(socket, 'connect')
    return socket
  } catch (error) {
    return { failed: (error as { code?: string }).code }
  }
}

/** Whether nobody listens there any more: one who is only busy, or has too many connections, is not gone. */
export const isLeft = (failed: string | undefined): boolean =>
  failed === 'ECONNREFUSED' || failed === 'ENOTSOCK'

/** Takes its socket away, if it is there. */
export function forget(pid: number): void {
  try {
    if (!isWindows) unlinkSync(socketPath(pid))
  } catch {
    // Somebody else was faster.
  }
}
