/**
 * The registry of error codes. Every error a Beamish API throws is made here: a code to match on, a message that names
 * the fix, and the fields the message was made from. `docs/errors.md` lists the same codes; a test keeps both in step.
 */

const TEMPLATES = {
  BEAMISH_BAD_OPTION: 'option {option} is {got}: {fix}',
  BEAMISH_BAD_ENV: 'environment variable {name} is {got}: {fix}',
  BEAMISH_BAD_CHILD: 'child {child} cannot be supervised: {fix}',
  BEAMISH_BEHAVIOUR_UNKNOWN:
    'no behaviour named {name} on scheduler {scheduler}: define it in a module that the app module imports, so that every thread has it',
  BEAMISH_BEHAVIOUR_DUPLICATE:
    'a behaviour named {name} is already defined: give this one another name, behaviours are found by name on every thread',
  BEAMISH_APP_LOAD:
    'the app module {module} failed to load: {message}: fix the module, it is imported by every scheduler thread',
  BEAMISH_APP_EXPORT:
    'the app module {module} has {got} as its default export: export default supervisor({ strategy, children }) or application({ name, children })',
  BEAMISH_APP_UNCLONEABLE:
    'the default export of the app module {module} must be data that can cross threads: {path} is {what}: name a behaviour or an exported factory instead',
  BEAMISH_BOOT_TIMEOUT:
    'scheduler {scheduler} was not up after {timeoutMs} ms: look for blocking work at the top level of the app module, or raise bootTimeoutMs',
  BEAMISH_BOOT_EXIT: 'scheduler {scheduler} ended during boot: {message}',
  BEAMISH_START_FAILED: 'the supervision tree did not start: {reason}',
  BEAMISH_TREE_ENDED:
    'the supervision tree ended: {reason}: see the crash reports above; raise maxRestarts only if so many are expected',
  BEAMISH_APPLICATION_START:
    'application {application} did not start: {reason}: correct its callback or child, or make it temporary if the node can do without',
  BEAMISH_APPLICATION_ENDED:
    'the {type} application {application} ended, and the node with it: {reason}: see the crash reports above; the node runs on without one that is temporary',
  BEAMISH_APPLICATION_CYCLE:
    'applications need each other in a circle: {circle}: take one of them out of the applications of the one before it',
  BEAMISH_APPLICATION_DUPLICATE:
    'two applications are named {application}: name each once, and give the one that application() made wherever it is needed',
  BEAMISH_APPLICATION_STATE:
    'callback {callback} of application {application} returned what cannot cross threads: {path} is {what}: return plain data, and keep the rest in a process',
  BEAMISH_APPLICATION_UNKNOWN:
    'this node has no application named {application}, but {known}: give one of those names',
  BEAMISH_APPLICATION_STOPPED:
    'application {application} does not run: node.startApplication() starts it',
  BEAMISH_PORT_IN_USE:
    'port {port} on {host} is in use: stop the other server or choose another port with PORT',
  BEAMISH_LISTEN_FAILED:
    'cannot listen on {host}:{port}: {message}: set HOST and PORT to an address of this machine',
  BEAMISH_CONTROL_TIMEOUT: 'scheduler {scheduler} did not answer {call} within {timeoutMs} ms',
  BEAMISH_CONTROL_GONE: 'scheduler {scheduler} ended while {call} was waiting for its answer',
  BEAMISH_PROCESS_EXIT:
    'process.exit({code}) was called {where}: use self.exit(reason) to end a process, node.stop() to end the node',
  BEAMISH_NOT_LINKABLE: 'cannot link to {pid}: it is no process (noproc); spawnLink links at birth',
  BEAMISH_BAD_DESTINATION:
    '{got} is neither a pid nor a name: pass a Pid, a name or a reference made by named()',
  BEAMISH_UNCLONEABLE:
    'a message from {from} to {to} cannot be sent to another thread: {path} is {what}; send plain data{hint}',
  BEAMISH_NAME_TAKEN: 'the name {name} belongs to {pid}: choose another name or wait for its DOWN',
  BEAMISH_NAME_INVALID: '{got} cannot be a name: use a non-empty string of at most 255 characters',
  BEAMISH_NAME_DEAD: '{pid} is not alive: only a living process can be registered',
  BEAMISH_NAME_SECOND:
    '{pid} is already registered as {name}: a process has one name, unregister it first',
  BEAMISH_BAD_TIMEOUT:
    'timeout {got} is no number of milliseconds from 0 to 2147483647 or Infinity',
  BEAMISH_NOT_RAW:
    '{call} works in raw processes only: a behaviour gets its messages in handleInfo',
  BEAMISH_RECEIVE_PENDING: '{pid} waits in receive() already: await one receive() before the next',
  BEAMISH_ROOT_PLACEMENT:
    'child {child} at the root has place {place}: {why}, use "any", "each" or { key }',
  BEAMISH_NO_HANDLER:
    'behaviour {behaviour} has no {callback}.{event}: add the handler, or correct the event name',
  BEAMISH_THREADS_LOST:
    'more than {max} threads were lost within {seconds} s, the last one by: {message}: see the crash reports above; raise maxLostThreads only if this is expected',
  BEAMISH_NO_SCHEDULER:
    'no scheduler {scheduler} runs processes: node.schedulers() lists those that do, and ids are never used again',
  BEAMISH_NODE_STOPPED: 'the node has stopped: start() a new one',
  BEAMISH_CONTROL_SOCKET:
    'the directory {path} cannot hold control sockets: {why}: name another one with CONTROL_DIR',
  BEAMISH_CONTROL_REQUEST:
    'a control socket has no answer: {why}: use the same version on both sides',
  BEAMISH_NO_NODE:
    'no node {which} in {directory}: start one with beamish <app module>, or with the option controlSocket, as the same user and with the same CONTROL_DIR',
  BEAMISH_WHICH_NODE: 'several nodes run here, name one by its process id: {pids}',
  BEAMISH_NODE_SILENT:
    'the node {which} does not answer {call}: {why}: look at what its main thread does, or whether it has ended',
  BEAMISH_SCHEDULER_IDS_SPENT:
    'all {limit} scheduler ids of this node are used up: restart the node, and look at why its threads end',
  BEAMISH_PROCESS_LIMIT:
    'scheduler {scheduler} already runs {limit} processes: spread them over more threads',
  BEAMISH_FUNCTION_ELSEWHERE:
    'a function of scheduler {from} cannot cross threads to {what}: give { module: import.meta.url, name, args } of an exported function instead',
  BEAMISH_NO_EXPORT:
    'module {module} exports no function {name}, but {got}: export it, or correct the name',
  BEAMISH_TASK_OWNER:
    'task {task} belongs to {owner}, not to {pid}: only the process that started a task may {call} it',
  BEAMISH_DIRTY_QUEUE:
    '{limit} jobs of task.cpu wait on this thread already: ask for fewer at a time, as with task.asyncStream, or raise dirtyThreads or maxDirtyQueue',
  BEAMISH_TASK_SPENT:
    'the outcome of task {task} has been taken already: await, shutdown or ignore a task once',
  BEAMISH_ALREADY_REGISTERED: 'key {key} of registry {registry} belongs to {pid}',
  BEAMISH_TEST_ASSERTION: '{message}{timeline}',
  BEAMISH_TEST_UNREPRODUCIBLE:
    '{behaviour} {process} awaits something that is no operation of the runtime, in {message}: virtual time cannot bring it about; use self.sleep, self.call and the like there, or put what is real behind a process that the test replaces',
  BEAMISH_TEST_NOT_SIMULATED: '{what} is not simulated by a test node: {fix}',
  BEAMISH_TEST_ENDLESS:
    'the processes did not come to rest within {steps} steps: look for two that answer each other for ever, or a timer that rings at once; raise maxSteps if so many are expected',
  BEAMISH_SYS_RAW:
    '{pid} is a raw process and does not answer sys.{request}: its state is in its function; self.info() tells what is known of it, self.exit() ends it',
  BEAMISH_SYS_REFUSED: '{behaviour} {pid} does not answer sys.{request}: {why}',
  BEAMISH_SYS_FAILED: 'sys.{request} of {behaviour} {pid} failed and has changed nothing: {reason}',
  BEAMISH_SYS_RUNNING:
    '{behaviour} {pid} runs, and its code changes only while it is suspended: sys.suspend() it first',
  BEAMISH_SYS_MODULE: 'sys.{request} of {behaviour} {pid}: module {module} {why}',
  // Layers above: the message is made where the mistake is seen.
  CHN_HISTORY: '{message}',
  CHN_PAYLOAD: '{message}',
  CHN_FIELD_TOO_LONG: '{message}',
  CHN_ORIGIN_RULE: '{message}',
  CHN_SECRET: '{message}',
  CHN_TOKEN_DATA: '{message}',
  CHN_TOKEN_TOO_LONG: '{message}',
  CHN_CSRF_SECRET: '{message}',
  CHN_COOKIE: '{message}',
  CHN_SESSION_TOO_LARGE: '{message}',
  CHN_SCHEMA: '{message}',
  CHN_SCHEMA_ASYNC: '{message}',
  CHN_PENDING: '{message}',
  CHN_FORM: '{message}',
  CHN_NOT_JOINED: '{message}',
  CHN_PUSH: '{message}',
  CHN_NO_REF: '{message}',
  CHN_ANSWER: '{message}',
  CHN_SERIALIZER: '{message}',
  CHN_TRACKER: '{message}',
  LVW_TEMPLATE: '{message}',
} as const

export type ErrorCode = keyof typeof TEMPLATES

/**
 * An error made by Beamish. `code` is stable and documented in docs/errors.md; `fields` holds what the message was made
 * from. It survives copies of the library: `instanceof` looks at a registered symbol, not at the class.
 *
 * @example
 * ```ts
 * import { BeamishError } from 'beamish'
 * const error = new BeamishError('BEAMISH_NAME_INVALID', { got: '""' })
 * console.assert(error instanceof BeamishError && error.code === 'BEAMISH_NAME_INVALID')
 * ```
 */
export class BeamishError extends Error {
  readonly code: ErrorCode
  readonly fields: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, fields: Record<string, unknown> = {}, cause?: unknown) {
    super(
      TEMPLATES[code].replace(/\{(\w+)\}/g, (_, name: string) => String(fields[name] ?? '')),
      cause === undefined ? undefined : { cause },
    )
    this.name = 'BeamishError'
    this.code = code
    this.fields = fields
  }

  get [Symbol.for('beamish.error')](): true {
    return true
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A kind of it is told by its class: the symbol is the same for all.
    if (this !== BeamishError) return Function.prototype[Symbol.hasInstance].call(this, value)
    return (
      typeof value === 'object' &&
      value !== null &&
      Symbol.for('beamish.error') in (value as object)
    )
  }
}

/** All codes, for the test that compares them with the docs. */
export const errorCodes: readonly ErrorCode[] = Object.keys(TEMPLATES) as ErrorCode[]

/** The template of a code, for docs. */
export const errorTemplate = (code: ErrorCode): string => TEMPLATES[code]
