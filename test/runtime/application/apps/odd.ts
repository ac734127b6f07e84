/** Applications that cannot start: `?what=` says why. */
import { type Application, application, genServer } from 'beamish'

const what = new URL(import.meta.url).searchParams.get('what')
const One = genServer('test.one', { init: (_: unknown) => 0 })

const needed: Application[] = []
const b = application<unknown>({
  name: 'b',
  applications: needed,
  children: what === 'here' ? [One.child(undefined, { place: 'here' })] : [],
  async start() {
    if (what === 'state') return { close: () => {} }
    if (what === 'exit') process.exit(3)
    if (what === 'stray') {
      setTimeout(() => {
        throw new Error('left behind')
      }, 1)
      await new Promise(() => {})
    }
    return 0
  },
})
const a = application({ name: 'a', applications: [b] })
if (what === 'circle') needed.push(a)
if (what === 'name') application({ name: 'b' })
const other = application({
  name: 'other',
  applications: [a, { ...b }],
  children: [One.child(what === 'argument' ? { done: () => {} } : undefined)],
})

export default what === 'twice' || what === 'argument' ? other : a
