// Starts the app named on the command line and tells how it went; ends by itself when nothing is left running.
import { type BeamishError, start } from 'beamish'

const [app, options] = process.argv.slice(2) as [string, string]
try {
  await start(app, { schedulers: 2, log: false, ...(JSON.parse(options) as object) })
  console.log('started')
} catch (error) {
  const { code, message } = error as BeamishError
  console.log(JSON.stringify({ code, message }))
}
