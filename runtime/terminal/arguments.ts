/** Arguments of the commands, checked: a wrong one is one line that names what there is. */
import { type ParseArgsOptionsConfig, parseArgs, styleText } from 'node:util'
import { BeamishError } from '../errors.ts'
import type { Style } from './reportText.ts'

export interface Arguments {
  readonly words: readonly string[]
  text(option: string): string | undefined
  flag(option: string): boolean
  number(option: string): number | undefined
}

/** @throws BEAMISH_BAD_OPTION; what is wrong with a value of it the node says */
export function readArguments(
  args: readonly string[],
  options: ParseArgsOptionsConfig,
  usage: string,
): Arguments {
  let parsed: ReturnType<typeof parseArgs>
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    const { message } = error as Error
    throw bad(
      /'(-[^' ]+)/.exec(message)?.[1] ?? args.join(' '),
      'unknown, or lacks its value',
      usage,
    )
  }
  const { values, positionals } = parsed
  const text = (option: string): string | undefined => values[option] as string | undefined
  return {
    words: positionals,
    text,
    flag: (option) => values[option] === true,
    number: (option) => {
      const given = text(option)
      if (given === undefined) return undefined
      if (!/^\d+(\.\d+)?$/.test(given))
        throw bad(`--${option}`, JSON.stringify(given), 'give a number')
      return Number(given)
    },
  }
}

export const bad = (option: string, got: string, fix: string): BeamishError =>
  new BeamishError('BEAMISH_BAD_OPTION', { option, got, fix })

/** Those that are given. */
export const given = <T extends object>(options: T): Partial<T> =>
  Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Partial<T>

const TONES = { title: 'bold', head: 'underline', weak: 'dim', alarm: 'red' } as const

/** Colours where somebody sees them: on a terminal, unless NO_COLOR is set. */
export const styled: Style = (tone, text) =>
  styleText(TONES[tone], text, { stream: process.stdout })
