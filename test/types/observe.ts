// Types of what observe() and trace() tell; never run.
import type {
  BeamishNode,
  NodeReport,
  NodeTrace,
  NodeTraceEvent,
  Pid,
  TraceEnd,
  TraceKind,
  TreeNode,
} from 'beamish'

export async function look(node: BeamishNode, pid: Pid): Promise<unknown> {
  const report: NodeReport = await node.observe({ windowMs: 100, top: 3, memory: true })
  const [first] = report.threads
  const utilization: number | undefined = first?.utilization
  // @ts-expect-error a silent thread has none
  const queued: number | undefined = first.counts.queued
  const [root] = report.tree
  const child: TreeNode | undefined = root?.children[0]
  // @ts-expect-error a child may have no process
  const messages: number | undefined = child?.figures.messages
  // @ts-expect-error it is only to be read
  report.pid = 1
  // @ts-expect-error there is no such option
  await node.observe({ depth: 3 })

  const trace: NodeTrace = await node.trace({ pid, kinds: ['handle'], onEvent: ({ text }) => text })
  for await (const event of trace) {
    const told: NodeTraceEvent = event
    const kind: TraceKind = told.kind
    // @ts-expect-error not every event has a text
    const text: string = told.text
    if (kind === 'exit') return text
    // @ts-expect-error no kind of event
    if (kind === 'born') return
  }
  const { reason }: TraceEnd = await trace.ended
  // @ts-expect-error no kind of event
  await node.trace({ pid, kinds: ['born'] })
  return [utilization, queued, messages, reason]
}
