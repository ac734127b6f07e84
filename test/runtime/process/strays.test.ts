/** Whom the kernel's own continuations belong to: nobody, whoever's handler asked for them. */
import { MessageChannel } from 'node:worker_threads'
import { onEvent } from 'beamish'
import t from 'tap'
import { connectPort } from '../../../runtime/node/port.ts'
import type { Behaviour } from '../../../runtime/process/behaviour.ts'
import { NO_PID } from '../../../runtime/process/pid.ts'
import type { Process } from '../../../runtime/process/process.ts'
import { anonymous } from '../../../runtime/process/raw.ts'
import { currentOwner, runAs } from '../../../runtime/process/strays.ts'
import { Board } from '../../../runtime/scheduler/board.ts'
import { nodeHost } from '../../../runtime/scheduler/host.ts'
import { Op } from '../../../runtime/scheduler/ops.ts'
import { Scheduler } from '../../../runtime/scheduler/scheduler.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'

/** Notes whose code runs at each message. */
function noting(containStrays: boolean, handled: (process: Process) => void): Behaviour {
  return {
    name: `test.noting ${containStrays}`,
    delivery: 'handle',
    containStrays,
    start: () => undefined,
    handle: handled,
  }
}

const request = { parent: NO_PID, ancestors: [] }

t.test('in one turn each handler is its own process’s, or nobody’s', (t) => {
  const node = new Simulation(1)
  const scheduler = node.scheduler(0)
  const seen: [Process, Process | undefined][] = []
  const note = (process: Process): unknown => seen.push([process, currentOwner()])
  const all = [true, false, true, true, false, false].map((contains) =>
    scheduler.spawn(noting(contains, note), undefined, request),
  )
  node.settle()
  for (let i = 0; i < 2; i++) for (const process of all) scheduler.deliver(process, i)
  node.turn(0)
  t.equal(seen.length, 12)
  for (const [process, owner] of seen) {
    t.equal(owner, process.containStrays ? process : undefined)
  }
  t.equal(currentOwner(), undefined, 'after the turn it is nobody’s')
  t.end()
})

t.test('a turn that the kernel itself fails in is nobody’s', (t) => {
  const node = new Simulation(1)
  const scheduler = node.scheduler(0)
  const process = scheduler.spawn(
    {
      ...noting(true, () => {
        throw new Error('in a handler')
      }),
      crashed: undefined,
      inspectState: () => {
        throw new Error('in the kernel')
      },
    } as Behaviour,
    undefined,
    request,
  )
  const off = onEvent('crash', () => {})
  scheduler.deliver(process, 1)
  t.throws(() => node.settle(), { message: 'in the kernel' })
  off()
  t.equal(currentOwner(), undefined)
  t.end()
})

t.test('a turn and an alarm that a process asked for are nobody’s', async (t) => {
  const host = nodeHost()
  const process = new Simulation(1).idle(0)
  const both = (): Promise<unknown[]> =>
    Promise.all([
      new Promise((resolve) => host.soon(() => resolve(currentOwner()))),
      new Promise((resolve) => host.alarm(1, () => resolve(currentOwner()))),
    ])
  const owners = await runAs(process, both, undefined)
  t.same(owners, [undefined, undefined])
})

t.test('what listens to the end of a process is nobody’s, whoever ended it', (t) => {
  const sim = new Simulation(1)
  const [killer, victim] = [sim.idle(0), sim.idle(0)]
  const owners: unknown[] = []
  const note = (): void => void owners.push(currentOwner())
  const both = (): void => {
    victim.onExit(note)
    victim.scheduler.exit(victim, 'killed')
    victim.onExit(note)
  }
  runAs(killer, both, undefined)
  t.same(owners, [undefined, undefined])
  t.end()
})

t.test('a port that comes up while a process asks main is nobody’s', async (t) => {
  const board = Board.create(2)
  const scheduler = new Scheduler({ id: 1, slot: 1, board, host: nodeHost() })
  t.teardown(() => scheduler.close())
  const main = new MessageChannel()
  const peer = new MessageChannel()
  t.teardown(() => {
    main.port2.close()
    peer.port2.close()
  })
  connectPort(scheduler, 0, main.port1)
  const idle = (): Process =>
    scheduler.spawn(
      anonymous(() => new Promise(() => {})),
      undefined,
      request,
    )
  const [asker, victim] = [idle(), idle()]
  main.port2.postMessage({ peer: 2, port: peer.port1 }, [peer.port1])
  runAs(asker, () => scheduler.peers.drainMain(), undefined)
  t.ok(scheduler.peers.has(2))
  const owner = new Promise((resolve) => victim.onExit(() => resolve(currentOwner())))
  peer.port2.postMessage([Op.Exit, NO_PID, victim.pid, 'kill'])
  t.equal(await owner, undefined)
})
