/** What the applications of a node are, from what its module exports; and how their ends and failures read for people. */
import { BeamishError } from '../errors.ts'
import { type ErrorData, type ExitReason, formatReason } from '../exit/reason.ts'
import { checkChildSpec } from '../supervisor/childSpec.ts'
import type { SupervisorTree } from '../supervisor/spec.ts'
import type { ApplicationEnded, ApplicationResult } from './controller.ts'
import { startOrder } from './order.ts'
import { type Application, isApplication, plainApplication } from './spec.ts'

/**
 * The applications of what an app module exports, in the order of their start.
 * @throws BEAMISH_APP_EXPORT, BEAMISH_BAD_CHILD, BEAMISH_APPLICATION_CYCLE, BEAMISH_APPLICATION_DUPLICATE
 */
export function applicationsOf(exported: unknown, module: string): Application[] {
  if (isApplication(exported)) return startOrder(exported)
  if (typeof exported !== 'object' || exported === null || !('behaviour' in exported)) {
    const got = exported === undefined ? 'nothing' : `a ${typeof exported}`
    throw new BeamishError('BEAMISH_APP_EXPORT', { module, got })
  }
  checkChildSpec(exported)
  if (exported.type !== 'supervisor') {
    throw new BeamishError('BEAMISH_APP_EXPORT', { module, got: `child "${exported.id}"` })
  }
  return [plainApplication(exported as SupervisorTree)]
}

/** What kept a node's applications from starting, or one of them, with the innermost error in front: the one line that helps. */
export function startError(
  result: ApplicationResult & { readonly ok: false },
  { plain }: { readonly plain?: boolean | undefined } = {},
): BeamishError {
  const { application, reason } = result
  if (plain === true) return new BeamishError('BEAMISH_START_FAILED', { reason: textOf(reason) })
  const fields = { application: `"${application}"`, reason: startText(reason) }
  return new BeamishError('BEAMISH_APPLICATION_START', fields)
}

function startText(reason: ExitReason): string {
  if (typeof reason !== 'object' || reason === null) return textOf(reason)
  const { notRunning, failedToStart } = reason as {
    readonly notRunning?: string
    readonly failedToStart?: string
  }
  if (notRunning !== undefined) return `it needs "${notRunning}", which does not run`
  if (failedToStart === undefined) return textOf(reason)
  return `${failedToStart}: ${textOf((reason as { readonly reason: ExitReason }).reason)}`
}

/** Why a node ends whose controller has. */
export function endError(reason: ExitReason, applications: readonly Application[]): BeamishError {
  const ended =
    typeof reason === 'object' && reason !== null
      ? (reason as Partial<ApplicationEnded>).applicationEnded
      : undefined
  const why = textOf(ended === undefined ? reason : ended.reason)
  const spec = applications.find(({ application }) => application === ended?.application)
  if (spec === undefined || spec.plain === true) {
    return new BeamishError('BEAMISH_TREE_ENDED', { reason: why })
  }
  const { type, application } = spec
  return new BeamishError('BEAMISH_APPLICATION_ENDED', {
    type,
    application: `"${application}"`,
    reason: why,
  })
}

const textOf = (reason: ExitReason): string => innermost(reason) ?? formatReason(reason)

/** The message of the error at the bottom of a nested reason, if there is one. */
function innermost(reason: ExitReason): string | undefined {
  let inner: unknown = reason
  for (;;) {
    const next = inner as { shutdown?: unknown; reason?: unknown; error?: ErrorData } | null
    if (typeof next !== 'object' || next === null) return undefined
    if (next.error !== undefined) return next.error.message
    if (next.shutdown !== undefined) inner = next.shutdown
    else if (next.reason !== undefined) inner = next.reason
    else return undefined
  }
}
