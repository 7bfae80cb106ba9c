// Random changes of a sample, in the order in which the release carries them out.
import type { Triple } from '../../../datasets'
import { type Generator, type Tensor, tidy } from '../../../tensor'
import type { Config } from './config'
import { blurMotion, cutBlur, cutNoise, grayscale, missingParts } from './grey-changes'
import { dropSlices, elastic, flipPlane, rescale, rotate, slip } from './shape-changes'
import { smoothLabels } from './smooth-labels'

/** A picture of tissue and its objects. */
export interface EmSample {
  /** float32 `[D, H, W]` in 0–1. */
  readonly image: Tensor
  /** `[D, H, W]` whole numbers. */
  readonly labels: Tensor
}

/** Random numbers of a sample. */
export interface Draws {
  /** In [0, 1). */
  uniform(): number
  /** 0 … n − 1. */
  below(n: number): number
  readonly generator: Generator | undefined
}

type Augmentation = Config['augmentation']

const ROTATION = 1.42
const RESCALE = 1.25
/** Of the deformation's reach and of the largest slip, on either side. */
const ELASTIC = 17
const DROPPED = 2
const SLIP = 8

/** Voxels of a sample from which one of `window` is left after all changes: 34 × 505 × 505 for 32 × 256 × 256. */
export function sampleSize(window: Triple, augmentation: Augmentation): Triple {
  const { enabled, rotation, rescale: scaled, elastic: bent, missingSection, misalignment } = augmentation
  if (!enabled) return window
  const side = (length: number) => {
    const turned = rotation > 0 ? Math.ceil(length * ROTATION) : length
    const larger = scaled > 0 ? Math.ceil(turned * RESCALE) : turned
    return larger + (bent > 0 ? 2 * ELASTIC : 0) + (misalignment > 0 ? 2 * SLIP : 0)
  }
  return [window[0] + (missingSection > 0 ? DROPPED : 0), side(window[1]), side(window[2])]
}

/** A sample of `window` voxels from a larger one of `sampleSize`. */
export function emAugment(sample: EmSample, window: Triple, augmentation: Augmentation, draws: Draws): EmSample {
  if (!augmentation.enabled) return centre(sample, window)
  const often = (share: number) => draws.uniform() < share
  return tidy(() => {
    let { image, labels } = sample
    const { isotropic } = augmentation
    if (often(augmentation.cutNoise)) image = cutNoise(image, draws)
    if (often(augmentation.cutBlur)) image = cutBlur(image, draws, isotropic)
    if (often(augmentation.motionBlur)) image = blurMotion(image, draws)
    let changed: EmSample = { image, labels }
    if (often(augmentation.misalignment)) changed = slip(changed, SLIP, draws)
    if (often(augmentation.missingSection)) changed = dropSlices(changed, DROPPED, draws)
    ;({ image, labels } = changed)
    if (often(augmentation.missingParts)) image = missingParts(image, augmentation.missingParts, draws)
    if (often(augmentation.grayscale)) image = grayscale(image, draws)
    changed = { image, labels }
    if (often(augmentation.elastic)) changed = elastic(changed, draws)
    if (often(augmentation.rescale)) changed = rescale(changed, draws)
    if (often(augmentation.rotation)) changed = rotate(changed, draws)
    changed = centre(changed, window)
    if (augmentation.flips) changed = flipPlane(changed, isotropic, draws)
    return {
      image: changed.image.contiguous(),
      labels: augmentation.smoothLabels ? smoothLabels(changed.labels) : changed.labels.contiguous(),
    }
  })
}

/** The middle of a sample. */
function centre({ image, labels }: EmSample, window: Triple): EmSample {
  const cut = (x: Tensor) =>
    window.reduce((part, length, dim) => part.narrow(dim, Math.floor((part.size(dim) - length) / 2), length), x)
  return { image: cut(image), labels: cut(labels) }
}
