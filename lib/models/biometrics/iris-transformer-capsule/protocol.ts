// Which images are for training and which for the test, and which of those are compared.
import { RandomStream, Stream } from '../../../data/random'
import { ArgumentError } from '../../../native/errors'
import type { Config, Protocol } from './config'

/** An image of a data set, whatever it is made of. */
export interface IrisSample<Source = unknown> {
  /** A class: an eye of a subject. */
  readonly eye: string
  readonly domain: 0 | 1
  /** Number among the images of its eye and domain. */
  readonly instance: number
  readonly source: Source
}

/** Images of an eye, in the order of their numbers. */
export interface Eye<Source = unknown> {
  readonly name: string
  /** Of the first and of the second domain. */
  readonly images: readonly [readonly IrisSample<Source>[], readonly IrisSample<Source>[]]
}

/** The images of each eye, in the order of the eyes' first images. */
export function eyesOf<Source>(samples: readonly IrisSample<Source>[]): Eye<Source>[] {
  const byEye = new Map<string, IrisSample<Source>[]>()
  for (const sample of samples) byEye.set(sample.eye, [...(byEye.get(sample.eye) ?? []), sample])
  return [...byEye].map(([name, own]) => {
    const of = (domain: 0 | 1) => own.filter((one) => one.domain === domain).sort((a, b) => a.instance - b.instance)
    return { name, images: [of(0), of(1)] }
  })
}

/** Parts of a data set. */
export interface IrisParts<Source = unknown> {
  readonly train: readonly Eye<Source>[]
  readonly validation: readonly Eye<Source>[]
  readonly test: readonly Eye<Source>[]
}

/** Places of an eye's images for training, validation and test. */
const PLACES: Readonly<
  Record<Exclude<Protocol, 'identities'>, Readonly<Record<keyof IrisParts, readonly [number, number]>>>
> = {
  polyu: { train: [0, 10], validation: [10, 10], test: [10, 15] },
  'iiit-d': { train: [0, 3], validation: [3, 4], test: [4, 5] },
}

/**
 * Divides eyes: by instance as in the paper (10 and 5 for PolyU; 3, 1 and 1 for IIIT-D), or by eye, where those of the
 * test are never seen in training. Eyes that have no image of one domain in a part are left out of it.
 */
export function divideEyes<Source>(
  eyes: readonly Eye<Source>[],
  { protocol, testShare, seed }: { readonly protocol: Protocol; readonly testShare: number; readonly seed: number },
): IrisParts<Source> {
  const whole = (part: readonly Eye<Source>[]) => part.filter(({ images: [a, b] }) => a.length > 0 && b.length > 0)
  if (protocol === 'identities') {
    const order = new RandomStream(seed, 0, Stream.Split).permutation(eyes.length)
    const tests = new Set(order.slice(0, Math.round(testShare * eyes.length)))
    const of = (isTest: boolean) => whole(eyes.filter((_, i) => tests.has(i) === isTest))
    return { train: of(false), validation: [], test: of(true) }
  }
  const part = ([from, to]: readonly [number, number]) =>
    whole(eyes.map(({ name, images: [a, b] }) => ({ name, images: [a.slice(from, to), b.slice(from, to)] })))
  const { train, validation, test } = PLACES[protocol]
  return { train: part(train), validation: part(validation), test: part(test) }
}

/** Two images to be compared: places in the lists of the first and of the second domain. */
export interface TestPair {
  readonly first: number
  readonly second: number
}

/** The images of a test and the pairs of them. */
export interface TestPairs<Source = unknown> {
  /** Of the first and of the second domain. */
  readonly images: readonly [readonly IrisSample<Source>[], readonly IrisSample<Source>[]]
  readonly genuine: readonly TestPair[]
  readonly imposter: readonly TestPair[]
  /** How many imposter pairs there are in all, where only some are taken. */
  readonly imposterCount: number
}

export interface TestPairOptions {
  /** `upper`: image i of the first domain with image j of the second for i < j; or all. */
  readonly genuinePairs: 'upper' | 'all'
  /** So many imposter pairs, drawn by the seed; all unless stated. */
  readonly imposters?: number | undefined
  readonly seed?: number
}

/**
 * The pairs of a test: the images of the first domain with those of the second, of one eye, and of any two eyes in both
 * orders. Images count by their places: image i of an eye is its i-th in that domain.
 *
 * @throws ArgumentError when there are no pairs of one kind
 */
export function testPairs<Source>(
  eyes: readonly Eye<Source>[],
  { genuinePairs, imposters, seed = 0 }: TestPairOptions,
): TestPairs<Source> {
  const images: [IrisSample<Source>[], IrisSample<Source>[]] = [[], []]
  const places = eyes.map(({ images: own }) =>
    ([0, 1] as const).map((domain) => own[domain].map((image) => images[domain].push(image) - 1)),
  )
  const genuine: TestPair[] = []
  for (const [firsts = [], seconds = []] of places) {
    for (const [i, first] of firsts.entries()) {
      for (const [j, second] of seconds.entries()) if (genuinePairs === 'all' || i < j) genuine.push({ first, second })
    }
  }
  const count = imposterCountOf(eyes)
  const imposter = imposters === undefined || imposters >= count ? [...all(places)] : drawn(places, imposters, seed)
  if (genuine.length === 0 || imposter.length === 0) {
    throw new ArgumentError(
      `iris-transformer-capsule: ${genuine.length} genuine and ${imposter.length} imposter pairs of ${eyes.length} eyes; both are needed. data.protocol and evaluation.genuinePairs decide which there are`,
    )
  }
  return { images, genuine, imposter, imposterCount: count }
}

function imposterCountOf(eyes: readonly Eye[]): number {
  const [firsts, seconds] = [0, 1].map((domain) => eyes.map(({ images }) => (images[domain] ?? []).length)) as [
    number[],
    number[],
  ]
  const sum = (counts: readonly number[]) => counts.reduce((total, value) => total + value, 0)
  return sum(firsts) * sum(seconds) - sum(firsts.map((value, i) => value * (seconds[i] ?? 0)))
}

type Places = readonly (readonly (readonly number[])[])[]

function* all(places: Places): Generator<TestPair> {
  for (const [a, [firsts = []]] of places.entries()) {
    for (const [b, [, seconds = []]] of places.entries()) {
      if (a === b) continue
      for (const first of firsts) for (const second of seconds) yield { first, second }
    }
  }
}

/** Different pairs, each as likely. */
function drawn(places: Places, count: number, seed: number): TestPair[] {
  const random = new RandomStream(seed, 0, Stream.Samples)
  const of = (domain: number) => places.flatMap((own, eye) => (own[domain] ?? []).map((place) => ({ eye, place })))
  const [firsts, seconds] = [of(0), of(1)]
  const pairs = new Map<number, TestPair>()
  while (pairs.size < count) {
    const [i, j] = [random.below(firsts.length), random.below(seconds.length)]
    const [first, second] = [firsts[i], seconds[j]]
    if (first === undefined || second === undefined || first.eye === second.eye) continue
    pairs.set(i * seconds.length + j, { first: first.place, second: second.place })
  }
  return [...pairs.values()]
}

/** Which genuine pairs a config asks for. */
export function genuinePairsOf({ data, evaluation }: Config): 'upper' | 'all' {
  return evaluation.genuinePairs ?? (data.protocol === 'polyu' ? 'upper' : 'all')
}
