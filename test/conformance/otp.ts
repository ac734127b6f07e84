/** The verdicts on what `otp.md` numbers: which tests show a behaviour, and why some are different here. */
import { countOf, type Row, rowsOf, table } from './rows.ts'

/** Why what happens here is not what happens there. The tests of these are named `differs: otp N: …`. */
export const DIFFERENT: Readonly<Record<number, string>> = {
  15: 'JavaScript runs finally blocks of a promise that settles; one that a dead process awaits never does, and what runs on can do nothing',
  33: 'a running function cannot be interrupted: the process is dead at once to everybody, its code ends when it lets go, or with its thread',
  34: 'one thread runs one function at a time; others go on, and the watchdog ends a thread that does not turn its loop',
  40: 'names are node-wide, and a send is a signal as to another node: an unknown name is nobody; a call answers noproc',
  59: 'Node has one heap per thread and cannot tell whose a byte is: state, mailbox and dictionary are weighed once a second',
  112: 'a raw process is a function that never becomes a server; it refuses sys at once',
  161: 'a registry has no process, so there is no link to drop: entries belong to the scheduler of their process',
  166: '1 and 1.0 are one number in JavaScript; a number and its text are two keys',
}

/** Why it cannot happen here. */
export const NOT_APPLICABLE: Readonly<Record<number, string>> = {
  168: 'a registry has no process that could be killed with its registrants',
}

export const conformance = (): Row[] =>
  rowsOf({
    list: './otp.md',
    word: 'otp',
    different: DIFFERENT,
    notApplicable: NOT_APPLICABLE,
  })

/** The rows as docs/conformance.md shows them. */
export const page = (rows: readonly Row[]): string =>
  table(rows, [
    '# OTP, behaviour by behaviour',
    '',
    `Of ${rows.length} numbered behaviours of OTP ${countOf(rows, 'same')} are the same here, ${countOf(rows, 'different')} are different, and ${countOf(rows, 'not applicable')} cannot happen. This page is made from`,
    'the names of the tests (`UPDATE_DOCS=1 npm run tap -- test/conformance/otp.test.ts`), and a test compares it with them. Where two',
    'or more processes take part, those tests run on one thread and across threads.',
  ])
