// A program that uses dirty threads on main and on a thread, stops its node, and has nothing more to do.
import { start, task } from 'beamish'

const APP = new URL('./cpu.app.ts', import.meta.url)
const node = await start(APP, { schedulers: 1, log: false })
const run = task.async<unknown[]>(node.self, { module: APP, name: 'where' }, { place: 'any' })
const there = await task.await(node.self, run)
const here = await task.cpu(node.self, new URL('./jobs.ts', import.meta.url), 'where')
console.log(there.length, typeof here)
await node.stop()
