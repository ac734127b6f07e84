/**
 * The default log: a subscriber of the runtime's events that writes lines with pino. Each thread writes for itself, straight
 * to the file descriptor (a worker's process.stdout goes through main). Silent for normal, shutdown and { shutdown }.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import pino, { type Logger } from 'pino'
import {
  type ApplicationEvent,
  type CrashReport,
  onEvent,
  type SupervisorReport,
  type ThreadLoss,
} from '../events.ts'
import { formatReason, isShutdown, reasonStack, safeText } from '../exit/reason.ts'
import { describeLoss } from '../node/loss.ts'
import { formatPid } from '../process/pid.ts'

/** pino's levels. */
export const logLevels: readonly string[] = [
  'trace',
  'debug',
  'info',
  'warn',
  'error',
  'fatal',
  'silent',
]

export interface LogOptions {
  /** pino's levels. Default info. */
  readonly level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
  /** Appends to this file instead of standard output. */
  readonly file?: string
}

/** An event of a layer above that wants a line: published on `beamish:log`. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly [field: string]: unknown
}

const LOG_CHANNEL = 'beamish:log'
const INFO_CHANNEL = 'beamish:logInfo'
const DEBUG_CHANNEL = 'beamish:logDebug'

/** Starts to log what this thread's processes do. Returns the function that ends it. */
export function startLog(scheduler: number, options: LogOptions): () => void {
  const destination = pino.destination({ dest: options.file ?? 1, sync: true, append: true })
  const logger = pino(
    { level: options.level ?? 'info', base: { pid: process.pid, scheduler } },
    destination,
  )
  const line = (event: unknown): void => {
    const { level, message, ...fields } = event as LogLine
    logger[level](fields, message)
  }
  subscribe(LOG_CHANNEL, line)
  if (logger.isLevelEnabled('info')) subscribe(INFO_CHANNEL, line)
  if (logger.isLevelEnabled('debug')) subscribe(DEBUG_CHANNEL, line)
  const ends = [
    onEvent('crash', (report) => logCrash(logger, report)),
    onEvent('supervisor', (report) => logSupervisor(logger, report)),
    onEvent('application', (event) => logApplication(logger, event)),
    onEvent('notice', ({ level, message, ...fields }) => logger[level](fields, message)),
    onEvent('mailbox', ({ pid: _, scheduler: __, ...fields }) => {
      const { behaviour, name, process: who, length } = fields
      logger.warn(fields, `${length} messages wait in the mailbox of ${behaviour} ${name ?? who}`)
    }),
    onEvent('schedulerLost', (loss) => logLoss(logger, loss)),
    onEvent('uncloneable', (event) => {
      logger.error(
        event,
        `message from ${formatPid(event.from)} to ${event.to} dropped: ${event.path} is ${event.what}`,
      )
    }),
    () => unsubscribe(LOG_CHANNEL, line),
    () => unsubscribe(INFO_CHANNEL, line),
    () => unsubscribe(DEBUG_CHANNEL, line),
  ]
  return () => {
    for (const end of ends) end()
    destination.end()
  }
}

function logCrash(logger: Logger, report: CrashReport): void {
  const { process: who, behaviour, name, scheduler: _, reason, pid: __, ...rest } = report
  logger.error(
    {
      process: who,
      behaviour,
      ...(name === undefined ? {} : { name }),
      reason: formatReason(reason),
      stack: reasonStack(reason),
      ...rest,
      lastMessage: rest.lastMessage === undefined ? undefined : safeText(rest.lastMessage),
      state: rest.state === undefined ? undefined : safeText(rest.state),
    },
    `${behaviour} ${name ?? who} crashed: ${formatReason(reason)}${rest.stray === undefined ? '' : ` (stray: ${rest.stray})`}`,
  )
}

function logApplication(logger: Logger, { reason, ...fields }: ApplicationEvent): void {
  const { application, event } = fields
  const text = `application ${application} ${event}`
  if (reason === undefined) logger.info(fields, text)
  else {
    const why = formatReason(reason)
    logger.error({ ...fields, reason: why }, `${text}: ${why}`)
  }
}

function logLoss(logger: Logger, loss: ThreadLoss): void {
  const { scheduler: lost, message, ...fields } = loss
  if (loss.cause === 'stopped') return
  // A thread that got as far as to run something has told the error that ended it, with its stack.
  const told = !message.includes('\n') || (loss.cause === 'error' && loss.ranLast !== undefined)
  logger.error(
    { lost, ...fields, ...(told ? {} : { message }) },
    `scheduler ${lost} lost (${loss.cause}): ${describeLoss(loss)}`,
  )
}

function logSupervisor(logger: Logger, report: SupervisorReport): void {
  const { supervisor, context, child, pid, reason } = report
  const fields = {
    supervisor,
    context,
    child,
    ...(pid === undefined ? {} : { process: formatPid(pid) }),
    reason: formatReason(reason),
  }
  const text = `supervisor ${supervisor}: ${context} ${child}: ${formatReason(reason)}`
  const code = (reason as { error?: { code?: string } } | null)?.error?.code
  // A known mistake is told in one line by whoever starts the node.
  if (report.initial === true && /^(BEAMISH|CHN)_/.test(code ?? '')) logger.debug(fields, text)
  else if (context === 'child_terminated' && isShutdown(reason)) logger.info(fields, text)
  else logger.error(fields, text)
}
