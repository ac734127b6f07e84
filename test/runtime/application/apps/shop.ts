// Three applications, `store` <- `prices` <- `shop`, and `mail`, which none needs; a file tells what happens to them, in order.
// `?types=store:transient` changes types, `?fails=shop.start` makes a callback throw, and `?hangs=shop.stop` makes it wait
// as long as somebody has the name `hang shop.stop`.
import { appendFileSync } from 'node:fs'
import { type Application, application, genServer, type Self } from 'beamish'

const { searchParams } = new URL(import.meta.url)
const types = new Map(
  searchParams.getAll('types').map((pair) => pair.split(':') as [string, never]),
)
const fails = searchParams.getAll('fails')
const hangs = searchParams.getAll('hangs')

const SLOW_MS = 20

const note = (text: string): void => {
  const file = process.env.BEAMISH_TEST_NOTES
  if (file !== undefined) appendFileSync(file, `${text}\n`)
}

export const Worker = genServer('test.worker', {
  trapExit: true,
  async init(id: string, self) {
    if (fails.includes(id)) throw new Error(`${id} does not start`)
    // Whoever does not wait for it is ahead of it.
    if (id === 'store each') await self.sleep(SLOW_MS)
    note(`start ${id}`)
    if (id.endsWith('each')) await self.register(`${id} ${self.scheduler}`)
    return id
  },
  handleCall: {
    /** A process outside of the tree. */
    stray: (_state, _: undefined, self) => self.spawn(() => self.sleep(60_000)),
  },
  handleCast: {
    crash() {
      throw new Error('boom')
    },
  },
  handleInfo: { EXIT: () => {} },
  async terminate(_reason, id, self) {
    if (id === 'shop each') await self.sleep(SLOW_MS)
    while ((await self.whereis(`hang ${id}`)) !== undefined) await self.sleep(5)
    note(`stop ${id}`)
  },
})

async function callback(name: string, self: Self): Promise<void> {
  note(name)
  if (fails.includes(name)) throw new Error(`${name} fails`)
  if (name === searchParams.get('stray')) {
    self.spawn(() => new Promise(() => {}), undefined, { name: `stray of ${name}` })
  }
  const hang = `hang ${name}`
  if (!hangs.includes(name) || (await self.whereis(hang)) === undefined) return
  await self.register(`hung ${name}`)
  while ((await self.whereis(hang)) !== undefined) await self.sleep(5)
}

function part(name: string, applications: readonly Application[]): Application {
  return application({
    name,
    type: types.get(name) ?? 'permanent',
    applications,
    maxRestarts: 0,
    autoShutdown: name === 'mail' ? 'any_significant' : 'never',
    children: [
      Worker.child(`${name} each`, { id: 'each', place: 'each' }),
      name === 'mail'
        ? Worker.child(name, { name, restart: 'transient', significant: true })
        : Worker.child(name, { name }),
    ],
    async start(self) {
      await callback(`${name}.start`, self)
      return { name, trail: ['start'] }
    },
    startPhases: {
      open: (_state, self) => callback(`${name}.open`, self),
      warm: (_state, self) => callback(`${name}.warm`, self),
    },
    async prepStop(state, self) {
      await callback(`${name}.prepStop`, self)
      return { ...state, trail: [...state.trail, 'prepStop'] }
    },
    async stop({ trail }, self) {
      await callback(`${name}.stop`, self)
      note(`${name} knows ${trail.join(' ')}`)
    },
  })
}

const store = part('store', [])
const prices = part('prices', [store])
const mail = part('mail', [])
const shop = part('shop', [prices, store])

/** No process of its own: what a node is made of. */
export default application({
  name: 'all',
  type: types.get('all') ?? 'permanent',
  applications: [mail, shop],
})
