/** An app without children: for tests that spawn what they need. */
import { supervisor } from 'beamish'

export default supervisor({ children: [] })
