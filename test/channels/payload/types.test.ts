// Checked by tsc: each line fails to compile when inference changes. At run time it proves only
// that the declarations load.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import t from 'tap'
import type {
  InferPayload,
  PayloadSchema,
  PayloadSpec,
  StringSchema,
} from '../../../channels/payload/index.ts'
import {
  boolean,
  integer,
  oneOf,
  optional,
  payloadSchema,
  shape,
  string,
  validate,
} from '../../../channels/payload/index.ts'
import { foreign, foreignFunction } from './foreign.ts'

type Equal<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false
const same = <Verdict extends true>(verdict?: Verdict) => verdict

same<Equal<InferPayload<{ text: StringSchema }>, { text: string }>>()
same<Equal<InferPayload<StringSchema>, string>>()

const fields = {
  text: string(1, 500),
  page: integer(),
  urgent: optional(boolean()),
  sort: oneOf('newest', 10),
  at: { x: integer(), y: optional(integer()) },
  name: foreignFunction(),
  tag: foreign<string | null>(() => true),
}
type Payload = {
  text: string
  page: number
  sort: 'newest' | 10
  at: { x: number; y?: number | undefined }
  name: string
  tag: string | null
  urgent?: boolean | undefined
}
same<Equal<Required<InferPayload<typeof fields>>, Required<Payload>>>()
const payload: Payload = {} as InferPayload<typeof fields>
const schema = shape(fields)
same<Equal<typeof schema, PayloadSchema<InferPayload<typeof fields>>>>()

// How a view declares events: handlers are typed from the declaration that stands before them.
declare function events<const Specs extends { readonly [event: string]: PayloadSpec }>(options: {
  events: Specs
  handleEvent: { [Event in keyof Specs]: (payload: InferPayload<Specs[Event]>) => unknown }
}): void
const declared = () =>
  events({
    events: { send: { text: string(1, 500) }, vote: oneOf('up', 'down') },
    handleEvent: {
      send: ({ text }) => text satisfies string,
      vote: (direction) => direction satisfies 'up' | 'down',
    },
  })

// Foreign inputs may be narrower than unknown.
const narrow = {} as StandardSchemaV1<string, Date>
const dated = () => shape({ at: narrow, until: optional(narrow) })
same<Equal<ReturnType<typeof dated>, PayloadSchema<{ at: Date; until?: Date | undefined }>>>()

const wrong = () => {
  // @ts-expect-error a builder that was not called
  payloadSchema({ text: string })
  // @ts-expect-error a type is no schema
  shape({ text: 'string' })
  // @ts-expect-error limits are numbers
  string('1')
}

t.test('a validated value has the declared type', async (t) => {
  const validated = validate(shape({ text: string(), to: optional(string()) }), { text: 'hi' })
  if (!validated.ok) return t.fail('refused')
  const text: string = validated.value.text
  const to: string | undefined = validated.value.to
  // @ts-expect-error not declared
  const other: unknown = validated.value.other
  t.strictSame([text, to, other], ['hi', undefined, undefined])
  t.ok([payload, schema, declared, wrong].length)
})
