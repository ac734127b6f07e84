// How deep JSON nests, seen from its text, before anything is built from it.

const quote = 0x22
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/**
 * Whether `text`, read as JSON, opens more than `maxDepth` arrays and objects inside one another.
 * Linear in the text, constant in memory, and safe on text that is not JSON at all (for which the
 * answer only has to be some boolean: the parser refuses it next).
 *
 * Checked before parsing because what a hostile frame would cost comes after the parser: freezing,
 * structured clone and `JSON.stringify` all recurse, and a clone overflows near 10,000 levels.
 *
 * @example
 * isDeeperThan('[[1]]', 1) // true
 * isDeeperThan('["[["]', 1) // false: brackets inside a string do not nest
 */
export function isDeeperThan(text: string, maxDepth: number): boolean {
  // Each level needs an opening and a closing character.
  if (text.length < 2 * (maxDepth + 1)) return false
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    // Most of a chat frame is inside strings: indexOf crosses those at memchr speed.
    if (char === quote) {
      i = closingQuote(text, i + 1)
      if (i === -1) return false
    } else if (char === openBracket || char === openBrace) {
      depth++
      if (depth > maxDepth) return true
    } else if (char === closeBracket || char === closeBrace) {
      depth--
    }
  }
  return false
}

// A quote closes its string unless an odd run of backslashes stands before it. The runs of two
// quotes never overlap, so walking back over them stays linear in total.
function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from)
  while (at !== -1) {
    let start = at
    while (start > from && text.charCodeAt(start - 1) === backslash) start--
    if ((at - start) % 2 === 0) return at
    at = text.indexOf('"', at + 1)
  }
  return -1
}
