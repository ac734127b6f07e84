import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { launchBrowser } from './chromium.ts'

t.test('a headless Chromium opens a page served from this machine', async (t) => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(
      '<title>Beamish</title><p id="p">hello</p><script>p.textContent += " world"</script>',
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { browser, executablePath, source } = await launchBrowser()
  t.teardown(() => browser.close())
  t.comment(`browser from ${source}: ${executablePath}, version ${browser.version()}`)
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  t.equal(await page.title(), 'Beamish')
  t.equal(await page.textContent('#p'), 'hello world')
})
