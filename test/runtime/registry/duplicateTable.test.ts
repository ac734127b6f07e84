// The table against a plain list of entries.
import fc from 'fast-check'
import t from 'tap'
import type { Process } from '../../../runtime/process/process.ts'
import { DuplicateTable } from '../../../runtime/registry/duplicateTable.ts'
import { holds } from '../../channels/property.ts'

type Command =
  | { readonly do: 'add'; readonly owner: number; readonly key: number; readonly value: number }
  | { readonly do: 'removeKey'; readonly owner: number; readonly key: number }
  | { readonly do: 'forget'; readonly owner: number }

const owner = fc.nat({ max: 4 })
const key = fc.nat({ max: 3 })
const commands = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('add' as const), owner, key, value: fc.nat() }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('removeKey' as const), owner, key }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), owner }) },
  ),
  { maxLength: 60 },
)

type Row = { readonly owner: number; readonly key: number; readonly value: number }

t.test('entries, keys and owners are those of a list', async (t) => {
  holds(
    t,
    fc.property(commands, (script: Command[]) => {
      // The table only ever compares its owners.
      const owners = Array.from({ length: 5 }, (_, id) => ({ id }) as unknown as Process)
      const of = (id: number) => owners[id] as Process
      const table = new DuplicateTable<number>()
      let rows: Row[] = []
      for (const command of script) {
        if (command.do === 'add') {
          table.add(of(command.owner), command.key, command.value)
          rows.push(command)
        } else if (command.do === 'removeKey') {
          const kept = rows.filter((r) => r.owner !== command.owner || r.key !== command.key)
          const removed = table.removeKey(of(command.owner), command.key).length
          if (removed !== rows.length - kept.length) return false
          rows = kept
        } else {
          const kept = rows.filter((r) => r.owner !== command.owner)
          const gone = table.forget(of(command.owner))
          if (gone.length !== rows.length - kept.length) return false
          rows = kept
        }
        for (let k = 0; k <= 3; k++) {
          const entries = [...(table.entries(k) ?? [])]
          const expected = rows.filter((r) => r.key === k)
          if (entries.length !== expected.length) return false
          for (const [i, entry] of entries.entries()) {
            const row = expected[i] as Row
            if (entry.process !== of(row.owner) || entry.value !== row.value) return false
          }
        }
        if (table.keys !== new Set(rows.map((r) => r.key)).size) return false
        if (table.owners !== new Set(rows.map((r) => r.owner)).size) return false
      }
      return true
    }),
    { numRuns: 1_000 },
  )
})

t.test('what was removed while it is iterated is not seen, and the others are', async (t) => {
  const [a, b] = [{}, {}] as unknown as [Process, Process]
  const table = new DuplicateTable<string>()
  table.add(a, 'k', 'a1')
  table.add(b, 'k', 'b')
  table.add(a, 'k', 'a2')
  const seen: string[] = []
  for (const { process, value } of table.entries('k') ?? []) {
    seen.push(value)
    if (process === a) table.forget(a)
  }
  t.same(seen, ['a1', 'b'])
  table.forget(b)
  t.equal(table.entries('k'), undefined)
  t.equal(table.keys, 0)
})
