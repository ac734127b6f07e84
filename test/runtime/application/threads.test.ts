// Threads that are lost or replaced, with several applications on them.
import type { BeamishNode, Pid } from 'beamish'
import t from 'tap'
import { schedulerOf } from '../../../runtime/process/pid.ts'
import { nextEvent, rejection, whenNamed } from '../kit.ts'
import { Worker } from './apps/shop.ts'
import { bench, started } from './bench.ts'

/** Of processes placed `each`, in the three that need each other. */
const tied = (lines: readonly string[]): string[] =>
  lines.filter((line) => line.endsWith('each') && !line.includes('mail'))

/** Has a callback wait; the function ends that. */
async function hang({ self }: BeamishNode, callback: string): Promise<() => Promise<void>> {
  const name = `hang ${callback}`
  const pid = self.spawn((own) => own.sleep(60_000), undefined, { name })
  while ((await self.whereis(name)) === undefined) await self.sleep(1)
  return async () => {
    self.exit(pid, 'kill')
    while ((await self.whereis(name)) !== undefined) await self.sleep(1)
  }
}

t.test('on one node', async (t) => {
  const hangs = ['mail.start', 'mail.open', 'mail.prepStop']
  const { node, notes } = await bench(t, { hangs }, { maxLostThreads: 100 })
  const { self } = node
  const lose = async (id: number): Promise<number> => {
    const up = nextEvent('schedulerUp')
    node.killThread(id)
    return (await up).scheduler
  }
  const calledOn = async (callback: string): Promise<number> =>
    schedulerOf(await whenNamed(node, `hung ${callback}`))
  const stateOf = async (name: string) =>
    (await node.applications()).find((one) => one.name === name)?.state

  t.test(
    'what is placed each comes to a replacement in the order of the applications',
    async (t) => {
      notes()
      const replacement = await lose(2)
      for (const name of ['shop', 'mail']) await whenNamed(node, `${name} each ${replacement}`)
      await self.call('beamish.root.shop', 'whichChildren')
      t.same(tied(notes()), ['start store each', 'start prices each', 'start shop each'])
    },
  )

  t.test(
    'a thread that is replaced in order is left by those first that need others',
    async (t) => {
      notes()
      const [id] = node.schedulers()
      const replacement = await node.restartThread(id as number)
      t.same(tied(notes()), [
        'stop shop each',
        'stop prices each',
        'stop store each',
        'start store each',
        'start prices each',
        'start shop each',
      ])
      t.ok(await self.whereis(`shop each ${replacement}`), 'all are up when it is through')
    },
  )

  t.test(
    'one that is stopped gets nothing there, and all that is missing with its start',
    async (t) => {
      await node.stopApplication('prices')
      notes()
      const replacement = await lose(node.schedulers()[0] as number)
      await whenNamed(node, `shop each ${replacement}`)
      const other = await node.restartThread(node.schedulers()[0] as number)
      t.notOk(notes().some((line) => line.includes('prices')))
      await node.startApplication('prices')
      t.same(notes(), started('prices'))
      for (const id of node.schedulers()) t.ok(await self.whereis(`prices each ${id}`), `on ${id}`)
      t.ok(node.schedulers().includes(other))
    },
  )

  t.test(
    'a thread lost during a start phase: the application does not start, nothing is begun twice',
    async (t) => {
      await node.stopApplication('mail')
      notes()
      const release = await hang(node, 'mail.open')
      const failed = rejection(node.startApplication('mail'))
      const id = await calledOn('mail.open')
      t.equal(await stateOf('mail'), 'starting', 'who asks is answered meanwhile')
      const replacement = await lose(id)
      t.match(await failed, {
        code: 'BEAMISH_APPLICATION_START',
        message: new RegExp(`startPhases\\.open: .*noconnection: scheduler ${id} `),
      })
      await whenNamed(node, `shop each ${replacement}`)
      const seen = notes()
      t.same(
        seen.filter((line) => line.startsWith('mail.')),
        ['mail.start', 'mail.open'],
      )
      t.equal(
        seen.filter((line) => line === 'stop mail each').length,
        1,
        'where it lived it was stopped',
      )
      t.equal(await stateOf('mail'), 'stopped')
      await release()
      t.same(await node.startApplication('mail'), ['mail'])
    },
  )

  t.test('a thread lost during prepStop: the stop goes on, with the state as it was', async (t) => {
    const release = await hang(node, 'mail.prepStop')
    notes()
    const stopping = node.stopApplication('mail')
    await lose(await calledOn('mail.prepStop'))
    await stopping
    const last = ['mail.stop', 'mail knows start']
    t.same(
      notes().filter((line) => last.includes(line)),
      last,
    )
    await release()
  })

  /** Starts `mail`, which waits in a callback, and has begun to replace the thread that runs it when this resolves. */
  async function replacing(callback: string) {
    const release = await hang(node, callback)
    const starting = node.startApplication('mail')
    const id = await calledOn(callback)
    const letGo = await hang(node, 'guest')
    await self.start(Worker, 'guest', { place: { scheduler: id } })
    notes()
    const restarted = node.restartThread(id)
    const seen: string[] = []
    while (!seen.includes('stop store each')) {
      await self.sleep(1)
      seen.push(...notes())
    }
    return { release, starting, restarted, letGo }
  }

  t.test('a thread that is replaced in order waits for a callback', async (t) => {
    const { release, starting, restarted, letGo } = await replacing('mail.open')
    await letGo()
    await release()
    t.same(await starting, ['mail'])
    t.ok(await self.whereis(`mail each ${await restarted}`))
    await node.stopApplication('mail')
  })

  t.test('one that starts meanwhile gets nothing there', async (t) => {
    const { release, starting, restarted, letGo } = await replacing('mail.start')
    await release()
    t.same(await starting, ['mail'])
    t.equal(notes().filter((line) => line === 'start mail each').length, 1)
    await letGo()
    t.ok(await self.whereis(`mail each ${await restarted}`))
    await node.stopApplication('mail')
  })

  t.test(
    'the end of an application while another one starts: that one starts no more',
    async (t) => {
      const release = await hang(node, 'mail.open')
      const failed = rejection(node.startApplication('mail'))
      await calledOn('mail.open')
      notes()
      self.cast((await whenNamed(node, 'prices')) as Pid, 'crash')
      while ((await stateOf('mail')) !== 'stopping') await self.sleep(1)
      void release()
      t.match(await node.closed, { code: 'BEAMISH_APPLICATION_ENDED' })
      t.match(await failed, { code: 'BEAMISH_NODE_STOPPED' })
      const stops = notes().filter((line) => line.endsWith('.stop'))
      t.same(stops, ['prices.stop', 'shop.stop', 'store.stop', 'mail.stop'])
    },
  )
})

t.test('one that is being stopped does not keep a node that ends from ending', async (t) => {
  const options = { shutdownTimeoutMs: 300 }
  const { node } = await bench(t, { hangs: ['mail.prepStop'] }, options)
  await hang(node, 'mail.prepStop')
  const stopping = rejection(node.stopApplication('mail'))
  await whenNamed(node, 'hung mail.prepStop')
  node.self.cast((await whenNamed(node, 'prices')) as Pid, 'crash')
  const fields = { application: '"prices"' }
  t.match(await node.closed, { code: 'BEAMISH_APPLICATION_ENDED', fields })
  t.match(await stopping, { code: 'BEAMISH_NODE_STOPPED' })
})

t.test('requests that wait for others when the node stops are refused', async (t) => {
  const { node, notes } = await bench(t, { hangs: ['mail.open'] })
  await node.stopApplication('mail')
  const release = await hang(node, 'mail.open')
  const refused = [node.startApplication('mail'), node.startApplication('mail')].map(rejection)
  await whenNamed(node, 'hung mail.open')
  notes()
  const stopped = node.stop()
  const isStopping = async () => (await node.applications())[0]?.state === 'stopping'
  while (!(await isStopping())) await node.self.sleep(1)
  await release()
  for (const one of refused) t.match(await one, { code: 'BEAMISH_NODE_STOPPED' })
  await stopped
  t.notOk(notes().includes('mail.start'))
})

t.test('with one thread, lost or replaced, all come back in order', async (t) => {
  const { node, notes } = await bench(t, {}, { schedulers: 1 })
  for (const how of ['lost', 'replaced']) {
    notes()
    const up = nextEvent('schedulerUp')
    if (how === 'lost') node.killThread(1)
    else await node.restartThread(node.schedulers()[0] as number)
    const { scheduler } = await up
    for (const name of ['store', 'prices', 'shop', 'mail']) {
      await whenNamed(node, name, (id) => id === scheduler)
    }
    const starts = tied(notes()).filter((line) => line.startsWith('start'))
    t.same(starts, ['start store each', 'start prices each', 'start shop each'], how)
  }
})
