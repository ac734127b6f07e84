/** Text in columns, pure: figures to the right, names to the left, nothing that would move the cursor. */

/** Control characters of a name would be the terminal's orders. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

export const plainText = (text: string): string => text.replace(CONTROL, '?')

export interface Column {
  readonly title: string
  readonly right?: boolean
}

/** Lines of a table, its head first. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => row.map(plainText))]
  const widths = columns.map((_, i) =>
    cells.reduce((width, row) => Math.max(width, row[i]?.length ?? 0), 0),
  )
  return cells.map((row) =>
    columns
      .map(({ right }, i) => {
        const cell = row[i] ?? ''
        const width = widths[i] as number
        return right === true ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
}

export const count = (n: number): string => n.toLocaleString('en')

export function bytes(n: number): string {
  if (n < 1_024) return `${n} B`
  if (n < 2 ** 20) return `${Math.round(n / 1_024)} kB`
  return n < 10 * 2 ** 20
    ? `${(n / 2 ** 20).toFixed(1)} MB`
    : `${count(Math.round(n / 2 ** 20))} MB`
}

export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  return hours < 24
    ? `${hours} h ${minutes % 60} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`
}
