// Made-up features of untrimmed videos: flow shows the actions, and colour shows them before backgrounds that all
// classes share.
import { RandomStream, Stream } from '../../../data/random'
import type { ActionSegment, ActionVideo } from '../../../datasets'
import { tensor } from '../../../tensor'
import type { Config } from './config'

/** Seconds of a segment of 16 frames at 25 frames a second. */
const SEGMENT_S = 16 / 25
/** Videos of tests are drawn from other numbers than those of training. */
const TEST_SEEDS = 1_000_000
const MOST_CLASSES_OF_A_VIDEO = 2

/** Directions that features of the two streams point to. */
interface Scenery {
  readonly actionsRgb: readonly Float32Array[]
  readonly actionsFlow: readonly Float32Array[]
  readonly scenes: readonly Float32Array[]
  readonly still: Float32Array
}

/** Videos of the synthetic set, the same on every machine. */
export function syntheticVideos(
  { synthetic, features }: Pick<Config, 'synthetic' | 'features'>,
  part: 'train' | 'test',
): readonly ActionVideo[] {
  const scenery = sceneryOf(synthetic, features)
  const [count, first] = part === 'train' ? [synthetic.videos, 0] : [synthetic.testVideos, TEST_SEEDS]
  return Array.from({ length: count }, (_, i) => videoOf(synthetic, features, scenery, i, first))
}

export const syntheticClasses = ({ synthetic }: Pick<Config, 'synthetic'>): readonly string[] =>
  Array.from({ length: synthetic.classes }, (_, c) => `action ${c}`)

function sceneryOf({ classes, scenes, likeness, seed }: Config['synthetic'], features: number): Scenery {
  const random = new RandomStream(seed, 0, Stream.Split)
  const several = (count: number) => Array.from({ length: count }, () => direction(random, features))
  const moving = direction(random, features)
  const mixed = (own: Float32Array) => own.map((value, d) => (1 - likeness) * value + likeness * (moving[d] ?? 0))
  return {
    actionsRgb: several(classes),
    actionsFlow: several(classes).map(mixed),
    scenes: several(scenes),
    still: direction(random, features),
  }
}

/** A direction of no negative values, as features after a ReLU have them; its mean square is 1. */
function direction(random: RandomStream, features: number): Float32Array {
  const values = Float32Array.from({ length: features }, () => Math.max(0, normal(random)))
  const size = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / features) || 1
  return values.map((value) => value / size)
}

function videoOf(
  { classes, segments: [least, most], noise, clutter, seed }: Config['synthetic'],
  features: number,
  scenery: Scenery,
  index: number,
  first: number,
): ActionVideo {
  const random = new RandomStream(seed + first + index, 1, Stream.Samples)
  const length = least + random.below(Math.max(1, most - least + 1))
  // Classes come in turn, so that each has its videos.
  const main = index % classes
  const labels = random.below(3) === 0 ? [main, random.below(classes)].slice(0, MOST_CLASSES_OF_A_VIDEO) : [main]
  const shown = new Int32Array(length).fill(-1)
  const actions: ActionSegment[] = []
  let at = 1 + random.below(6)
  for (let turn = 0; at < length - 3; turn++) {
    const duration = Math.min(3 + random.below(6), length - 1 - at)
    const label = labels[turn % labels.length] ?? main
    shown.fill(label, at, at + duration)
    actions.push({ label: `action ${label}`, segment: [at * SEGMENT_S, (at + duration) * SEGMENT_S] })
    at += duration + 4 + random.below(8)
  }
  const scene = scenesOf(random, length, scenery.scenes.length)
  // Made when first asked for, and kept beside the tensors' memory.
  let values: Float32Array | undefined
  const read = async () => {
    values ??= featuresOf({ features, scenery, shown, scene, noise, clutter, seed: seed + first + index })
    return tensor(values, { shape: [length, 2 * features], dtype: 'float32' })
  }
  return { name: `${first > 0 ? 'test' : 'video'} ${index}`, length, features, actions, read }
}

/** Backgrounds that change now and then. */
function scenesOf(random: RandomStream, length: number, scenes: number): Int32Array {
  const scene = new Int32Array(length)
  let at = 0
  while (at < length) {
    const [number, duration] = [random.below(scenes), 3 + random.below(10)]
    scene.fill(number, at, at + duration)
    at += duration
  }
  return scene
}

interface VideoPlan {
  readonly features: number
  readonly scenery: Scenery
  /** Action of each segment, −1 for none. */
  readonly shown: Int32Array
  readonly scene: Int32Array
  readonly noise: number
  readonly clutter: number
  readonly seed: number
}

/** `[L, 2D]`, RGB first. */
function featuresOf({ features, scenery, shown, scene, noise, clutter, seed }: VideoPlan): Float32Array {
  const random = new RandomStream(seed, 2, Stream.Samples)
  const values = new Float32Array(shown.length * 2 * features)
  for (const [l, action] of shown.entries()) {
    const background = scenery.scenes[scene[l] ?? 0]
    const ofRgb = scenery.actionsRgb[action]
    const ofFlow = scenery.actionsFlow[action] ?? scenery.still
    for (let d = 0; d < features; d++) {
      const rgb = (ofRgb?.[d] ?? 0) + clutter * (background?.[d] ?? 0) + noise * normal(random)
      const flow = (ofFlow[d] ?? 0) + noise * normal(random)
      values[(2 * l + 0) * features + d] = Math.max(0, rgb)
      values[(2 * l + 1) * features + d] = Math.max(0, flow)
    }
  }
  return values
}

/** By Box and Muller. */
function normal(random: RandomStream): number {
  return Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform())
}
