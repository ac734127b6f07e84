/**
 * Loaded into every test process by .taprc, so that what a test starts runs as it would outside of a test.
 *
 * tap hands its module loader hooks down in NODE_OPTIONS. A Worker obeys NODE_OPTIONS even when it is given an
 * `execArgv` of its own, and tap puts the variable back into the environment of every child process. Each scheduler
 * thread would boot with those hooks, several times slower. They serve coverage, which is switched off.
 */
delete process.env.NODE_OPTIONS
globalThis[Symbol.for('process-on-spawn@*:singletonId')]?.unwrap()
