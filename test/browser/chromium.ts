/**
 * Finds or unpacks a Chromium and starts it for the browser tests.
 *
 * A Chrome or Chromium of the machine is preferred (`CHROME_PATH`, then the usual Linux and macOS places), because
 * it is what people run. Where there is none, the build inside the npm package `@sparticuz/chromium` is used: that
 * package carries the browser and the shared libraries it needs (nss and friends), so nothing but the npm
 * registry is ever asked. `CHROME_PATH=npm` forces that choice.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Browser } from 'playwright-core'
import { chromium } from 'playwright-core'

/** A running browser and where it came from. */
export interface LaunchedBrowser {
  /** Playwright's handle; the test closes it. */
  readonly browser: Browser
  /** Path of the executable that runs. */
  readonly executablePath: string
  /** `machine`: found on this machine. `npm`: unpacked from `@sparticuz/chromium`. */
  readonly source: 'machine' | 'npm'
}

const machinePaths = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

// Tests run as root in containers, where the sandbox cannot start and /dev/shm is small.
const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu']

/**
 * Starts a headless Chromium.
 *
 * @throws Error naming both ways to get a browser when `CHROME_PATH` points nowhere or the bundled build cannot run.
 * @example
 * const { browser, source } = await launchBrowser()
 * t.teardown(() => browser.close())
 */
export async function launchBrowser(): Promise<LaunchedBrowser> {
  const executablePath = findOnMachine()
  if (executablePath !== undefined) {
    const browser = await chromium.launch({ executablePath, args, headless: true })
    return { browser, executablePath, source: 'machine' }
  }
  const root = await unpackFromNpm()
  const bundled = join(root, 'chromium')
  const browser = await chromium.launch({
    executablePath: bundled,
    // No zygote: the bundled build is a headless shell made for machines without one.
    args: [...args, '--no-zygote'],
    headless: true,
    env: { ...process.env, ...bundledEnvironment(root) },
  })
  return { browser, executablePath: bundled, source: 'npm' }
}

function findOnMachine(): string | undefined {
  const wanted = process.env['CHROME_PATH']
  if (wanted === 'npm') return undefined
  if (wanted !== undefined && wanted !== '') {
    if (existsSync(wanted)) return wanted
    throw new Error(
      `CHROME_PATH is ${wanted}, where there is no file: correct it, or set it to npm or nothing`,
    )
  }
  return machinePaths.find((path) => existsSync(path))
}

function bundledEnvironment(root: string): Record<string, string> {
  const own = join(root, 'al2023', 'lib')
  const inherited = process.env['LD_LIBRARY_PATH']
  return {
    LD_LIBRARY_PATH: inherited ? `${own}:${inherited}` : own,
    FONTCONFIG_PATH: join(root, 'fonts'),
  }
}

/** Unpacks once per package version and user; a rename at the end makes a half-unpacked folder impossible. */
async function unpackFromNpm(): Promise<string> {
  const bin = join(
    dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')),
    '..',
    'bin',
  )
  const manifest = JSON.parse(await readFile(join(bin, '..', 'package.json'), 'utf8')) as {
    version: string
  }
  const root = join(
    tmpdir(),
    `beamish-chromium-${manifest.version}-${process.getuid?.() ?? 'user'}`,
  )
  if (existsSync(root)) return root
  const unpacking = await mkdtemp(join(tmpdir(), 'beamish-chromium-'))
  const { inflate } = await import('@sparticuz/chromium')
  const archives = ['chromium.br', 'fonts.tar.br', 'swiftshader.tar.br', 'al2023.tar.br']
  await withTemporaryFolder(unpacking, () =>
    Promise.all(archives.map((archive) => inflate(join(bin, archive)))),
  )
  await pointFontsAt(unpacking, root)
  try {
    await rename(unpacking, root)
  } catch (error) {
    // Another process was first: its copy is as good as ours.
    if (!existsSync(root)) throw error
    await rm(unpacking, { recursive: true, force: true })
  }
  return root
}

// inflate() writes to os.tmpdir(), which reads TMPDIR each time; it resolves the paths before its first await.
async function withTemporaryFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  const done = work()
  if (before === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = before
  return done
}

// The bundled fonts.conf names /tmp/fonts, where nobody unpacked anything.
async function pointFontsAt(unpacked: string, root: string): Promise<void> {
  const path = join(unpacked, 'fonts', 'fonts.conf')
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replaceAll('/tmp/fonts', join(root, 'fonts')))
}
