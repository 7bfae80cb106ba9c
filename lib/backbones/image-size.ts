import { ShapeError } from '../native/errors'
import type { Tensor } from '../tensor'

/** @throws ShapeError unless the input is a batch of images `[N, C, H, W]` of at least `least` pixels a side */
export function checkImageSize(network: string, { shape }: Tensor, least: number): void {
  const [, , height = 0, width = 0] = shape
  if (shape.length === 4 && height >= least && width >= least) return
  throw new ShapeError(
    `${network}: the input has shape [${shape.join(', ')}]; it must be [N, C, H, W] with H and W of ${least} or more: enlarge smaller images`,
  )
}
