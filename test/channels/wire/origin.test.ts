import fc from 'fast-check'
import t from 'tap'
import { checkOrigin, type OriginOption, originRule } from '../../../channels/wire/origin.ts'
import { holds } from '../property.ts'

const request = { host: 'example.com', encrypted: false }
const passes = (origin: string | undefined, option: OriginOption, to = request) =>
  checkOrigin(origin, originRule(option), to)

t.test('a request without the header passes every rule', async (t) => {
  for (const option of [true, false, [], ['https://example.com']]) {
    t.equal(passes(undefined, option), true)
  }
})

t.test('rule false lets every origin in', async (t) => {
  for (const origin of ['https://evil.test', 'null', 'file://', '', 'x y']) {
    t.equal(passes(origin, false), true)
  }
})

t.test('rule true compares host and port with the request itself', async (t) => {
  const own = (origin: string, host: string | undefined, encrypted: boolean) =>
    checkOrigin(origin, true, { host, encrypted })
  t.equal(own('http://example.com', 'example.com', false), true)
  t.equal(own('http://example.com:80', 'example.com', false), true)
  t.equal(own('http://example.com', 'example.com:80', false), true)
  t.equal(own('https://example.com', 'example.com', true), true)
  t.equal(own('https://example.com', 'example.com:443', true), true)
  t.equal(own('HTTPS://Example.COM', 'EXAMPLE.com', true), true)
  t.equal(own('http://localhost:4000', 'localhost:4000', false), true)
  t.equal(own('http://[::1]:4000', '[::1]:4000', false), true)
  t.equal(own('https://example.com', 'example.com', false), true, 'TLS ended at a proxy')
  t.equal(own('http://example.com', 'example.com', true), false, 'a page without TLS')
  t.equal(own('http://localhost:4001', 'localhost:4000', false), false)
  t.equal(own('http://localhost', 'localhost:4000', false), false)
  t.equal(own('http://a.example.com', 'example.com', false), false)
  t.equal(own('http://example.com.evil.test', 'example.com', false), false)
  t.equal(own('http://evilexample.com', 'example.com', false), false)
  t.equal(own('chrome-extension://example.com', 'example.com', false), false)
  t.equal(own('http://example.com', undefined, false), false)
  t.equal(own('http://example.com', '', false), false)
})

t.test(
  'channels 60: a list entry asks for what it names: scheme, host, port, hosts below',
  async (t) => {
    const cases: [string, string[], string[]][] = [
      [
        'https://example.com',
        ['https://example.com', 'https://example.com:443'],
        ['http://example.com', 'https://example.com:4443', 'https://a.example.com'],
      ],
      [
        '//example.com',
        ['http://example.com', 'https://example.com', 'https://example.com:8443'],
        ['https://a.example.com'],
      ],
      [
        '//example.com:80',
        ['http://example.com'],
        ['https://example.com', 'http://example.com:81'],
      ],
      [
        '//*.example.com',
        ['https://example.com', 'https://a.example.com', 'http://a.b.example.com:1'],
        ['https://badexample.com', 'https://example.com.evil.test', 'https://example.org'],
      ],
      ['https://*.example.com', ['https://a.example.com'], ['http://a.example.com']],
      ['http://[::1]:4000', ['http://[::1]:4000'], ['http://[::1]']],
      ['capacitor://localhost', ['capacitor://localhost'], ['https://localhost']],
      ['HTTPS://Example.com', ['https://EXAMPLE.com'], []],
    ]
    for (const [entry, good, bad] of cases) {
      for (const origin of good) t.equal(passes(origin, [entry]), true, `${entry} ${origin}`)
      for (const origin of bad) t.equal(passes(origin, [entry]), false, `${entry} ${origin}`)
    }
    t.equal(passes('https://b.test', ['//a.test', '//b.test']), true, 'any entry')
    t.equal(passes('http://example.com', []), false, 'an empty list lets nobody in')
  },
)

t.test(
  'an origin without a host is let in where the list names it, and only that one',
  async (t) => {
    const opaque = ['null', 'file://', 'app://.', 'app://-', 'app://']
    for (const entry of opaque) {
      for (const origin of opaque) t.equal(passes(origin, [entry]), origin === entry, entry)
      t.equal(passes(entry.toUpperCase(), ['https://example.com', entry]), true, 'among others')
      t.equal(passes(`${entry}x`, [entry]), false)
      t.equal(passes('https://example.com', [entry]), false)
    }
  },
)

t.test('what is not scheme, host and port is refused', async (t) => {
  for (const origin of [
    'null',
    'file://',
    '',
    'example.com',
    'http://',
    'http:example.com',
    'http://example.com/',
    'http://user@example.com',
    'http://evil.test\\@example.com',
    'http://example.com#',
    'http://example.com\n',
    'http://example.com, http://evil.test',
    'http://example.com:0',
    'http://example.com:99999',
    'http://example.com:',
    'http://*.example.com',
    `http://${'a'.repeat(600)}`,
  ]) {
    t.equal(passes(origin, true), false, origin)
    t.equal(passes(origin, ['//*.example.com']), false, origin)
  }
})

t.test('no header makes the check throw, and a host that is not ours never passes', async (t) => {
  const rules = [originRule(true), originRule(['https://example.com', '//*.example.org:8080'])]
  holds(
    t,
    fc.property(fc.oneof(fc.string(), fc.webUrl()), fc.string(), (origin, host) => {
      for (const rule of rules) checkOrigin(origin, rule, { host, encrypted: false })
    }),
  )
  holds(
    t,
    fc.property(fc.domain(), (host) => {
      fc.pre(host.toLowerCase() !== 'example.com')
      return !passes(`https://${host}`, true) && !passes(`https://${host}`, ['https://example.com'])
    }),
  )
})

t.test('an entry that cannot be read is an error at the start', async (t) => {
  for (const entry of [
    'example.com',
    'https://',
    'http://.',
    'null://x/',
    'file:///',
    '//a/b',
    '//a:0',
    '',
    '*',
    '//*',
    'https://*.',
  ]) {
    t.throws(() => originRule([entry]), { code: 'CHN_ORIGIN_RULE', message: /write 'https:/ })
  }
})
