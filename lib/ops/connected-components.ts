import { ArgumentError } from '../native/errors'
import { type AsyncCallOptions, call, callAsync } from '../tensor/call'
import { isTensor } from '../tensor/handle'
import type { Tensor } from '../tensor/tensor'

/**
 * Which places touch: in images those that share an edge (4) or a corner (8), in volumes those that share a face (6), an
 * edge (18) or a corner (26). It also says how many of the last axes are of space: two or three.
 */
export type Connectivity = 4 | 8 | 6 | 18 | 26

export interface ComponentsOptions {
  /** Default: 8. */
  readonly connectivity?: Connectivity
}

export interface Components {
  /** int32, of the input's shape: 0 for the background, 1 … count for the components by their first place in raster order. */
  readonly labels: Tensor<'int32'>
  /** int64, of the batch's shape: the number of components of each image or volume. */
  readonly count: Tensor<'int64'>
}

/** One row for each label, the background's first. Axes are in the order of the input's: y, x or z, y, x. */
export interface LabelStatistics {
  /** `[…, K + 1]` int64: places. */
  readonly area: Tensor<'int64'>
  /** `[…, K + 1, 2·D]` int64: the first place and the one behind the last, axis by axis, as in scikit-image; 0 when empty. */
  readonly box: Tensor<'int64'>
  /** `[…, K + 1, D]` float64: the mean place; NaN when empty. */
  readonly centroid: Tensor<'float64'>
}

const OP = 'vision_native::connected_components'

/**
 * Components of equal values that are not 0: neighbours with the same value are one component, as in scikit-image's
 * `label` and cc3d. For a mask of several values that count as one, pass `x.ne(0)`.
 *
 * Labels depend neither on the number of threads nor on the device. Rows are read as runs of equal values, which are
 * joined by union-find (He, Chao, Suzuki, IEEE TIP 2008), so that smooth masks take least time.
 *
 * @param input `[…, H, W]` or, with a connectivity of volumes, `[…, D, H, W]`; bool or integers
 * @throws DTypeError for floating-point input
 * @throws ShapeError when the input has fewer axes than the connectivity
 * @throws ArgumentError for another connectivity
 */
export function connectedComponents(input: Tensor, options: ComponentsOptions = {}): Components {
  return componentsOf(call(OP, [input], { connectivity: options.connectivity ?? 8 }))
}

/** `connectedComponents` on a thread of LibTorch's, with the event loop free. */
export async function connectedComponentsAsync(
  input: Tensor,
  { connectivity = 8, ...watch }: ComponentsOptions & AsyncCallOptions = {},
): Promise<Components> {
  return componentsOf(await callAsync(OP, [input], { connectivity }, watch))
}

/**
 * Components and their statistics. Images of a batch have rows for as many labels as the one that has most; the others'
 * last rows are empty.
 *
 * @throws as `connectedComponents`
 */
export function connectedComponentsWithStats(
  input: Tensor,
  options: ComponentsOptions = {},
): Components & LabelStatistics {
  const components = connectedComponents(input, options)
  const most = components.count.numel === 0 ? 0 : Math.max(...[...components.count.dataSync()].map(Number))
  const dims = isImage(options.connectivity ?? 8) ? 2 : 3
  return { ...components, ...labelStatistics(components.labels, most, { dims }) }
}

/**
 * Area, bounding box and centroid of every label of a label image, such as those of `connectedComponents` or `watershed`.
 *
 * @param labels `[…, H, W]`, or `[…, D, H, W]` with `dims: 3`; int32 in 0 … count
 * @param count K, the largest label
 * @throws ArgumentError when a label is not in 0 … count
 * @throws DTypeError for other element types
 */
export function labelStatistics(
  labels: Tensor,
  count: number,
  { dims = 2 }: { readonly dims?: 2 | 3 } = {},
): LabelStatistics {
  if (!isTensor(labels)) throw new ArgumentError('labelStatistics: expected a Tensor of labels')
  const [area, box, centroid] = call('vision_native::label_statistics', [labels, count], { dims }) as unknown as [
    Tensor<'int64'>,
    Tensor<'int64'>,
    Tensor<'float64'>,
  ]
  return { area, box, centroid }
}

function isImage(connectivity: Connectivity): boolean {
  return connectivity === 4 || connectivity === 8
}

function componentsOf(result: unknown): Components {
  const [labels, count] = result as [Tensor<'int32'>, Tensor<'int64'>]
  return { labels, count }
}
