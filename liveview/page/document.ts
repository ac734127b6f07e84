/** The HTML document around a view. Static: only what is inside the root element lives on. */
import { toHtml } from '../diff/index.ts'
import { html, unsafeHtml } from '../template/index.ts'
import type { Rendered } from '../template/rendered.ts'

export interface Document {
  readonly lang: string
  readonly title: string
  readonly csrfToken: string
  readonly scripts: readonly string[]
  readonly stylesheet: string | undefined
  readonly root: {
    readonly id: string
    readonly session: string
    readonly content: Rendered
  }
  /** Why the page does not live; it then loads no script. */
  readonly notice: string | undefined
}

export function writeDocument(page: Document): string {
  const { root } = page
  const scripts = page.scripts.map((url) => `<script defer src="${url}"></script>`).join('\n    ')
  const head = html`<meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="csrf-token" content="${page.csrfToken}">
    <title data-default="${page.title}">${page.title}</title>
    ${page.stylesheet === undefined ? '' : html`<link rel="stylesheet" href="${page.stylesheet}">`}
    ${page.notice === undefined ? unsafeHtml(scripts) : ''}`
  const body = html`${page.notice === undefined ? '' : html`<p role="alert">This page is shown without live updates: ${page.notice}.</p>`}
    <div id="${root.id}" data-phx-main data-phx-session="${root.session}" data-phx-static="">${root.content}</div>`
  const lang = html`<i lang="${page.lang}"></i>`
  const attribute = toHtml(lang).slice(2, -5)
  return `<!doctype html>\n<html${attribute}>\n  <head>\n    ${toHtml(head)}\n  </head>\n  <body>\n    ${toHtml(body)}\n  </body>\n</html>\n`
}
