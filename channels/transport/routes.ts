/** Topics to channels: declared order, `prefix*` with one trailing star, else the exact topic (Phoenix.Socket `channel`). */

/** A route as data: the behaviour is found by name on whichever thread the channel runs. */
export interface Route {
  readonly topic: string
  readonly behaviour: string
  /** What its channels find assigned, over what the socket's connect assigned. */
  readonly assigns?: Readonly<Record<string, unknown>>
  /** Milliseconds a channel may take to end, or brutal_kill. Default 5,000. */
  readonly shutdown?: number | 'brutal_kill'
}

export function matchRoute(routes: readonly Route[], topic: string): Route | undefined {
  // What the runtime tells itself is no client's, whatever a route says.
  if (topic.startsWith('beamish.')) return undefined
  return routes.find((route) =>
    route.topic.endsWith('*') ? topic.startsWith(route.topic.slice(0, -1)) : topic === route.topic,
  )
}
