// Singletons and a keyed child. A replacement loads once the file BEAMISH_TEST_GATE is gone; another file tells of stops.
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import { genServer, supervisor } from 'beamish'

const { BEAMISH_TEST_GATE: gate = '', BEAMISH_TEST_NOTES: notes = '' } = process.env
const { scheduler } = workerData as { scheduler: number }
while (scheduler > 2 && existsSync(gate)) await sleep(20)

const Single = genServer('test.single', {
  trapExit: true,
  init: (id: string) => id,
  terminate: (_reason, id) => appendFileSync(notes, `stop ${id}\n`),
})
const SINGLES = ['one', 'two', 'three']

export default supervisor({
  children: [
    Single.child('keyed', { name: 'keyed', place: { key: 'k' } }),
    ...SINGLES.map((id) => Single.child(id, { name: id })),
  ],
})
