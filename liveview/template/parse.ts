/**
 * Checks a template literal once: an HTML tokenizer that runs over the static parts and notes at
 * each hole where it stands. States follow the tokenizer of the HTML standard (section 13.2.5),
 * reduced to what templates need; where browsers repair markup, this refuses it. Longer than most
 * files because a state machine reads best in one place.
 */
import { attributeKind, hasDangerousScheme, mayBecomeDangerous, schemeText } from './attribute.ts'
import { excerpt, type Hole, type Template, TemplateError, type UrlHole } from './rendered.ts'

type State =
  | 'text'
  | 'tagOpen'
  | 'tagName'
  | 'endTagOpen'
  | 'endTagName'
  | 'beforeAttribute'
  | 'attributeName'
  | 'afterAttributeName'
  | 'beforeValue'
  | 'doubleQuoted'
  | 'singleQuoted'
  | 'unquoted'
  | 'afterValue'
  | 'comment'
  | 'declaration'
  | 'raw'

const words = (list: string) => new Set(list.split(' '))
const VOID = words('area base br col embed hr img input link meta param source track wbr')
// A browser takes the content of these as text up to the end tag; the second kind decodes entities.
const RAW = words('script style xmp iframe noembed noframes')
const RAW_WITH_ENTITIES = words('textarea title')
// A browser ignores the slash of <div/>, so the element would swallow what follows. Not all HTML
// names are here: SVG and MathML share some and do honour the slash.
const NEVER_SELF_CLOSING = words(
  'b body button div em footer form h1 h2 h3 h4 h5 h6 head header html i label li main nav ol ' +
    'option p section select small span strong table tbody td tfoot th thead tr u ul',
)
const SPACE = /[ \t\n\f\r]/
const LETTER = /[a-zA-Z]/
// The client finds the root tag with a pattern that a line break or a bracket in a comment defeats.
const UNSAFE_COMMENT = /[<>\n\r\u2028\u2029]/

/**
 * Checks the static parts of a template and classifies its holes.
 *
 * @throws TemplateError if tags do not nest, or if a hole stands where no value is safe.
 */
export function parseTemplate(strings: readonly string[]): Template {
  const parser = new Parser(strings)
  const holes = parser.run()
  return {
    statics: strings,
    holes,
    textOnly: holes.every((hole) => hole === 'text'),
    root: parser.isRoot(),
  }
}

class Parser {
  readonly #strings: readonly string[]
  readonly #stack: string[] = []
  #state: State = 'text'
  #hole = 0
  /** The tag, comment or declaration being read; in `raw`, the characters last seen. */
  #buffer = ''
  #tag = ''
  #attribute = ''
  /** Static text of the attribute value so far. */
  #value = ''
  #urlHole: UrlHole | undefined
  #urlHoleAt = -1
  #last = ''
  #roots = 0
  #atHole = false
  /** The static text before the part being read, holes marked, for error messages. */
  #passed = ''
  #offset = 0
  #looseContent = false

  constructor(strings: readonly string[]) {
    this.#strings = strings
  }

  run(): Hole[] {
    const holes: Hole[] = []
    const last = this.#strings.length - 1
    for (let i = 0; i <= last; i++) {
      const part = this.#strings[i]
      // A cooked string is undefined if it holds an escape that JavaScript does not know.
      if (part === undefined) throw new TemplateError('html: the literal has an invalid escape')
      this.#hole = i
      this.#offset = 0
      for (const char of part) {
        this.#offset += char.length
        this.#step(char)
        this.#last = char
      }
      if (i < last) {
        this.#atHole = true
        holes.push(this.#takeHole())
        this.#atHole = false
        this.#last = '}'
        this.#passed += `${part}\${…}`
      }
    }
    if (this.#state !== 'text' && this.#state !== 'raw') this.#fail('the literal ends inside a tag')
    const open = this.#stack.at(-1)
    if (open !== undefined) this.#fail(`<${open}> is not closed; add </${open}>`)
    return holes
  }

  isRoot(): boolean {
    return this.#roots === 1 && !this.#looseContent
  }

  #takeHole(): Hole {
    switch (this.#state) {
      case 'text':
        if (this.#stack.length === 0) this.#looseContent = true
        return 'text'
      case 'raw':
        return this.#rawHole()
      case 'doubleQuoted':
      case 'singleQuoted':
        return this.#valueHole()
      case 'beforeAttribute':
      case 'afterAttributeName':
        if (!SPACE.test(this.#last)) this.#fail('put a space before it')
        this.#state = 'afterValue'
        return 'attr'
      case 'afterValue':
        return this.#fail('put a space before it')
      case 'beforeValue':
      case 'unquoted':
        return this.#fail(`put quotes around the value: ${this.#attribute}="\${…}"`)
      case 'attributeName':
        return this.#fail(`an attribute name cannot be built; write \${attr(name, value)}`)
      case 'comment':
      case 'declaration':
        return this.#fail('a value cannot stand in a comment or declaration; move it out')
      default:
        return this.#fail('a tag name cannot be dynamic; choose between two literals instead')
    }
  }

  #rawHole(): Hole {
    if (RAW.has(this.#tag)) {
      this.#fail(
        `a value cannot stand inside <${this.#tag}>; pass it in a data-* attribute or an event`,
      )
    }
    if (/<\/?[a-z]*$/.test(this.#buffer)) this.#fail('a tag name cannot be dynamic')
    this.#buffer = ''
    return 'plain'
  }

  #valueHole(): Hole {
    const name = this.#attribute
    const kind = attributeKind(name)
    if (kind === 'forbidden') {
      this.#fail(`"${name}" would run the value as code; use a phx-* attribute or static markup`)
    }
    if (kind === 'boolean') {
      this.#fail(`"${name}" is on whatever its value; write \${attr('${name}', condition)}`)
    }
    if (kind === 'plain') return 'plain'
    const start = schemeText(this.#value)
    if (hasDangerousScheme(start)) this.#fail(`a value cannot be part of a ${start} address`)
    if (this.#urlHole !== undefined) {
      if (!/[:/?#]/.test(this.#urlHole.after)) {
        this.#fail('two values could form a scheme together; join them in one value')
      }
      return 'plain'
    }
    if (!mayBecomeDangerous(start)) return 'plain'
    this.#urlHole = { before: this.#value, after: '' }
    this.#urlHoleAt = this.#hole
    return this.#urlHole
  }

  #step(char: string): void {
    switch (this.#state) {
      case 'text':
        if (char === '<') this.#state = 'tagOpen'
        else if (!SPACE.test(char)) this.#loose()
        return
      case 'tagOpen':
        this.#tagOpen(char)
        return
      case 'endTagOpen':
        if (!LETTER.test(char)) this.#fail('"</" is not followed by a tag name')
        this.#begin('endTagName', char)
        return
      case 'tagName':
        if (!this.#endsName(char)) this.#buffer += char.toLowerCase()
        else this.#tag = this.#buffer
        this.#inTag(char, 'tagName')
        return
      case 'endTagName':
        if (char === '>') this.#closeTag()
        else if (SPACE.test(char)) this.#buffer += ' '
        else if (this.#buffer.endsWith(' ')) this.#fail('an end tag takes no attributes')
        else this.#buffer += char.toLowerCase()
        return
      case 'beforeAttribute':
      case 'afterAttributeName':
        if (char === '=' && this.#state === 'afterAttributeName') this.#state = 'beforeValue'
        else if (this.#endsName(char)) this.#inTag(char, this.#state)
        else this.#startAttribute(char)
        return
      case 'attributeName':
        if (char === '=') this.#state = 'beforeValue'
        else if (SPACE.test(char)) this.#state = 'afterAttributeName'
        else if (this.#endsName(char)) this.#inTag(char, 'attributeName')
        else this.#attribute += this.#nameChar(char)
        return
      case 'beforeValue':
        if (SPACE.test(char)) return
        if (char === '>') this.#fail(`"${this.#attribute}=" has no value`)
        this.#state = char === '"' ? 'doubleQuoted' : char === "'" ? 'singleQuoted' : 'unquoted'
        return
      case 'doubleQuoted':
        this.#inValue(char, '"')
        return
      case 'singleQuoted':
        this.#inValue(char, "'")
        return
      case 'unquoted':
        if (char === '>') this.#openTag(false)
        else if (SPACE.test(char)) this.#state = 'beforeAttribute'
        return
      case 'afterValue':
        if (!this.#endsName(char)) this.#fail('attributes need a space between them')
        this.#inTag(char, 'beforeAttribute')
        return
      case 'comment':
        this.#buffer += char
        if (char === '>' && /^-?>$|--!?>$/.test(this.#buffer)) this.#endComment()
        return
      case 'declaration':
        this.#buffer += char
        if (this.#buffer === '--') this.#begin('comment', '')
        else if (char === '>') {
          this.#loose()
          this.#state = 'text'
        }
        return
      default:
        this.#inRaw(char)
    }
  }

  #tagOpen(char: string): void {
    if (char === '/') this.#state = 'endTagOpen'
    else if (char === '!' || char === '?') this.#begin('declaration', char === '?' ? '?' : '')
    else if (LETTER.test(char)) this.#begin('tagName', char)
    else {
      this.#loose()
      if (char !== '<') this.#state = 'text'
    }
  }

  #begin(state: State, start: string): void {
    this.#state = state
    this.#buffer = start.toLowerCase()
  }

  #endsName(char: string): boolean {
    return char === '>' || char === '/' || SPACE.test(char)
  }

  /** What `>`, `/` and white space do inside a tag; any other character keeps the state. */
  #inTag(char: string, otherwise: State): void {
    if (char === '>') this.#openTag(this.#last === '/')
    else if (char === '/') this.#state = 'beforeAttribute'
    else if (SPACE.test(char)) {
      this.#state = otherwise === 'afterAttributeName' ? otherwise : 'beforeAttribute'
    } else this.#state = otherwise
  }

  #startAttribute(char: string): void {
    this.#attribute = this.#nameChar(char)
    this.#value = ''
    this.#urlHole = undefined
    this.#state = 'attributeName'
  }

  #nameChar(char: string): string {
    if (/["'<=]/.test(char))
      this.#fail(`${char} in an attribute name; is a quote missing before it?`)
    return char.toLowerCase()
  }

  #inValue(char: string, quote: string): void {
    if (char === quote) this.#state = 'afterValue'
    else {
      this.#value += char
      if (this.#urlHole !== undefined && this.#hole === this.#urlHoleAt + 1) {
        this.#urlHole.after += char
      }
    }
  }

  #openTag(selfClosing: boolean): void {
    const tag = this.#tag
    if (this.#stack.length === 0) this.#roots++
    this.#state = 'text'
    if (VOID.has(tag)) return
    const raw = RAW.has(tag) || RAW_WITH_ENTITIES.has(tag)
    if (selfClosing && (raw || NEVER_SELF_CLOSING.has(tag))) {
      this.#fail(`<${tag}/> does not close the element; write <${tag}></${tag}>`)
    }
    if (selfClosing) return
    this.#stack.push(tag)
    if (raw) this.#begin('raw', '')
  }

  #closeTag(): void {
    const tag = this.#buffer.trimEnd()
    const open = this.#stack.pop()
    if (open !== tag) {
      this.#fail(
        `</${tag}> closes ${open === undefined ? 'nothing' : `<${open}>`}; check the nesting`,
      )
    }
    this.#state = 'text'
  }

  #inRaw(char: string): void {
    const end = `</${this.#tag}`
    if (this.#buffer === end && this.#endsName(char)) {
      this.#begin('endTagName', this.#tag)
      this.#step(char)
    } else this.#buffer = (this.#buffer + char.toLowerCase()).slice(-end.length)
  }

  #endComment(): void {
    const text = this.#buffer.replace(/-*!?>$/, '')
    if (UNSAFE_COMMENT.test(text)) this.#loose()
    this.#state = 'text'
  }

  #loose(): void {
    if (this.#stack.length === 0) this.#looseContent = true
  }

  #fail(problem: string): never {
    const read = this.#passed + (this.#strings[this.#hole] ?? '').slice(0, this.#offset)
    const where = this.#atHole
      ? excerpt(this.#strings, this.#hole)
      : `at the end of: ${read.slice(-64).replace(/\s+/g, ' ')}`
    throw new TemplateError(`html: ${problem}\n  ${where}`)
  }
}
