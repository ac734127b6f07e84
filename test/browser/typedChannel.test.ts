/** The typed client in a real browser, as modules, on the unmodified official client. */
import { start } from 'beamish'
import t from 'tap'
import { launchBrowser } from './chromium.ts'

const node = await start(new URL('./typedChannel.app.ts', import.meta.url), {
  schedulers: 1,
  log: false,
  development: false,
  execArgv: ['--conditions=beamish-source'],
})
const { browser } = await launchBrowser()
t.teardown(async () => {
  await browser.close()
  await node.stop()
})
const [address] = await node.addresses()

t.test('it joins, pushes, hears and leaves', async (t) => {
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${address?.port}/`)
  const seen = await page.evaluate(`(async () => {
    const { Socket } = await import('/phoenix.mjs')
    const { typedChannel } = await import('/client/index.ts')
    const socket = new Socket('/socket')
    socket.connect()
    const hall = typedChannel(socket, 'hall:1')
    const heard = new Promise((resolve) => hall.on('said', resolve))
    const joined = await hall.join()
    const said = await hall.push('say', { text: 'hello' })
    const wrong = await hall.push('say', { text: '' }).catch(({ name, issues }) => ({ name, issues }))
    const echoed = new Uint8Array(await hall.push('echo', Uint8Array.of(9, 1, 2, 3).subarray(1)))
    await hall.leave()
    return { joined, said, heard: await heard, wrong, echoed: [...echoed] }
  })()`)
  t.same(seen, {
    joined: { topic: 'hall:1' },
    said: { length: 5 },
    heard: { text: 'hello' },
    wrong: {
      name: 'PushError',
      issues: [{ path: 'text', message: 'must have at least 1 character' }],
    },
    echoed: [1, 2, 3],
  })
})
