/** What sys counts of a process, while it is asked to. */
export interface Statistics {
  /** Milliseconds on the scheduler's clock when counting began ... */
  readonly startTimeMs: number
  /** ... and now. */
  readonly currentTimeMs: number
  readonly messagesIn: number
  /** Replies given by its callbacks, as in OTP. */
  readonly messagesOut: number
}

export class Counting {
  readonly startTimeMs: number
  messagesIn = 0
  messagesOut = 0

  constructor(nowMs: number) {
    this.startTimeMs = nowMs
  }

  at(currentTimeMs: number): Statistics {
    const { startTimeMs, messagesIn, messagesOut } = this
    return { startTimeMs, currentTimeMs, messagesIn, messagesOut }
  }
}
