// Partitions of a counter, and of task supervisors; one partition supervisor at the root, one inside a thread.
import {
  genServer,
  partitionSupervisor,
  type Self,
  supervisor,
  task,
  taskSupervisor,
} from 'beamish'

export const Counter = genServer('test.partitionedCounter', {
  init: (start: number) => ({ count: start }),
  handleCall: {
    add: (state, n: number) => {
      state.count += n
      return state.count
    },
    where: (_state, _: undefined, self) => self.scheduler,
  },
})

export const counters = partitionSupervisor(Counter.child(0), { name: 'counters' })
export const five = partitionSupervisor(Counter.child(10), { name: 'five', partitions: 5 })
export const tasks = partitionSupervisor(taskSupervisor(), { name: 'tasks' })

/** In a task on a thread: a plain function under the task supervisor of that thread. */
export const locally = async (self: Self): Promise<unknown> => {
  const one = task.async(self, (own) => own.scheduler, { supervisor: tasks.local(self) })
  return [self.scheduler, await task.await(self, one)]
}
export const viaOf = (self: Self, key: string | number): string => counters.via(self, key)

export default supervisor({
  children: [counters, tasks, supervisor({ id: 'inner', children: [five] })],
})
