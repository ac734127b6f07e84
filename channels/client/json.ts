/** What of a type is left when its value has been JSON. Nothing here is there at run time. */

/** What JSON has: it is left alone, a type that refers to itself among it. */
type Plain =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Plain[]
  | { readonly [name: string]: Plain }

type Gone = undefined | symbol | ((...parameters: never[]) => unknown)

/** `any` and `unknown` stay what they are; so does what JSON has, also when it is branded. */
export type Json<T> = 0 extends 1 & T
  ? T
  : unknown extends T
    ? T
    : T extends Plain
      ? T
      : T extends { toJSON(...parameters: never[]): infer J }
        ? Json<J>
        : T extends Gone | bigint
          ? never
          : T extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
            ? Record<never, never>
            : T extends readonly unknown[]
              ? { [I in keyof T]: Json<T[I]> }
              : T extends object
                ? [keyof T] extends [never]
                  ? T
                  : { [K in keyof T as Kept<K, T[K]>]: Json<T[K]> }
                : T

/** Names of properties that JSON writes; one that may be undefined may be missing, and reads the same. */
type Kept<K, V> = K extends symbol ? never : 0 extends 1 & V ? K : [V] extends [Gone] ? never : K
