/** Watches every room channel from outside, and cleans up after it however it ends: a killed one runs no terminate. */
import { genServer, type Pid, type Ref } from 'beamish'
import { noteEnd } from './terminations.ts'

export const JANITOR = 'tour.janitor'

export const Janitor = genServer('tour.janitor', {
  init: () => ({ topics: new Map<Ref, string>() }),
  handleCall: {
    watch(state, { pid, topic }: { pid: Pid; topic: string }, self) {
      state.topics.set(self.monitor(pid), topic)
      return 'watched'
    },
  },
  handleInfo: {
    DOWN(state, { ref, reason }, self) {
      const topic = state.topics.get(ref)
      if (topic === undefined) return
      state.topics.delete(ref)
      noteEnd(self, { topic, reason, source: 'down' })
    },
  },
})
