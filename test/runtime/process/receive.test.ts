/** Raw processes: what receive takes, in which order, and when it gives up. Numbered as in test/conformance/otp.md. */
import { genServer, type Pid, type RawBody, type Self } from 'beamish'
import t from 'tap'
import { Stage } from '../stage.ts'

const stage = await Stage.open()
t.teardown(() => stage.node.stop())
const { self } = stage.node

const isNumber = (m: unknown): m is number => typeof m === 'number'
const isString = (m: unknown): m is string => typeof m === 'string'

/** Tries to receive within a handler. */
const Deaf = genServer('deaf', {
  init: () => 0,
  handleCall: {
    async listen(_state, _payload: undefined, its) {
      try {
        return await its.receive()
      } catch (error) {
        return { code: (error as { code: unknown }).code }
      }
    },
  },
})

/** Runs a body as a process; what it returns, or the reason it ended with. */
async function run(body: (self: Self, outside: Pid) => unknown): Promise<unknown> {
  const raw: RawBody<undefined> = async (its) => {
    its.send(self.pid, { result: await body(its, self.pid) })
  }
  const { ref } = self.spawnMonitor(raw)
  const last = await stage.receive(
    'the result of a process',
    (m): m is { result?: unknown; reason?: unknown } =>
      typeof m === 'object' &&
      m !== null &&
      ('result' in m || ((m as { ref?: unknown }).ref === ref && 'reason' in m)),
  )
  return 'result' in last ? last.result : { ended: last.reason }
}

t.test('otp 54: a selective receive leaves the others in order', async (t) => {
  const got = await run(async (its) => {
    for (const message of ['a', 1, 'b', 2, 'c']) its.send(its.pid, message)
    const numbers = [await its.receive(isNumber), await its.receive(isNumber)]
    return [...numbers, await its.receive(), await its.receive(), await its.receive()]
  })
  t.strictSame(got, [1, 2, 'a', 'b', 'c'])
})

t.test('otp 55: a receive with timeout 0 looks through the whole mailbox first', async (t) => {
  const got = await run(async (its) => {
    for (let i = 0; i < 5_000; i++) its.send(its.pid, `junk ${i}`)
    its.send(its.pid, 7)
    return [await its.receive(isNumber, 0), await its.receive(isNumber, 0)]
  })
  t.strictSame(got, [7, undefined])
})

t.test('otp 56: what does not match does not extend the timeout', async (t) => {
  const got = (await run(async (its) => {
    const begun = its.now()
    const chatter = its.spawnLink(async (other) => {
      for (;;) {
        other.send(its.pid, 'no number')
        await other.sleep(5)
      }
    })
    const number = await its.receive(isNumber, 60)
    its.unlink(chatter)
    its.exit(chatter, 'kill')
    return { number, took: its.now() - begun, heard: await its.receive(isString, 0) }
  })) as { number: unknown; took: number; heard: unknown }
  t.equal(got.number, undefined)
  t.ok(got.took >= 60 && got.took < 2_000, `took ${got.took} ms`)
  t.equal(got.heard, 'no number', 'what did not match is still there')
})

t.test(
  'a message that arrived in time is received, even if the thread was too busy to see it',
  async (t) => {
    const got = await run(async (its) => {
      const waiting = its.receive(isNumber, 5)
      its.send(its.pid, 1)
      const end = its.now() + 30
      while (its.now() < end);
      return [await waiting, await its.receive(isNumber, 0)]
    })
    t.strictSame(got, [1, undefined])
  },
)

t.test('a match function that throws ends the process with its error', async (t) => {
  const ended = await run(async (its) => {
    its.sendAfter(1, 'x')
    await its.receive((m): m is string => {
      throw new RangeError(`cannot judge ${String(m)}`)
    })
  })
  t.match(ended, { ended: { error: { name: 'RangeError', message: 'cannot judge x' } } })
})

t.test(
  'returning is a normal end, throwing one with the error, a promise is waited for',
  async (t) => {
    const reasons: unknown[] = []
    const bodies: RawBody<undefined>[] = [
      () => 'some value',
      async (its) => its.sleep(1),
      () => {
        throw new Error('sync')
      },
      async (its) => {
        await its.sleep(1)
        throw new Error('async')
      },
      async (its) => its.exit({ shutdown: 'early' }),
    ]
    for (const body of bodies) {
      const { ref } = self.spawnMonitor(body)
      const end = await stage.receive(
        'DOWN',
        (m): m is { reason: unknown } => (m as { ref?: unknown }).ref === ref,
      )
      reasons.push(end.reason)
    }
    t.match(reasons, [
      'normal',
      'normal',
      { error: { message: 'sync' } },
      { error: { message: 'async' } },
      { shutdown: 'early' },
    ])
  },
)

t.test('receive() belongs to raw processes: a server is told so', async (t) => {
  const caught = await run(async (its) => {
    const pid = await its.start(Deaf, undefined)
    return its.call<unknown, string>(pid, 'listen')
  })
  t.match(caught, { code: 'BEAMISH_NOT_RAW' })
})

t.test('a timeout that is no number of milliseconds is refused', async (t) => {
  const caught = await run(async (its) => {
    const codes: unknown[] = []
    for (const ms of [-1, Number.NaN, 2 ** 31]) {
      try {
        await its.receive(isNumber, ms)
      } catch (error) {
        codes.push((error as { code: unknown }).code)
      }
    }
    return codes
  })
  t.strictSame(caught, Array(3).fill('BEAMISH_BAD_TIMEOUT'))
})

t.test('the signal of a process fires at its end, with the reason', async (t) => {
  const signals: AbortSignal[] = []
  const { pid, ref } = self.spawnMonitor(async (its) => {
    signals.push(its.signal, its.signal)
    its.send(self.pid, 'listening')
    await its.receive()
  })
  await stage.receive('listening', (m): m is string => m === 'listening')
  const [signal, same] = signals
  t.equal(signal, same, 'there is one signal')
  t.equal(signal?.aborted, false)
  self.exit(pid, { shutdown: 'enough' })
  await stage.receive('DOWN', (m): m is object => (m as { ref?: unknown }).ref === ref)
  t.equal(signal?.aborted, true)
  t.strictSame(signal?.reason, { shutdown: 'enough' })
})

t.test('two raw processes that talk without end leave room for others', async (t) => {
  const pong: RawBody<undefined> = async (its) => {
    for (;;) {
      const to = await its.receive(isNumber)
      its.send(to as Pid, its.pid)
    }
  }
  const [a, b] = [self.spawnMonitor(pong), self.spawnMonitor(pong)]
  self.send(a.pid, b.pid)
  await self.sleep(5)
  await new Promise((resolve) => setImmediate(resolve))
  self.exit(a.pid, 'kill')
  self.exit(b.pid, 'kill')
  const ends: unknown[] = []
  for (const one of [a, b]) {
    ends.push(
      await stage.receive('DOWN', (m): m is object => (m as { ref?: unknown }).ref === one.ref),
    )
  }
  t.match(ends, [{ reason: 'killed' }, { reason: 'killed' }])
})

t.test('a second receive() beside one that waits is an error, and the first goes on', async (t) => {
  const waiting = self.receive((message: unknown) => message === 'for the first', 5_000)
  t.throws(() => self.receive(() => true, 0), { code: 'BEAMISH_RECEIVE_PENDING' })
  self.send(self.pid, 'for the first')
  t.equal(await waiting, 'for the first')
})
