// Small networks trained and judged on made-up irises.
import { DataLoader } from '../../../lib/data'
import {
  Config,
  HalfGenuineBatches,
  IrisPairs,
  irisParts,
  irisTrainer,
  type ScoredPairs,
  Strips,
  scoredPairs,
  sourcesOf,
  TransCapsIris,
} from '../../../lib/models/biometrics/iris-transformer-capsule'
import { mergeConfigs, SYNTHETIC } from '../../../lib/pipeline'
import { dispose, manualSeed, tidyAsync } from '../../../lib/tensor'

const SMALL = {
  network: { stemChannels: 16 },
  input: { size: 32 },
  normalisation: { height: 32, width: 64 },
  training: { batchSize: 32, shift: 1, learningRate: 0.01, momentum: 0.9 },
  data: { protocol: 'identities' },
  evaluation: { imposters: 20_000 },
}

export function smallConfig(over: object = {}): Config {
  return Config.parse(mergeConfigs(SMALL, over))
}

/** What a training gives. */
export interface Outcome {
  /** Of the test's eyes. */
  readonly scored: ScoredPairs
  /** Of the last epoch, by name. */
  readonly values: Readonly<Record<string, number>>
}

/** Trains a network on made-up eyes and judges it on others, or on those of training. */
export function outcomeOf(config: Config, judge: 'test' | 'train' = 'test'): Promise<Outcome> {
  return tidyAsync(async () => {
    const { seed, epochs, batchSize, shift } = config.training
    const note = () => {}
    const parts = await irisParts({ data: SYNTHETIC, config, device: 'cpu', note })
    const strips = await Strips.of(sourcesOf([...parts.train, ...parts.test]), { config, note })
    manualSeed(seed)
    using model = new TransCapsIris(config)
    const pairs = new IrisPairs(parts.train, strips, shift)
    const batchSampler = new HalfGenuineBatches(pairs.length / 2, batchSize, seed)
    const trainer = irisTrainer(model, { progress: false })
    const { records } = await trainer.fit(new DataLoader(pairs, { batchSampler, seed }), { epochs })
    dispose(trainer.options.optimizer)
    const scored = await scoredPairs(model.eval(), parts[judge], strips, { config, device: 'cpu', genuinePairs: 'all' })
    const { loss = Number.NaN, values = {} } = records.at(-1) ?? {}
    return { scored, values: { loss, ...values } }
  })
}

/** Rows with a line of names above. */
export function table(title: string, rows: readonly Readonly<Record<string, number | string>>[]): void {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => (typeof cell === 'number' && !Number.isInteger(cell) ? cell.toFixed(4) : cell)).join(' | ')} |`
  const keys = Object.keys(rows[0] ?? {})
  console.log(
    [title, line(keys), line(keys.map(() => '---')), ...rows.map((row) => line(Object.values(row)))].join('\n'),
  )
}
