/** Topics to channels: declared order, `prefix*` with one trailing star, else the exact topic (Phoenix.Socket `channel`). */

/** A route as data: the behaviour is found by name on whichever thread the channel runs. */
export interface Route {
  readonly topic: string
  readonly behaviour: string
  /** Handed to the channel in its join. */
  readonly options?: unknown
}

export function matchRoute(routes: readonly Route[], topic: string): Route | undefined {
  return routes.find((route) =>
    route.topic.endsWith('*') ? topic.startsWith(route.topic.slice(0, -1)) : topic === route.topic,
  )
}
