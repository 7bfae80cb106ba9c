// Written by `npm run generate` from the schemas of LibTorch; do not edit.

import { op, opN } from './call'
import type { Generator } from './random'
import type { Tensor } from './tensor'
import type { Device, DType, Layout, MemoryFormat, Scalar } from './types'

/** `_adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor` */
export function _adaptiveAvgPool2d(self: Tensor, outputSize: number | readonly number[]): Tensor {
  return op(0, self, outputSize) as Tensor
}

/** `_adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor` */
export function _adaptiveAvgPool3d(self: Tensor, outputSize: number | readonly number[]): Tensor {
  return op(1, self, outputSize) as Tensor
}

/** `_amp_foreach_non_finite_check_and_unscale_(Tensor(a!)[] self, Tensor(b!) found_inf, Tensor inv_scale) -> ()` */
export function _ampForeachNonFiniteCheckAndUnscale_(self: readonly Tensor[], foundInf: Tensor, invScale: Tensor): void {
  op(2, self, foundInf, invScale)
}

/** `_amp_update_scale_(Tensor(a!) self, Tensor(b!) growth_tracker, Tensor found_inf, float scale_growth_factor, float scale_backoff_factor, int growth_interval) -> Tensor(a!)` */
export function _ampUpdateScale_(self: Tensor, growthTracker: Tensor, foundInf: Tensor, scaleGrowthFactor: number, scaleBackoffFactor: number, growthInterval: number | bigint): Tensor {
  return opN(3, [self, growthTracker, foundInf, scaleGrowthFactor, scaleBackoffFactor, growthInterval]) as Tensor
}

/** `_batch_norm_impl_index(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> (Tensor, Tensor, Tensor, Tensor, int)` */
export function _batchNormImplIndex(input: Tensor, training: boolean, momentum: number, eps: number, cudnnEnabled: boolean, options?: { weight?: Tensor | null; bias?: Tensor | null; runningMean?: Tensor | null; runningVar?: Tensor | null }): [Tensor, Tensor, Tensor, Tensor, number] {
  return opN(4, [input, training, momentum, eps, cudnnEnabled, options]) as [Tensor, Tensor, Tensor, Tensor, number]
}

/** `_batch_norm_with_update(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, Tensor(b!) running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor)` */
export function _batchNormWithUpdate(input: Tensor, runningMean: Tensor, runningVar: Tensor, momentum: number, eps: number, options?: { weight?: Tensor | null; bias?: Tensor | null }): [Tensor, Tensor, Tensor, Tensor] {
  return opN(5, [input, runningMean, runningVar, momentum, eps, options]) as [Tensor, Tensor, Tensor, Tensor]
}

/** `_cdist_forward(Tensor x1, Tensor x2, float p, int? compute_mode) -> Tensor` */
export function _cdistForward(x1: Tensor, x2: Tensor, p: number, options?: { computeMode?: number | bigint | null }): Tensor {
  return op(6, x1, x2, p, options) as Tensor
}

/** `_conj(Tensor(a) self) -> Tensor(a)` */
export function _conj(self: Tensor): Tensor {
  return op(7, self) as Tensor
}

/** `_convolution.deprecated(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, int[] output_padding, SymInt groups, bool benchmark, bool deterministic, bool cudnn_enabled) -> Tensor` */
export function _convolution(input: Tensor, weight: Tensor, stride: readonly number[], padding: readonly number[], dilation: readonly number[], transposed: boolean, outputPadding: readonly number[], groups: number | bigint, benchmark: boolean, deterministic: boolean, cudnnEnabled: boolean, options?: { bias?: Tensor | null }): Tensor
/** `_convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups, bool benchmark, bool deterministic, bool cudnn_enabled, bool allow_tf32) -> Tensor` */
export function _convolution(input: Tensor, weight: Tensor, stride: readonly number[], padding: readonly number[], dilation: readonly number[], transposed: boolean, outputPadding: readonly number[], groups: number | bigint, benchmark: boolean, deterministic: boolean, cudnnEnabled: boolean, allowTf32: boolean, options?: { bias?: Tensor | null }): Tensor
export function _convolution(a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown, g: unknown, h: unknown, i: unknown, j: unknown, k: unknown, l?: unknown, m?: unknown): unknown {
  return opN(8, [a, b, c, d, e, f, g, h, i, j, k, l, m])
}

/** `_ctc_loss.Tensor(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, int blank=0, bool zero_infinity=False) -> (Tensor, Tensor)` */
export function _ctcLoss(logProbs: Tensor, targets: Tensor, inputLengths: Tensor, targetLengths: Tensor, options?: { blank?: number | bigint; zeroInfinity?: boolean }): [Tensor, Tensor]
/** `_ctc_loss(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, int blank=0, bool zero_infinity=False) -> (Tensor, Tensor)` */
export function _ctcLoss(logProbs: Tensor, targets: Tensor, inputLengths: readonly number[], targetLengths: readonly number[], options?: { blank?: number | bigint; zeroInfinity?: boolean }): [Tensor, Tensor]
export function _ctcLoss(a: unknown, b: unknown, c: unknown, d: unknown, e?: unknown): unknown {
  return op(9, a, b, c, d, e)
}

/** `_embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int padding_idx=-1) -> (Tensor, Tensor, Tensor, Tensor)` */
export function _embeddingBag(weight: Tensor, indices: Tensor, offsets: Tensor, options?: { scaleGradByFreq?: boolean; mode?: number | bigint; sparse?: boolean; perSampleWeights?: Tensor | null; includeLastOffset?: boolean; paddingIdx?: number | bigint }): [Tensor, Tensor, Tensor, Tensor] {
  return op(10, weight, indices, offsets, options) as [Tensor, Tensor, Tensor, Tensor]
}

/** `_euclidean_dist(Tensor x1, Tensor x2) -> Tensor` */
export function _euclideanDist(x1: Tensor, x2: Tensor): Tensor {
  return op(11, x1, x2) as Tensor
}

/** `_foreach_abs(Tensor[] self) -> Tensor[]` */
export function _foreachAbs(self: readonly Tensor[]): Tensor[] {
  return op(12, self) as Tensor[]
}

/** `_foreach_abs_(Tensor(a!)[] self) -> ()` */
export function _foreachAbs_(self: readonly Tensor[]): void {
  op(13, self)
}

/** `_foreach_acos(Tensor[] self) -> Tensor[]` */
export function _foreachAcos(self: readonly Tensor[]): Tensor[] {
  return op(14, self) as Tensor[]
}

/** `_foreach_acos_(Tensor(a!)[] self) -> ()` */
export function _foreachAcos_(self: readonly Tensor[]): void {
  op(15, self)
}

/**
 * `_foreach_add.Tensor(Tensor[] self, Tensor other, *, Scalar alpha=1) -> Tensor[]`
 *
 * `_foreach_add.List(Tensor[] self, Tensor[] other, *, Scalar alpha=1) -> Tensor[]`
 */
export function _foreachAdd(self: readonly Tensor[], other: Tensor | readonly Tensor[], options?: { alpha?: Scalar }): Tensor[]
/** `_foreach_add.Scalar(Tensor[] self, Scalar scalar) -> Tensor[]` */
export function _foreachAdd(self: readonly Tensor[], scalar: Scalar): Tensor[]
/** `_foreach_add.ScalarList(Tensor[] self, Scalar[] scalars) -> Tensor[]` */
export function _foreachAdd(self: readonly Tensor[], scalars: readonly Scalar[]): Tensor[]
export function _foreachAdd(a: unknown, b: unknown, c?: unknown): unknown {
  return op(16, a, b, c)
}

/**
 * `_foreach_add_.Tensor(Tensor(a!)[] self, Tensor other, *, Scalar alpha=1) -> ()`
 *
 * `_foreach_add_.List(Tensor(a!)[] self, Tensor[] other, *, Scalar alpha=1) -> ()`
 */
export function _foreachAdd_(self: readonly Tensor[], other: Tensor | readonly Tensor[], options?: { alpha?: Scalar }): void
/** `_foreach_add_.Scalar(Tensor(a!)[] self, Scalar scalar) -> ()` */
export function _foreachAdd_(self: readonly Tensor[], scalar: Scalar): void
/** `_foreach_add_.ScalarList(Tensor(a!)[] self, Scalar[] scalars) -> ()` */
export function _foreachAdd_(self: readonly Tensor[], scalars: readonly Scalar[]): void
export function _foreachAdd_(a: unknown, b: unknown, c?: unknown): unknown {
  return op(17, a, b, c)
}

/** `_foreach_addcdiv.Scalar(Tensor[] self, Tensor[] tensor1, Tensor[] tensor2, Scalar value=1) -> Tensor[]` */
export function _foreachAddcdiv(self: readonly Tensor[], tensor1: readonly Tensor[], tensor2: readonly Tensor[], options?: { value?: Scalar }): Tensor[]
/**
 * `_foreach_addcdiv.Tensor(Tensor[] self, Tensor[] tensor1, Tensor[] tensor2, Tensor scalars) -> Tensor[]`
 *
 * `_foreach_addcdiv.ScalarList(Tensor[] self, Tensor[] tensor1, Tensor[] tensor2, Scalar[] scalars) -> Tensor[]`
 */
export function _foreachAddcdiv(self: readonly Tensor[], tensor1: readonly Tensor[], tensor2: readonly Tensor[], scalars: Tensor | readonly Scalar[]): Tensor[]
export function _foreachAddcdiv(a: unknown, b: unknown, c: unknown, d?: unknown): unknown {
  return op(18, a, b, c, d)
}

/** `_foreach_addcdiv_.Scalar(Tensor(a!)[] self, Tensor[] tensor1, Tensor[] tensor2, Scalar value=1) -> ()` */
export function _foreachAddcdiv_(self: readonly Tensor[], tensor1: readonly Tensor[], tensor2: readonly Tensor[], options?: { value?: Scalar }): void
/**
 * `_foreach_addcdiv_.Tensor(Tensor(a!)[] self, Tensor[] tensor1, Tensor[] tensor2, Tensor scalars) -> ()`
 *
 * `_foreach_addcdiv_.ScalarList(Tensor(a!)[] self, Tensor[] tensor1, Tensor[] tensor2, Scalar[] scalars) -> ()`
 */
export function _foreachAddcdiv_(self: readonly Tensor[], tensor1: readonly Tensor[], tensor2: readonly Tensor[], scalars: Tensor | readonly Scalar[]): void
export function _foreachAddcdiv_(a: unknown, b: unknown, c: unknown, d?: unknown): unknown {
  return op(19, a, b, c, d)
}

/** `_foreach_addcmul.Scalar(Tensor[] self, Tensor[] tensor1, Tensor[] tensor2, Scalar value=1) -> Tensor[]` */
export function _foreachAddcmul(self: readonly Tensor[], tensor1: readonly Tensor[], tensor2: readonly Tensor[], options?: { value?: Scalar }): Tensor[]
/**
 * `_foreach_addcmul.Tensor(Tensor[] self, Tensor[] tensor1, Tensor[] tensor2, Tensor scalars) -> Tensor[]`
 *
 * `_foreach_addcmul.ScalarList(Tensor[] self, Tensor[] tensor1, Tensor[] tensor2, Scalar[] scalars) -> Tensor[]`
 */
export function _foreachAddcmul(self: readonly Tensor[], tensor1: readonly Tensor[], tensor2: readonly Tensor[], scalars: Tensor | readonly Scalar[]): Tensor[]
export function _foreachAddcmul(a: unknown, b: unknown, c: unknown, d?: unknown): unknown {
  return op(20, a, b, c, d)
}

/** `_foreach_addcmul_.Scalar(Tensor(a!)[] self, Tensor[] tensor1, Tensor[] tensor2, Scalar value=1) -> ()` */
export function _foreachAddcmul_(self: readonly Tensor[], tensor1: readonly Tensor[], tensor2: readonly Tensor[], options?: { value?: Scalar }): void
/**
 * `_foreach_addcmul_.Tensor(Tensor(a!)[] self, Tensor[] tensor1, Tensor[] tensor2, Tensor scalars) -> ()`
 *
 * `_foreach_addcmul_.ScalarList(Tensor(a!)[] self, Tensor[] tensor1, Tensor[] tensor2, Scalar[] scalars) -> ()`
 */
export function _foreachAddcmul_(self: readonly Tensor[], tensor1: readonly Tensor[], tensor2: readonly Tensor[], scalars: Tensor | readonly Scalar[]): void
export function _foreachAddcmul_(a: unknown, b: unknown, c: unknown, d?: unknown): unknown {
  return op(21, a, b, c, d)
}

/** `_foreach_asin(Tensor[] self) -> Tensor[]` */
export function _foreachAsin(self: readonly Tensor[]): Tensor[] {
  return op(22, self) as Tensor[]
}

/** `_foreach_asin_(Tensor(a!)[] self) -> ()` */
export function _foreachAsin_(self: readonly Tensor[]): void {
  op(23, self)
}

/** `_foreach_atan(Tensor[] self) -> Tensor[]` */
export function _foreachAtan(self: readonly Tensor[]): Tensor[] {
  return op(24, self) as Tensor[]
}

/** `_foreach_atan_(Tensor(a!)[] self) -> ()` */
export function _foreachAtan_(self: readonly Tensor[]): void {
  op(25, self)
}

/** `_foreach_ceil(Tensor[] self) -> Tensor[]` */
export function _foreachCeil(self: readonly Tensor[]): Tensor[] {
  return op(26, self) as Tensor[]
}

/** `_foreach_ceil_(Tensor(a!)[] self) -> ()` */
export function _foreachCeil_(self: readonly Tensor[]): void {
  op(27, self)
}

/** `_foreach_clamp_max.List(Tensor[] self, Tensor[] other) -> Tensor[]` */
export function _foreachClampMax(self: readonly Tensor[], other: readonly Tensor[]): Tensor[]
/** `_foreach_clamp_max.Scalar(Tensor[] self, Scalar scalar) -> Tensor[]` */
export function _foreachClampMax(self: readonly Tensor[], scalar: Scalar): Tensor[]
/** `_foreach_clamp_max.ScalarList(Tensor[] self, Scalar[] scalars) -> Tensor[]` */
export function _foreachClampMax(self: readonly Tensor[], scalars: readonly Scalar[]): Tensor[]
export function _foreachClampMax(a: unknown, b: unknown): unknown {
  return op(28, a, b)
}

/** `_foreach_clamp_max_.List(Tensor(a!)[] self, Tensor[] other) -> ()` */
export function _foreachClampMax_(self: readonly Tensor[], other: readonly Tensor[]): void
/** `_foreach_clamp_max_.Scalar(Tensor(a!)[] self, Scalar scalar) -> ()` */
export function _foreachClampMax_(self: readonly Tensor[], scalar: Scalar): void
/** `_foreach_clamp_max_.ScalarList(Tensor(a!)[] self, Scalar[] scalars) -> ()` */
export function _foreachClampMax_(self: readonly Tensor[], scalars: readonly Scalar[]): void
export function _foreachClampMax_(a: unknown, b: unknown): unknown {
  return op(29, a, b)
}

/** `_foreach_clamp_min.List(Tensor[] self, Tensor[] other) -> Tensor[]` */
export function _foreachClampMin(self: readonly Tensor[], other: readonly Tensor[]): Tensor[]
/** `_foreach_clamp_min.Scalar(Tensor[] self, Scalar scalar) -> Tensor[]` */
export function _foreachClampMin(self: readonly Tensor[], scalar: Scalar): Tensor[]
/** `_foreach_clamp_min.ScalarList(Tensor[] self, Scalar[] scalars) -> Tensor[]` */
export function _foreachClampMin(self: readonly Tensor[], scalars: readonly Scalar[]): Tensor[]
export function _foreachClampMin(a: unknown, b: unknown): unknown {
  return op(30, a, b)
}

/** `_foreach_clamp_min_.List(Tensor(a!)[] self, Tensor[] other) -> ()` */
export function _foreachClampMin_(self: readonly Tensor[], other: readonly Tensor[]): void
/** `_foreach_clamp_min_.Scalar(Tensor(a!)[] self, Scalar scalar) -> ()` */
export function _foreachClampMin_(self: readonly Tensor[], scalar: Scalar): void
/** `_foreach_clamp_min_.ScalarList(Tensor(a!)[] self, Scalar[] scalars) -> ()` */
export function _foreachClampMin_(self: readonly Tensor[], scalars: readonly Scalar[]): void
export function _foreachClampMin_(a: unknown, b: unknown): unknown {
  return op(31, a, b)
}

/** `_foreach_copy_(Tensor(a!)[] self, Tensor[] src, bool non_blocking=False) -> ()` */
export function _foreachCopy_(self: readonly Tensor[], src: readonly Tensor[], options?: { nonBlocking?: boolean }): void {
  op(32, self, src, options)
}

/** `_foreach_cos(Tensor[] self) -> Tensor[]` */
export function _foreachCos(self: readonly Tensor[]): Tensor[] {
  return op(33, self) as Tensor[]
}

/** `_foreach_cos_(Tensor(a!)[] self) -> ()` */
export function _foreachCos_(self: readonly Tensor[]): void {
  op(34, self)
}

/** `_foreach_cosh(Tensor[] self) -> Tensor[]` */
export function _foreachCosh(self: readonly Tensor[]): Tensor[] {
  return op(35, self) as Tensor[]
}

/** `_foreach_cosh_(Tensor(a!)[] self) -> ()` */
export function _foreachCosh_(self: readonly Tensor[]): void {
  op(36, self)
}

/**
 * `_foreach_div.Tensor(Tensor[] self, Tensor other) -> Tensor[]`
 *
 * `_foreach_div.List(Tensor[] self, Tensor[] other) -> Tensor[]`
 */
export function _foreachDiv(self: readonly Tensor[], other: Tensor | readonly Tensor[]): Tensor[]
/** `_foreach_div.Scalar(Tensor[] self, Scalar scalar) -> Tensor[]` */
export function _foreachDiv(self: readonly Tensor[], scalar: Scalar): Tensor[]
/** `_foreach_div.ScalarList(Tensor[] self, Scalar[] scalars) -> Tensor[]` */
export function _foreachDiv(self: readonly Tensor[], scalars: readonly Scalar[]): Tensor[]
export function _foreachDiv(a: unknown, b: unknown): unknown {
  return op(37, a, b)
}

/**
 * `_foreach_div_.Tensor(Tensor(a!)[] self, Tensor other) -> ()`
 *
 * `_foreach_div_.List(Tensor(a!)[] self, Tensor[] other) -> ()`
 */
export function _foreachDiv_(self: readonly Tensor[], other: Tensor | readonly Tensor[]): void
/** `_foreach_div_.Scalar(Tensor(a!)[] self, Scalar scalar) -> ()` */
export function _foreachDiv_(self: readonly Tensor[], scalar: Scalar): void
/** `_foreach_div_.ScalarList(Tensor(a!)[] self, Scalar[] scalars) -> ()` */
export function _foreachDiv_(self: readonly Tensor[], scalars: readonly Scalar[]): void
export function _foreachDiv_(a: unknown, b: unknown): unknown {
  return op(38, a, b)
}

/** `_foreach_erf(Tensor[] self) -> Tensor[]` */
export function _foreachErf(self: readonly Tensor[]): Tensor[] {
  return op(39, self) as Tensor[]
}

/** `_foreach_erf_(Tensor(a!)[] self) -> ()` */
export function _foreachErf_(self: readonly Tensor[]): void {
  op(40, self)
}

/** `_foreach_erfc(Tensor[] self) -> Tensor[]` */
export function _foreachErfc(self: readonly Tensor[]): Tensor[] {
  return op(41, self) as Tensor[]
}

/** `_foreach_erfc_(Tensor(a!)[] self) -> ()` */
export function _foreachErfc_(self: readonly Tensor[]): void {
  op(42, self)
}

/** `_foreach_exp(Tensor[] self) -> Tensor[]` */
export function _foreachExp(self: readonly Tensor[]): Tensor[] {
  return op(43, self) as Tensor[]
}

/** `_foreach_exp_(Tensor(a!)[] self) -> ()` */
export function _foreachExp_(self: readonly Tensor[]): void {
  op(44, self)
}

/** `_foreach_expm1(Tensor[] self) -> Tensor[]` */
export function _foreachExpm1(self: readonly Tensor[]): Tensor[] {
  return op(45, self) as Tensor[]
}

/** `_foreach_expm1_(Tensor(a!)[] self) -> ()` */
export function _foreachExpm1_(self: readonly Tensor[]): void {
  op(46, self)
}

/** `_foreach_floor(Tensor[] self) -> Tensor[]` */
export function _foreachFloor(self: readonly Tensor[]): Tensor[] {
  return op(47, self) as Tensor[]
}

/** `_foreach_floor_(Tensor(a!)[] self) -> ()` */
export function _foreachFloor_(self: readonly Tensor[]): void {
  op(48, self)
}

/** `_foreach_frac(Tensor[] self) -> Tensor[]` */
export function _foreachFrac(self: readonly Tensor[]): Tensor[] {
  return op(49, self) as Tensor[]
}

/** `_foreach_frac_(Tensor(a!)[] self) -> ()` */
export function _foreachFrac_(self: readonly Tensor[]): void {
  op(50, self)
}

/** `_foreach_lerp.List(Tensor[] self, Tensor[] tensors1, Tensor[] weights) -> Tensor[]` */
export function _foreachLerp(self: readonly Tensor[], tensors1: readonly Tensor[], weights: readonly Tensor[]): Tensor[]
/**
 * `_foreach_lerp.Scalar(Tensor[] self, Tensor[] tensors1, Scalar weight) -> Tensor[]`
 *
 * `_foreach_lerp.ScalarList(Tensor[] self, Tensor[] tensors1, Scalar[] weight) -> Tensor[]`
 */
export function _foreachLerp(self: readonly Tensor[], tensors1: readonly Tensor[], weight: Scalar | readonly Scalar[]): Tensor[]
export function _foreachLerp(a: unknown, b: unknown, c: unknown): unknown {
  return op(51, a, b, c)
}

/** `_foreach_lerp_.List(Tensor(a!)[] self, Tensor[] tensors1, Tensor[] weights) -> ()` */
export function _foreachLerp_(self: readonly Tensor[], tensors1: readonly Tensor[], weights: readonly Tensor[]): void
/**
 * `_foreach_lerp_.Scalar(Tensor(a!)[] self, Tensor[] tensors1, Scalar weight) -> ()`
 *
 * `_foreach_lerp_.ScalarList(Tensor(a!)[] self, Tensor[] tensors1, Scalar[] weight) -> ()`
 */
export function _foreachLerp_(self: readonly Tensor[], tensors1: readonly Tensor[], weight: Scalar | readonly Scalar[]): void
export function _foreachLerp_(a: unknown, b: unknown, c: unknown): unknown {
  return op(52, a, b, c)
}

/** `_foreach_lgamma(Tensor[] self) -> Tensor[]` */
export function _foreachLgamma(self: readonly Tensor[]): Tensor[] {
  return op(53, self) as Tensor[]
}

/** `_foreach_lgamma_(Tensor(a!)[] self) -> ()` */
export function _foreachLgamma_(self: readonly Tensor[]): void {
  op(54, self)
}

/** `_foreach_log(Tensor[] self) -> Tensor[]` */
export function _foreachLog(self: readonly Tensor[]): Tensor[] {
  return op(55, self) as Tensor[]
}

/** `_foreach_log10(Tensor[] self) -> Tensor[]` */
export function _foreachLog10(self: readonly Tensor[]): Tensor[] {
  return op(56, self) as Tensor[]
}

/** `_foreach_log10_(Tensor(a!)[] self) -> ()` */
export function _foreachLog10_(self: readonly Tensor[]): void {
  op(57, self)
}

/** `_foreach_log1p(Tensor[] self) -> Tensor[]` */
export function _foreachLog1p(self: readonly Tensor[]): Tensor[] {
  return op(58, self) as Tensor[]
}

/** `_foreach_log1p_(Tensor(a!)[] self) -> ()` */
export function _foreachLog1p_(self: readonly Tensor[]): void {
  op(59, self)
}

/** `_foreach_log2(Tensor[] self) -> Tensor[]` */
export function _foreachLog2(self: readonly Tensor[]): Tensor[] {
  return op(60, self) as Tensor[]
}

/** `_foreach_log2_(Tensor(a!)[] self) -> ()` */
export function _foreachLog2_(self: readonly Tensor[]): void {
  op(61, self)
}

/** `_foreach_log_(Tensor(a!)[] self) -> ()` */
export function _foreachLog_(self: readonly Tensor[]): void {
  op(62, self)
}

/** `_foreach_max(Tensor[] self) -> Tensor[]` */
export function _foreachMax(self: readonly Tensor[]): Tensor[] {
  return op(63, self) as Tensor[]
}

/** `_foreach_maximum.List(Tensor[] self, Tensor[] other) -> Tensor[]` */
export function _foreachMaximum(self: readonly Tensor[], other: readonly Tensor[]): Tensor[]
/** `_foreach_maximum.Scalar(Tensor[] self, Scalar scalar) -> Tensor[]` */
export function _foreachMaximum(self: readonly Tensor[], scalar: Scalar): Tensor[]
/** `_foreach_maximum.ScalarList(Tensor[] self, Scalar[] scalars) -> Tensor[]` */
export function _foreachMaximum(self: readonly Tensor[], scalars: readonly Scalar[]): Tensor[]
export function _foreachMaximum(a: unknown, b: unknown): unknown {
  return op(64, a, b)
}

/** `_foreach_maximum_.List(Tensor(a!)[] self, Tensor[] other) -> ()` */
export function _foreachMaximum_(self: readonly Tensor[], other: readonly Tensor[]): void
/** `_foreach_maximum_.Scalar(Tensor(a!)[] self, Scalar scalar) -> ()` */
export function _foreachMaximum_(self: readonly Tensor[], scalar: Scalar): void
/** `_foreach_maximum_.ScalarList(Tensor(a!)[] self, Scalar[] scalars) -> ()` */
export function _foreachMaximum_(self: readonly Tensor[], scalars: readonly Scalar[]): void
export function _foreachMaximum_(a: unknown, b: unknown): unknown {
  return op(65, a, b)
}

/** `_foreach_minimum.List(Tensor[] self, Tensor[] other) -> Tensor[]` */
export function _foreachMinimum(self: readonly Tensor[], other: readonly Tensor[]): Tensor[]
/** `_foreach_minimum.Scalar(Tensor[] self, Scalar scalar) -> Tensor[]` */
export function _foreachMinimum(self: readonly Tensor[], scalar: Scalar): Tensor[]
/** `_foreach_minimum.ScalarList(Tensor[] self, Scalar[] scalars) -> Tensor[]` */
export function _foreachMinimum(self: readonly Tensor[], scalars: readonly Scalar[]): Tensor[]
export function _foreachMinimum(a: unknown, b: unknown): unknown {
  return op(66, a, b)
}

/** `_foreach_minimum_.List(Tensor(a!)[] self, Tensor[] other) -> ()` */
export function _foreachMinimum_(self: readonly Tensor[], other: readonly Tensor[]): void
/** `_foreach_minimum_.Scalar(Tensor(a!)[] self, Scalar scalar) -> ()` */
export function _foreachMinimum_(self: readonly Tensor[], scalar: Scalar): void
/** `_foreach_minimum_.ScalarList(Tensor(a!)[] self, Scalar[] scalars) -> ()` */
export function _foreachMinimum_(self: readonly Tensor[], scalars: readonly Scalar[]): void
export function _foreachMinimum_(a: unknown, b: unknown): unknown {
  return op(67, a, b)
}

/**
 * `_foreach_mul.Tensor(Tensor[] self, Tensor other) -> Tensor[]`
 *
 * `_foreach_mul.List(Tensor[] self, Tensor[] other) -> Tensor[]`
 */
export function _foreachMul(self: readonly Tensor[], other: Tensor | readonly Tensor[]): Tensor[]
/** `_foreach_mul.Scalar(Tensor[] self, Scalar scalar) -> Tensor[]` */
export function _foreachMul(self: readonly Tensor[], scalar: Scalar): Tensor[]
/** `_foreach_mul.ScalarList(Tensor[] self, Scalar[] scalars) -> Tensor[]` */
export function _foreachMul(self: readonly Tensor[], scalars: readonly Scalar[]): Tensor[]
export function _foreachMul(a: unknown, b: unknown): unknown {
  return op(68, a, b)
}

/**
 * `_foreach_mul_.Tensor(Tensor(a!)[] self, Tensor other) -> ()`
 *
 * `_foreach_mul_.List(Tensor(a!)[] self, Tensor[] other) -> ()`
 */
export function _foreachMul_(self: readonly Tensor[], other: Tensor | readonly Tensor[]): void
/** `_foreach_mul_.Scalar(Tensor(a!)[] self, Scalar scalar) -> ()` */
export function _foreachMul_(self: readonly Tensor[], scalar: Scalar): void
/** `_foreach_mul_.ScalarList(Tensor(a!)[] self, Scalar[] scalars) -> ()` */
export function _foreachMul_(self: readonly Tensor[], scalars: readonly Scalar[]): void
export function _foreachMul_(a: unknown, b: unknown): unknown {
  return op(69, a, b)
}

/** `_foreach_neg(Tensor[] self) -> Tensor[]` */
export function _foreachNeg(self: readonly Tensor[]): Tensor[] {
  return op(70, self) as Tensor[]
}

/** `_foreach_neg_(Tensor(a!)[] self) -> ()` */
export function _foreachNeg_(self: readonly Tensor[]): void {
  op(71, self)
}

/** `_foreach_norm.Scalar(Tensor[] self, Scalar ord=2, ScalarType? dtype=None) -> Tensor[]` */
export function _foreachNorm(self: readonly Tensor[], options?: { ord?: Scalar; dtype?: DType | null }): Tensor[] {
  return op(72, self, options) as Tensor[]
}

/**
 * `_foreach_pow.List(Tensor[] self, Tensor[] exponent) -> Tensor[]`
 *
 * `_foreach_pow.Scalar(Tensor[] self, Scalar exponent) -> Tensor[]`
 *
 * `_foreach_pow.ScalarList(Tensor[] self, Scalar[] exponent) -> Tensor[]`
 */
export function _foreachPow(self: readonly Tensor[], exponent: readonly Tensor[] | Scalar | readonly Scalar[]): Tensor[]
/** `_foreach_pow.ScalarAndTensor(Scalar self, Tensor[] exponent) -> Tensor[]` */
export function _foreachPow(self: Scalar, exponent: readonly Tensor[]): Tensor[]
export function _foreachPow(a: unknown, b: unknown): unknown {
  return op(73, a, b)
}

/**
 * `_foreach_pow_.List(Tensor(a!)[] self, Tensor[] exponent) -> ()`
 *
 * `_foreach_pow_.Scalar(Tensor(a!)[] self, Scalar exponent) -> ()`
 *
 * `_foreach_pow_.ScalarList(Tensor(a!)[] self, Scalar[] exponent) -> ()`
 */
export function _foreachPow_(self: readonly Tensor[], exponent: readonly Tensor[] | Scalar | readonly Scalar[]): void {
  op(74, self, exponent)
}

/** `_foreach_powsum.Scalar(Tensor[] self, Scalar ord=2, ScalarType? dtype=None) -> Tensor[]` */
export function _foreachPowsum(self: readonly Tensor[], options?: { ord?: Scalar; dtype?: DType | null }): Tensor[] {
  return op(75, self, options) as Tensor[]
}

/** `_foreach_reciprocal(Tensor[] self) -> Tensor[]` */
export function _foreachReciprocal(self: readonly Tensor[]): Tensor[] {
  return op(76, self) as Tensor[]
}

/** `_foreach_reciprocal_(Tensor(a!)[] self) -> ()` */
export function _foreachReciprocal_(self: readonly Tensor[]): void {
  op(77, self)
}

/** `_foreach_round(Tensor[] self) -> Tensor[]` */
export function _foreachRound(self: readonly Tensor[]): Tensor[] {
  return op(78, self) as Tensor[]
}

/** `_foreach_round_(Tensor(a!)[] self) -> ()` */
export function _foreachRound_(self: readonly Tensor[]): void {
  op(79, self)
}

/** `_foreach_rsqrt(Tensor[] self) -> Tensor[]` */
export function _foreachRsqrt(self: readonly Tensor[]): Tensor[] {
  return op(80, self) as Tensor[]
}

/** `_foreach_rsqrt_(Tensor(a!)[] self) -> ()` */
export function _foreachRsqrt_(self: readonly Tensor[]): void {
  op(81, self)
}

/** `_foreach_sigmoid(Tensor[] self) -> Tensor[]` */
export function _foreachSigmoid(self: readonly Tensor[]): Tensor[] {
  return op(82, self) as Tensor[]
}

/** `_foreach_sigmoid_(Tensor(a!)[] self) -> ()` */
export function _foreachSigmoid_(self: readonly Tensor[]): void {
  op(83, self)
}

/** `_foreach_sign(Tensor[] self) -> Tensor[]` */
export function _foreachSign(self: readonly Tensor[]): Tensor[] {
  return op(84, self) as Tensor[]
}

/** `_foreach_sign_(Tensor(a!)[] self) -> ()` */
export function _foreachSign_(self: readonly Tensor[]): void {
  op(85, self)
}

/** `_foreach_sin(Tensor[] self) -> Tensor[]` */
export function _foreachSin(self: readonly Tensor[]): Tensor[] {
  return op(86, self) as Tensor[]
}

/** `_foreach_sin_(Tensor(a!)[] self) -> ()` */
export function _foreachSin_(self: readonly Tensor[]): void {
  op(87, self)
}

/** `_foreach_sinh(Tensor[] self) -> Tensor[]` */
export function _foreachSinh(self: readonly Tensor[]): Tensor[] {
  return op(88, self) as Tensor[]
}

/** `_foreach_sinh_(Tensor(a!)[] self) -> ()` */
export function _foreachSinh_(self: readonly Tensor[]): void {
  op(89, self)
}

/** `_foreach_sqrt(Tensor[] self) -> Tensor[]` */
export function _foreachSqrt(self: readonly Tensor[]): Tensor[] {
  return op(90, self) as Tensor[]
}

/** `_foreach_sqrt_(Tensor(a!)[] self) -> ()` */
export function _foreachSqrt_(self: readonly Tensor[]): void {
  op(91, self)
}

/** `_foreach_sub.List(Tensor[] self, Tensor[] other, *, Scalar alpha=1) -> Tensor[]` */
export function _foreachSub(self: readonly Tensor[], other: readonly Tensor[], options?: { alpha?: Scalar }): Tensor[]
/** `_foreach_sub.Scalar(Tensor[] self, Scalar scalar) -> Tensor[]` */
export function _foreachSub(self: readonly Tensor[], scalar: Scalar): Tensor[]
/** `_foreach_sub.ScalarList(Tensor[] self, Scalar[] scalars) -> Tensor[]` */
export function _foreachSub(self: readonly Tensor[], scalars: readonly Scalar[]): Tensor[]
export function _foreachSub(a: unknown, b: unknown, c?: unknown): unknown {
  return op(92, a, b, c)
}

/** `_foreach_sub_.List(Tensor(a!)[] self, Tensor[] other, *, Scalar alpha=1) -> ()` */
export function _foreachSub_(self: readonly Tensor[], other: readonly Tensor[], options?: { alpha?: Scalar }): void
/** `_foreach_sub_.Scalar(Tensor(a!)[] self, Scalar scalar) -> ()` */
export function _foreachSub_(self: readonly Tensor[], scalar: Scalar): void
/** `_foreach_sub_.ScalarList(Tensor(a!)[] self, Scalar[] scalars) -> ()` */
export function _foreachSub_(self: readonly Tensor[], scalars: readonly Scalar[]): void
export function _foreachSub_(a: unknown, b: unknown, c?: unknown): unknown {
  return op(93, a, b, c)
}

/** `_foreach_tan(Tensor[] self) -> Tensor[]` */
export function _foreachTan(self: readonly Tensor[]): Tensor[] {
  return op(94, self) as Tensor[]
}

/** `_foreach_tan_(Tensor(a!)[] self) -> ()` */
export function _foreachTan_(self: readonly Tensor[]): void {
  op(95, self)
}

/** `_foreach_tanh(Tensor[] self) -> Tensor[]` */
export function _foreachTanh(self: readonly Tensor[]): Tensor[] {
  return op(96, self) as Tensor[]
}

/** `_foreach_tanh_(Tensor(a!)[] self) -> ()` */
export function _foreachTanh_(self: readonly Tensor[]): void {
  op(97, self)
}

/** `_foreach_trunc(Tensor[] self) -> Tensor[]` */
export function _foreachTrunc(self: readonly Tensor[]): Tensor[] {
  return op(98, self) as Tensor[]
}

/** `_foreach_trunc_(Tensor(a!)[] self) -> ()` */
export function _foreachTrunc_(self: readonly Tensor[]): void {
  op(99, self)
}

/** `_foreach_zero_(Tensor(a!)[] self) -> ()` */
export function _foreachZero_(self: readonly Tensor[]): void {
  op(100, self)
}

/**
 * `_fused_adagrad_.tensor_lr(Tensor(a!)[] self, Tensor(b!)[] grads, Tensor(c!)[] state_sums, Tensor[] state_steps, *, Tensor lr, float lr_decay, float weight_decay, float eps, bool maximize, Tensor? grad_scale=None, Tensor? found_inf=None) -> ()`
 *
 * `_fused_adagrad_(Tensor(a!)[] self, Tensor(b!)[] grads, Tensor(c!)[] state_sums, Tensor(d!)[] state_steps, *, float lr, float lr_decay, float weight_decay, float eps, bool maximize, Tensor? grad_scale=None, Tensor? found_inf=None) -> ()`
 */
export function _fusedAdagrad_(self: readonly Tensor[], grads: readonly Tensor[], stateSums: readonly Tensor[], stateSteps: readonly Tensor[], lr: Tensor | number, lrDecay: number, weightDecay: number, eps: number, maximize: boolean, options?: { gradScale?: Tensor | null; foundInf?: Tensor | null }): void {
  opN(101, [self, grads, stateSums, stateSteps, lr, lrDecay, weightDecay, eps, maximize, options])
}

/**
 * `_fused_adam_.tensor_lr(Tensor(a!)[] self, Tensor(b!)[] grads, Tensor(c!)[] exp_avgs, Tensor(d!)[] exp_avg_sqs, Tensor(e!)[] max_exp_avg_sqs, Tensor[] state_steps, *, Tensor lr, float beta1, float beta2, float weight_decay, float eps, bool amsgrad, bool maximize, Tensor? grad_scale=None, Tensor? found_inf=None) -> ()`
 *
 * `_fused_adam_(Tensor(a!)[] self, Tensor(b!)[] grads, Tensor(c!)[] exp_avgs, Tensor(d!)[] exp_avg_sqs, Tensor(e!)[] max_exp_avg_sqs, Tensor[] state_steps, *, float lr, float beta1, float beta2, float weight_decay, float eps, bool amsgrad, bool maximize, Tensor? grad_scale=None, Tensor? found_inf=None) -> ()`
 */
export function _fusedAdam_(self: readonly Tensor[], grads: readonly Tensor[], expAvgs: readonly Tensor[], expAvgSqs: readonly Tensor[], maxExpAvgSqs: readonly Tensor[], stateSteps: readonly Tensor[], lr: Tensor | number, beta1: number, beta2: number, weightDecay: number, eps: number, amsgrad: boolean, maximize: boolean, options?: { gradScale?: Tensor | null; foundInf?: Tensor | null }): void {
  opN(102, [self, grads, expAvgs, expAvgSqs, maxExpAvgSqs, stateSteps, lr, beta1, beta2, weightDecay, eps, amsgrad, maximize, options])
}

/**
 * `_fused_adamw_.tensor_lr(Tensor(a!)[] self, Tensor(b!)[] grads, Tensor(c!)[] exp_avgs, Tensor(d!)[] exp_avg_sqs, Tensor(e!)[] max_exp_avg_sqs, Tensor[] state_steps, *, Tensor lr, float beta1, float beta2, float weight_decay, float eps, bool amsgrad, bool maximize, Tensor? grad_scale=None, Tensor? found_inf=None) -> ()`
 *
 * `_fused_adamw_(Tensor(a!)[] self, Tensor(b!)[] grads, Tensor(c!)[] exp_avgs, Tensor(d!)[] exp_avg_sqs, Tensor(e!)[] max_exp_avg_sqs, Tensor[] state_steps, *, float lr, float beta1, float beta2, float weight_decay, float eps, bool amsgrad, bool maximize, Tensor? grad_scale=None, Tensor? found_inf=None) -> ()`
 */
export function _fusedAdamw_(self: readonly Tensor[], grads: readonly Tensor[], expAvgs: readonly Tensor[], expAvgSqs: readonly Tensor[], maxExpAvgSqs: readonly Tensor[], stateSteps: readonly Tensor[], lr: Tensor | number, beta1: number, beta2: number, weightDecay: number, eps: number, amsgrad: boolean, maximize: boolean, options?: { gradScale?: Tensor | null; foundInf?: Tensor | null }): void {
  opN(103, [self, grads, expAvgs, expAvgSqs, maxExpAvgSqs, stateSteps, lr, beta1, beta2, weightDecay, eps, amsgrad, maximize, options])
}

/** `_fused_rms_norm(Tensor input, int[] normalized_shape, Tensor? weight, float? eps) -> (Tensor, Tensor)` */
export function _fusedRmsNorm(input: Tensor, normalizedShape: readonly number[], options?: { weight?: Tensor | null; eps?: number | null }): [Tensor, Tensor] {
  return op(104, input, normalizedShape, options) as [Tensor, Tensor]
}

/** `_fused_sdp_choice(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0., bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> int` */
export function _fusedSdpChoice(query: Tensor, key: Tensor, value: Tensor, options?: { attnMask?: Tensor | null; dropoutP?: number; isCausal?: boolean; scale?: number | null; enableGqa?: boolean }): number {
  return op(105, query, key, value, options) as number
}

/**
 * `_fused_sgd_.tensor_lr(Tensor(a!)[] self, Tensor(b!)[] grads, Tensor(c!)[] momentum_buffer_list, *, float weight_decay, float momentum, Tensor lr, float dampening, bool nesterov, bool maximize, bool is_first_step, Tensor? grad_scale=None, Tensor? found_inf=None) -> ()`
 *
 * `_fused_sgd_(Tensor(a!)[] self, Tensor(b!)[] grads, Tensor(c!)[] momentum_buffer_list, *, float weight_decay, float momentum, float lr, float dampening, bool nesterov, bool maximize, bool is_first_step, Tensor? grad_scale=None, Tensor? found_inf=None) -> ()`
 */
export function _fusedSgd_(self: readonly Tensor[], grads: readonly Tensor[], momentumBufferList: readonly Tensor[], weightDecay: number, momentum: number, lr: Tensor | number, dampening: number, nesterov: boolean, maximize: boolean, isFirstStep: boolean, options?: { gradScale?: Tensor | null; foundInf?: Tensor | null }): void {
  opN(106, [self, grads, momentumBufferList, weightDecay, momentum, lr, dampening, nesterov, maximize, isFirstStep, options])
}

/** `_int_mm(Tensor self, Tensor mat2) -> Tensor` */
export function _intMm(self: Tensor, mat2: Tensor): Tensor {
  return op(107, self, mat2) as Tensor
}

/** `_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor` */
export function _logSoftmax(self: Tensor, dim: number | bigint, halfToFloat: boolean): Tensor {
  return op(108, self, dim, halfToFloat) as Tensor
}

/** `_masked_softmax(Tensor self, Tensor mask, int? dim=None, int? mask_type=None) -> Tensor` */
export function _maskedSoftmax(self: Tensor, mask: Tensor, options?: { dim?: number | bigint | null; maskType?: number | bigint | null }): Tensor {
  return op(109, self, mask, options) as Tensor
}

/** `_native_batch_norm_legit(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, Tensor(b!) running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)` */
export function _nativeBatchNormLegit(input: Tensor, runningMean: Tensor, runningVar: Tensor, training: boolean, momentum: number, eps: number, options?: { weight?: Tensor | null; bias?: Tensor | null }): [Tensor, Tensor, Tensor]
/** `_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)` */
export function _nativeBatchNormLegit(input: Tensor, training: boolean, momentum: number, eps: number, options?: { weight?: Tensor | null; bias?: Tensor | null }): [Tensor, Tensor, Tensor]
export function _nativeBatchNormLegit(a: unknown, b: unknown, c: unknown, d: unknown, e?: unknown, f?: unknown, g?: unknown): unknown {
  return opN(110, [a, b, c, d, e, f, g])
}

/** `_native_multi_head_attention(Tensor query, Tensor key, Tensor value, int embed_dim, int num_head, Tensor qkv_weight, Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, Tensor? mask=None, bool need_weights=True, bool average_attn_weights=True, int? mask_type=None) -> (Tensor, Tensor)` */
export function _nativeMultiHeadAttention(query: Tensor, key: Tensor, value: Tensor, embedDim: number | bigint, numHead: number | bigint, qkvWeight: Tensor, qkvBias: Tensor, projWeight: Tensor, projBias: Tensor, options?: { mask?: Tensor | null; needWeights?: boolean; averageAttnWeights?: boolean; maskType?: number | bigint | null }): [Tensor, Tensor] {
  return opN(111, [query, key, value, embedDim, numHead, qkvWeight, qkvBias, projWeight, projBias, options]) as [Tensor, Tensor]
}

/** `_pack_padded_sequence(Tensor input, Tensor lengths, bool batch_first) -> (Tensor, Tensor)` */
export function _packPaddedSequence(input: Tensor, lengths: Tensor, batchFirst: boolean): [Tensor, Tensor] {
  return op(112, input, lengths, batchFirst) as [Tensor, Tensor]
}

/** `_pad_packed_sequence(Tensor data, Tensor batch_sizes, bool batch_first, Scalar padding_value, int total_length) -> (Tensor, Tensor)` */
export function _padPackedSequence(data: Tensor, batchSizes: Tensor, batchFirst: boolean, paddingValue: Scalar, totalLength: number | bigint): [Tensor, Tensor] {
  return op(113, data, batchSizes, batchFirst, paddingValue, totalLength) as [Tensor, Tensor]
}

/** `_prelu_kernel(Tensor self, Tensor weight) -> Tensor` */
export function _preluKernel(self: Tensor, weight: Tensor): Tensor {
  return op(114, self, weight) as Tensor
}

/** `_safe_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor` */
export function _safeSoftmax(self: Tensor, dim: number | bigint, options?: { dtype?: DType | null }): Tensor {
  return op(115, self, dim, options) as Tensor
}

/** `_sample_dirichlet(Tensor self, Generator? generator=None) -> Tensor` */
export function _sampleDirichlet(self: Tensor, options?: { generator?: Generator | null }): Tensor {
  return op(116, self, options) as Tensor
}

/** `_scaled_dot_product_attention_math(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0., bool is_causal=False, Tensor? dropout_mask=None, *, float? scale=None, bool enable_gqa=False) -> (Tensor, Tensor)` */
export function _scaledDotProductAttentionMath(query: Tensor, key: Tensor, value: Tensor, options?: { attnMask?: Tensor | null; dropoutP?: number; isCausal?: boolean; dropoutMask?: Tensor | null; scale?: number | null; enableGqa?: boolean }): [Tensor, Tensor] {
  return op(117, query, key, value, options) as [Tensor, Tensor]
}

/** `_scaled_dot_product_cudnn_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_bias, bool compute_log_sumexp, float dropout_p=0., bool is_causal=False, bool return_debug_mask=False, *, float? scale=None) -> (Tensor output, Tensor logsumexp, Tensor cum_seq_q, Tensor cum_seq_k, SymInt max_q, SymInt max_k, Tensor philox_seed, Tensor philox_offset, Tensor debug_attn_mask)` */
export function _scaledDotProductCudnnAttention(query: Tensor, key: Tensor, value: Tensor, computeLogSumexp: boolean, options?: { attnBias?: Tensor | null; dropoutP?: number; isCausal?: boolean; returnDebugMask?: boolean; scale?: number | null }): [output: Tensor, logsumexp: Tensor, cumSeqQ: Tensor, cumSeqK: Tensor, maxQ: number, maxK: number, philoxSeed: Tensor, philoxOffset: Tensor, debugAttnMask: Tensor] {
  return op(118, query, key, value, computeLogSumexp, options) as [output: Tensor, logsumexp: Tensor, cumSeqQ: Tensor, cumSeqK: Tensor, maxQ: number, maxK: number, philoxSeed: Tensor, philoxOffset: Tensor, debugAttnMask: Tensor]
}

/** `_scaled_dot_product_efficient_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_bias, bool compute_log_sumexp, float dropout_p=0., bool is_causal=False, *, float? scale=None) -> (Tensor output, Tensor log_sumexp, Tensor philox_seed, Tensor philox_offset)` */
export function _scaledDotProductEfficientAttention(query: Tensor, key: Tensor, value: Tensor, computeLogSumexp: boolean, options?: { attnBias?: Tensor | null; dropoutP?: number; isCausal?: boolean; scale?: number | null }): [output: Tensor, logSumexp: Tensor, philoxSeed: Tensor, philoxOffset: Tensor] {
  return op(119, query, key, value, computeLogSumexp, options) as [output: Tensor, logSumexp: Tensor, philoxSeed: Tensor, philoxOffset: Tensor]
}

/** `_scaled_dot_product_flash_attention(Tensor query, Tensor key, Tensor value, float dropout_p=0., bool is_causal=False, bool return_debug_mask=False, *, float? scale=None) -> (Tensor output, Tensor logsumexp, Tensor cum_seq_q, Tensor cum_seq_k, SymInt max_q, SymInt max_k, Tensor rng_state, Tensor unused, Tensor debug_attn_mask)` */
export function _scaledDotProductFlashAttention(query: Tensor, key: Tensor, value: Tensor, options?: { dropoutP?: number; isCausal?: boolean; returnDebugMask?: boolean; scale?: number | null }): [output: Tensor, logsumexp: Tensor, cumSeqQ: Tensor, cumSeqK: Tensor, maxQ: number, maxK: number, rngState: Tensor, unused: Tensor, debugAttnMask: Tensor]
/** `_scaled_dot_product_flash_attention.quantized(Tensor query, Tensor key, Tensor value, Tensor? q_descale, Tensor? k_descale, Tensor? v_descale, float dropout_p=0., bool is_causal=False, bool return_debug_mask=False, *, float? scale=None) -> (Tensor output, Tensor logsumexp, Tensor cum_seq_q, Tensor cum_seq_k, SymInt max_q, SymInt max_k, Tensor rng_state, Tensor unused, Tensor debug_attn_mask)` */
export function _scaledDotProductFlashAttention(query: Tensor, key: Tensor, value: Tensor, options?: { qDescale?: Tensor | null; kDescale?: Tensor | null; vDescale?: Tensor | null; dropoutP?: number; isCausal?: boolean; returnDebugMask?: boolean; scale?: number | null }): [output: Tensor, logsumexp: Tensor, cumSeqQ: Tensor, cumSeqK: Tensor, maxQ: number, maxK: number, rngState: Tensor, unused: Tensor, debugAttnMask: Tensor]
export function _scaledDotProductFlashAttention(a: unknown, b: unknown, c: unknown, d?: unknown): unknown {
  return op(120, a, b, c, d)
}

/** `_scaled_dot_product_flash_attention_for_cpu(Tensor query, Tensor key, Tensor value, float dropout_p=0., bool is_causal=False, *, Tensor? attn_mask=None, float? scale=None) -> (Tensor output, Tensor logsumexp)` */
export function _scaledDotProductFlashAttentionForCpu(query: Tensor, key: Tensor, value: Tensor, options?: { dropoutP?: number; isCausal?: boolean; attnMask?: Tensor | null; scale?: number | null }): [output: Tensor, logsumexp: Tensor] {
  return op(121, query, key, value, options) as [output: Tensor, logsumexp: Tensor]
}

/** `_softmax(Tensor self, int dim, bool half_to_float) -> Tensor` */
export function _softmax(self: Tensor, dim: number | bigint, halfToFloat: boolean): Tensor {
  return op(122, self, dim, halfToFloat) as Tensor
}

/** `_standard_gamma(Tensor self, Generator? generator=None) -> Tensor` */
export function _standardGamma(self: Tensor, options?: { generator?: Generator | null }): Tensor {
  return op(123, self, options) as Tensor
}

/** `_thnn_fused_gru_cell(Tensor input_gates, Tensor hidden_gates, Tensor hx, Tensor? input_bias=None, Tensor? hidden_bias=None) -> (Tensor, Tensor)` */
export function _thnnFusedGruCell(inputGates: Tensor, hiddenGates: Tensor, hx: Tensor, options?: { inputBias?: Tensor | null; hiddenBias?: Tensor | null }): [Tensor, Tensor] {
  return op(124, inputGates, hiddenGates, hx, options) as [Tensor, Tensor]
}

/** `_thnn_fused_lstm_cell(Tensor input_gates, Tensor hidden_gates, Tensor cx, Tensor? input_bias=None, Tensor? hidden_bias=None) -> (Tensor, Tensor, Tensor)` */
export function _thnnFusedLstmCell(inputGates: Tensor, hiddenGates: Tensor, cx: Tensor, options?: { inputBias?: Tensor | null; hiddenBias?: Tensor | null }): [Tensor, Tensor, Tensor] {
  return op(125, inputGates, hiddenGates, cx, options) as [Tensor, Tensor, Tensor]
}

/** `_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor` */
export function _toCopy(self: Tensor, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null; nonBlocking?: boolean; memoryFormat?: MemoryFormat | null }): Tensor {
  return op(126, self, options) as Tensor
}

/** `_transform_bias_rescale_qkv(Tensor qkv, Tensor qkv_bias, int num_heads) -> (Tensor, Tensor, Tensor)` */
export function _transformBiasRescaleQkv(qkv: Tensor, qkvBias: Tensor, numHeads: number | bigint): [Tensor, Tensor, Tensor] {
  return op(127, qkv, qkvBias, numHeads) as [Tensor, Tensor, Tensor]
}

/** `_unique2(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> (Tensor, Tensor, Tensor)` */
export function _unique2(self: Tensor, options?: { sorted?: boolean; returnInverse?: boolean; returnCounts?: boolean }): [Tensor, Tensor, Tensor] {
  return op(128, self, options) as [Tensor, Tensor, Tensor]
}

/** `_upsample_bicubic2d_aa.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor` */
export function _upsampleBicubic2dAa(input: Tensor, alignCorners: boolean, options?: { outputSize?: readonly number[] | null; scaleFactors?: readonly number[] | null }): Tensor
/** `_upsample_bicubic2d_aa(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor` */
export function _upsampleBicubic2dAa(self: Tensor, outputSize: number | readonly number[], alignCorners: boolean, options?: { scalesH?: number | null; scalesW?: number | null }): Tensor
export function _upsampleBicubic2dAa(a: unknown, b: unknown, c?: unknown, d?: unknown): unknown {
  return op(129, a, b, c, d)
}

/** `_upsample_bilinear2d_aa.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor` */
export function _upsampleBilinear2dAa(input: Tensor, alignCorners: boolean, options?: { outputSize?: readonly number[] | null; scaleFactors?: readonly number[] | null }): Tensor
/** `_upsample_bilinear2d_aa(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor` */
export function _upsampleBilinear2dAa(self: Tensor, outputSize: number | readonly number[], alignCorners: boolean, options?: { scalesH?: number | null; scalesW?: number | null }): Tensor
export function _upsampleBilinear2dAa(a: unknown, b: unknown, c?: unknown, d?: unknown): unknown {
  return op(130, a, b, c, d)
}

/** `_upsample_nearest_exact1d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor` */
export function _upsampleNearestExact1d(input: Tensor, options?: { outputSize?: readonly number[] | null; scaleFactors?: readonly number[] | null }): Tensor
/** `_upsample_nearest_exact1d(Tensor self, SymInt[1] output_size, float? scales=None) -> Tensor` */
export function _upsampleNearestExact1d(self: Tensor, outputSize: number | readonly number[], options?: { scales?: number | null }): Tensor
export function _upsampleNearestExact1d(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(131, a, b, c)
}

/** `_upsample_nearest_exact2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor` */
export function _upsampleNearestExact2d(input: Tensor, options?: { outputSize?: readonly number[] | null; scaleFactors?: readonly number[] | null }): Tensor
/** `_upsample_nearest_exact2d(Tensor self, SymInt[2] output_size, float? scales_h=None, float? scales_w=None) -> Tensor` */
export function _upsampleNearestExact2d(self: Tensor, outputSize: number | readonly number[], options?: { scalesH?: number | null; scalesW?: number | null }): Tensor
export function _upsampleNearestExact2d(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(132, a, b, c)
}

/** `_upsample_nearest_exact3d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor` */
export function _upsampleNearestExact3d(input: Tensor, options?: { outputSize?: readonly number[] | null; scaleFactors?: readonly number[] | null }): Tensor
/** `_upsample_nearest_exact3d(Tensor self, SymInt[3] output_size, float? scales_d=None, float? scales_h=None, float? scales_w=None) -> Tensor` */
export function _upsampleNearestExact3d(self: Tensor, outputSize: number | readonly number[], options?: { scalesD?: number | null; scalesH?: number | null; scalesW?: number | null }): Tensor
export function _upsampleNearestExact3d(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(133, a, b, c)
}

/** `_weight_norm(Tensor v, Tensor g, int dim=0) -> Tensor` */
export function _weightNorm(v: Tensor, g: Tensor, options?: { dim?: number | bigint }): Tensor {
  return op(134, v, g, options) as Tensor
}

/** `_weight_norm_interface(Tensor v, Tensor g, int dim=0) -> (Tensor, Tensor)` */
export function _weightNormInterface(v: Tensor, g: Tensor, options?: { dim?: number | bigint }): [Tensor, Tensor] {
  return op(135, v, g, options) as [Tensor, Tensor]
}
