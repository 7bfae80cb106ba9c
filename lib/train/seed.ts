/**
 * The seed of a batch's random operators: SplitMix64 of the run's seed and the batch's number, so that neighbouring
 * batches draw unrelated numbers and a resumed run draws the same ones.
 */
export function stepSeed(seed: number, batch: number): bigint {
  let z = BigInt.asUintN(64, BigInt(seed) * 0x9e3779b97f4a7c15n + BigInt(batch) * 0xd1342543de82ef95n + 1n)
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
  return BigInt.asIntN(64, z ^ (z >> 31n))
}
