/** The chat as people run it: a process of its own, in production mode. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { cpuMs, residentBytes } from './usage.ts'

const CLI = fileURLToPath(new URL('../runtime/cli.ts', import.meta.url))
const CHAT = fileURLToPath(new URL('../apps/chat/chat.ts', import.meta.url))

export class ChatServer {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
  }

  /** `cpu` pins it to one processor, where `taskset` exists. */
  static start(schedulers: number, cpu?: number): Promise<ChatServer> {
    const command = [process.execPath, '--conditions=beamish-source', CLI, CHAT]
    const pinned = cpu === undefined ? command : ['taskset', '-c', String(cpu), ...command]
    const child = spawn(pinned[0] as string, pinned.slice(1), {
      env: {
        ...process.env,
        NODE_ENV: 'production',
        PORT: '0',
        SCHEDULERS: String(schedulers),
        LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return new Promise((resolve, reject) => {
      let output = ''
      child.stdout?.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        const url = /^(http:\S+)/m.exec(output)?.[1]
        if (url !== undefined) resolve(new ChatServer(child, `${url}/chat`))
      })
      child.once('exit', (code) => reject(new Error(`the chat ended with ${code}: ${output}`)))
    })
  }

  /** Processor time it has used, in milliseconds. */
  cpuMs(): number {
    return cpuMs(this.#child.pid as number)
  }

  residentBytes(): number {
    return residentBytes(this.#child.pid as number)
  }

  stop(): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGTERM')
    return ended
  }
}
