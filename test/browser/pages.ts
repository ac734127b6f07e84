/** Chat pages in a real browser, as a visitor sees and uses them. */
import type { Browser, Page } from 'playwright-core'

export interface ChatMessage {
  readonly name: string
  readonly text: string
}

/** Resolves once the page's view is connected: the official client says so by a class on the root. */
export async function openPage(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(url)
  await connected(page)
  return page
}

export async function connected(page: Page): Promise<void> {
  await page.locator('[data-phx-main].phx-connected').waitFor()
}

/** Types and presses Enter, as people do. */
export async function say(page: Page, text: string): Promise<void> {
  await page.locator('input[name="text"]').pressSequentially(text)
  await page.keyboard.press('Enter')
}

export async function messages(page: Page): Promise<ChatMessage[]> {
  return page.locator('#messages li').evaluateAll((items) =>
    items.map((item) => ({
      name: item.querySelector('b')?.textContent ?? '',
      text: item.querySelector('span')?.textContent ?? '',
    })),
  )
}

/** Waits until the page shows a message of this text. */
export async function shows(page: Page, text: string): Promise<void> {
  await page.locator('#messages li span', { hasText: text }).first().waitFor()
}
