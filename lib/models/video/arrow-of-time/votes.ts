/** What the groups of a clip say together. */
export interface Vote {
  readonly direction: 'forward' | 'backward'
  /** Mean probability of the groups that voted; it may disagree with the vote. */
  readonly forward: number
  /** Which groups were sure enough to vote. */
  readonly confident: readonly boolean[]
}

/** A group at exactly the distance does not vote, whatever the last bit says. */
const SLACK = 1e-6

/**
 * The vote of the groups that are sure: forward or backward by their majority; without a majority, by the mean of all.
 *
 * @param scores probabilities of forward
 * @param confidence distance from ½ beyond which a group votes
 */
export function vote(scores: readonly number[], confidence = 0.1): Vote {
  const confident = scores.map((score) => Math.abs(score - 0.5) > confidence + SLACK)
  const sure = scores.filter((_, i) => confident[i])
  const ahead = sure.filter((score) => score > 0.5).length
  const isForward = 2 * ahead === sure.length ? mean(scores) > 0.5 : 2 * ahead > sure.length
  return {
    direction: isForward ? 'forward' : 'backward',
    forward: mean(sure.length > 0 ? sure : scores),
    confident,
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
