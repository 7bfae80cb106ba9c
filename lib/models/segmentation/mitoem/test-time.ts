// A window seen several ways, and the mean of what the network says of it.
import { cat, type Tensor, tidyAsync } from '../../../tensor'
import { type Representation, TARGETS } from './model'

/** Flips and a transpose, which are undone in the order x, y, z, transpose. */
export interface View {
  readonly z: boolean
  readonly y: boolean
  readonly x: boolean
  /** Exchanges y and x, before the flips. */
  readonly transpose: boolean
}

/** Which views: none but the window itself; those of July 2020; those of December 2020; all. */
export const VIEW_SETS = ['none', 'z-transpose', 'flips', 'all'] as const
export type ViewSet = (typeof VIEW_SETS)[number]

export function viewsOf(set: ViewSet): View[] {
  const both = (on: boolean) => (on ? [false, true] : [false])
  const [z, plane, transpose] = [
    set === 'z-transpose' || set === 'all',
    set === 'flips' || set === 'all',
    set === 'z-transpose' || set === 'all',
  ]
  return both(z).flatMap((a) =>
    both(plane).flatMap((b) =>
      both(plane).flatMap((c) => both(transpose).map((d): View => ({ z: a, y: b, x: c, transpose: d }))),
    ),
  )
}

const axesOf = ({ z, y, x }: View) => [z, y, x].flatMap((on, axis) => (on ? [axis - 3] : []))

/** The window `[…, D, H, W]` as a view shows it. */
export function seen(window: Tensor, view: View): Tensor {
  const turned = view.transpose ? window.transpose(-2, -1) : window
  const axes = axesOf(view)
  return axes.length === 0 ? turned : turned.flip(axes)
}

/**
 * Maps of a view as those of the window. Masks and contours are only turned back. An affinity joins a voxel to the one
 * before, which after a flip is the one behind: its map moves by one voxel, and the first place of the axis takes what
 * the network says of the window itself. A transpose exchanges the maps of y and x.
 *
 * @param maps `[C, D, H, W]` of the view
 * @param plain maps of the window itself
 */
export function unseen(maps: Tensor, view: View, representation: Representation, plain: Tensor): Tensor {
  const axes = axesOf(view)
  const back = axes.length === 0 ? maps : maps.flip(axes)
  const first = affinityChannel(representation)
  if (first === undefined) return view.transpose ? back.transpose(-2, -1) : back
  const own = view.transpose ? transposed(plain, first) : plain
  const channels = channelsIn(back).map((map, channel) => {
    const axis = axes.find((each) => first + each + 3 === channel)
    if (axis === undefined) return map
    return cat([own.narrow(0, channel, 1).narrow(axis, 0, 1), map.narrow(axis, 0, map.size(axis) - 1)], { dim: axis })
  })
  const moved = cat(channels)
  return view.transpose ? transposed(moved, first) : moved
}

/** Exchanges y and x of all maps, and the affinities along them. */
function transposed(maps: Tensor, first: number): Tensor {
  const order = channelsIn(maps.transpose(-2, -1))
  const [y, x] = [order[first + 1] as Tensor, order[first + 2] as Tensor]
  return cat(order.with(first + 1, x).with(first + 2, y))
}

const channelsIn = (maps: Tensor): Tensor[] => Array.from({ length: maps.size(0) }, (_, i) => maps.narrow(0, i, 1))

function affinityChannel(representation: Representation): number | undefined {
  const at = (TARGETS[representation] as readonly string[]).indexOf('affinity')
  return at < 0 ? undefined : at
}

/** The mean over views of what a network says of a window `[1, 1, D, H, W]`: `[C, D, H, W]`. */
export function predictViews(
  network: (window: Tensor) => Promise<Tensor>,
  window: Tensor,
  views: readonly View[],
  representation: Representation,
): Promise<Tensor> {
  return tidyAsync(async () => {
    const plain = (await network(window)).squeeze(0)
    let sum = plain
    for (const view of views) {
      if (!(view.transpose || axesOf(view).length > 0)) continue
      const maps = (await network(seen(window, view).contiguous())).squeeze(0)
      sum = sum.add(unseen(maps, view, representation, plain))
    }
    return sum.div(views.length)
  })
}
