/** An app that fails to load on a replacement while a file is there. */
import { existsSync } from 'node:fs'
import { supervisor } from 'beamish'

const flag = process.env.BEAMISH_TEST_FLAG
if (flag !== undefined && existsSync(flag)) throw new Error('the disk is full')

export default supervisor({ children: [] })
