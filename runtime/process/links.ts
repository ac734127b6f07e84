/**
 * Links between processes on different threads, as pure data. Signals cross: while one side unlinks, the other may die or
 * link anew. OTP gives unlinks an id and acknowledges them; here every LINK carries an id, and each later signal says
 * which ids its sender knew of, so the receiver can tell what it ends and nothing has to be acknowledged or remembered
 * after an unlink. A property test runs all interleavings against the model in docs/semantics.md.
 */

/** One side's view: the id of the LINK it sent, and of the last LINK it got. 0 where there is none. */
export interface Link {
  mine: number
  theirs: number
}

/** A sender's view of a link, sent along with UNLINK and EXIT: `mine` is the sender's id, `theirs` the receiver's. */
export interface LinkView {
  readonly mine: number
  readonly theirs: number
}

/** Marks a link within one thread, which needs no ids. */
export const LOCAL_LINK: Link = Object.freeze({ mine: 0, theirs: 0 })

/**
 * Whether a signal whose sender saw `view` speaks of this link: it covers the LINK they sent (always part of what they
 * knew) or the LINK we sent, if they had got it by then.
 */
export function covers(link: Link, view: LinkView): boolean {
  return (
    (link.theirs !== 0 && link.theirs <= view.mine) || (link.mine !== 0 && link.mine <= view.theirs)
  )
}

/** Applies an UNLINK: ends what its sender knew of. True when nothing of the link is left. */
export function applyUnlink(link: Link, view: LinkView): boolean {
  if (link.theirs !== 0 && link.theirs <= view.mine) link.theirs = 0
  if (link.mine !== 0 && link.mine <= view.theirs) link.mine = 0
  return link.mine === 0 && link.theirs === 0
}
