// An app of nothing: what tests start on its threads is known there.
import { supervisor } from 'beamish'
import './servers.ts'

export default supervisor({ children: [] })
