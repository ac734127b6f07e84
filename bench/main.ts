/** `npm run bench -- NAME`: runs one benchmark and prints its table. Nothing here is part of the tests. */
const benches: Readonly<Record<string, () => Promise<{ run(): Promise<void> }>>> = {
  channels: () => import('./channels/run.ts'),
  chat: () => import('./chat.ts'),
  runtime: () => import('./runtime/run.ts'),
  hibernation: () => import('./hibernation.ts'),
  registry: () => import('./registry.ts'),
  observe: () => import('./observe.ts'),
  overload: () => import('./overload.ts'),
  restarts: () => import('./restarts.ts'),
  slowReader: () => import('./slowReader.ts'),
  strays: () => import('./strays.ts'),
}

const name = process.argv[2] ?? ''
const load = Object.hasOwn(benches, name) ? benches[name] : undefined
if (load === undefined) {
  console.error(`npm run bench -- NAME, where NAME is one of: ${Object.keys(benches).join(', ')}`)
  process.exit(1)
}
await (await load()).run()
