import { endpoint } from 'beamish/channels'
import t from 'tap'
import {
  DEFAULT_LIMITS,
  type SocketLimits,
  socketLimits,
} from '../../../channels/transport/limits.ts'

t.test('limits given stand over the defaults; undefined means the default', async (t) => {
  t.same(socketLimits(), DEFAULT_LIMITS)
  t.same(socketLimits({ maxChannels: 3, idleTimeoutMs: undefined }), {
    ...DEFAULT_LIMITS,
    maxChannels: 3,
  })
})

t.test('a limit that is none is refused: 0 would mean no limit to the layers below', async (t) => {
  for (const limits of [{ maxFrameBytes: 0 }, { maxChannels: -5 }, { maxQueueBytes: 1.5 }]) {
    t.throws(() => socketLimits(limits), { code: 'BEAMISH_BAD_OPTION' })
  }
  t.throws(() => socketLimits({ maxChannles: 3 } as Partial<SocketLimits>), {
    message: /use one of maxFrameBytes/,
  })
})

t.test('so is one of an endpoint', async (t) => {
  for (const limits of [{ maxUpgradesPerSecond: 0 }, { maxUpgradeWaitMs: 0.5 }]) {
    t.throws(() => endpoint({ limits }), { code: 'BEAMISH_BAD_OPTION' })
  }
  t.throws(() => endpoint({ limits: { maxUpgrades: 3 } as object }), {
    message: /use one of maxUpgradesPerSecond/,
  })
})
