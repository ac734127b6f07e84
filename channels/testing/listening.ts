/** Whether the test itself hears what is broadcast on a topic. */
import { Self } from '../../runtime/process/self.ts'
import { failure } from '../../runtime/testing/failure.ts'
import type { TestNode } from '../../runtime/testing/index.ts'

function listens(node: TestNode, topic: string): boolean {
  const process = Self.processOf(node.self)
  return process.scheduler.pubsub.subscribed(process, topic)
}

/** Once per topic: a second subscription would have each broadcast come twice. */
export function listen(node: TestNode, topic: string): void {
  if (!listens(node, topic)) node.self.subscribe(topic)
}

/** A test that does not listen has heard nothing, whatever was broadcast. @throws BEAMISH_TEST_ASSERTION */
export function expectListening(node: TestNode, topic: string, at: Error): void {
  if (listens(node, topic)) return
  throw failure(
    `the test does not listen to "${topic}": join with subscribeAndJoin, or call node.self.subscribe before`,
    at,
  )
}
