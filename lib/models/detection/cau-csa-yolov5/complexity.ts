// Operations of a network as YOLOv5 counts them, for the paper's tables.
import { ConvBlock, type YOLOv5 } from '../../../backbones'
import { Conv1d, Conv2d, type Module } from '../../../nn'
import { noGrad, type Tensor, tidy, zeros } from '../../../tensor'

/**
 * Billions of operations for a picture of `size`: two for each product of a convolution and for each bias, norms folded
 * in, nothing else; measured on a picture of the largest stride and scaled by area. What does not grow with the area,
 * such as the pooled convolutions of CAU, is overstated so.
 */
export function gflops(model: YOLOv5, size = 640): number {
  const modules = [...model.modules()]
  const folded = new Set<Module>(modules.flatMap((module) => (module instanceof ConvBlock ? [module.conv] : [])))
  const side = model.strides.at(-1) ?? 32
  let operations = 0
  const handles = modules
    .filter((module) => module instanceof Conv2d || module instanceof Conv1d)
    .map((module: Conv1d | Conv2d) =>
      module.registerForwardHook((_: unknown, __: unknown, output: unknown) => {
        const outputs = (output as Tensor).numel
        const products = module.weight.numel / (module.weight.shape[0] ?? 1)
        operations += 2 * outputs * (products + (module.bias !== null || folded.has(module) ? 1 : 0))
      }),
    )
  const wasTraining = model.training
  model.eval()
  try {
    const [first] = model.parameters()
    const made = { dtype: first?.dtype, device: first?.device }
    noGrad(() => tidy(() => void model.forward(zeros([1, 3, side, side], made))))
  } finally {
    for (const handle of handles) handle.remove()
    model.train(wasTraining)
  }
  return (operations * (size / side) ** 2) / 1e9
}
