#!/usr/bin/env node
/** The command: `beamish <app module>` runs an app; `beamish tree` and `beamish trace` look at one that runs. */
import { BeamishError } from './errors.ts'

async function main([first, ...rest]: readonly string[]): Promise<void> {
  // Whoever reads has seen enough, as head has.
  if (first === 'tree' || first === 'trace') process.stdout.on('error', () => process.exit(0))
  // Each loads only what it needs: a look at a node starts none.
  if (first === 'tree') await (await import('./terminal/tree.ts')).tree(rest)
  else if (first === 'trace') await (await import('./terminal/trace.ts')).trace(rest)
  else await (await import('./terminal/run.ts')).run(first)
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof BeamishError ? `${error.code}: ${error.message}` : error)
  process.exit(1)
})
