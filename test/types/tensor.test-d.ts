// Read by the compiler alone (`npm run check`), never run: what users' programs may say of tensors, and what not.
import { expectTypeOf } from 'vitest'
import { capture, noGrad, randn, stack, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../lib'
import * as F from '../../lib/nn/functional'

export async function dtypesAreKept(x: Tensor): Promise<void> {
  expectTypeOf(zeros([2, 3])).toEqualTypeOf<Tensor<'float32'>>()
  expectTypeOf(zeros([2], { dtype: 'int64' })).toEqualTypeOf<Tensor<'int64'>>()
  expectTypeOf(zeros([2], { dtype: 'int64' }).dataSync()).toEqualTypeOf<BigInt64Array>()
  expectTypeOf(randn([2]).data()).resolves.toEqualTypeOf<Float32Array>()
  expectTypeOf(zeros([2], { dtype: 'float64' }).dataSync()).toEqualTypeOf<Float64Array>()
  expectTypeOf(zeros([2], { dtype: 'bool' }).dataSync()).toEqualTypeOf<Uint8Array>()
  // Without a stated dtype a number may turn out to be any of them.
  expectTypeOf(tensor([1, 2])).toEqualTypeOf<Tensor>()
  expectTypeOf(x.toNumber()).toEqualTypeOf<number>()

  // @ts-expect-error there is no such dtype
  zeros([2], { dtype: 'float' })
  // @ts-expect-error sizes are one list
  zeros(2, 3)
  // @ts-expect-error a dtype that was stated does not turn into another
  expectTypeOf(zeros([2], { dtype: 'int64' }).dataSync()).toEqualTypeOf<Float32Array>()
}

export function overloadsAreToldApart(x: Tensor, other: Tensor): void {
  expectTypeOf(x.max()).toEqualTypeOf<Tensor>()
  expectTypeOf(x.max(other)).toEqualTypeOf<Tensor>()
  expectTypeOf(x.max(1)).toEqualTypeOf<[values: Tensor, indices: Tensor]>()
  expectTypeOf(x.max(1, { keepdim: true })).toEqualTypeOf<[values: Tensor, indices: Tensor]>()
  expectTypeOf(x.topk(5, { largest: false })).toEqualTypeOf<[values: Tensor, indices: Tensor]>()
  expectTypeOf(x.sum({ dim: 1 })).toEqualTypeOf<Tensor>()
  expectTypeOf(x.sum({ dim: [0, 1], keepdim: true, dtype: 'float64' })).toEqualTypeOf<Tensor>()
  expectTypeOf(stack([x, other], { dim: 1 })).toEqualTypeOf<Tensor>()
  expectTypeOf(x.add(1).add(1n).add(other, { alpha: 2 })).toEqualTypeOf<Tensor>()

  // @ts-expect-error what PyTorch gives a default goes by name
  x.sum(1)
  // @ts-expect-error not an option of sum
  x.sum({ dims: [1] })
  // @ts-expect-error keepdim without dim is no overload of max
  x.max({ keepdim: true })
  // @ts-expect-error one tensor is no list
  stack(x)
  // @ts-expect-error text is no tensor
  x.add('1')
}

export function inPlaceOperatorsReturnTheirOwn(x: Tensor<'float64'>): void {
  expectTypeOf(x.add_(1)).toEqualTypeOf<Tensor<'float64'>>()
  expectTypeOf(x.zero_().mul_(2)).toEqualTypeOf<Tensor<'float64'>>()
}

export function layersTakeTheirOptions(x: Tensor, weight: Tensor, bias: Tensor): void {
  expectTypeOf(F.conv2d(x, weight, { bias, stride: [2, 1], padding: 'same' })).toEqualTypeOf<Tensor>()
  expectTypeOf(F.crossEntropy(x, weight, { labelSmoothing: 0.1 })).toEqualTypeOf<Tensor>()

  // @ts-expect-error layouts are no option
  F.conv2d(x, weight, { dataFormat: 'channelsLast' })
  // @ts-expect-error a name of Python's
  F.crossEntropy(x, weight, { label_smoothing: 0.1 })
}

export function scopesGiveWhatTheirFunctionGives(x: Tensor<'float32'>): void {
  expectTypeOf(tidy(() => x.add(1))).toEqualTypeOf<Tensor>()
  expectTypeOf(tidy(() => ({ x, n: 1 }))).toEqualTypeOf<{ x: Tensor<'float32'>; n: number }>()
  expectTypeOf(tidyAsync(async () => [x])).resolves.toEqualTypeOf<Tensor<'float32'>[]>()
  expectTypeOf(noGrad(() => 3)).toEqualTypeOf<number>()
}

export function capturedFunctionsKeepTheirArguments(x: Tensor): void {
  const step = capture((images: Tensor, rate: number) => images.mul(rate))
  expectTypeOf(step).parameters.toEqualTypeOf<[images: Tensor, rate: number]>()
  expectTypeOf(step(x, 0.1)).resolves.toEqualTypeOf<Tensor>()
  expectTypeOf(step.sync(x, 0.1)).toEqualTypeOf<Tensor>()

  // @ts-expect-error the rate is missing
  step(x)
}
