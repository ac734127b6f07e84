// otp 60 to 105: the same server on the caller's scheduler and on another one. Numbers as in test/conformance/otp.md.
// Longer than 400 lines because one suite runs all of it at both places.
import {
  type BeamishNode,
  type CrashReport,
  Exit,
  type ExitReason,
  type From,
  onEvent,
  type Pid,
  type Placement,
  type Self,
} from 'beamish'
import t, { type Test } from 'tap'
import { downReason, isType, rejection, schedulerCounts, startNode } from '../kit.ts'
import { Answerer, Bare, Catching, Plain, type Start, Trapping } from './servers.ts'

const APP = new URL('./servers.ts', import.meta.url)

type Options = { readonly trap?: boolean; readonly init?: Start['init']; readonly link?: boolean }

interface Bench {
  readonly node: BeamishNode
  readonly self: Self
  readonly place: Placement
  start(options?: Options): Promise<PlainPid>
  terminated(pid: Pid): Promise<unknown>
}
const startPlain = (self: Self, start: Start, place: Placement) =>
  self.start(Plain, start, { place })
type PlainPid = Awaited<ReturnType<typeof startPlain>>

const failed = (reason: unknown): unknown => (reason as { reason?: unknown }).reason
const errorName = (reason: unknown): unknown =>
  (reason as { error?: { name?: unknown } } | undefined)?.error?.name

for (const schedulers of schedulerCounts) {
  t.test(`with ${schedulers} scheduler threads`, async (t) => {
    const node = await startNode(APP, schedulers)
    t.teardown(() => node.stop())
    const last = node.schedulers().at(-1) as number
    const places: [string, Placement][] = [
      ['on the same scheduler', 'here'],
      ['on another thread', { scheduler: last }],
    ]
    for (const [title, place] of places) {
      const { self } = node
      const bench: Bench = {
        node,
        self,
        place,
        start: ({ trap = false, init, link = false } = {}) =>
          self.start(
            trap ? Trapping : Plain,
            { witness: self.pid, ...(init === undefined ? {} : { init }) },
            { place, link },
          ),
        terminated: async (pid) => {
          const message = await self.receive(
            (m): m is { reason: unknown } => isType('terminated')(m) && m.pid === pid,
            5_000,
          )
          return message?.reason
        },
      }
      await t.test(title, (t) => suite(t, bench))
    }
  })
}

async function suite(t: Test, bench: Bench): Promise<void> {
  const { node, self, place, start, terminated } = bench

  /** No terminate message of that process: it is dead and what it sent came before its DOWN. */
  const noTerminate = async (t: Test, pid: Pid): Promise<void> => {
    const message = await self.receive((m) => isType('terminated')(m) && m.pid === pid, 0)
    t.equal(message, undefined, 'terminate did not run')
  }

  await t.test('it runs where it was placed', async (t) => {
    const where = await self.call(await start(), 'where')
    if (place === 'here') t.equal(where, self.scheduler)
    else t.not(where, self.scheduler)
  })

  await t.test(
    'otp 60, 62, 63: a failed init is the answer of start, and the name is free',
    async (t) => {
      const begin = async (init: Start['init'], reason?: ExitReason) =>
        rejection(
          self.start(
            Plain,
            { witness: self.pid, init, ...(reason ? { reason } : {}) },
            {
              place,
              name: 'unborn',
            },
          ),
        )
      t.equal(await begin('stop'), 'because')
      t.equal(await begin('exit'), 'because')
      t.match(await begin('throw'), { error: { name: 'TypeError', message: 'no init' } })
      t.match(await begin('reply'), { badReturn: { callback: 'init' } })
      t.same(await begin('stop', { why: ['data'] }), { why: ['data'] })
      t.equal(await self.whereis('unborn'), undefined)
    },
  )

  await t.test(
    'otp 61: ignore is no error, and a linked starter that does not trap lives',
    async (t) => {
      const starter = self.spawn(async (inner) => {
        const error = await inner
          .startLink(Plain, { witness: inner.pid, init: 'ignore' }, { place })
          .catch((e: unknown) => e as { ignored: boolean })
        inner.send(node.self.pid, {
          type: 'ignored',
          ignored: (error as { ignored: boolean }).ignored,
        })
      })
      const ref = self.monitor(starter)
      t.equal((await self.receive(isType('ignored'), 5_000))?.ignored, true)
      t.equal(await downReason(node, ref), 'normal')
    },
  )

  await t.test(
    'otp 64: an abnormal init ends a linked starter that does not trap exits',
    async (t) => {
      const starter = self.spawn(async (inner) => {
        await inner
          .startLink(Plain, { witness: inner.pid, init: 'stop' }, { place })
          .catch(() => undefined)
        await inner.receive()
      })
      t.equal(await downReason(node, self.monitor(starter)), 'because')
    },
  )

  await t.test(
    'otp 65: a taken name answers alreadyStarted with its owner, and nobody dies',
    async (t) => {
      const crashes: CrashReport[] = []
      t.teardown(onEvent('crash', (report) => crashes.push(report)))
      const owner = await self.start(Plain, { witness: self.pid }, { place, name: 'taken' })
      const starter = self.spawn(async (inner) => {
        const again = inner.startLink(Plain, { witness: inner.pid }, { place, name: 'taken' })
        inner.send(node.self.pid, { type: 'again', reason: await rejection(again) })
      })
      const ref = self.monitor(starter)
      t.same((await self.receive(isType('again'), 5_000))?.reason, { alreadyStarted: owner })
      t.equal(await downReason(node, ref), 'normal', 'a linked starter that does not trap lives on')
      t.equal(await self.whereis('taken'), owner)
      t.same(crashes, [], 'a taken name is no crash')
      await noTerminate(t, starter)
      await self.stop(owner)
      await terminated(owner)
    },
  )

  await t.test(
    'otp 66: a slow init ends at the start timeout, and leaves no process',
    async (t) => {
      const argument: Start = { witness: self.pid, init: 'slow' }
      const starting = self.start(Plain, argument, { place, timeoutMs: 30, name: 'slow' })
      t.equal(await rejection(starting), 'timeout')
      t.equal(await downReason(node, self.monitor('slow')), 'noproc')
    },
  )

  await t.test(
    'otp 66: a start that times out before its pid is known leaves no process',
    async (t) => {
      const argument: Start = { witness: self.pid }
      const outcome = await rejection(
        self.start(Plain, argument, { place, timeoutMs: 0, name: 'at once' }),
      )
      if (outcome === 'timeout') {
        const pid = await self.whereis('at once')
        if (pid !== undefined) await downReason(node, self.monitor(pid))
        t.equal(await self.whereis('at once'), undefined)
      } else {
        t.equal(outcome, 'resolved')
        await self.stop('at once' as never)
      }
      await self.receive(isType('terminated'), 0)
    },
  )

  await t.test('otp 67: terminate is not called when init fails', async (t) => {
    for (const init of ['stop', 'throw', 'exit', 'reply', 'ignore'] as const) {
      await rejection(start({ trap: true, init }))
    }
    const fence = await start()
    await self.stop(fence)
    t.equal(await terminated(fence), 'normal', 'of the fence alone')
    t.equal(await self.receive(isType('terminated'), 0), undefined)
  })

  await t.test(
    'otp 68: the continue of init runs before messages that were sent earlier',
    async (t) => {
      const pid = await start({ init: 'continue' })
      t.same(await self.call(pid, 'log'), ['continue more', 'note'])
    },
  )

  await t.test('otp 69: the continue of a reply runs before the next message', async (t) => {
    const pid = await start()
    const replied = self.call(pid, 'replyContinue', 'next')
    self.cast(pid, 'note', 'after')
    t.equal(await replied, 'replied')
    t.same(await self.call(pid, 'log'), ['continue next', 'after'])
  })

  await t.test('otp 70: a call answers after the casts and messages before it', async (t) => {
    const pid = await start()
    for (let i = 0; i < 100; i++) self.cast(pid, 'note', i)
    self.send(pid, 'note')
    const log = await self.call(pid, 'log')
    t.same(log, [...Array.from({ length: 100 }, (_, i) => i), 'note'])
  })

  await t.test('any plain value is a reply, undefined too', async (t) => {
    const pid = await start()
    for (const value of [undefined, null, 0, '', false, [1], { type: 'call' }]) {
      t.same(await self.call(pid, 'echo', value), value)
    }
    t.equal(await self.call(pid, 'undefinedReply'), undefined)
  })

  await t.test('a reply may carry a new state', async (t) => {
    const pid = await start()
    t.equal(await self.call(pid, 'newState', 7), 7)
    t.equal(await self.call(pid, 'count'), 7)
  })

  await t.test('otp 71: a reply may come later, from a later callback', async (t) => {
    const pid = await start()
    const held = self.call(pid, 'hold')
    self.cast(pid, 'release', 'at last')
    t.equal(await held, 'at last')
  })

  await t.test(
    'otp 71: a reply may come from another process, here or on another thread',
    async (t) => {
      const pid = await start()
      for (const answererPlace of [
        'here',
        { scheduler: node.schedulers()[0] as number },
      ] as const) {
        const answer = self.call(pid, 'handOut', self.pid)
        const handed = await self.receive(isType('from'), 5_000)
        const from = handed?.from as From
        await self.spawn(Answerer, { from, value: 'by another' }, { place: answererPlace })
        t.equal(await answer, 'by another')
      }
    },
  )

  await t.test(
    'a reply may go out before the callback ends, and a second one goes nowhere',
    async (t) => {
      const pid = await start()
      t.equal(await self.call(pid, 'early', 'first'), 'first')
      t.equal(await self.call(pid, 'echo', 'in order'), 'in order')
      t.equal(await self.receive(undefined, 0), undefined, 'nothing in the mailbox')
    },
  )

  await t.test(
    'otp 72, 73: a call times out, and its late reply leaves nothing behind',
    async (t) => {
      const pid = await start()
      const outcome = await rejection(self.call(pid, 'slow', 40, { timeoutMs: 5 }))
      t.match(outcome, { call: { event: 'slow' }, reason: 'timeout' })
      t.equal(await self.call(pid, 'echo', 'alive'), 'alive', 'the server is through with it')
      t.equal(await self.receive(undefined, 0), undefined, 'no stray reply')
      const info = await self.info(pid)
      t.same(info?.watchers, [], 'the monitor of the call is gone')
    },
  )

  await t.test('otp 74: a call to a dead pid or an unknown name fails with noproc', async (t) => {
    const pid = await start()
    await self.stop(pid)
    await terminated(pid)
    t.equal(failed(await rejection(self.call(pid, 'count'))), 'noproc')
    t.equal(failed(await rejection(self.call('nobody', 'count'))), 'noproc')
    t.equal(failed(await rejection(self.call(Plain.named('nobody'), 'count'))), 'noproc')
  })

  await t.test('otp 75: a process cannot call itself', async (t) => {
    t.equal(failed(await rejection(self.call(self.pid, 'count'))), 'calling_self')
  })

  await t.test(
    'otp 76: a server that stops normal during a call ends the call with normal',
    async (t) => {
      const pid = await start()
      const reason = await rejection(self.call(pid, 'stop', 'normal'))
      t.match(reason, { call: { event: 'stop' }, reason: 'normal' })
      t.equal(await terminated(pid), 'normal')
    },
  )

  await t.test('otp 77: a server killed during a call ends the call with killed', async (t) => {
    const pid = await start({ trap: true })
    const calling = rejection(self.call(pid, 'never'))
    self.exit(pid, 'kill')
    t.equal(failed(await calling), 'killed')
    await noTerminate(t, pid)
  })

  for (const call of ['misbehave', 'misbehaveLater'] as const) {
    await t.test(
      `otp 78: a throw in a handler (${call}) ends the call, and terminate runs`,
      async (t) => {
        const pid = await start()
        const ref = self.monitor(pid)
        const reason = await rejection(self.call(pid, call, 'throw'))
        t.equal(errorName(failed(reason)), 'TypeError')
        t.equal(errorName(await terminated(pid)), 'TypeError')
        t.equal(errorName(await downReason(node, ref)), 'TypeError')
      },
    )

    await t.test(`otp 78: an Exit from a handler (${call}) keeps its reason`, async (t) => {
      const pid = await start()
      const ref = self.monitor(pid)
      t.equal(failed(await rejection(self.call(pid, call, 'exit'))), 'left')
      t.equal(await terminated(pid), 'left')
      t.equal(await downReason(node, ref), 'left')
    })

    await t.test(
      `otp 79: a thrown answer (${call}) is returned, and the server lives`,
      async (t) => {
        const pid = await start()
        t.equal(await self.call(pid, call, 'reply'), 'thrown')
        t.equal(await self.call(pid, 'echo', 1), 1)
        t.equal(await self.call(pid, call, 'reply'), 'thrown')
        // A later throw is a crash like the first one would be.
        t.equal(errorName(failed(await rejection(self.call(pid, call, 'throw')))), 'TypeError')
        t.equal(errorName(await terminated(pid)), 'TypeError')
      },
    )

    await t.test(`a thrown value (${call}) that is no error is nocatch`, async (t) => {
      const pid = await start()
      t.same(failed(await rejection(self.call(pid, call, 'loose'))), { nocatch: 'loose' })
      t.same(await terminated(pid), { nocatch: 'loose' })
    })
  }

  await t.test(
    'otp 80: a bad return ends the server with badReturn, and terminate runs',
    async (t) => {
      const called = await start()
      t.match(failed(await rejection(self.call(called, 'bad'))), {
        badReturn: { callback: 'handleCall' },
      })
      t.match(await terminated(called), { badReturn: { callback: 'handleCall' } })
      const cast = await start()
      self.cast(cast, 'bad')
      t.match(await terminated(cast), { badReturn: { callback: 'handleCast.bad', value: '42' } })
      const told = await start()
      self.send(told, 'bad')
      t.match(await terminated(told), { badReturn: { callback: 'handleInfo.bad' } })
    },
  )

  await t.test('otp 81: stopWithReply terminates, then replies, then exits', async (t) => {
    const pid = await start()
    const ref = self.monitor(pid)
    t.equal(await self.call(pid, 'stopWithReply', 'normal'), 'bye')
    t.equal(
      (await self.receive(isType('terminated'), 0))?.reason,
      'normal',
      'terminate ran before the reply',
    )
    t.equal(await downReason(node, ref), 'normal')
  })

  await t.test('otp 82: a cast to nobody is no error', async (t) => {
    const pid = await start()
    await self.stop(pid)
    await terminated(pid)
    self.cast(pid, 'note', 1)
    self.cast('nobody', 'note', 1)
    self.cast(Plain.named('nobody'), 'note', 1)
    t.equal(await self.alive(self.pid), true)
  })

  await t.test('otp 83: timeoutMs fires handleInfo.timeout', async (t) => {
    const pid = await start()
    await self.call(pid, 'replyTimeout', 5)
    await self.sleep(30)
    t.same(await self.call(pid, 'log'), ['timeout'])
  })

  await t.test('otp 84: a message before the timeout cancels it', async (t) => {
    const pid = await start()
    await self.call(pid, 'replyTimeout', 20)
    self.cast(pid, 'note', 'message')
    await self.sleep(50)
    t.same(await self.call(pid, 'log'), ['message'])
  })

  await t.test('a timeout of 0 loses against a message that is already waiting', async (t) => {
    const pid = await start()
    const replied = self.call(pid, 'replyTimeout', 0)
    self.cast(pid, 'note', 'message')
    await replied
    await self.sleep(10)
    t.same(await self.call(pid, 'log'), ['message'])
  })

  await t.test('otp 86: a negative timeout is a bad return', async (t) => {
    const pid = await start()
    const ref = self.monitor(pid)
    t.equal(await self.call(pid, 'replyTimeout', -1), 'waiting')
    t.match(await downReason(node, ref), { badReturn: { callback: 'timeoutMs' } })
    await terminated(pid)
  })

  /** A parent on this scheduler with a linked child in place; ends with `reason` when told to. */
  const withParent = async (
    trap: boolean,
    reason: ExitReason,
  ): Promise<{ child: Pid; end(): void }> => {
    const parent = self.spawn(async (inner) => {
      inner.trapExit(true)
      const behaviour = trap ? Trapping : Plain
      const child = await inner.startLink(behaviour, { witness: node.self.pid }, { place })
      inner.send(node.self.pid, { type: 'child', pid: child })
      await inner.receive(isType('end'))
      inner.exit(reason)
    })
    const told = await self.receive(isType('child'), 5_000)
    return { child: told?.pid as Pid, end: () => self.send(parent, { type: 'end' }) }
  }

  for (const reason of ['normal', 'shutdown', 'boom', { shutdown: 'why' }] as ExitReason[]) {
    await t.test(
      `otp 89: trapping, it terminates when its parent exits ${JSON.stringify(reason)}`,
      async (t) => {
        const { child, end } = await withParent(true, reason)
        const ref = self.monitor(child)
        end()
        t.same(await terminated(child), reason)
        t.same(await downReason(node, ref), reason)
      },
    )
  }

  await t.test('otp 90: not trapping, it outlives a parent that exits normal', async (t) => {
    const { child, end } = await withParent(false, 'normal')
    const links = (await self.info(child))?.links.length
    t.equal(links, 1)
    end()
    // The link is gone once the parent's exit has been handled.
    while (((await self.info(child))?.links.length ?? 0) > 0) await self.sleep(1)
    t.equal(await self.alive(child), true)
    self.exit(child, 'kill')
  })

  await t.test(
    'otp 91: not trapping, it dies with its parent and terminate does not run',
    async (t) => {
      const { child, end } = await withParent(false, 'shutdown')
      const ref = self.monitor(child)
      end()
      t.equal(await downReason(node, ref), 'shutdown')
      await noTerminate(t, child)
    },
  )

  await t.test('otp 92: an exit signal of a stranger is a message to one that traps', async (t) => {
    const { child, end } = await withParent(true, 'normal')
    self.exit(child, 'shutdown')
    t.same(await self.call(child as PlainPid, 'log'), [['EXIT', 'shutdown']])
    end()
    t.equal(await terminated(child), 'normal')
  })

  await t.test('otp 93: the end of a link partner that is no parent is a message', async (t) => {
    const pid = await start({ trap: true })
    const partner = self.spawn(async (inner) => {
      await inner.receive(isType('end'))
      inner.exit('boom')
    })
    self.cast(pid, 'link', partner)
    await self.call(pid, 'count')
    const ref = self.monitor(partner)
    self.send(partner, { type: 'end' })
    await downReason(node, ref)
    t.same(await self.call(pid, 'log'), [['EXIT', 'boom']])
    await self.stop(pid)
    await terminated(pid)
  })

  await t.test('otp 94: killed, terminate does not run', async (t) => {
    const pid = await start({ trap: true })
    const ref = self.monitor(pid)
    self.exit(pid, 'kill')
    t.equal(await downReason(node, ref), 'killed')
    await noTerminate(t, pid)
  })

  await t.test('an untrapped exit signal ends it without terminate', async (t) => {
    const pid = await start()
    const ref = self.monitor(pid)
    self.exit(pid, 'boom')
    t.equal(await downReason(node, ref), 'boom')
    await noTerminate(t, pid)
  })

  await t.test('otp 95: stop runs terminate with the reason and resolves', async (t) => {
    for (const reason of ['normal', 'shutdown', { why: [1] }] as ExitReason[]) {
      const pid = await start()
      await self.stop(pid, reason)
      t.same(await terminated(pid), reason)
    }
  })

  await t.test('otp 95: stop returned from a cast and an info terminates', async (t) => {
    const cast = await start()
    self.cast(cast, 'stop', 'enough')
    t.equal(await terminated(cast), 'enough')
    const told = await start()
    self.send(told, 'stop')
    t.equal(await terminated(told), 'asked')
  })

  await t.test('otp 96: stop of a dead process fails with noproc', async (t) => {
    const pid = await start()
    await self.stop(pid)
    await terminated(pid)
    t.equal(failed(await rejection(self.stop(pid))), 'noproc')
    t.equal(failed(await rejection(self.stop('nobody' as never))), 'noproc')
  })

  await t.test('otp 97: a stop that times out still stops later', async (t) => {
    const pid = await start()
    const ref = self.monitor(pid)
    const slow = rejection(self.call(pid, 'slow', 40))
    t.equal(failed(await rejection(self.stop(pid, 'normal', { timeoutMs: 5 }))), 'timeout')
    t.equal(await slow, 'resolved')
    t.equal(await downReason(node, ref), 'normal')
    t.equal(await terminated(pid), 'normal')
    t.equal(await self.receive(undefined, 0), undefined, 'nothing of the stop is left')
  })

  await t.test('otp 98: a process cannot stop itself', async (t) => {
    t.equal(failed(await rejection(self.stop(self.pid))), 'calling_self')
  })

  await t.test('otp 99: what terminate throws is the exit reason', async (t) => {
    const pid = await start()
    const ref = self.monitor(pid)
    t.equal(await rejection(self.stop(pid, 'terminate throws')), 'thrown by terminate')
    t.equal(await downReason(node, ref), 'thrown by terminate')
    await terminated(pid)
  })

  await t.test('otp 100: without a terminate callback it stops cleanly', async (t) => {
    const pid = await self.start(Bare, undefined, { place })
    const ref = self.monitor(pid)
    await self.stop(pid, 'shutdown')
    t.equal(await downReason(node, ref), 'shutdown')
  })

  await t.test(
    'otp 101: a message without a handler is dropped, and the server lives',
    async (t) => {
      const pid = await start()
      for (const message of ['unheard', { type: 'unheard' }, 7, null, undefined, { no: 'type' }]) {
        self.send(pid, message)
      }
      self.send(pid, 'toString')
      self.send(pid, { type: '__proto__' })
      t.same(await self.call(pid, 'log'), [])
    },
  )

  await t.test('otp 102: a call or cast without a handler ends the server', async (t) => {
    const pid = await start()
    const reason = await rejection(self.call(pid as Pid, 'nothing'))
    t.match(failed(reason), { error: { code: 'BEAMISH_NO_HANDLER' } })
    t.match(await terminated(pid), { error: { code: 'BEAMISH_NO_HANDLER' } })
    const cast = await start()
    self.cast(cast as Pid, 'hasOwnProperty')
    t.match(await terminated(cast), { error: { code: 'BEAMISH_NO_HANDLER' } })
  })

  await t.test('handleInfo as one function gets every message', async (t) => {
    const pid = await self.start(Catching, undefined, { place })
    const messages = ['text', 7, null, { type: 'a', b: [1] }]
    for (const message of messages) self.send(pid, message)
    t.same(await self.call(pid, 'log'), messages)
  })

  await t.test(
    'otp 111: half a million messages in its mailbox do not slow a caller down',
    async (t) => {
      const pid = await start()
      const witness = self.pid
      const junk = 500_000
      let looked = 0
      self.spawn(async (inner) => {
        for (let i = 0; i < junk; i++) inner.send(inner.pid, { type: 'junk', i })
        // Counts what a search of the mailbox would look at: a reply takes none.
        const first = await inner.receive((m): m is { i: number } => {
          looked++
          return isType('junk')(m)
        })
        const before = looked
        for (let i = 0; i < 500; i++) await inner.call(pid, 'echo', i)
        const rest = (await inner.info(inner.pid))?.mailboxLength
        inner.send(witness, { type: 'called', looks: looked - before, first: first.i, rest })
      })
      const told = await self.receive(isType('called'), 60_000)
      t.match(told, { looks: 0, first: 0, rest: junk - 1 })
    },
  )

  await t.test('otp 111: behind half a million messages a call is answered', async (t) => {
    const pid = await start()
    for (let i = 0; i < 500_000; i++) self.send(pid, 'timeout')
    const log = await self.call(pid, 'log', undefined, { timeoutMs: 60_000 })
    t.equal(log.length, 500_000, 'in order behind all of them')
    self.exit(pid, 'kill')
  })

  await t.test('otp 114: a bad name is refused, and no name is fine', async (t) => {
    for (const name of ['', 'x'.repeat(256), 'a\u0000b', 7 as never, null as never]) {
      const reason = await rejection(self.start(Plain, { witness: self.pid }, { place, name }))
      t.match(reason, { error: { code: 'BEAMISH_NAME_INVALID' } })
    }
    const pid = await self.start(Plain, { witness: self.pid }, { place })
    t.equal((await self.info(pid))?.name, undefined)
    self.exit(pid, 'kill')
    await self.receive(isType('terminated'), 0)
  })

  if (place !== 'here') return

  await t.test('otp 101: a message without a handler is noticed', async (t) => {
    const notices: string[] = []
    t.teardown(onEvent('notice', ({ code, message }) => notices.push(`${code} ${message}`)))
    const pid = await start()
    self.send(pid, { type: 'unheard' })
    await self.call(pid, 'count')
    t.equal(notices.length, 1)
    t.match(notices[0], /^unhandled_info test\.plain .* has no handleInfo\.unheard/)
  })

  await t.test('otp 103, 105: orderly ends, kills and signals make no crash report', async (t) => {
    const crashes: CrashReport[] = []
    t.teardown(onEvent('crash', (report) => crashes.push(report)))
    for (const reason of ['normal', 'shutdown', { shutdown: 'why' }] as ExitReason[]) {
      const pid = await start()
      await self.stop(pid, reason)
      await terminated(pid)
    }
    for (const reason of ['kill', 'boom'] as ExitReason[]) {
      const pid = await start()
      const ref = self.monitor(pid)
      self.exit(pid, reason)
      await downReason(node, ref)
    }
    t.same(crashes, [])
  })

  await t.test('otp 104: any other end makes one crash report with what led to it', async (t) => {
    const crashes: CrashReport[] = []
    t.teardown(onEvent('crash', (report) => crashes.push(report)))
    const thrown = await start()
    await rejection(self.call(thrown, 'misbehave', 'throw'))
    t.equal(crashes.length, 1)
    t.match(crashes[0], {
      pid: thrown,
      behaviour: 'test.plain',
      scheduler: 0,
      reason: { error: { name: 'TypeError' } },
      lastMessage: { call: 'misbehave', payload: 'throw' },
      state: { count: 99 },
      mailboxLength: 0,
    })
    const stopped = await start()
    await self.stop(stopped, 'odd').catch((e: unknown) => e instanceof Exit)
    t.match(crashes[1], { pid: stopped, reason: 'odd' })
    const bad = await start()
    await rejection(self.call(bad, 'bad'))
    t.match(crashes[2], { pid: bad, reason: { badReturn: { callback: 'handleCall' } } })
    await rejection(start({ init: 'throw' }))
    t.match(crashes[3], { reason: { error: { message: 'no init' } } })
    t.equal(crashes.length, 4)
    for (const pid of [thrown, stopped, bad]) await terminated(pid)
  })
}
