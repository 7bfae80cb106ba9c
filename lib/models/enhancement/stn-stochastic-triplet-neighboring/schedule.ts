/**
 * After how many epochs (or steps) the learning rate is halved: each fifth of the training but the last, one earlier, as
 * the released code of Neighbor2Neighbor has it.
 */
export function milestones(total: number): number[] {
  return [1, 2, 3, 4].map((fifth) => Math.floor((fifth * total) / 5) - 1).filter((milestone) => milestone >= 1)
}
