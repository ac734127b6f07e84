// Applications of a node: started and stopped in order, all together and one by one.
import { onEvent } from 'beamish'
import t from 'tap'
import { rejection } from '../kit.ts'
import { bench, started, stopped } from './bench.ts'

const ORDER = ['mail', 'store', 'prices', 'shop']

t.test('on one node', async (t) => {
  const told: string[] = []
  t.teardown(
    onEvent('application', ({ application, event }) => told.push(`${application} ${event}`)),
  )
  const { node, notes } = await bench(t, { stray: ['shop.warm'] })
  const states = async () =>
    (await node.applications()).map(({ name, state }) => `${name} ${state}`)

  t.test(
    'each starts after those it needs: start, its children in order, its phases',
    async (t) => {
      t.same(notes(), ORDER.flatMap(started))
      t.same(
        told.splice(0),
        [...ORDER, 'all'].map((name) => `${name} started`),
      )
    },
  )

  t.test('they are listed with type, state and what they need', async (t) => {
    t.same(
      await states(),
      [...ORDER, 'all'].map((name) => `${name} running`),
    )
    t.match((await node.applications()).at(-2), {
      name: 'shop',
      type: 'permanent',
      applications: ['prices', 'store'],
      supervisor: 'beamish.root.shop',
    })
    const children = await node.self.call('beamish.root.shop', 'whichChildren')
    t.match(children, [{ id: 'shop' }, { id: 'each' }])
    t.same(
      await node.self.call('beamish.applications', 'whichApplications'),
      await node.applications(),
    )
  })

  t.test('one that is stopped is stopped alone: those that need it run on', async (t) => {
    const before = await node.self.whereis('shop')
    await node.stopApplication('store')
    t.same(notes(), stopped('store'))
    t.same(told.splice(0), ['store stopped'])
    t.equal(await node.self.whereis('shop'), before)
    t.equal(await node.self.whereis('beamish.root.store'), undefined)
    t.match((await states()).join(), /store stopped,prices running,shop running/)
    t.match(await rejection(node.stopApplication('store')), { code: 'BEAMISH_APPLICATION_STOPPED' })
  })

  t.test('a start brings what it needs with it, in order, and runs nothing twice', async (t) => {
    await node.stopApplication('prices')
    await node.stopApplication('shop')
    notes()
    t.same(await node.startApplication('shop'), ['store', 'prices', 'shop'])
    t.same(notes(), ['store', 'prices', 'shop'].flatMap(started))
    t.same(await node.startApplication('shop'), [])
    t.same(notes(), [])
    t.match(await rejection(node.startApplication('shoe')), {
      code: 'BEAMISH_APPLICATION_UNKNOWN',
      message: /mail, store, prices, shop, all/,
    })
  })

  t.test(
    'what its processes and callbacks spawned outside of the tree is killed at its stop',
    async (t) => {
      const { self } = node
      const stray = await self.call('shop', 'stray')
      const other = await self.call('mail', 'stray')
      t.ok(await self.whereis('stray of shop.warm'))
      t.ok(await self.alive(stray as never))
      await node.stopApplication('shop')
      t.notOk(await self.alive(stray as never))
      t.equal(await self.whereis('stray of shop.warm'), undefined)
      t.ok(await self.alive(other as never), 'those of others live')
    },
  )

  t.test('requests at once are served one after the other', async (t) => {
    notes()
    await Promise.all([
      node.startApplication('shop'),
      node.stopApplication('prices'),
      node.startApplication('prices'),
    ])
    t.same(notes(), [...started('shop'), ...stopped('prices'), ...started('prices')])
  })

  t.test('the node stops them in reverse, one that is stopped not again', async (t) => {
    await node.stopApplication('mail')
    notes()
    await node.stop()
    t.same(notes(), ['shop', 'prices', 'store'].flatMap(stopped))
    for (const asked of [
      node.applications(),
      node.startApplication('shop'),
      node.stopApplication('shop'),
    ]) {
      t.match(await rejection(asked), { code: 'BEAMISH_NODE_STOPPED' })
    }
  })
})
