/**
 * What must hold under every schedule: each a test of its own node, with crashes and lost threads in the middle.
 * `explore.test.ts` runs some hundreds of each, `npm run explore` 10,000.
 */
import { clientScenarios } from './clientScenarios.ts'
import type { Scenario } from './scenario.ts'
import { tableScenarios } from './tableScenarios.ts'
import { treeScenarios } from './treeScenarios.ts'

export const scenarios: readonly Scenario[] = [
  ...tableScenarios,
  ...treeScenarios,
  ...clientScenarios,
]
