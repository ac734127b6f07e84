import fc from 'fast-check'
import t from 'tap'
import {
  Exit,
  type ExitReason,
  formatReason,
  isShutdown,
  plain,
  reasonOf,
  reasonStack,
  safeText,
} from '../../../runtime/exit/reason.ts'
import { type SignalKind, signalEffect } from '../../../runtime/exit/rules.ts'
import { holds } from '../../channels/property.ts'

const drop = { do: 'drop' }
const message = { do: 'message' }
const die = (reason: ExitReason) => ({ do: 'die', reason })

const table: [SignalKind, ExitReason, plain: unknown, trapping: unknown][] = [
  ['link', 'normal', drop, message],
  ['link', 'kill', die('kill'), message],
  ['link', 'killed', die('killed'), message],
  ['link', 'shutdown', die('shutdown'), message],
  ['link', 'noproc', die('noproc'), message],
  ['link', 'boom', die('boom'), message],
  ['exit', 'normal', drop, message],
  ['exit', 'kill', die('killed'), die('killed')],
  ['exit', 'killed', die('killed'), message],
  ['exit', 'noproc', die('noproc'), message],
  ['exit', 'boom', die('boom'), message],
  ['self', 'normal', die('normal'), message],
  ['self', 'kill', die('killed'), die('killed')],
  ['self', 'boom', die('boom'), message],
]

for (const [kind, reason, untrapped, trapped] of table) {
  t.test(`${kind} signal ${String(reason)} does what the table says`, async (t) => {
    t.strictSame(signalEffect(kind, reason, false), untrapped)
    t.strictSame(signalEffect(kind, reason, true), trapped)
  })
}

const kinds = fc.constantFrom<SignalKind>('link', 'exit', 'self')
const reasons: fc.Arbitrary<ExitReason> = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.constant(null),
  fc.record({ shutdown: fc.string() }),
  fc.constantFrom('normal', 'kill', 'killed', 'shutdown', 'noproc'),
)

t.test('only kill gets past a trap, and only normal is ever dropped', async (t) => {
  holds(
    t,
    fc.property(kinds, reasons, fc.boolean(), (kind, reason, trapping) => {
      const effect = signalEffect(kind, reason, trapping)
      if (effect.do === 'drop') return reason === 'normal' && !trapping && kind !== 'self'
      if (effect.do === 'message') return trapping && !(reason === 'kill' && kind !== 'link')
      if (trapping) return reason === 'kill' && kind !== 'link' && effect.reason === 'killed'
      return effect.reason === (reason === 'kill' && kind !== 'link' ? 'killed' : reason)
    }),
    { numRuns: 1_000 },
  )
})

t.test('what was thrown becomes a reason that crosses threads', async (t) => {
  t.equal(reasonOf(new Exit('boom')), 'boom', 'an Exit keeps its reason')
  t.strictSame(reasonOf('ball'), { nocatch: 'ball' })
  t.match(reasonOf(new TypeError('no')), {
    error: { name: 'TypeError', message: 'no', stack: /at / },
  })
  holds(
    t,
    fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true }), (thrown) => {
      structuredClone(reasonOf(thrown))
      formatReason(reasonOf(thrown))
      return true
    }),
  )
})

t.test('a reason that cannot cross is replaced by its text', async (t) => {
  t.match(plain({ f() {} }), /function f/)
  t.equal(typeof plain(Symbol('s')), 'string')
  t.equal(plain(undefined), 'undefined')
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  t.doesNotThrow(() => formatReason(plain(cyclic)))
})

t.test('what throws when it is looked at becomes a reason all the same', async (t) => {
  const trap = (): never => {
    throw new Error('a trap')
  }
  const revoked = (target: object): object => {
    const { proxy, revoke } = Proxy.revocable(target, {})
    revoke()
    return proxy
  }
  const error = (property: string): Error =>
    Object.defineProperty(new Error('x'), property, { get: trap })
  t.match(reasonOf(error('message')), { error: { name: 'Error', message: '(unreadable)' } })
  t.match(reasonOf(error('stack')), { error: { message: 'x', stack: '(unreadable)' } })
  const values = [
    ...['name', 'message', 'stack', 'code'].map(error),
    Object.assign(new Error('x'), { name: Symbol('s'), message: { toString: trap }, stack: {} }),
    Object.assign(new Exit('x'), { reason: { f: trap, toJSON: trap } }),
    new Proxy({}, { get: trap, has: trap, getPrototypeOf: trap }),
    new Proxy(new Error('x'), { get: trap }),
    revoked({}),
    revoked(new Error('x')),
    revoked(trap),
    Object.assign(() => {}, { toString: trap }),
    { toJSON: trap, f: trap },
  ]
  for (const value of values) {
    const reason = plain(reasonOf(value))
    structuredClone(reason)
    t.type(formatReason(reason), 'string')
    t.type(safeText(value), 'string')
  }
})

t.test('a reason that only begins like one of ours is shown as data', async (t) => {
  for (const key of ['error', 'noconnection', 'badReturn', 'call']) {
    const reason = { [key]: null, reason: null }
    t.equal(formatReason(reason), JSON.stringify(reason))
    t.equal(reasonStack(reason), undefined)
  }
})

t.test('normal, shutdown and { shutdown } are orderly ends, nothing else is', async (t) => {
  for (const reason of ['normal', 'shutdown', { shutdown: 0 }] as ExitReason[])
    t.ok(isShutdown(reason))
  for (const reason of ['kill', 'killed', 'noproc', '', null, 0, {}, 'boom'] as ExitReason[]) {
    t.notOk(isShutdown(reason), formatReason(reason))
  }
})
