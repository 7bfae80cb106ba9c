import { cat, type Tensor } from '../../tensor'

/** Predictions `[N, A · size, H, W]` of a map as `[N, H · W · A, size]`: row by row, anchors of a place together. */
export function byAnchor(map: Tensor, size: number): Tensor {
  const [batch, channels, height, width] = map.shape as [number, number, number, number]
  return map
    .reshape([batch, channels / size, size, height, width])
    .permute([0, 3, 4, 1, 2])
    .reshape([batch, height * width * (channels / size), size])
}

/** Predictions of all maps, one after the other: `[N, anchors of all maps, size]`. */
export function byAnchors(maps: readonly Tensor[], size: number): Tensor {
  return cat(
    maps.map((map) => byAnchor(map, size)),
    { dim: 1 },
  )
}
