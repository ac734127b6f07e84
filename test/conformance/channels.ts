/** The verdicts on what `channels.md` numbers: which tests show a behaviour, and why some are different here. */
import { countOf, type Row, rowsOf, table } from './rows.ts'

/** Why what happens here is not what happens there. The tests of these are named `differs: channels N: …`. */
export const DIFFERENT: Readonly<Record<number, string>> = {
  33: 'variables and nested paths of the mount are the same; the last part of the path stays `websocket`, which the official client appends by itself',
  53: 'a frame that cannot be read is an error reply and costs its client nothing else; with `strict` it ends the socket, as in Phoenix',
  55: 'it raises in the channel that broadcasts; what a process outside of channels broadcasts is told in the log once per topic, so that the mistake of one does not cost the others their messages',
  58: 'figures, or not at all; options are data, so a function is called where the app module computes them',
  84: 'a local broadcast stays on its thread; there is no dispatcher to choose, whoever subscribes gets the message, and channels their frame',
  97: 'each thread speaks for its own processes only, so a new one is told by each of the others, unasked, and once',
}

/** Why it cannot happen here. */
export const NOT_APPLICABLE: Readonly<Record<number, string>> = {
  83: 'there is no cluster of machines: the threads of a node are not addressed one by one',
  85: 'there is no cluster of machines; a broadcast reaches every thread (80), and there are no pools whose sizes could differ',
  86: 'there are no pools: each thread delivers to its own subscribers',
}

export const conformance = (): Row[] =>
  rowsOf({
    list: './channels.md',
    word: 'channels',
    different: DIFFERENT,
    notApplicable: NOT_APPLICABLE,
  })

/** The rows as docs/conformance-channels.md shows them. */
export const page = (rows: readonly Row[]): string =>
  table(rows, [
    '# Phoenix channels, behaviour by behaviour',
    '',
    `Of ${rows.length} numbered behaviours of Phoenix channels ${countOf(rows, 'same')} are the same here, ${countOf(rows, 'different')} are different, ${countOf(rows, 'not applicable')} cannot happen, and ${countOf(rows, 'open')} are open: no`,
    'test shows them yet. This page is made from the names of the tests (`UPDATE_DOCS=1 npm run tap -- test/conformance/channels.test.ts`),',
    'and a test compares it with them. They run over real sockets, by the unmodified official client or by frames written by hand.',
  ])
