import { ArgumentError } from '../../../native/errors'
import {
  type ImageInput,
  imageOf,
  type LoadedNetworks,
  type LoadOptions,
  loadNetworks,
  Match,
  Pipeline,
  type RunOptions,
} from '../../../pipeline'
import { dispose, keep, stack, type Tensor, tidyAsync } from '../../../tensor'
import { card } from './card'
import { type Described, IrisComparer } from './compare'
import { Config } from './config'
import { TransCapsIris } from './model'
import { IrisNormaliser, type NormalisedIris } from './normalise'
import { matchPicture, type SeenIris } from './picture'

const networks = { card, config: Config, create: (config: Config) => new TransCapsIris(config) }

/** Whether two irises are of one eye. */
export class IrisMatch extends Match {
  constructor(
    score: number,
    threshold: number,
    picture: Tensor<'uint8'>,
    /** What was made of both images. */
    readonly irises: readonly [NormalisedIris, NormalisedIris],
  ) {
    super(score, threshold, picture)
  }

  protected override tensors(): Iterable<Tensor> {
    return [this.picture, ...this.irises.flatMap(({ strip, mask }) => [strip, mask])]
  }
}

/** An iris that others can be compared with; it holds memory until it is disposed of. */
export class IrisTemplate implements Disposable {
  /** @internal */
  constructor(
    readonly iris: NormalisedIris,
    /** For each rotation of the config. */
    readonly described: readonly Described[],
  ) {}

  /** @internal */
  *tensors(): Iterable<Tensor> {
    yield* [this.iris.strip, this.iris.mask]
    for (const { maps, tokens } of this.described) yield* [maps, tokens]
  }

  dispose(): void {
    for (const tensor of this.tensors()) dispose(tensor)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** A name of a gallery and how alike its iris is. */
export interface Candidate {
  readonly name: string
  readonly score: number
  readonly same: boolean
}

/**
 * Tells whether two pictures show the same eye (Toward More Accurate Heterogeneous Iris Recognition with Transformers
 * and Capsules, MMM 2023): pictures of eyes, or strips that are normalised already. The first is of the first domain the
 * network was trained on, the second of the second.
 *
 * @example
 * using matcher = await IrisMatcher.load({ weights: 'iris.safetensors' })
 * using match = await matcher.run(['visible.png', 'infrared.png'])
 * console.log(match.same, match.score)
 */
export class IrisMatcher extends Pipeline<readonly [ImageInput, ImageInput], IrisMatch> {
  readonly #normaliser: IrisNormaliser
  readonly #comparer: IrisComparer

  private constructor(private readonly loaded: LoadedNetworks<typeof Config, TransCapsIris>) {
    super()
    this.#normaliser = new IrisNormaliser(loaded.config)
    this.#comparer = new IrisComparer(loaded.model, loaded.device)
  }

  /** @throws ConfigError when there are no weights, or they are another system's; ShapeError of another variant */
  static async load(options: LoadOptions<typeof Config> = {}): Promise<IrisMatcher> {
    return new IrisMatcher(await loadNetworks(networks, options))
  }

  /** @throws the errors of `readImage`; ShapeError, ArgumentError when a picture is too small or shows no iris; CancelledError */
  run([first, second]: readonly [ImageInput, ImageInput], options: RunOptions = {}): Promise<IrisMatch> {
    return tidyAsync(async () => {
      const { signal, onProgress } = options
      const step = (done: number) => onProgress?.({ stage: 'irises', done, total: 3 })
      const a = await this.#see(first, signal)
      step(1)
      const b = await this.#see(second, signal)
      step(2)
      const [mine] = await this.#describe(a.normalised, [0], signal)
      const turned = await this.#describe(b.normalised, this.loaded.config.inference.rotations, signal)
      const { score, difference } = await this.#best(mine as Described, turned, signal)
      step(3)
      const picture = await matchPicture([a, b], difference)
      return new IrisMatch(score, this.threshold, picture, [a.normalised, b.normalised])
    })
  }

  /** The least score of the same eye. */
  get threshold(): number {
    return this.loaded.config.inference.threshold
  }

  /** Finds, normalises and describes an iris, for comparing it with many. */
  enrol(input: ImageInput, { signal }: RunOptions = {}): Promise<IrisTemplate> {
    return tidyAsync(async () => {
      const { normalised } = await this.#see(input, signal)
      const described = await this.#describe(normalised, this.loaded.config.inference.rotations, signal)
      const template = new IrisTemplate(normalised, described)
      for (const tensor of template.tensors()) keep(tensor)
      return template
    })
  }

  /**
   * Scores of irises of the first domain (rows) with those of the second (columns).
   *
   * @throws CancelledError
   */
  async scores(
    firsts: readonly IrisTemplate[],
    seconds: readonly IrisTemplate[],
    options: RunOptions = {},
  ): Promise<number[][]> {
    const { rotations } = this.loaded.config.inference
    const upright = rotations.indexOf(0)
    if (upright < 0) throw new ArgumentError('IrisMatcher.scores: inference.rotations must have 0 among them')
    const pairs = firsts.flatMap((_, first) =>
      seconds.flatMap(({ described }, j) =>
        described.map((_turned, r) => ({ first, second: j * rotations.length + r })),
      ),
    )
    const { batchSize } = this.loaded.config.evaluation
    const scores = await this.#comparer.scores(
      firsts.map(({ described }) => described[upright] as Described),
      seconds.flatMap(({ described }) => described),
      pairs,
      { ...options, batchSize },
    )
    const at = (i: number, j: number) => (i * seconds.length + j) * rotations.length
    return firsts.map((_, i) =>
      seconds.map((_second, j) => Math.max(...scores.subarray(at(i, j), at(i, j) + rotations.length))),
    )
  }

  /**
   * Whose iris it is: the irises of a gallery (of the second domain) by their scores, the most alike first.
   *
   * @param probe of the first domain
   */
  async identify(
    probe: ImageInput,
    gallery: Iterable<readonly [name: string, template: IrisTemplate]>,
    options: RunOptions = {},
  ): Promise<Candidate[]> {
    const entries = [...gallery]
    using template = await this.enrol(probe, options)
    const [scores = []] = await this.scores(
      [template],
      entries.map(([, enrolled]) => enrolled),
      options,
    )
    return entries
      .map(([name], i) => ({ name, score: scores[i] ?? Number.NaN, same: (scores[i] ?? 0) >= this.threshold }))
      .sort((a, b) => b.score - a.score)
  }

  async #see(input: ImageInput, signal: AbortSignal | undefined): Promise<SeenIris> {
    const image = await imageOf(input, 'cpu', 'IrisMatcher')
    return { image, normalised: await this.#normaliser.run(image, { signal }) }
  }

  #describe(
    { strip }: NormalisedIris,
    rotations: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<Described[]> {
    return tidyAsync(async () => {
      const strips = stack(rotations.map((columns) => strip.roll([columns], { dims: [1] })))
      return this.#comparer.describe(strips, { signal })
    })
  }

  async #best(first: Described, seconds: readonly Described[], signal: AbortSignal | undefined) {
    const all = []
    for (const second of seconds) all.push(await this.#comparer.compare(first, second, { signal }))
    return all.reduce((best, one) => (one.score > best.score ? one : best))
  }

  dispose(): void {
    this.#normaliser[Symbol.dispose]()
    this.#comparer[Symbol.dispose]()
    this.loaded.model.dispose()
  }
}
