/** Files a page loads: the official clients as npm installed them, our boot script, and the app's stylesheet. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { BeamishError } from '../../runtime/index.ts'
import { BOOT_SCRIPT } from './boot.ts'

export interface Asset {
  /** With a fingerprint of its content, so that it may be cached for ever. */
  readonly url: string
  readonly path: string
  readonly type: string
  readonly body: Buffer
}

const JAVASCRIPT = 'text/javascript; charset=utf-8'
const CSS = 'text/css; charset=utf-8'

export function pageScripts(): readonly Asset[] {
  const resolve = createRequire(import.meta.url).resolve
  // Both packages keep their browser builds beside the file their name resolves to.
  const file = (name: string): Buffer =>
    readFileSync(join(dirname(resolve(name)), `${name}.min.js`))
  return [
    asset('/live/assets/phoenix.js', JAVASCRIPT, file('phoenix')),
    asset('/live/assets/phoenix_live_view.js', JAVASCRIPT, file('phoenix_live_view')),
    asset('/live/assets/boot.js', JAVASCRIPT, Buffer.from(BOOT_SCRIPT)),
  ]
}

/** @throws BEAMISH_BAD_OPTION when the file cannot be read. */
export function stylesheetAsset(href: string): Asset {
  try {
    return asset('/live/assets/app.css', CSS, readFileSync(new URL(href)))
  } catch (cause) {
    throw new BeamishError(
      'BEAMISH_BAD_OPTION',
      {
        option: 'stylesheet',
        got: href,
        fix: "pass new URL('./app.css', import.meta.url) of a file that exists",
      },
      cause,
    )
  }
}

function asset(path: string, type: string, body: Buffer): Asset {
  const fingerprint = createHash('sha256').update(body).digest('base64url').slice(0, 12)
  return { path, type, body, url: `${path}?v=${fingerprint}` }
}
