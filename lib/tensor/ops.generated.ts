// Written by `npm run generate` from the schemas of LibTorch; do not edit.

import { op, opN } from './call'
import type { Generator } from './random'
import type { Tensor } from './tensor'
import type { Device, DType, Layout, MemoryFormat, Scalar } from './types'
import { DTYPE_OF_CODE } from './types'

/** `abs(Tensor self) -> Tensor` */
export function abs(self: Tensor): Tensor {
  return op(136, self) as Tensor
}

/** `abs_(Tensor(a!) self) -> Tensor(a!)` */
export function abs_(self: Tensor): Tensor {
  return op(137, self) as Tensor
}

/** `absolute(Tensor self) -> Tensor` */
export function absolute(self: Tensor): Tensor {
  return op(138, self) as Tensor
}

/** `acos(Tensor self) -> Tensor` */
export function acos(self: Tensor): Tensor {
  return op(140, self) as Tensor
}

/** `acos_(Tensor(a!) self) -> Tensor(a!)` */
export function acos_(self: Tensor): Tensor {
  return op(141, self) as Tensor
}

/** `acosh(Tensor self) -> Tensor` */
export function acosh(self: Tensor): Tensor {
  return op(142, self) as Tensor
}

/** `acosh_(Tensor(a!) self) -> Tensor(a!)` */
export function acosh_(self: Tensor): Tensor {
  return op(143, self) as Tensor
}

/** `adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor` */
export function adaptiveAvgPool1d(self: Tensor, outputSize: number | readonly number[]): Tensor {
  return op(144, self, outputSize) as Tensor
}

/** `adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor` */
export function adaptiveAvgPool2d(self: Tensor, outputSize: number | readonly number[]): Tensor {
  return op(145, self, outputSize) as Tensor
}

/** `adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor` */
export function adaptiveAvgPool3d(self: Tensor, outputSize: number | readonly number[]): Tensor {
  return op(146, self, outputSize) as Tensor
}

/** `adaptive_max_pool1d(Tensor self, int[1] output_size) -> (Tensor, Tensor)` */
export function adaptiveMaxPool1d(self: Tensor, outputSize: number | readonly number[]): [Tensor, Tensor] {
  return op(147, self, outputSize) as [Tensor, Tensor]
}

/** `adaptive_max_pool2d(Tensor self, int[2] output_size) -> (Tensor, Tensor)` */
export function adaptiveMaxPool2d(self: Tensor, outputSize: number | readonly number[]): [Tensor, Tensor] {
  return op(148, self, outputSize) as [Tensor, Tensor]
}

/** `adaptive_max_pool3d(Tensor self, int[3] output_size) -> (Tensor, Tensor)` */
export function adaptiveMaxPool3d(self: Tensor, outputSize: number | readonly number[]): [Tensor, Tensor] {
  return op(149, self, outputSize) as [Tensor, Tensor]
}

/**
 * `add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`
 *
 * `add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor`
 */
export function add(self: Tensor, other: Tensor | Scalar, options?: { alpha?: Scalar }): Tensor {
  return op(150, self, other, options) as Tensor
}

/** `addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
export function addbmm(self: Tensor, batch1: Tensor, batch2: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): Tensor {
  return op(152, self, batch1, batch2, options) as Tensor
}

/** `addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor` */
export function addcdiv(self: Tensor, tensor1: Tensor, tensor2: Tensor, options?: { value?: Scalar }): Tensor {
  return op(154, self, tensor1, tensor2, options) as Tensor
}

/** `addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor` */
export function addcmul(self: Tensor, tensor1: Tensor, tensor2: Tensor, options?: { value?: Scalar }): Tensor {
  return op(156, self, tensor1, tensor2, options) as Tensor
}

/** `addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
export function addmm(self: Tensor, mat1: Tensor, mat2: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): Tensor
/** `addmm.dtype(Tensor self, Tensor mat1, Tensor mat2, ScalarType out_dtype, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
export function addmm(self: Tensor, mat1: Tensor, mat2: Tensor, outDtype: DType, options?: { beta?: Scalar; alpha?: Scalar }): Tensor
export function addmm(a: unknown, b: unknown, c: unknown, d?: unknown, e?: unknown): unknown {
  return op(158, a, b, c, d, e)
}

/** `addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
export function addmv(self: Tensor, mat: Tensor, vec: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): Tensor {
  return op(160, self, mat, vec, options) as Tensor
}

/** `addmv_(Tensor(a!) self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor(a!)` */
export function addmv_(self: Tensor, mat: Tensor, vec: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): Tensor {
  return op(161, self, mat, vec, options) as Tensor
}

/** `addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
export function addr(self: Tensor, vec1: Tensor, vec2: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): Tensor {
  return op(162, self, vec1, vec2, options) as Tensor
}

/** `adjoint(Tensor(a) self) -> Tensor(a)` */
export function adjoint(self: Tensor): Tensor {
  return op(164, self) as Tensor
}

/** `affine_grid_generator(Tensor theta, SymInt[] size, bool align_corners) -> Tensor` */
export function affineGridGenerator(theta: Tensor, size: readonly number[], alignCorners: boolean): Tensor {
  return op(165, theta, size, alignCorners) as Tensor
}

/** `all(Tensor self) -> Tensor` */
export function all(self: Tensor): Tensor
/** `all.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor` */
export function all(self: Tensor, options?: { dim?: readonly number[] | null; keepdim?: boolean }): Tensor
/** `all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor` */
export function all(self: Tensor, dim: number | bigint, options?: { keepdim?: boolean }): Tensor
export function all(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(166, a, b, c)
}

/** `allclose(Tensor self, Tensor other, float rtol=1.0000000000000001e-05, float atol=1e-08, bool equal_nan=False) -> bool` */
export function allclose(self: Tensor, other: Tensor, options?: { rtol?: number; atol?: number; equalNan?: boolean }): boolean {
  return op(167, self, other, options) as boolean
}

/** `alpha_dropout(Tensor input, float p, bool train) -> Tensor` */
export function alphaDropout(input: Tensor, p: number, train: boolean): Tensor {
  return op(168, input, p, train) as Tensor
}

/** `alpha_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)` */
export function alphaDropout_(self: Tensor, p: number, train: boolean): Tensor {
  return op(169, self, p, train) as Tensor
}

/** `amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor` */
export function amax(self: Tensor, options?: { dim?: number | readonly number[]; keepdim?: boolean }): Tensor {
  return op(170, self, options) as Tensor
}

/** `amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor` */
export function amin(self: Tensor, options?: { dim?: number | readonly number[]; keepdim?: boolean }): Tensor {
  return op(171, self, options) as Tensor
}

/** `aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)` */
export function aminmax(self: Tensor, options?: { dim?: number | bigint | null; keepdim?: boolean }): [min: Tensor, max: Tensor] {
  return op(172, self, options) as [min: Tensor, max: Tensor]
}

/** `angle(Tensor self) -> Tensor` */
export function angle(self: Tensor): Tensor {
  return op(173, self) as Tensor
}

/** `any(Tensor self) -> Tensor` */
export function any(self: Tensor): Tensor
/** `any.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor` */
export function any(self: Tensor, options?: { dim?: readonly number[] | null; keepdim?: boolean }): Tensor
/** `any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor` */
export function any(self: Tensor, dim: number | bigint, options?: { keepdim?: boolean }): Tensor
export function any(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(174, a, b, c)
}

/** `arccos(Tensor self) -> Tensor` */
export function arccos(self: Tensor): Tensor {
  return op(175, self) as Tensor
}

/** `arccos_(Tensor(a!) self) -> Tensor(a!)` */
export function arccos_(self: Tensor): Tensor {
  return op(176, self) as Tensor
}

/** `arccosh(Tensor self) -> Tensor` */
export function arccosh(self: Tensor): Tensor {
  return op(177, self) as Tensor
}

/** `arccosh_(Tensor(a!) self) -> Tensor(a!)` */
export function arccosh_(self: Tensor): Tensor {
  return op(178, self) as Tensor
}

/** `arcsin(Tensor self) -> Tensor` */
export function arcsin(self: Tensor): Tensor {
  return op(179, self) as Tensor
}

/** `arcsin_(Tensor(a!) self) -> Tensor(a!)` */
export function arcsin_(self: Tensor): Tensor {
  return op(180, self) as Tensor
}

/** `arcsinh(Tensor self) -> Tensor` */
export function arcsinh(self: Tensor): Tensor {
  return op(181, self) as Tensor
}

/** `arcsinh_(Tensor(a!) self) -> Tensor(a!)` */
export function arcsinh_(self: Tensor): Tensor {
  return op(182, self) as Tensor
}

/** `arctan(Tensor self) -> Tensor` */
export function arctan(self: Tensor): Tensor {
  return op(183, self) as Tensor
}

/** `arctan2(Tensor self, Tensor other) -> Tensor` */
export function arctan2(self: Tensor, other: Tensor): Tensor {
  return op(184, self, other) as Tensor
}

/** `arctan_(Tensor(a!) self) -> Tensor(a!)` */
export function arctan_(self: Tensor): Tensor {
  return op(186, self) as Tensor
}

/** `arctanh(Tensor self) -> Tensor` */
export function arctanh(self: Tensor): Tensor {
  return op(187, self) as Tensor
}

/** `arctanh_(Tensor(a!) self) -> Tensor(a!)` */
export function arctanh_(self: Tensor): Tensor {
  return op(188, self) as Tensor
}

/** `argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor` */
export function argmax(self: Tensor, options?: { dim?: number | bigint | null; keepdim?: boolean }): Tensor {
  return op(189, self, options) as Tensor
}

/** `argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor` */
export function argmin(self: Tensor, options?: { dim?: number | bigint | null; keepdim?: boolean }): Tensor {
  return op(190, self, options) as Tensor
}

/** `argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor` */
export function argsort(self: Tensor, options?: { dim?: number | bigint; descending?: boolean }): Tensor
/** `argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor` */
export function argsort(self: Tensor, stable: boolean, options?: { dim?: number | bigint; descending?: boolean }): Tensor
export function argsort(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(191, a, b, c)
}

/** `argwhere(Tensor self) -> Tensor` */
export function argwhere(self: Tensor): Tensor {
  return op(192, self) as Tensor
}

/** `as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor(a)` */
export function asStrided(self: Tensor, size: readonly number[], stride: readonly number[], options?: { storageOffset?: number | bigint | null }): Tensor {
  return op(193, self, size, stride, options) as Tensor
}

/** `as_strided_(Tensor(a!) self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor(a!)` */
export function asStrided_(self: Tensor, size: readonly number[], stride: readonly number[], options?: { storageOffset?: number | bigint | null }): Tensor {
  return op(194, self, size, stride, options) as Tensor
}

/** `as_strided_scatter(Tensor self, Tensor src, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor` */
export function asStridedScatter(self: Tensor, src: Tensor, size: readonly number[], stride: readonly number[], options?: { storageOffset?: number | bigint | null }): Tensor {
  return op(195, self, src, size, stride, options) as Tensor
}

/** `asin(Tensor self) -> Tensor` */
export function asin(self: Tensor): Tensor {
  return op(196, self) as Tensor
}

/** `asin_(Tensor(a!) self) -> Tensor(a!)` */
export function asin_(self: Tensor): Tensor {
  return op(197, self) as Tensor
}

/** `asinh(Tensor self) -> Tensor` */
export function asinh(self: Tensor): Tensor {
  return op(198, self) as Tensor
}

/** `asinh_(Tensor(a!) self) -> Tensor(a!)` */
export function asinh_(self: Tensor): Tensor {
  return op(199, self) as Tensor
}

/** `atan(Tensor self) -> Tensor` */
export function atan(self: Tensor): Tensor {
  return op(200, self) as Tensor
}

/** `atan2(Tensor self, Tensor other) -> Tensor` */
export function atan2(self: Tensor, other: Tensor): Tensor {
  return op(201, self, other) as Tensor
}

/** `atan_(Tensor(a!) self) -> Tensor(a!)` */
export function atan_(self: Tensor): Tensor {
  return op(203, self) as Tensor
}

/** `atanh(Tensor self) -> Tensor` */
export function atanh(self: Tensor): Tensor {
  return op(204, self) as Tensor
}

/** `atanh_(Tensor(a!) self) -> Tensor(a!)` */
export function atanh_(self: Tensor): Tensor {
  return op(205, self) as Tensor
}

/** `atleast_1d(Tensor self) -> Tensor` */
export function atleast1d(self: Tensor): Tensor
/** `atleast_1d.Sequence(Tensor[] tensors) -> Tensor[]` */
export function atleast1d(tensors: readonly Tensor[]): Tensor[]
export function atleast1d(a: unknown): unknown {
  return op(206, a)
}

/** `atleast_2d(Tensor self) -> Tensor` */
export function atleast2d(self: Tensor): Tensor
/** `atleast_2d.Sequence(Tensor[] tensors) -> Tensor[]` */
export function atleast2d(tensors: readonly Tensor[]): Tensor[]
export function atleast2d(a: unknown): unknown {
  return op(207, a)
}

/** `atleast_3d(Tensor self) -> Tensor` */
export function atleast3d(self: Tensor): Tensor
/** `atleast_3d.Sequence(Tensor[] tensors) -> Tensor[]` */
export function atleast3d(tensors: readonly Tensor[]): Tensor[]
export function atleast3d(a: unknown): unknown {
  return op(208, a)
}

/** `avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], bool ceil_mode=False, bool count_include_pad=True) -> Tensor` */
export function avgPool1d(self: Tensor, kernelSize: number | readonly number[], options?: { stride?: number | readonly number[]; padding?: number | readonly number[]; ceilMode?: boolean; countIncludePad?: boolean }): Tensor {
  return op(209, self, kernelSize, options) as Tensor
}

/** `avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor` */
export function avgPool2d(self: Tensor, kernelSize: number | readonly number[], options?: { stride?: number | readonly number[]; padding?: number | readonly number[]; ceilMode?: boolean; countIncludePad?: boolean; divisorOverride?: number | bigint | null }): Tensor {
  return op(210, self, kernelSize, options) as Tensor
}

/** `avg_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor` */
export function avgPool3d(self: Tensor, kernelSize: number | readonly number[], options?: { stride?: number | readonly number[]; padding?: number | readonly number[]; ceilMode?: boolean; countIncludePad?: boolean; divisorOverride?: number | bigint | null }): Tensor {
  return op(211, self, kernelSize, options) as Tensor
}

/** `baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
export function baddbmm(self: Tensor, batch1: Tensor, batch2: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): Tensor
/** `baddbmm.dtype(Tensor self, Tensor batch1, Tensor batch2, ScalarType out_dtype, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
export function baddbmm(self: Tensor, batch1: Tensor, batch2: Tensor, outDtype: DType, options?: { beta?: Scalar; alpha?: Scalar }): Tensor
export function baddbmm(a: unknown, b: unknown, c: unknown, d?: unknown, e?: unknown): unknown {
  return op(212, a, b, c, d, e)
}

/** `bartlett_window(int window_length, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function bartlettWindow(windowLength: number | bigint, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
/** `bartlett_window.periodic(int window_length, bool periodic, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function bartlettWindow(windowLength: number | bigint, periodic: boolean, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
export function bartlettWindow(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(214, a, b, c)
}

/** `batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor` */
export function batchNorm(input: Tensor, training: boolean, momentum: number, eps: number, cudnnEnabled: boolean, options?: { weight?: Tensor | null; bias?: Tensor | null; runningMean?: Tensor | null; runningVar?: Tensor | null }): Tensor {
  return opN(215, [input, training, momentum, eps, cudnnEnabled, options]) as Tensor
}

/** `bernoulli(Tensor self, *, Generator? generator=None) -> Tensor` */
export function bernoulli(self: Tensor, options?: { generator?: Generator | null }): Tensor
/** `bernoulli.p(Tensor self, float p, *, Generator? generator=None) -> Tensor` */
export function bernoulli(self: Tensor, p: number, options?: { generator?: Generator | null }): Tensor
export function bernoulli(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(216, a, b, c)
}

/** `bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor` */
export function bilinear(input1: Tensor, input2: Tensor, weight: Tensor, options?: { bias?: Tensor | null }): Tensor {
  return op(218, input1, input2, weight, options) as Tensor
}

/** `binary_cross_entropy(Tensor self, Tensor target, Tensor? weight=None, int reduction=1) -> Tensor` */
export function binaryCrossEntropy(self: Tensor, target: Tensor, options?: { weight?: Tensor | null; reduction?: number | bigint }): Tensor {
  return op(219, self, target, options) as Tensor
}

/** `binary_cross_entropy_with_logits(Tensor self, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, int reduction=1) -> Tensor` */
export function binaryCrossEntropyWithLogits(self: Tensor, target: Tensor, options?: { weight?: Tensor | null; posWeight?: Tensor | null; reduction?: number | bigint }): Tensor {
  return op(220, self, target, options) as Tensor
}

/** `bincount(Tensor self, Tensor? weights=None, SymInt minlength=0) -> Tensor` */
export function bincount(self: Tensor, options?: { weights?: Tensor | null; minlength?: number | bigint }): Tensor {
  return op(221, self, options) as Tensor
}

/** `binomial(Tensor count, Tensor prob, Generator? generator=None) -> Tensor` */
export function binomial(count: Tensor, prob: Tensor, options?: { generator?: Generator | null }): Tensor {
  return op(222, count, prob, options) as Tensor
}

/**
 * `bitwise_and.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `bitwise_and.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function bitwiseAnd(self: Tensor, other: Tensor | Scalar): Tensor
/** `bitwise_and.Scalar_Tensor(Scalar self, Tensor other) -> Tensor` */
export function bitwiseAnd(self: Scalar, other: Tensor): Tensor
export function bitwiseAnd(a: unknown, b: unknown): unknown {
  return op(223, a, b)
}

/**
 * `bitwise_left_shift.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `bitwise_left_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function bitwiseLeftShift(self: Tensor, other: Tensor | Scalar): Tensor
/** `bitwise_left_shift.Scalar_Tensor(Scalar self, Tensor other) -> Tensor` */
export function bitwiseLeftShift(self: Scalar, other: Tensor): Tensor
export function bitwiseLeftShift(a: unknown, b: unknown): unknown {
  return op(225, a, b)
}

/** `bitwise_not(Tensor self) -> Tensor` */
export function bitwiseNot(self: Tensor): Tensor {
  return op(227, self) as Tensor
}

/**
 * `bitwise_or.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `bitwise_or.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function bitwiseOr(self: Tensor, other: Tensor | Scalar): Tensor
/** `bitwise_or.Scalar_Tensor(Scalar self, Tensor other) -> Tensor` */
export function bitwiseOr(self: Scalar, other: Tensor): Tensor
export function bitwiseOr(a: unknown, b: unknown): unknown {
  return op(229, a, b)
}

/**
 * `bitwise_right_shift.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `bitwise_right_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function bitwiseRightShift(self: Tensor, other: Tensor | Scalar): Tensor
/** `bitwise_right_shift.Scalar_Tensor(Scalar self, Tensor other) -> Tensor` */
export function bitwiseRightShift(self: Scalar, other: Tensor): Tensor
export function bitwiseRightShift(a: unknown, b: unknown): unknown {
  return op(231, a, b)
}

/**
 * `bitwise_xor.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `bitwise_xor.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function bitwiseXor(self: Tensor, other: Tensor | Scalar): Tensor
/** `bitwise_xor.Scalar_Tensor(Scalar self, Tensor other) -> Tensor` */
export function bitwiseXor(self: Scalar, other: Tensor): Tensor
export function bitwiseXor(a: unknown, b: unknown): unknown {
  return op(233, a, b)
}

/** `blackman_window(int window_length, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function blackmanWindow(windowLength: number | bigint, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
/** `blackman_window.periodic(int window_length, bool periodic, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function blackmanWindow(windowLength: number | bigint, periodic: boolean, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
export function blackmanWindow(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(235, a, b, c)
}

/** `block_diag(Tensor[] tensors) -> Tensor` */
export function blockDiag(tensors: readonly Tensor[]): Tensor {
  return op(236, tensors) as Tensor
}

/** `bmm(Tensor self, Tensor mat2) -> Tensor` */
export function bmm(self: Tensor, mat2: Tensor): Tensor
/** `bmm.dtype(Tensor self, Tensor mat2, ScalarType out_dtype) -> Tensor` */
export function bmm(self: Tensor, mat2: Tensor, outDtype: DType): Tensor
export function bmm(a: unknown, b: unknown, c?: unknown): unknown {
  return op(237, a, b, c)
}

/** `broadcast_tensors(Tensor[] tensors) -> Tensor[]` */
export function broadcastTensors(tensors: readonly Tensor[]): Tensor[] {
  return op(238, tensors) as Tensor[]
}

/** `broadcast_to(Tensor(a) self, SymInt[] size) -> Tensor(a)` */
export function broadcastTo(self: Tensor, size: readonly number[]): Tensor {
  return op(239, self, size) as Tensor
}

/**
 * `bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor`
 *
 * `bucketize.Scalar(Scalar self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor`
 */
export function bucketize(self: Tensor | Scalar, boundaries: Tensor, options?: { outInt32?: boolean; right?: boolean }): Tensor {
  return op(240, self, boundaries, options) as Tensor
}

/** `can_cast(ScalarType from_, ScalarType to) -> bool` */
export function canCast(from_: DType, to: DType): boolean {
  return op(241, from_, to) as boolean
}

/** `cartesian_prod(Tensor[] tensors) -> Tensor` */
export function cartesianProd(tensors: readonly Tensor[]): Tensor {
  return op(242, tensors) as Tensor
}

/** `cat(Tensor[] tensors, int dim=0) -> Tensor` */
export function cat(tensors: readonly Tensor[], options?: { dim?: number | bigint }): Tensor {
  return op(243, tensors, options) as Tensor
}

/** `cdist(Tensor x1, Tensor x2, float p=2., int? compute_mode=None) -> Tensor` */
export function cdist(x1: Tensor, x2: Tensor, options?: { p?: number; computeMode?: number | bigint | null }): Tensor {
  return op(246, x1, x2, options) as Tensor
}

/** `ceil(Tensor self) -> Tensor` */
export function ceil(self: Tensor): Tensor {
  return op(247, self) as Tensor
}

/** `ceil_(Tensor(a!) self) -> Tensor(a!)` */
export function ceil_(self: Tensor): Tensor {
  return op(248, self) as Tensor
}

/** `celu(Tensor self, Scalar alpha=1.) -> Tensor` */
export function celu(self: Tensor, options?: { alpha?: Scalar }): Tensor {
  return op(249, self, options) as Tensor
}

/** `celu_(Tensor(a!) self, Scalar alpha=1.) -> Tensor(a!)` */
export function celu_(self: Tensor, options?: { alpha?: Scalar }): Tensor {
  return op(250, self, options) as Tensor
}

/** `chain_matmul(Tensor[] matrices) -> Tensor` */
export function chainMatmul(matrices: readonly Tensor[]): Tensor {
  return op(251, matrices) as Tensor
}

/** `channel_shuffle(Tensor self, SymInt groups) -> Tensor` */
export function channelShuffle(self: Tensor, groups: number | bigint): Tensor {
  return op(253, self, groups) as Tensor
}

/** `cholesky(Tensor self, bool upper=False) -> Tensor` */
export function cholesky(self: Tensor, options?: { upper?: boolean }): Tensor {
  return op(254, self, options) as Tensor
}

/** `cholesky_inverse(Tensor self, bool upper=False) -> Tensor` */
export function choleskyInverse(self: Tensor, options?: { upper?: boolean }): Tensor {
  return op(255, self, options) as Tensor
}

/** `cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor` */
export function choleskySolve(self: Tensor, input2: Tensor, options?: { upper?: boolean }): Tensor {
  return op(256, self, input2, options) as Tensor
}

/** `chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]` */
export function chunk(self: Tensor, chunks: number | bigint, options?: { dim?: number | bigint }): Tensor[] {
  return op(257, self, chunks, options) as Tensor[]
}

/** `clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor` */
export function clamp(self: Tensor, options?: { min?: Tensor | null; max?: Tensor | null }): Tensor
/** `clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor` */
export function clamp(self: Tensor, options?: { min?: Scalar | null; max?: Scalar | null }): Tensor
export function clamp(a: unknown, b?: unknown): unknown {
  return op(258, a, b)
}

/** `clamp_.Tensor(Tensor(a!) self, Tensor? min=None, Tensor? max=None) -> Tensor(a!)` */
export function clamp_(self: Tensor, options?: { min?: Tensor | null; max?: Tensor | null }): Tensor
/** `clamp_(Tensor(a!) self, Scalar? min=None, Scalar? max=None) -> Tensor(a!)` */
export function clamp_(self: Tensor, options?: { min?: Scalar | null; max?: Scalar | null }): Tensor
export function clamp_(a: unknown, b?: unknown): unknown {
  return op(259, a, b)
}

/**
 * `clamp_max.Tensor(Tensor self, Tensor max) -> Tensor`
 *
 * `clamp_max(Tensor self, Scalar max) -> Tensor`
 */
export function clampMax(self: Tensor, max: Tensor | Scalar): Tensor {
  return op(260, self, max) as Tensor
}

/**
 * `clamp_max_.Tensor(Tensor(a!) self, Tensor max) -> Tensor(a!)`
 *
 * `clamp_max_(Tensor(a!) self, Scalar max) -> Tensor(a!)`
 */
export function clampMax_(self: Tensor, max: Tensor | Scalar): Tensor {
  return op(261, self, max) as Tensor
}

/**
 * `clamp_min.Tensor(Tensor self, Tensor min) -> Tensor`
 *
 * `clamp_min(Tensor self, Scalar min) -> Tensor`
 */
export function clampMin(self: Tensor, min: Tensor | Scalar): Tensor {
  return op(262, self, min) as Tensor
}

/**
 * `clamp_min_.Tensor(Tensor(a!) self, Tensor min) -> Tensor(a!)`
 *
 * `clamp_min_(Tensor(a!) self, Scalar min) -> Tensor(a!)`
 */
export function clampMin_(self: Tensor, min: Tensor | Scalar): Tensor {
  return op(263, self, min) as Tensor
}

/** `clip.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor` */
export function clip(self: Tensor, options?: { min?: Tensor | null; max?: Tensor | null }): Tensor
/** `clip(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor` */
export function clip(self: Tensor, options?: { min?: Scalar | null; max?: Scalar | null }): Tensor
export function clip(a: unknown, b?: unknown): unknown {
  return op(264, a, b)
}

/** `clip_.Tensor(Tensor(a!) self, Tensor? min=None, Tensor? max=None) -> Tensor(a!)` */
export function clip_(self: Tensor, options?: { min?: Tensor | null; max?: Tensor | null }): Tensor
/** `clip_(Tensor(a!) self, Scalar? min=None, Scalar? max=None) -> Tensor(a!)` */
export function clip_(self: Tensor, options?: { min?: Scalar | null; max?: Scalar | null }): Tensor
export function clip_(a: unknown, b?: unknown): unknown {
  return op(265, a, b)
}

/** `clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor` */
export function clone(self: Tensor, options?: { memoryFormat?: MemoryFormat | null }): Tensor {
  return op(266, self, options) as Tensor
}

/** `col2im(Tensor self, SymInt[2] output_size, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> Tensor` */
export function col2im(self: Tensor, outputSize: number | readonly number[], kernelSize: number | readonly number[], dilation: number | readonly number[], padding: number | readonly number[], stride: number | readonly number[]): Tensor {
  return opN(268, [self, outputSize, kernelSize, dilation, padding, stride]) as Tensor
}

/** `column_stack(Tensor[] tensors) -> Tensor` */
export function columnStack(tensors: readonly Tensor[]): Tensor {
  return op(270, tensors) as Tensor
}

/** `combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor` */
export function combinations(self: Tensor, options?: { r?: number | bigint; withReplacement?: boolean }): Tensor {
  return op(271, self, options) as Tensor
}

/** `complex(Tensor real, Tensor imag) -> Tensor` */
export function complex(real: Tensor, imag: Tensor): Tensor {
  return op(272, real, imag) as Tensor
}

/** `concat(Tensor[] tensors, int dim=0) -> Tensor` */
export function concat(tensors: readonly Tensor[], options?: { dim?: number | bigint }): Tensor {
  return op(273, tensors, options) as Tensor
}

/** `concatenate(Tensor[] tensors, int dim=0) -> Tensor` */
export function concatenate(tensors: readonly Tensor[], options?: { dim?: number | bigint }): Tensor {
  return op(274, tensors, options) as Tensor
}

/** `conj(Tensor(a) self) -> Tensor(a)` */
export function conj(self: Tensor): Tensor {
  return op(275, self) as Tensor
}

/** `conj_physical(Tensor self) -> Tensor` */
export function conjPhysical(self: Tensor): Tensor {
  return op(276, self) as Tensor
}

/** `conj_physical_(Tensor(a!) self) -> Tensor(a!)` */
export function conjPhysical_(self: Tensor): Tensor {
  return op(277, self) as Tensor
}

/** `constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor` */
export function constantPadNd(self: Tensor, pad: readonly number[], options?: { value?: Scalar }): Tensor {
  return op(278, self, pad, options) as Tensor
}

/** `conv1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], SymInt[1] padding=[0], SymInt[1] dilation=[1], SymInt groups=1) -> Tensor` */
export function conv1d(input: Tensor, weight: Tensor, options?: { bias?: Tensor | null; stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; groups?: number | bigint }): Tensor
/** `conv1d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], str padding="valid", SymInt[1] dilation=[1], SymInt groups=1) -> Tensor` */
export function conv1d(input: Tensor, weight: Tensor, options?: { bias?: Tensor | null; stride?: number | readonly number[]; padding?: string; dilation?: number | readonly number[]; groups?: number | bigint }): Tensor
export function conv1d(a: unknown, b: unknown, c?: unknown): unknown {
  return op(280, a, b, c)
}

/** `conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], SymInt[2] padding=[0, 0], SymInt[2] dilation=[1, 1], SymInt groups=1) -> Tensor` */
export function conv2d(input: Tensor, weight: Tensor, options?: { bias?: Tensor | null; stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; groups?: number | bigint }): Tensor
/** `conv2d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], str padding="valid", SymInt[2] dilation=[1, 1], SymInt groups=1) -> Tensor` */
export function conv2d(input: Tensor, weight: Tensor, options?: { bias?: Tensor | null; stride?: number | readonly number[]; padding?: string; dilation?: number | readonly number[]; groups?: number | bigint }): Tensor
export function conv2d(a: unknown, b: unknown, c?: unknown): unknown {
  return op(281, a, b, c)
}

/** `conv3d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], SymInt[3] padding=[0, 0, 0], SymInt[3] dilation=[1, 1, 1], SymInt groups=1) -> Tensor` */
export function conv3d(input: Tensor, weight: Tensor, options?: { bias?: Tensor | null; stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; groups?: number | bigint }): Tensor
/** `conv3d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], str padding="valid", SymInt[3] dilation=[1, 1, 1], SymInt groups=1) -> Tensor` */
export function conv3d(input: Tensor, weight: Tensor, options?: { bias?: Tensor | null; stride?: number | readonly number[]; padding?: string; dilation?: number | readonly number[]; groups?: number | bigint }): Tensor
export function conv3d(a: unknown, b: unknown, c?: unknown): unknown {
  return op(282, a, b, c)
}

/** `conv_tbc(Tensor self, Tensor weight, Tensor bias, int pad=0) -> Tensor` */
export function convTbc(self: Tensor, weight: Tensor, bias: Tensor, options?: { pad?: number | bigint }): Tensor {
  return op(283, self, weight, bias, options) as Tensor
}

/** `conv_transpose1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], SymInt[1] padding=[0], SymInt[1] output_padding=[0], SymInt groups=1, SymInt[1] dilation=[1]) -> Tensor` */
export function convTranspose1d(input: Tensor, weight: Tensor, options?: { bias?: Tensor | null; stride?: number | readonly number[]; padding?: number | readonly number[]; outputPadding?: number | readonly number[]; groups?: number | bigint; dilation?: number | readonly number[] }): Tensor {
  return op(284, input, weight, options) as Tensor
}

/** `conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], SymInt[2] padding=[0, 0], SymInt[2] output_padding=[0, 0], SymInt groups=1, SymInt[2] dilation=[1, 1]) -> Tensor` */
export function convTranspose2d(input: Tensor, weight: Tensor, options?: { bias?: Tensor | null; stride?: number | readonly number[]; padding?: number | readonly number[]; outputPadding?: number | readonly number[]; groups?: number | bigint; dilation?: number | readonly number[] }): Tensor {
  return op(285, input, weight, options) as Tensor
}

/** `conv_transpose3d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], SymInt[3] padding=[0, 0, 0], SymInt[3] output_padding=[0, 0, 0], SymInt groups=1, SymInt[3] dilation=[1, 1, 1]) -> Tensor` */
export function convTranspose3d(input: Tensor, weight: Tensor, options?: { bias?: Tensor | null; stride?: number | readonly number[]; padding?: number | readonly number[]; outputPadding?: number | readonly number[]; groups?: number | bigint; dilation?: number | readonly number[] }): Tensor {
  return op(286, input, weight, options) as Tensor
}

/** `convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups) -> Tensor` */
export function convolution(input: Tensor, weight: Tensor, stride: readonly number[], padding: readonly number[], dilation: readonly number[], transposed: boolean, outputPadding: readonly number[], groups: number | bigint, options?: { bias?: Tensor | null }): Tensor {
  return opN(287, [input, weight, stride, padding, dilation, transposed, outputPadding, groups, options]) as Tensor
}

/** `copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor` */
export function copy(self: Tensor, src: Tensor, options?: { nonBlocking?: boolean }): Tensor {
  return op(288, self, src, options) as Tensor
}

/**
 * `copysign.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `copysign.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function copysign(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(290, self, other) as Tensor
}

/** `corrcoef(Tensor self) -> Tensor` */
export function corrcoef(self: Tensor): Tensor {
  return op(292, self) as Tensor
}

/** `cos(Tensor self) -> Tensor` */
export function cos(self: Tensor): Tensor {
  return op(293, self) as Tensor
}

/** `cos_(Tensor(a!) self) -> Tensor(a!)` */
export function cos_(self: Tensor): Tensor {
  return op(294, self) as Tensor
}

/** `cosh(Tensor self) -> Tensor` */
export function cosh(self: Tensor): Tensor {
  return op(295, self) as Tensor
}

/** `cosh_(Tensor(a!) self) -> Tensor(a!)` */
export function cosh_(self: Tensor): Tensor {
  return op(296, self) as Tensor
}

/** `cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, float margin=0., int reduction=1) -> Tensor` */
export function cosineEmbeddingLoss(input1: Tensor, input2: Tensor, target: Tensor, options?: { margin?: number; reduction?: number | bigint }): Tensor {
  return op(297, input1, input2, target, options) as Tensor
}

/** `cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor` */
export function cosineSimilarity(x1: Tensor, x2: Tensor, options?: { dim?: number | bigint; eps?: number }): Tensor {
  return op(298, x1, x2, options) as Tensor
}

/** `count_nonzero(Tensor self, int? dim=None) -> Tensor` */
export function countNonzero(self: Tensor, options?: { dim?: number | bigint | null }): Tensor
/** `count_nonzero.dim_IntList(Tensor self, int[] dim) -> Tensor` */
export function countNonzero(self: Tensor, dim: readonly number[]): Tensor
export function countNonzero(a: unknown, b?: unknown): unknown {
  return op(299, a, b)
}

/** `cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None) -> Tensor` */
export function cov(self: Tensor, options?: { correction?: number | bigint; fweights?: Tensor | null; aweights?: Tensor | null }): Tensor {
  return op(300, self, options) as Tensor
}

/** `cross(Tensor self, Tensor other, int? dim=None) -> Tensor` */
export function cross(self: Tensor, other: Tensor, options?: { dim?: number | bigint | null }): Tensor {
  return op(301, self, other, options) as Tensor
}

/** `cross_entropy_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt ignore_index=-100, float label_smoothing=0.) -> Tensor` */
export function crossEntropyLoss(self: Tensor, target: Tensor, options?: { weight?: Tensor | null; reduction?: number | bigint; ignoreIndex?: number | bigint; labelSmoothing?: number }): Tensor {
  return op(302, self, target, options) as Tensor
}

/** `ctc_loss.Tensor(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, int blank=0, int reduction=1, bool zero_infinity=False) -> Tensor` */
export function ctcLoss(logProbs: Tensor, targets: Tensor, inputLengths: Tensor, targetLengths: Tensor, options?: { blank?: number | bigint; reduction?: number | bigint; zeroInfinity?: boolean }): Tensor
/** `ctc_loss.IntList(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, int blank=0, int reduction=1, bool zero_infinity=False) -> Tensor` */
export function ctcLoss(logProbs: Tensor, targets: Tensor, inputLengths: readonly number[], targetLengths: readonly number[], options?: { blank?: number | bigint; reduction?: number | bigint; zeroInfinity?: boolean }): Tensor
export function ctcLoss(a: unknown, b: unknown, c: unknown, d: unknown, e?: unknown): unknown {
  return op(304, a, b, c, d, e)
}

/** `cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)` */
export function cummax(self: Tensor, dim: number | bigint): [values: Tensor, indices: Tensor] {
  return op(305, self, dim) as [values: Tensor, indices: Tensor]
}

/** `cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)` */
export function cummin(self: Tensor, dim: number | bigint): [values: Tensor, indices: Tensor] {
  return op(306, self, dim) as [values: Tensor, indices: Tensor]
}

/** `cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor` */
export function cumprod(self: Tensor, dim: number | bigint, options?: { dtype?: DType | null }): Tensor {
  return op(307, self, dim, options) as Tensor
}

/** `cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor` */
export function cumsum(self: Tensor, dim: number | bigint, options?: { dtype?: DType | null }): Tensor {
  return op(309, self, dim, options) as Tensor
}

/** `cumulative_trapezoid.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor` */
export function cumulativeTrapezoid(y: Tensor, options?: { dx?: Scalar; dim?: number | bigint }): Tensor
/** `cumulative_trapezoid.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor` */
export function cumulativeTrapezoid(y: Tensor, x: Tensor, options?: { dim?: number | bigint }): Tensor
export function cumulativeTrapezoid(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(311, a, b, c)
}

/** `deg2rad(Tensor self) -> Tensor` */
export function deg2rad(self: Tensor): Tensor {
  return op(312, self) as Tensor
}

/** `deg2rad_(Tensor(a!) self) -> Tensor(a!)` */
export function deg2rad_(self: Tensor): Tensor {
  return op(313, self) as Tensor
}

/** `det(Tensor self) -> Tensor` */
export function det(self: Tensor): Tensor {
  return op(315, self) as Tensor
}

/** `detach(Tensor(a) self) -> Tensor(a)` */
export function detach(self: Tensor): Tensor {
  return op(316, self) as Tensor
}

/** `detach_(Tensor(a!) self) -> Tensor(a!)` */
export function detach_(self: Tensor): Tensor {
  return op(317, self) as Tensor
}

/** `diag(Tensor self, int diagonal=0) -> Tensor` */
export function diag(self: Tensor, options?: { diagonal?: number | bigint }): Tensor {
  return op(318, self, options) as Tensor
}

/** `diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor` */
export function diagEmbed(self: Tensor, options?: { offset?: number | bigint; dim1?: number | bigint; dim2?: number | bigint }): Tensor {
  return op(319, self, options) as Tensor
}

/** `diagflat(Tensor self, int offset=0) -> Tensor` */
export function diagflat(self: Tensor, options?: { offset?: number | bigint }): Tensor {
  return op(320, self, options) as Tensor
}

/** `diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)` */
export function diagonal(self: Tensor, options?: { offset?: number | bigint; dim1?: number | bigint; dim2?: number | bigint }): Tensor {
  return op(321, self, options) as Tensor
}

/** `diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor` */
export function diagonalScatter(self: Tensor, src: Tensor, options?: { offset?: number | bigint; dim1?: number | bigint; dim2?: number | bigint }): Tensor {
  return op(322, self, src, options) as Tensor
}

/** `diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor` */
export function diff(self: Tensor, options?: { n?: number | bigint; dim?: number | bigint; prepend?: Tensor | null; append?: Tensor | null }): Tensor {
  return op(323, self, options) as Tensor
}

/** `digamma(Tensor self) -> Tensor` */
export function digamma(self: Tensor): Tensor {
  return op(324, self) as Tensor
}

/** `dist(Tensor self, Tensor other, Scalar p=2) -> Tensor` */
export function dist(self: Tensor, other: Tensor, options?: { p?: Scalar }): Tensor {
  return op(326, self, other, options) as Tensor
}

/**
 * `div.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `div.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function div(self: Tensor, other: Tensor | Scalar): Tensor
/**
 * `div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor`
 *
 * `div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor`
 */
export function div(self: Tensor, other: Tensor | Scalar, options?: { roundingMode?: string | null }): Tensor
export function div(a: unknown, b: unknown, c?: unknown): unknown {
  return op(327, a, b, c)
}

/**
 * `divide.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `divide.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function divide(self: Tensor, other: Tensor | Scalar): Tensor
/**
 * `divide.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor`
 *
 * `divide.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor`
 */
export function divide(self: Tensor, other: Tensor | Scalar, options?: { roundingMode?: string | null }): Tensor
export function divide(a: unknown, b: unknown, c?: unknown): unknown {
  return op(329, a, b, c)
}

/** `dot(Tensor self, Tensor tensor) -> Tensor` */
export function dot(self: Tensor, tensor: Tensor): Tensor {
  return op(331, self, tensor) as Tensor
}

/** `dropout(Tensor input, float p, bool train) -> Tensor` */
export function dropout(input: Tensor, p: number, train: boolean): Tensor {
  return op(332, input, p, train) as Tensor
}

/** `dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)` */
export function dropout_(self: Tensor, p: number, train: boolean): Tensor {
  return op(333, self, p, train) as Tensor
}

/** `dsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]` */
export function dsplit(self: Tensor, sections: number | bigint): Tensor[]
/** `dsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]` */
export function dsplit(self: Tensor, indices: readonly number[]): Tensor[]
export function dsplit(a: unknown, b: unknown): unknown {
  return op(334, a, b)
}

/** `dstack(Tensor[] tensors) -> Tensor` */
export function dstack(tensors: readonly Tensor[]): Tensor {
  return op(335, tensors) as Tensor
}

/** `einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor` */
export function einsum(equation: string, tensors: readonly Tensor[], options?: { path?: readonly number[] | null }): Tensor {
  return op(336, equation, tensors, options) as Tensor
}

/** `elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor` */
export function elu(self: Tensor, options?: { alpha?: Scalar; scale?: Scalar; inputScale?: Scalar }): Tensor {
  return op(337, self, options) as Tensor
}

/** `elu_(Tensor(a!) self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor(a!)` */
export function elu_(self: Tensor, options?: { alpha?: Scalar; scale?: Scalar; inputScale?: Scalar }): Tensor {
  return op(338, self, options) as Tensor
}

/** `embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor` */
export function embedding(weight: Tensor, indices: Tensor, options?: { paddingIdx?: number | bigint; scaleGradByFreq?: boolean; sparse?: boolean }): Tensor {
  return op(339, weight, indices, options) as Tensor
}

/** `embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False) -> (Tensor, Tensor, Tensor, Tensor)` */
export function embeddingBag(weight: Tensor, indices: Tensor, offsets: Tensor, options?: { scaleGradByFreq?: boolean; mode?: number | bigint; sparse?: boolean; perSampleWeights?: Tensor | null; includeLastOffset?: boolean }): [Tensor, Tensor, Tensor, Tensor]
/** `embedding_bag.padding_idx(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq, int mode, bool sparse, Tensor? per_sample_weights, bool include_last_offset, int? padding_idx) -> (Tensor, Tensor, Tensor, Tensor)` */
export function embeddingBag(weight: Tensor, indices: Tensor, offsets: Tensor, scaleGradByFreq: boolean, mode: number | bigint, sparse: boolean, includeLastOffset: boolean, options?: { perSampleWeights?: Tensor | null; paddingIdx?: number | bigint | null }): [Tensor, Tensor, Tensor, Tensor]
export function embeddingBag(a: unknown, b: unknown, c: unknown, d?: unknown, e?: unknown, f?: unknown, g?: unknown, h?: unknown): unknown {
  return opN(340, [a, b, c, d, e, f, g, h])
}

/** `embedding_renorm_(Tensor(a!) self, Tensor indices, float max_norm, float norm_type) -> Tensor(a!)` */
export function embeddingRenorm_(self: Tensor, indices: Tensor, maxNorm: number, normType: number): Tensor {
  return op(341, self, indices, maxNorm, normType) as Tensor
}

/** `empty_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function emptyLike(self: Tensor, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null; memoryFormat?: MemoryFormat | null }): Tensor {
  return op(342, self, options) as Tensor
}

/** `empty_permuted(SymInt[] size, int[] physical_layout, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function emptyPermuted(size: readonly number[], physicalLayout: readonly number[], options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor {
  return op(343, size, physicalLayout, options) as Tensor
}

/** `empty_strided(SymInt[] size, SymInt[] stride, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function emptyStrided(size: readonly number[], stride: readonly number[], options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor {
  return op(344, size, stride, options) as Tensor
}

/**
 * `eq.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `eq.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function eq(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(345, self, other) as Tensor
}

/** `equal(Tensor self, Tensor other) -> bool` */
export function equal(self: Tensor, other: Tensor): boolean {
  return op(347, self, other) as boolean
}

/** `erf(Tensor self) -> Tensor` */
export function erf(self: Tensor): Tensor {
  return op(348, self) as Tensor
}

/** `erf_(Tensor(a!) self) -> Tensor(a!)` */
export function erf_(self: Tensor): Tensor {
  return op(349, self) as Tensor
}

/** `erfc(Tensor self) -> Tensor` */
export function erfc(self: Tensor): Tensor {
  return op(350, self) as Tensor
}

/** `erfc_(Tensor(a!) self) -> Tensor(a!)` */
export function erfc_(self: Tensor): Tensor {
  return op(351, self) as Tensor
}

/** `erfinv(Tensor self) -> Tensor` */
export function erfinv(self: Tensor): Tensor {
  return op(352, self) as Tensor
}

/** `exp(Tensor self) -> Tensor` */
export function exp(self: Tensor): Tensor {
  return op(354, self) as Tensor
}

/** `exp2(Tensor self) -> Tensor` */
export function exp2(self: Tensor): Tensor {
  return op(355, self) as Tensor
}

/** `exp2_(Tensor(a!) self) -> Tensor(a!)` */
export function exp2_(self: Tensor): Tensor {
  return op(356, self) as Tensor
}

/** `exp_(Tensor(a!) self) -> Tensor(a!)` */
export function exp_(self: Tensor): Tensor {
  return op(357, self) as Tensor
}

/** `expm1(Tensor self) -> Tensor` */
export function expm1(self: Tensor): Tensor {
  return op(360, self) as Tensor
}

/** `expm1_(Tensor(a!) self) -> Tensor(a!)` */
export function expm1_(self: Tensor): Tensor {
  return op(361, self) as Tensor
}

/** `fake_quantize_per_channel_affine(Tensor self, Tensor scale, Tensor zero_point, int axis, int quant_min, int quant_max) -> Tensor` */
export function fakeQuantizePerChannelAffine(self: Tensor, scale: Tensor, zeroPoint: Tensor, axis: number | bigint, quantMin: number | bigint, quantMax: number | bigint): Tensor {
  return opN(363, [self, scale, zeroPoint, axis, quantMin, quantMax]) as Tensor
}

/** `fake_quantize_per_tensor_affine.tensor_qparams(Tensor self, Tensor scale, Tensor zero_point, int quant_min, int quant_max) -> Tensor` */
export function fakeQuantizePerTensorAffine(self: Tensor, scale: Tensor, zeroPoint: Tensor, quantMin: number | bigint, quantMax: number | bigint): Tensor
/** `fake_quantize_per_tensor_affine(Tensor self, float scale, int zero_point, int quant_min, int quant_max) -> Tensor` */
export function fakeQuantizePerTensorAffine(self: Tensor, scale: number, zeroPoint: number | bigint, quantMin: number | bigint, quantMax: number | bigint): Tensor
export function fakeQuantizePerTensorAffine(a: unknown, b: unknown, c: unknown, d: unknown, e: unknown): unknown {
  return op(364, a, b, c, d, e)
}

/** `feature_alpha_dropout(Tensor input, float p, bool train) -> Tensor` */
export function featureAlphaDropout(input: Tensor, p: number, train: boolean): Tensor {
  return op(365, input, p, train) as Tensor
}

/** `feature_alpha_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)` */
export function featureAlphaDropout_(self: Tensor, p: number, train: boolean): Tensor {
  return op(366, self, p, train) as Tensor
}

/** `feature_dropout(Tensor input, float p, bool train) -> Tensor` */
export function featureDropout(input: Tensor, p: number, train: boolean): Tensor {
  return op(367, input, p, train) as Tensor
}

/** `feature_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)` */
export function featureDropout_(self: Tensor, p: number, train: boolean): Tensor {
  return op(368, self, p, train) as Tensor
}

/** `fft_fft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor` */
export function fftFft(self: Tensor, options?: { n?: number | bigint | null; dim?: number | bigint; norm?: string | null }): Tensor {
  return op(369, self, options) as Tensor
}

/** `fft_fft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor` */
export function fftFft2(self: Tensor, options?: { s?: number | readonly number[] | null; dim?: number | readonly number[]; norm?: string | null }): Tensor {
  return op(370, self, options) as Tensor
}

/** `fft_fftfreq(int n, float d=1., *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function fftFftfreq(n: number | bigint, options?: { d?: number; dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor {
  return op(371, n, options) as Tensor
}

/** `fft_fftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor` */
export function fftFftn(self: Tensor, options?: { s?: number | readonly number[] | null; dim?: number | readonly number[] | null; norm?: string | null }): Tensor {
  return op(372, self, options) as Tensor
}

/** `fft_fftshift(Tensor self, int[1]? dim=None) -> Tensor` */
export function fftFftshift(self: Tensor, options?: { dim?: number | readonly number[] | null }): Tensor {
  return op(373, self, options) as Tensor
}

/** `fft_hfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor` */
export function fftHfft(self: Tensor, options?: { n?: number | bigint | null; dim?: number | bigint; norm?: string | null }): Tensor {
  return op(374, self, options) as Tensor
}

/** `fft_hfft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor` */
export function fftHfft2(self: Tensor, options?: { s?: number | readonly number[] | null; dim?: number | readonly number[]; norm?: string | null }): Tensor {
  return op(375, self, options) as Tensor
}

/** `fft_hfftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor` */
export function fftHfftn(self: Tensor, options?: { s?: number | readonly number[] | null; dim?: number | readonly number[] | null; norm?: string | null }): Tensor {
  return op(376, self, options) as Tensor
}

/** `fft_ifft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor` */
export function fftIfft(self: Tensor, options?: { n?: number | bigint | null; dim?: number | bigint; norm?: string | null }): Tensor {
  return op(377, self, options) as Tensor
}

/** `fft_ifft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor` */
export function fftIfft2(self: Tensor, options?: { s?: number | readonly number[] | null; dim?: number | readonly number[]; norm?: string | null }): Tensor {
  return op(378, self, options) as Tensor
}

/** `fft_ifftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor` */
export function fftIfftn(self: Tensor, options?: { s?: number | readonly number[] | null; dim?: number | readonly number[] | null; norm?: string | null }): Tensor {
  return op(379, self, options) as Tensor
}

/** `fft_ifftshift(Tensor self, int[1]? dim=None) -> Tensor` */
export function fftIfftshift(self: Tensor, options?: { dim?: number | readonly number[] | null }): Tensor {
  return op(380, self, options) as Tensor
}

/** `fft_ihfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor` */
export function fftIhfft(self: Tensor, options?: { n?: number | bigint | null; dim?: number | bigint; norm?: string | null }): Tensor {
  return op(381, self, options) as Tensor
}

/** `fft_ihfft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor` */
export function fftIhfft2(self: Tensor, options?: { s?: number | readonly number[] | null; dim?: number | readonly number[]; norm?: string | null }): Tensor {
  return op(382, self, options) as Tensor
}

/** `fft_ihfftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor` */
export function fftIhfftn(self: Tensor, options?: { s?: number | readonly number[] | null; dim?: number | readonly number[] | null; norm?: string | null }): Tensor {
  return op(383, self, options) as Tensor
}

/** `fft_irfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor` */
export function fftIrfft(self: Tensor, options?: { n?: number | bigint | null; dim?: number | bigint; norm?: string | null }): Tensor {
  return op(384, self, options) as Tensor
}

/** `fft_irfft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor` */
export function fftIrfft2(self: Tensor, options?: { s?: number | readonly number[] | null; dim?: number | readonly number[]; norm?: string | null }): Tensor {
  return op(385, self, options) as Tensor
}

/** `fft_irfftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor` */
export function fftIrfftn(self: Tensor, options?: { s?: number | readonly number[] | null; dim?: number | readonly number[] | null; norm?: string | null }): Tensor {
  return op(386, self, options) as Tensor
}

/** `fft_rfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor` */
export function fftRfft(self: Tensor, options?: { n?: number | bigint | null; dim?: number | bigint; norm?: string | null }): Tensor {
  return op(387, self, options) as Tensor
}

/** `fft_rfft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor` */
export function fftRfft2(self: Tensor, options?: { s?: number | readonly number[] | null; dim?: number | readonly number[]; norm?: string | null }): Tensor {
  return op(388, self, options) as Tensor
}

/** `fft_rfftfreq(int n, float d=1., *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function fftRfftfreq(n: number | bigint, options?: { d?: number; dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor {
  return op(389, n, options) as Tensor
}

/** `fft_rfftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor` */
export function fftRfftn(self: Tensor, options?: { s?: number | readonly number[] | null; dim?: number | readonly number[] | null; norm?: string | null }): Tensor {
  return op(390, self, options) as Tensor
}

/**
 * `fill.Tensor(Tensor self, Tensor value) -> Tensor`
 *
 * `fill.Scalar(Tensor self, Scalar value) -> Tensor`
 */
export function fill(self: Tensor, value: Tensor | Scalar): Tensor {
  return op(391, self, value) as Tensor
}

/**
 * `fill_.Tensor(Tensor(a!) self, Tensor value) -> Tensor(a!)`
 *
 * `fill_.Scalar(Tensor(a!) self, Scalar value) -> Tensor(a!)`
 */
export function fill_(self: Tensor, value: Tensor | Scalar): Tensor {
  return op(392, self, value) as Tensor
}

/** `fix(Tensor self) -> Tensor` */
export function fix(self: Tensor): Tensor {
  return op(394, self) as Tensor
}

/** `fix_(Tensor(a!) self) -> Tensor(a!)` */
export function fix_(self: Tensor): Tensor {
  return op(395, self) as Tensor
}

/** `flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)` */
export function flatten(self: Tensor, options?: { startDim?: number | bigint; endDim?: number | bigint }): Tensor {
  return op(396, self, options) as Tensor
}

/** `flatten_dense_tensors(Tensor[] tensors) -> Tensor` */
export function flattenDenseTensors(tensors: readonly Tensor[]): Tensor {
  return op(397, tensors) as Tensor
}

/** `flip(Tensor self, int[] dims) -> Tensor` */
export function flip(self: Tensor, dims: readonly number[]): Tensor {
  return op(398, self, dims) as Tensor
}

/** `fliplr(Tensor self) -> Tensor` */
export function fliplr(self: Tensor): Tensor {
  return op(399, self) as Tensor
}

/** `flipud(Tensor self) -> Tensor` */
export function flipud(self: Tensor): Tensor {
  return op(400, self) as Tensor
}

/**
 * `float_power.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor`
 *
 * `float_power.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor`
 */
export function floatPower(self: Tensor, exponent: Tensor | Scalar): Tensor
/** `float_power.Scalar(Scalar self, Tensor exponent) -> Tensor` */
export function floatPower(self: Scalar, exponent: Tensor): Tensor
export function floatPower(a: unknown, b: unknown): unknown {
  return op(401, a, b)
}

/** `floor(Tensor self) -> Tensor` */
export function floor(self: Tensor): Tensor {
  return op(403, self) as Tensor
}

/** `floor_(Tensor(a!) self) -> Tensor(a!)` */
export function floor_(self: Tensor): Tensor {
  return op(404, self) as Tensor
}

/**
 * `floor_divide(Tensor self, Tensor other) -> Tensor`
 *
 * `floor_divide.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function floorDivide(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(405, self, other) as Tensor
}

/** `fmax(Tensor self, Tensor other) -> Tensor` */
export function fmax(self: Tensor, other: Tensor): Tensor {
  return op(407, self, other) as Tensor
}

/** `fmin(Tensor self, Tensor other) -> Tensor` */
export function fmin(self: Tensor, other: Tensor): Tensor {
  return op(408, self, other) as Tensor
}

/**
 * `fmod.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `fmod.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function fmod(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(409, self, other) as Tensor
}

/** `frac(Tensor self) -> Tensor` */
export function frac(self: Tensor): Tensor {
  return op(411, self) as Tensor
}

/** `frac_(Tensor(a!) self) -> Tensor(a!)` */
export function frac_(self: Tensor): Tensor {
  return op(412, self) as Tensor
}

/** `fractional_max_pool2d(Tensor self, int[2] kernel_size, int[2] output_size, Tensor random_samples) -> (Tensor, Tensor)` */
export function fractionalMaxPool2d(self: Tensor, kernelSize: number | readonly number[], outputSize: number | readonly number[], randomSamples: Tensor): [Tensor, Tensor] {
  return op(413, self, kernelSize, outputSize, randomSamples) as [Tensor, Tensor]
}

/** `fractional_max_pool3d(Tensor self, int[3] kernel_size, int[3] output_size, Tensor random_samples) -> (Tensor, Tensor)` */
export function fractionalMaxPool3d(self: Tensor, kernelSize: number | readonly number[], outputSize: number | readonly number[], randomSamples: Tensor): [Tensor, Tensor] {
  return op(414, self, kernelSize, outputSize, randomSamples) as [Tensor, Tensor]
}

/** `frexp.Tensor(Tensor self) -> (Tensor mantissa, Tensor exponent)` */
export function frexp(self: Tensor): [mantissa: Tensor, exponent: Tensor] {
  return op(415, self) as [mantissa: Tensor, exponent: Tensor]
}

/** `frobenius_norm.dim(Tensor self, int[1] dim, bool keepdim=False) -> Tensor` */
export function frobeniusNorm(self: Tensor, dim: number | readonly number[], options?: { keepdim?: boolean }): Tensor {
  return op(416, self, dim, options) as Tensor
}

/** `full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function fullLike(self: Tensor, fillValue: Scalar, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null; memoryFormat?: MemoryFormat | null }): Tensor {
  return op(417, self, fillValue, options) as Tensor
}

/** `gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor` */
export function gather(self: Tensor, dim: number | bigint, index: Tensor, options?: { sparseGrad?: boolean }): Tensor {
  return op(418, self, dim, index, options) as Tensor
}

/** `gcd(Tensor self, Tensor other) -> Tensor` */
export function gcd(self: Tensor, other: Tensor): Tensor {
  return op(419, self, other) as Tensor
}

/** `gcd_(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
export function gcd_(self: Tensor, other: Tensor): Tensor {
  return op(420, self, other) as Tensor
}

/**
 * `ge.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `ge.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function ge(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(421, self, other) as Tensor
}

/** `gelu(Tensor self, *, str approximate="none") -> Tensor` */
export function gelu(self: Tensor, options?: { approximate?: string }): Tensor {
  return op(423, self, options) as Tensor
}

/** `gelu_(Tensor(a!) self, *, str approximate="none") -> Tensor(a!)` */
export function gelu_(self: Tensor, options?: { approximate?: string }): Tensor {
  return op(424, self, options) as Tensor
}

/** `geqrf(Tensor self) -> (Tensor a, Tensor tau)` */
export function geqrf(self: Tensor): [a: Tensor, tau: Tensor] {
  return op(426, self) as [a: Tensor, tau: Tensor]
}

/** `ger(Tensor self, Tensor vec2) -> Tensor` */
export function ger(self: Tensor, vec2: Tensor): Tensor {
  return op(427, self, vec2) as Tensor
}

/** `glu(Tensor self, int dim=-1) -> Tensor` */
export function glu(self: Tensor, options?: { dim?: number | bigint }): Tensor {
  return op(428, self, options) as Tensor
}

/** `gradient.scalarint(Tensor self, *, Scalar? spacing=None, int? dim=None, int edge_order=1) -> Tensor[]` */
export function gradient(self: Tensor, options?: { spacing?: Scalar | null; dim?: number | bigint | null; edgeOrder?: number | bigint }): Tensor[]
/**
 * `gradient.tensorarrayint(Tensor self, *, Tensor[] spacing, int? dim=None, int edge_order=1) -> Tensor[]`
 *
 * `gradient.scalarrayint(Tensor self, *, Scalar[] spacing, int? dim=None, int edge_order=1) -> Tensor[]`
 */
export function gradient(self: Tensor, spacing: readonly Tensor[] | readonly Scalar[], options?: { dim?: number | bigint | null; edgeOrder?: number | bigint }): Tensor[]
/**
 * `gradient.tensorarray(Tensor self, *, Tensor[] spacing, int[] dim, int edge_order=1) -> Tensor[]`
 *
 * `gradient.scalararray(Tensor self, *, Scalar spacing, int[] dim, int edge_order=1) -> Tensor[]`
 *
 * `gradient.scalarrayarray(Tensor self, *, Scalar[] spacing, int[] dim, int edge_order=1) -> Tensor[]`
 */
export function gradient(self: Tensor, spacing: readonly Tensor[] | Scalar | readonly Scalar[], dim: readonly number[], options?: { edgeOrder?: number | bigint }): Tensor[]
export function gradient(a: unknown, b?: unknown, c?: unknown, d?: unknown): unknown {
  return op(429, a, b, c, d)
}

/**
 * `greater.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `greater.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function greater(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(430, self, other) as Tensor
}

/**
 * `greater_equal.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `greater_equal.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function greaterEqual(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(432, self, other) as Tensor
}

/** `grid_sampler(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor` */
export function gridSampler(input: Tensor, grid: Tensor, interpolationMode: number | bigint, paddingMode: number | bigint, alignCorners: boolean): Tensor {
  return op(434, input, grid, interpolationMode, paddingMode, alignCorners) as Tensor
}

/** `grid_sampler_2d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor` */
export function gridSampler2d(input: Tensor, grid: Tensor, interpolationMode: number | bigint, paddingMode: number | bigint, alignCorners: boolean): Tensor {
  return op(435, input, grid, interpolationMode, paddingMode, alignCorners) as Tensor
}

/** `grid_sampler_3d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor` */
export function gridSampler3d(input: Tensor, grid: Tensor, interpolationMode: number | bigint, paddingMode: number | bigint, alignCorners: boolean): Tensor {
  return op(436, input, grid, interpolationMode, paddingMode, alignCorners) as Tensor
}

/** `group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1.0000000000000001e-05, bool cudnn_enabled=True) -> Tensor` */
export function groupNorm(input: Tensor, numGroups: number | bigint, options?: { weight?: Tensor | null; bias?: Tensor | null; eps?: number; cudnnEnabled?: boolean }): Tensor {
  return op(437, input, numGroups, options) as Tensor
}

/** `gru.data(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor)` */
export function gru(data: Tensor, batchSizes: Tensor, hx: Tensor, params: readonly Tensor[], hasBiases: boolean, numLayers: number | bigint, dropout: number, train: boolean, bidirectional: boolean): [Tensor, Tensor]
/** `gru.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)` */
export function gru(input: Tensor, hx: Tensor, params: readonly Tensor[], hasBiases: boolean, numLayers: number | bigint, dropout: number, train: boolean, bidirectional: boolean, batchFirst: boolean): [Tensor, Tensor]
export function gru(a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown, g: unknown, h: unknown, i: unknown): unknown {
  return opN(438, [a, b, c, d, e, f, g, h, i])
}

/** `gru_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor` */
export function gruCell(input: Tensor, hx: Tensor, wIh: Tensor, wHh: Tensor, options?: { bIh?: Tensor | null; bHh?: Tensor | null }): Tensor {
  return op(439, input, hx, wIh, wHh, options) as Tensor
}

/**
 * `gt.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `gt.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function gt(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(440, self, other) as Tensor
}

/** `hamming_window(int window_length, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function hammingWindow(windowLength: number | bigint, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
/** `hamming_window.periodic(int window_length, bool periodic, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function hammingWindow(windowLength: number | bigint, periodic: boolean, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
/** `hamming_window.periodic_alpha(int window_length, bool periodic, float alpha, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function hammingWindow(windowLength: number | bigint, periodic: boolean, alpha: number, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
/** `hamming_window.periodic_alpha_beta(int window_length, bool periodic, float alpha, float beta, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function hammingWindow(windowLength: number | bigint, periodic: boolean, alpha: number, beta: number, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
export function hammingWindow(a: unknown, b?: unknown, c?: unknown, d?: unknown, e?: unknown): unknown {
  return op(442, a, b, c, d, e)
}

/** `hann_window(int window_length, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function hannWindow(windowLength: number | bigint, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
/** `hann_window.periodic(int window_length, bool periodic, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function hannWindow(windowLength: number | bigint, periodic: boolean, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
export function hannWindow(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(443, a, b, c)
}

/** `hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor` */
export function hardshrink(self: Tensor, options?: { lambd?: Scalar }): Tensor {
  return op(444, self, options) as Tensor
}

/** `hardsigmoid(Tensor self) -> Tensor` */
export function hardsigmoid(self: Tensor): Tensor {
  return op(445, self) as Tensor
}

/** `hardsigmoid_(Tensor(a!) self) -> Tensor(a!)` */
export function hardsigmoid_(self: Tensor): Tensor {
  return op(446, self) as Tensor
}

/** `hardswish(Tensor self) -> Tensor` */
export function hardswish(self: Tensor): Tensor {
  return op(447, self) as Tensor
}

/** `hardswish_(Tensor(a!) self) -> Tensor(a!)` */
export function hardswish_(self: Tensor): Tensor {
  return op(448, self) as Tensor
}

/** `hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor` */
export function hardtanh(self: Tensor, options?: { minVal?: Scalar; maxVal?: Scalar }): Tensor {
  return op(449, self, options) as Tensor
}

/** `hardtanh_(Tensor(a!) self, Scalar min_val=-1, Scalar max_val=1) -> Tensor(a!)` */
export function hardtanh_(self: Tensor, options?: { minVal?: Scalar; maxVal?: Scalar }): Tensor {
  return op(450, self, options) as Tensor
}

/** `hash_tensor(Tensor self, int[1] dim=[], *, bool keepdim=False, int mode=0) -> Tensor` */
export function hashTensor(self: Tensor, options?: { dim?: number | readonly number[]; keepdim?: boolean; mode?: number | bigint }): Tensor {
  return op(451, self, options) as Tensor
}

/** `heaviside(Tensor self, Tensor values) -> Tensor` */
export function heaviside(self: Tensor, values: Tensor): Tensor {
  return op(452, self, values) as Tensor
}

/** `hinge_embedding_loss(Tensor self, Tensor target, float margin=1., int reduction=1) -> Tensor` */
export function hingeEmbeddingLoss(self: Tensor, target: Tensor, options?: { margin?: number; reduction?: number | bigint }): Tensor {
  return op(454, self, target, options) as Tensor
}

/** `histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor` */
export function histc(self: Tensor, options?: { bins?: number | bigint; min?: Scalar; max?: Scalar }): Tensor {
  return op(455, self, options) as Tensor
}

/** `histogram.bin_ct(Tensor self, int bins=100, *, float[]? range=None, Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor bin_edges)` */
export function histogram(self: Tensor, options?: { bins?: number | bigint; range?: readonly number[] | null; weight?: Tensor | null; density?: boolean }): [hist: Tensor, binEdges: Tensor]
/** `histogram.bins_tensor(Tensor self, Tensor bins, *, Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor bin_edges)` */
export function histogram(self: Tensor, bins: Tensor, options?: { weight?: Tensor | null; density?: boolean }): [hist: Tensor, binEdges: Tensor]
export function histogram(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(456, a, b, c)
}

/**
 * `histogramdd.TensorList_bins(Tensor self, Tensor[] bins, float[]? range=None, Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor[] bin_edges)`
 *
 * `histogramdd.int_bins(Tensor self, int bins, float[]? range=None, Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor[] bin_edges)`
 *
 * `histogramdd(Tensor self, int[] bins, float[]? range=None, Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor[] bin_edges)`
 */
export function histogramdd(self: Tensor, bins: readonly Tensor[] | number | bigint | readonly number[], options?: { range?: readonly number[] | null; weight?: Tensor | null; density?: boolean }): [hist: Tensor, binEdges: Tensor[]] {
  return op(457, self, bins, options) as [hist: Tensor, binEdges: Tensor[]]
}

/** `hsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]` */
export function hsplit(self: Tensor, sections: number | bigint): Tensor[]
/** `hsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]` */
export function hsplit(self: Tensor, indices: readonly number[]): Tensor[]
export function hsplit(a: unknown, b: unknown): unknown {
  return op(458, a, b)
}

/** `hstack(Tensor[] tensors) -> Tensor` */
export function hstack(tensors: readonly Tensor[]): Tensor {
  return op(459, tensors) as Tensor
}

/** `huber_loss(Tensor self, Tensor target, int reduction=1, float delta=1.) -> Tensor` */
export function huberLoss(self: Tensor, target: Tensor, options?: { reduction?: number | bigint; delta?: number }): Tensor {
  return op(460, self, target, options) as Tensor
}

/** `hypot(Tensor self, Tensor other) -> Tensor` */
export function hypot(self: Tensor, other: Tensor): Tensor {
  return op(461, self, other) as Tensor
}

/** `i0(Tensor self) -> Tensor` */
export function i0(self: Tensor): Tensor {
  return op(463, self) as Tensor
}

/** `i0_(Tensor(a!) self) -> Tensor(a!)` */
export function i0_(self: Tensor): Tensor {
  return op(464, self) as Tensor
}

/** `igamma(Tensor self, Tensor other) -> Tensor` */
export function igamma(self: Tensor, other: Tensor): Tensor {
  return op(465, self, other) as Tensor
}

/** `igammac(Tensor self, Tensor other) -> Tensor` */
export function igammac(self: Tensor, other: Tensor): Tensor {
  return op(467, self, other) as Tensor
}

/** `im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> Tensor` */
export function im2col(self: Tensor, kernelSize: number | readonly number[], dilation: number | readonly number[], padding: number | readonly number[], stride: number | readonly number[]): Tensor {
  return op(469, self, kernelSize, dilation, padding, stride) as Tensor
}

/** `imag(Tensor(a) self) -> Tensor(a)` */
export function imag(self: Tensor): Tensor {
  return op(470, self) as Tensor
}

/** `index.Tensor(Tensor self, Tensor?[] indices) -> Tensor` */
export function index(self: Tensor, indices: readonly (Tensor | null)[]): Tensor {
  return op(471, self, indices) as Tensor
}

/** `index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor` */
export function indexAdd(self: Tensor, dim: number | bigint, index: Tensor, source: Tensor, options?: { alpha?: Scalar }): Tensor {
  return op(472, self, dim, index, source, options) as Tensor
}

/** `index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor` */
export function indexCopy(self: Tensor, dim: number | bigint, index: Tensor, source: Tensor): Tensor {
  return op(474, self, dim, index, source) as Tensor
}

/**
 * `index_fill.int_Tensor(Tensor self, int dim, Tensor index, Tensor value) -> Tensor`
 *
 * `index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor`
 */
export function indexFill(self: Tensor, dim: number | bigint, index: Tensor, value: Tensor | Scalar): Tensor {
  return op(476, self, dim, index, value) as Tensor
}

/** `index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor` */
export function indexPut(self: Tensor, indices: readonly (Tensor | null)[], values: Tensor, options?: { accumulate?: boolean }): Tensor {
  return op(478, self, indices, values, options) as Tensor
}

/** `index_put_(Tensor(a!) self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor(a!)` */
export function indexPut_(self: Tensor, indices: readonly (Tensor | null)[], values: Tensor, options?: { accumulate?: boolean }): Tensor {
  return op(479, self, indices, values, options) as Tensor
}

/** `index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True) -> Tensor` */
export function indexReduce(self: Tensor, dim: number | bigint, index: Tensor, source: Tensor, reduce: string, options?: { includeSelf?: boolean }): Tensor {
  return opN(480, [self, dim, index, source, reduce, options]) as Tensor
}

/** `index_select(Tensor self, int dim, Tensor index) -> Tensor` */
export function indexSelect(self: Tensor, dim: number | bigint, index: Tensor): Tensor {
  return op(482, self, dim, index) as Tensor
}

/** `inner(Tensor self, Tensor other) -> Tensor` */
export function inner(self: Tensor, other: Tensor): Tensor {
  return op(484, self, other) as Tensor
}

/** `instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor` */
export function instanceNorm(input: Tensor, useInputStats: boolean, momentum: number, eps: number, cudnnEnabled: boolean, options?: { weight?: Tensor | null; bias?: Tensor | null; runningMean?: Tensor | null; runningVar?: Tensor | null }): Tensor {
  return opN(485, [input, useInputStats, momentum, eps, cudnnEnabled, options]) as Tensor
}

/** `inverse(Tensor self) -> Tensor` */
export function inverse(self: Tensor): Tensor {
  return op(486, self) as Tensor
}

/** `is_complex(Tensor self) -> bool` */
export function isComplex(self: Tensor): boolean {
  return op(488, self) as boolean
}

/** `is_conj(Tensor self) -> bool` */
export function isConj(self: Tensor): boolean {
  return op(489, self) as boolean
}

/** `is_floating_point(Tensor self) -> bool` */
export function isFloatingPoint(self: Tensor): boolean {
  return op(490, self) as boolean
}

/** `is_inference(Tensor self) -> bool` */
export function isInference(self: Tensor): boolean {
  return op(491, self) as boolean
}

/** `is_neg(Tensor self) -> bool` */
export function isNeg(self: Tensor): boolean {
  return op(492, self) as boolean
}

/** `is_nonzero(Tensor self) -> bool` */
export function isNonzero(self: Tensor): boolean {
  return op(493, self) as boolean
}

/** `is_same_size(Tensor self, Tensor other) -> bool` */
export function isSameSize(self: Tensor, other: Tensor): boolean {
  return op(495, self, other) as boolean
}

/** `is_signed(Tensor self) -> bool` */
export function isSigned(self: Tensor): boolean {
  return op(497, self) as boolean
}

/** `isclose(Tensor self, Tensor other, float rtol=1.0000000000000001e-05, float atol=1e-08, bool equal_nan=False) -> Tensor` */
export function isclose(self: Tensor, other: Tensor, options?: { rtol?: number; atol?: number; equalNan?: boolean }): Tensor {
  return op(498, self, other, options) as Tensor
}

/** `isfinite(Tensor self) -> Tensor` */
export function isfinite(self: Tensor): Tensor {
  return op(499, self) as Tensor
}

/** `isin.Tensor_Tensor(Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool invert=False) -> Tensor` */
export function isin(elements: Tensor, testElements: Tensor, options?: { assumeUnique?: boolean; invert?: boolean }): Tensor
/** `isin.Tensor_Scalar(Tensor elements, Scalar test_element, *, bool assume_unique=False, bool invert=False) -> Tensor` */
export function isin(elements: Tensor, testElement: Scalar, options?: { assumeUnique?: boolean; invert?: boolean }): Tensor
/** `isin.Scalar_Tensor(Scalar element, Tensor test_elements, *, bool assume_unique=False, bool invert=False) -> Tensor` */
export function isin(element: Scalar, testElements: Tensor, options?: { assumeUnique?: boolean; invert?: boolean }): Tensor
export function isin(a: unknown, b: unknown, c?: unknown): unknown {
  return op(500, a, b, c)
}

/** `isinf(Tensor self) -> Tensor` */
export function isinf(self: Tensor): Tensor {
  return op(501, self) as Tensor
}

/** `isnan(Tensor self) -> Tensor` */
export function isnan(self: Tensor): Tensor {
  return op(502, self) as Tensor
}

/** `isneginf(Tensor self) -> Tensor` */
export function isneginf(self: Tensor): Tensor {
  return op(503, self) as Tensor
}

/** `isposinf(Tensor self) -> Tensor` */
export function isposinf(self: Tensor): Tensor {
  return op(504, self) as Tensor
}

/** `isreal(Tensor self) -> Tensor` */
export function isreal(self: Tensor): Tensor {
  return op(505, self) as Tensor
}

/** `istft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, bool normalized=False, bool? onesided=None, int? length=None, bool return_complex=False) -> Tensor` */
export function istft(self: Tensor, nFft: number | bigint, options?: { hopLength?: number | bigint | null; winLength?: number | bigint | null; window?: Tensor | null; center?: boolean; normalized?: boolean; onesided?: boolean | null; length?: number | bigint | null; returnComplex?: boolean }): Tensor {
  return op(506, self, nFft, options) as Tensor
}

/** `kaiser_window(int window_length, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function kaiserWindow(windowLength: number | bigint, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
/** `kaiser_window.periodic(int window_length, bool periodic, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function kaiserWindow(windowLength: number | bigint, periodic: boolean, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
/** `kaiser_window.beta(int window_length, bool periodic, float beta, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function kaiserWindow(windowLength: number | bigint, periodic: boolean, beta: number, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
export function kaiserWindow(a: unknown, b?: unknown, c?: unknown, d?: unknown): unknown {
  return op(507, a, b, c, d)
}

/** `kl_div(Tensor self, Tensor target, int reduction=1, *, bool log_target=False) -> Tensor` */
export function klDiv(self: Tensor, target: Tensor, options?: { reduction?: number | bigint; logTarget?: boolean }): Tensor {
  return op(508, self, target, options) as Tensor
}

/** `kron(Tensor self, Tensor other) -> Tensor` */
export function kron(self: Tensor, other: Tensor): Tensor {
  return op(509, self, other) as Tensor
}

/** `kthvalue(Tensor self, SymInt k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)` */
export function kthvalue(self: Tensor, k: number | bigint, options?: { dim?: number | bigint; keepdim?: boolean }): [values: Tensor, indices: Tensor] {
  return op(510, self, k, options) as [values: Tensor, indices: Tensor]
}

/** `l1_loss(Tensor self, Tensor target, int reduction=1) -> Tensor` */
export function l1Loss(self: Tensor, target: Tensor, options?: { reduction?: number | bigint }): Tensor {
  return op(511, self, target, options) as Tensor
}

/** `layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1.0000000000000001e-05, bool cudnn_enable=True) -> Tensor` */
export function layerNorm(input: Tensor, normalizedShape: readonly number[], options?: { weight?: Tensor | null; bias?: Tensor | null; eps?: number; cudnnEnable?: boolean }): Tensor {
  return op(512, input, normalizedShape, options) as Tensor
}

/** `lcm(Tensor self, Tensor other) -> Tensor` */
export function lcm(self: Tensor, other: Tensor): Tensor {
  return op(513, self, other) as Tensor
}

/** `lcm_(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
export function lcm_(self: Tensor, other: Tensor): Tensor {
  return op(514, self, other) as Tensor
}

/** `ldexp.Tensor(Tensor self, Tensor other) -> Tensor` */
export function ldexp(self: Tensor, other: Tensor): Tensor {
  return op(515, self, other) as Tensor
}

/** `ldexp_(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
export function ldexp_(self: Tensor, other: Tensor): Tensor {
  return op(516, self, other) as Tensor
}

/**
 * `le.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `le.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function le(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(517, self, other) as Tensor
}

/** `leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor` */
export function leakyRelu(self: Tensor, options?: { negativeSlope?: Scalar }): Tensor {
  return op(519, self, options) as Tensor
}

/** `leaky_relu_(Tensor(a!) self, Scalar negative_slope=0.01) -> Tensor(a!)` */
export function leakyRelu_(self: Tensor, options?: { negativeSlope?: Scalar }): Tensor {
  return op(520, self, options) as Tensor
}

/**
 * `lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor`
 *
 * `lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor`
 */
export function lerp(self: Tensor, end: Tensor, weight: Tensor | Scalar): Tensor {
  return op(521, self, end, weight) as Tensor
}

/**
 * `less.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `less.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function less(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(523, self, other) as Tensor
}

/**
 * `less_equal.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `less_equal.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function lessEqual(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(525, self, other) as Tensor
}

/** `lgamma(Tensor self) -> Tensor` */
export function lgamma(self: Tensor): Tensor {
  return op(527, self) as Tensor
}

/** `linalg_cholesky(Tensor self, *, bool upper=False) -> Tensor` */
export function linalgCholesky(self: Tensor, options?: { upper?: boolean }): Tensor {
  return op(529, self, options) as Tensor
}

/** `linalg_cholesky_ex(Tensor self, *, bool upper=False, bool check_errors=False) -> (Tensor L, Tensor info)` */
export function linalgCholeskyEx(self: Tensor, options?: { upper?: boolean; checkErrors?: boolean }): [L: Tensor, info: Tensor] {
  return op(530, self, options) as [L: Tensor, info: Tensor]
}

/** `linalg_cond(Tensor self, Scalar? p=None) -> Tensor` */
export function linalgCond(self: Tensor, options?: { p?: Scalar | null }): Tensor
/** `linalg_cond.p_str(Tensor self, str p) -> Tensor` */
export function linalgCond(self: Tensor, p: string): Tensor
export function linalgCond(a: unknown, b?: unknown): unknown {
  return op(531, a, b)
}

/** `linalg_cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor` */
export function linalgCross(self: Tensor, other: Tensor, options?: { dim?: number | bigint }): Tensor {
  return op(532, self, other, options) as Tensor
}

/** `linalg_det(Tensor A) -> Tensor` */
export function linalgDet(A: Tensor): Tensor {
  return op(533, A) as Tensor
}

/** `linalg_diagonal(Tensor(a) A, *, int offset=0, int dim1=-2, int dim2=-1) -> Tensor(a)` */
export function linalgDiagonal(A: Tensor, options?: { offset?: number | bigint; dim1?: number | bigint; dim2?: number | bigint }): Tensor {
  return op(534, A, options) as Tensor
}

/** `linalg_eig(Tensor self) -> (Tensor eigenvalues, Tensor eigenvectors)` */
export function linalgEig(self: Tensor): [eigenvalues: Tensor, eigenvectors: Tensor] {
  return op(535, self) as [eigenvalues: Tensor, eigenvectors: Tensor]
}

/** `linalg_eigh(Tensor self, str UPLO="L") -> (Tensor eigenvalues, Tensor eigenvectors)` */
export function linalgEigh(self: Tensor, options?: { UPLO?: string }): [eigenvalues: Tensor, eigenvectors: Tensor] {
  return op(536, self, options) as [eigenvalues: Tensor, eigenvectors: Tensor]
}

/** `linalg_eigvals(Tensor self) -> Tensor` */
export function linalgEigvals(self: Tensor): Tensor {
  return op(537, self) as Tensor
}

/** `linalg_eigvalsh(Tensor self, str UPLO="L") -> Tensor` */
export function linalgEigvalsh(self: Tensor, options?: { UPLO?: string }): Tensor {
  return op(538, self, options) as Tensor
}

/** `linalg_householder_product(Tensor input, Tensor tau) -> Tensor` */
export function linalgHouseholderProduct(input: Tensor, tau: Tensor): Tensor {
  return op(539, input, tau) as Tensor
}

/** `linalg_inv(Tensor A) -> Tensor` */
export function linalgInv(A: Tensor): Tensor {
  return op(540, A) as Tensor
}

/** `linalg_inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)` */
export function linalgInvEx(A: Tensor, options?: { checkErrors?: boolean }): [inverse: Tensor, info: Tensor] {
  return op(541, A, options) as [inverse: Tensor, info: Tensor]
}

/** `linalg_ldl_factor(Tensor self, *, bool hermitian=False) -> (Tensor LD, Tensor pivots)` */
export function linalgLdlFactor(self: Tensor, options?: { hermitian?: boolean }): [LD: Tensor, pivots: Tensor] {
  return op(542, self, options) as [LD: Tensor, pivots: Tensor]
}

/** `linalg_ldl_factor_ex(Tensor self, *, bool hermitian=False, bool check_errors=False) -> (Tensor LD, Tensor pivots, Tensor info)` */
export function linalgLdlFactorEx(self: Tensor, options?: { hermitian?: boolean; checkErrors?: boolean }): [LD: Tensor, pivots: Tensor, info: Tensor] {
  return op(543, self, options) as [LD: Tensor, pivots: Tensor, info: Tensor]
}

/** `linalg_ldl_solve(Tensor LD, Tensor pivots, Tensor B, *, bool hermitian=False) -> Tensor` */
export function linalgLdlSolve(LD: Tensor, pivots: Tensor, B: Tensor, options?: { hermitian?: boolean }): Tensor {
  return op(544, LD, pivots, B, options) as Tensor
}

/** `linalg_lstsq(Tensor self, Tensor b, float? rcond=None, *, str? driver=None) -> (Tensor solution, Tensor residuals, Tensor rank, Tensor singular_values)` */
export function linalgLstsq(self: Tensor, b: Tensor, options?: { rcond?: number | null; driver?: string | null }): [solution: Tensor, residuals: Tensor, rank: Tensor, singularValues: Tensor] {
  return op(545, self, b, options) as [solution: Tensor, residuals: Tensor, rank: Tensor, singularValues: Tensor]
}

/** `linalg_lu(Tensor A, *, bool pivot=True) -> (Tensor P, Tensor L, Tensor U)` */
export function linalgLu(A: Tensor, options?: { pivot?: boolean }): [P: Tensor, L: Tensor, U: Tensor] {
  return op(546, A, options) as [P: Tensor, L: Tensor, U: Tensor]
}

/** `linalg_lu_factor(Tensor A, *, bool pivot=True) -> (Tensor LU, Tensor pivots)` */
export function linalgLuFactor(A: Tensor, options?: { pivot?: boolean }): [LU: Tensor, pivots: Tensor] {
  return op(547, A, options) as [LU: Tensor, pivots: Tensor]
}

/** `linalg_lu_factor_ex(Tensor A, *, bool pivot=True, bool check_errors=False) -> (Tensor LU, Tensor pivots, Tensor info)` */
export function linalgLuFactorEx(A: Tensor, options?: { pivot?: boolean; checkErrors?: boolean }): [LU: Tensor, pivots: Tensor, info: Tensor] {
  return op(548, A, options) as [LU: Tensor, pivots: Tensor, info: Tensor]
}

/** `linalg_lu_solve(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False) -> Tensor` */
export function linalgLuSolve(LU: Tensor, pivots: Tensor, B: Tensor, options?: { left?: boolean; adjoint?: boolean }): Tensor {
  return op(549, LU, pivots, B, options) as Tensor
}

/** `linalg_matmul(Tensor self, Tensor other) -> Tensor` */
export function linalgMatmul(self: Tensor, other: Tensor): Tensor {
  return op(550, self, other) as Tensor
}

/** `linalg_matrix_exp(Tensor self) -> Tensor` */
export function linalgMatrixExp(self: Tensor): Tensor {
  return op(551, self) as Tensor
}

/** `linalg_matrix_norm.str_ord(Tensor self, str ord="fro", int[] dim=[-2, -1], bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
export function linalgMatrixNorm(self: Tensor, options?: { ord?: string; dim?: readonly number[]; keepdim?: boolean; dtype?: DType | null }): Tensor
/** `linalg_matrix_norm(Tensor self, Scalar ord, int[] dim=[-2, -1], bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
export function linalgMatrixNorm(self: Tensor, ord: Scalar, options?: { dim?: readonly number[]; keepdim?: boolean; dtype?: DType | null }): Tensor
export function linalgMatrixNorm(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(552, a, b, c)
}

/** `linalg_matrix_power(Tensor self, int n) -> Tensor` */
export function linalgMatrixPower(self: Tensor, n: number | bigint): Tensor {
  return op(553, self, n) as Tensor
}

/** `linalg_matrix_rank.atol_rtol_tensor(Tensor input, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False) -> Tensor` */
export function linalgMatrixRank(input: Tensor, options?: { atol?: Tensor | null; rtol?: Tensor | null; hermitian?: boolean }): Tensor
/** `linalg_matrix_rank.atol_rtol_float(Tensor self, *, float? atol=None, float? rtol=None, bool hermitian=False) -> Tensor` */
export function linalgMatrixRank(self: Tensor, options?: { atol?: number | null; rtol?: number | null; hermitian?: boolean }): Tensor
/** `linalg_matrix_rank.tol_tensor(Tensor input, Tensor tol, bool hermitian=False) -> Tensor` */
export function linalgMatrixRank(input: Tensor, tol: Tensor, options?: { hermitian?: boolean }): Tensor
/** `linalg_matrix_rank(Tensor self, float tol, bool hermitian=False) -> Tensor` */
export function linalgMatrixRank(self: Tensor, tol: number, options?: { hermitian?: boolean }): Tensor
export function linalgMatrixRank(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(554, a, b, c)
}

/** `linalg_multi_dot(Tensor[] tensors) -> Tensor` */
export function linalgMultiDot(tensors: readonly Tensor[]): Tensor {
  return op(555, tensors) as Tensor
}

/** `linalg_norm(Tensor self, Scalar? ord=None, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
export function linalgNorm(self: Tensor, options?: { ord?: Scalar | null; dim?: number | readonly number[] | null; keepdim?: boolean; dtype?: DType | null }): Tensor
/** `linalg_norm.ord_str(Tensor self, str ord, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
export function linalgNorm(self: Tensor, ord: string, options?: { dim?: number | readonly number[] | null; keepdim?: boolean; dtype?: DType | null }): Tensor
export function linalgNorm(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(556, a, b, c)
}

/** `linalg_pinv.atol_rtol_tensor(Tensor self, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False) -> Tensor` */
export function linalgPinv(self: Tensor, options?: { atol?: Tensor | null; rtol?: Tensor | null; hermitian?: boolean }): Tensor
/** `linalg_pinv.atol_rtol_float(Tensor self, *, float? atol=None, float? rtol=None, bool hermitian=False) -> Tensor` */
export function linalgPinv(self: Tensor, options?: { atol?: number | null; rtol?: number | null; hermitian?: boolean }): Tensor
/**
 * `linalg_pinv.rcond_tensor(Tensor self, Tensor rcond, bool hermitian=False) -> Tensor`
 *
 * `linalg_pinv(Tensor self, float rcond, bool hermitian=False) -> Tensor`
 */
export function linalgPinv(self: Tensor, rcond: Tensor | number, options?: { hermitian?: boolean }): Tensor
export function linalgPinv(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(557, a, b, c)
}

/** `linalg_qr(Tensor A, str mode="reduced") -> (Tensor Q, Tensor R)` */
export function linalgQr(A: Tensor, options?: { mode?: string }): [Q: Tensor, R: Tensor] {
  return op(558, A, options) as [Q: Tensor, R: Tensor]
}

/** `linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet)` */
export function linalgSlogdet(A: Tensor): [sign: Tensor, logabsdet: Tensor] {
  return op(559, A) as [sign: Tensor, logabsdet: Tensor]
}

/** `linalg_solve(Tensor A, Tensor B, *, bool left=True) -> Tensor` */
export function linalgSolve(A: Tensor, B: Tensor, options?: { left?: boolean }): Tensor {
  return op(560, A, B, options) as Tensor
}

/** `linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> (Tensor result, Tensor info)` */
export function linalgSolveEx(A: Tensor, B: Tensor, options?: { left?: boolean; checkErrors?: boolean }): [result: Tensor, info: Tensor] {
  return op(561, A, B, options) as [result: Tensor, info: Tensor]
}

/** `linalg_solve_triangular(Tensor self, Tensor B, *, bool upper, bool left=True, bool unitriangular=False) -> Tensor` */
export function linalgSolveTriangular(self: Tensor, B: Tensor, upper: boolean, options?: { left?: boolean; unitriangular?: boolean }): Tensor {
  return op(562, self, B, upper, options) as Tensor
}

/** `linalg_svd(Tensor A, bool full_matrices=True, *, str? driver=None) -> (Tensor U, Tensor S, Tensor Vh)` */
export function linalgSvd(A: Tensor, options?: { fullMatrices?: boolean; driver?: string | null }): [U: Tensor, S: Tensor, Vh: Tensor] {
  return op(563, A, options) as [U: Tensor, S: Tensor, Vh: Tensor]
}

/** `linalg_svdvals(Tensor A, *, str? driver=None) -> Tensor` */
export function linalgSvdvals(A: Tensor, options?: { driver?: string | null }): Tensor {
  return op(564, A, options) as Tensor
}

/** `linalg_tensorinv(Tensor self, int ind=2) -> Tensor` */
export function linalgTensorinv(self: Tensor, options?: { ind?: number | bigint }): Tensor {
  return op(565, self, options) as Tensor
}

/** `linalg_tensorsolve(Tensor self, Tensor other, int[]? dims=None) -> Tensor` */
export function linalgTensorsolve(self: Tensor, other: Tensor, options?: { dims?: readonly number[] | null }): Tensor {
  return op(566, self, other, options) as Tensor
}

/** `linalg_vander(Tensor x, *, SymInt? N=None) -> Tensor` */
export function linalgVander(x: Tensor, options?: { N?: number | bigint | null }): Tensor {
  return op(567, x, options) as Tensor
}

/** `linalg_vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor` */
export function linalgVecdot(x: Tensor, y: Tensor, options?: { dim?: number | bigint }): Tensor {
  return op(568, x, y, options) as Tensor
}

/** `linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
export function linalgVectorNorm(self: Tensor, options?: { ord?: Scalar; dim?: number | readonly number[] | null; keepdim?: boolean; dtype?: DType | null }): Tensor {
  return op(569, self, options) as Tensor
}

/** `linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor` */
export function linear(input: Tensor, weight: Tensor, options?: { bias?: Tensor | null }): Tensor {
  return op(570, input, weight, options) as Tensor
}

/** `log(Tensor self) -> Tensor` */
export function log(self: Tensor): Tensor {
  return op(571, self) as Tensor
}

/** `log10(Tensor self) -> Tensor` */
export function log10(self: Tensor): Tensor {
  return op(572, self) as Tensor
}

/** `log10_(Tensor(a!) self) -> Tensor(a!)` */
export function log10_(self: Tensor): Tensor {
  return op(573, self) as Tensor
}

/** `log1p(Tensor self) -> Tensor` */
export function log1p(self: Tensor): Tensor {
  return op(574, self) as Tensor
}

/** `log1p_(Tensor(a!) self) -> Tensor(a!)` */
export function log1p_(self: Tensor): Tensor {
  return op(575, self) as Tensor
}

/** `log2(Tensor self) -> Tensor` */
export function log2(self: Tensor): Tensor {
  return op(576, self) as Tensor
}

/** `log2_(Tensor(a!) self) -> Tensor(a!)` */
export function log2_(self: Tensor): Tensor {
  return op(577, self) as Tensor
}

/** `log_(Tensor(a!) self) -> Tensor(a!)` */
export function log_(self: Tensor): Tensor {
  return op(578, self) as Tensor
}

/** `log_sigmoid(Tensor self) -> Tensor` */
export function logSigmoid(self: Tensor): Tensor {
  return op(580, self) as Tensor
}

/** `log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor` */
export function logSoftmax(self: Tensor, dim: number | bigint, options?: { dtype?: DType | null }): Tensor {
  return op(581, self, dim, options) as Tensor
}

/** `logaddexp(Tensor self, Tensor other) -> Tensor` */
export function logaddexp(self: Tensor, other: Tensor): Tensor {
  return op(582, self, other) as Tensor
}

/** `logaddexp2(Tensor self, Tensor other) -> Tensor` */
export function logaddexp2(self: Tensor, other: Tensor): Tensor {
  return op(583, self, other) as Tensor
}

/** `logcumsumexp(Tensor self, int dim) -> Tensor` */
export function logcumsumexp(self: Tensor, dim: number | bigint): Tensor {
  return op(584, self, dim) as Tensor
}

/** `logdet(Tensor self) -> Tensor` */
export function logdet(self: Tensor): Tensor {
  return op(585, self) as Tensor
}

/** `logical_and(Tensor self, Tensor other) -> Tensor` */
export function logicalAnd(self: Tensor, other: Tensor): Tensor {
  return op(586, self, other) as Tensor
}

/** `logical_not(Tensor self) -> Tensor` */
export function logicalNot(self: Tensor): Tensor {
  return op(588, self) as Tensor
}

/** `logical_or(Tensor self, Tensor other) -> Tensor` */
export function logicalOr(self: Tensor, other: Tensor): Tensor {
  return op(590, self, other) as Tensor
}

/** `logical_xor(Tensor self, Tensor other) -> Tensor` */
export function logicalXor(self: Tensor, other: Tensor): Tensor {
  return op(592, self, other) as Tensor
}

/** `logit(Tensor self, float? eps=None) -> Tensor` */
export function logit(self: Tensor, options?: { eps?: number | null }): Tensor {
  return op(594, self, options) as Tensor
}

/** `logit_(Tensor(a!) self, float? eps=None) -> Tensor(a!)` */
export function logit_(self: Tensor, options?: { eps?: number | null }): Tensor {
  return op(595, self, options) as Tensor
}

/** `logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor` */
export function logsumexp(self: Tensor, dim: number | readonly number[], options?: { keepdim?: boolean }): Tensor {
  return op(596, self, dim, options) as Tensor
}

/** `lstm.data(Tensor data, Tensor batch_sizes, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor, Tensor)` */
export function lstm(data: Tensor, batchSizes: Tensor, hx: readonly Tensor[], params: readonly Tensor[], hasBiases: boolean, numLayers: number | bigint, dropout: number, train: boolean, bidirectional: boolean): [Tensor, Tensor, Tensor]
/** `lstm.input(Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor, Tensor)` */
export function lstm(input: Tensor, hx: readonly Tensor[], params: readonly Tensor[], hasBiases: boolean, numLayers: number | bigint, dropout: number, train: boolean, bidirectional: boolean, batchFirst: boolean): [Tensor, Tensor, Tensor]
export function lstm(a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown, g: unknown, h: unknown, i: unknown): unknown {
  return opN(597, [a, b, c, d, e, f, g, h, i])
}

/** `lstm_cell(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> (Tensor, Tensor)` */
export function lstmCell(input: Tensor, hx: readonly Tensor[], wIh: Tensor, wHh: Tensor, options?: { bIh?: Tensor | null; bHh?: Tensor | null }): [Tensor, Tensor] {
  return op(598, input, hx, wIh, wHh, options) as [Tensor, Tensor]
}

/**
 * `lt.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `lt.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function lt(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(599, self, other) as Tensor
}

/** `lu_solve(Tensor self, Tensor LU_data, Tensor LU_pivots) -> Tensor` */
export function luSolve(self: Tensor, LUData: Tensor, LUPivots: Tensor): Tensor {
  return op(601, self, LUData, LUPivots) as Tensor
}

/** `lu_unpack(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True) -> (Tensor P, Tensor L, Tensor U)` */
export function luUnpack(LUData: Tensor, LUPivots: Tensor, options?: { unpackData?: boolean; unpackPivots?: boolean }): [P: Tensor, L: Tensor, U: Tensor] {
  return op(602, LUData, LUPivots, options) as [P: Tensor, L: Tensor, U: Tensor]
}

/** `margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, float margin=0., int reduction=1) -> Tensor` */
export function marginRankingLoss(input1: Tensor, input2: Tensor, target: Tensor, options?: { margin?: number; reduction?: number | bigint }): Tensor {
  return op(605, input1, input2, target, options) as Tensor
}

/**
 * `masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor`
 *
 * `masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor`
 */
export function maskedFill(self: Tensor, mask: Tensor, value: Tensor | Scalar): Tensor {
  return op(606, self, mask, value) as Tensor
}

/** `masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor` */
export function maskedScatter(self: Tensor, mask: Tensor, source: Tensor): Tensor {
  return op(608, self, mask, source) as Tensor
}

/** `masked_select(Tensor self, Tensor mask) -> Tensor` */
export function maskedSelect(self: Tensor, mask: Tensor): Tensor {
  return op(610, self, mask) as Tensor
}

/** `matmul(Tensor self, Tensor other) -> Tensor` */
export function matmul(self: Tensor, other: Tensor): Tensor {
  return op(611, self, other) as Tensor
}

/** `matrix_exp(Tensor self) -> Tensor` */
export function matrixExp(self: Tensor): Tensor {
  return op(612, self) as Tensor
}

/** `matrix_power(Tensor self, int n) -> Tensor` */
export function matrixPower(self: Tensor, n: number | bigint): Tensor {
  return op(613, self, n) as Tensor
}

/** `max(Tensor self) -> Tensor` */
export function max(self: Tensor): Tensor
/** `max.other(Tensor self, Tensor other) -> Tensor` */
export function max(self: Tensor, other: Tensor): Tensor
/** `max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)` */
export function max(self: Tensor, dim: number | bigint, options?: { keepdim?: boolean }): [values: Tensor, indices: Tensor]
export function max(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(614, a, b, c)
}

/** `max_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], int[1] dilation=[1], bool ceil_mode=False) -> Tensor` */
export function maxPool1d(self: Tensor, kernelSize: number | readonly number[], options?: { stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceilMode?: boolean }): Tensor {
  return op(615, self, kernelSize, options) as Tensor
}

/** `max_pool1d_with_indices(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], int[1] dilation=[1], bool ceil_mode=False) -> (Tensor, Tensor)` */
export function maxPool1dWithIndices(self: Tensor, kernelSize: number | readonly number[], options?: { stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceilMode?: boolean }): [Tensor, Tensor] {
  return op(616, self, kernelSize, options) as [Tensor, Tensor]
}

/** `max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] dilation=1, bool ceil_mode=False) -> Tensor` */
export function maxPool2d(self: Tensor, kernelSize: number | readonly number[], options?: { stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceilMode?: boolean }): Tensor {
  return op(617, self, kernelSize, options) as Tensor
}

/** `max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)` */
export function maxPool2dWithIndices(self: Tensor, kernelSize: number | readonly number[], options?: { stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceilMode?: boolean }): [Tensor, Tensor] {
  return op(618, self, kernelSize, options) as [Tensor, Tensor]
}

/** `max_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, int[3] dilation=1, bool ceil_mode=False) -> Tensor` */
export function maxPool3d(self: Tensor, kernelSize: number | readonly number[], options?: { stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceilMode?: boolean }): Tensor {
  return op(619, self, kernelSize, options) as Tensor
}

/** `max_pool3d_with_indices(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, int[3] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)` */
export function maxPool3dWithIndices(self: Tensor, kernelSize: number | readonly number[], options?: { stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceilMode?: boolean }): [Tensor, Tensor] {
  return op(620, self, kernelSize, options) as [Tensor, Tensor]
}

/** `max_unpool2d(Tensor self, Tensor indices, SymInt[2] output_size) -> Tensor` */
export function maxUnpool2d(self: Tensor, indices: Tensor, outputSize: number | readonly number[]): Tensor {
  return op(621, self, indices, outputSize) as Tensor
}

/** `max_unpool3d(Tensor self, Tensor indices, SymInt[3] output_size, int[3] stride, int[3] padding) -> Tensor` */
export function maxUnpool3d(self: Tensor, indices: Tensor, outputSize: number | readonly number[], stride: number | readonly number[], padding: number | readonly number[]): Tensor {
  return op(622, self, indices, outputSize, stride, padding) as Tensor
}

/** `maximum(Tensor self, Tensor other) -> Tensor` */
export function maximum(self: Tensor, other: Tensor): Tensor {
  return op(623, self, other) as Tensor
}

/** `mean(Tensor self, *, ScalarType? dtype=None) -> Tensor` */
export function mean(self: Tensor, options?: { dtype?: DType | null }): Tensor
/** `mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
export function mean(self: Tensor, options?: { dim?: number | readonly number[] | null; keepdim?: boolean; dtype?: DType | null }): Tensor
export function mean(a: unknown, b?: unknown): unknown {
  return op(624, a, b)
}

/** `median(Tensor self) -> Tensor` */
export function median(self: Tensor): Tensor
/** `median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)` */
export function median(self: Tensor, dim: number | bigint, options?: { keepdim?: boolean }): [values: Tensor, indices: Tensor]
export function median(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(625, a, b, c)
}

/** `meshgrid(Tensor[] tensors) -> Tensor[]` */
export function meshgrid(tensors: readonly Tensor[]): Tensor[]
/** `meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]` */
export function meshgrid(tensors: readonly Tensor[], indexing: string): Tensor[]
export function meshgrid(a: unknown, b?: unknown): unknown {
  return op(626, a, b)
}

/** `min(Tensor self) -> Tensor` */
export function min(self: Tensor): Tensor
/** `min.other(Tensor self, Tensor other) -> Tensor` */
export function min(self: Tensor, other: Tensor): Tensor
/** `min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)` */
export function min(self: Tensor, dim: number | bigint, options?: { keepdim?: boolean }): [values: Tensor, indices: Tensor]
export function min(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(627, a, b, c)
}

/** `minimum(Tensor self, Tensor other) -> Tensor` */
export function minimum(self: Tensor, other: Tensor): Tensor {
  return op(628, self, other) as Tensor
}

/** `mish(Tensor self) -> Tensor` */
export function mish(self: Tensor): Tensor {
  return op(629, self) as Tensor
}

/** `mish_(Tensor(a!) self) -> Tensor(a!)` */
export function mish_(self: Tensor): Tensor {
  return op(630, self) as Tensor
}

/** `mm(Tensor self, Tensor mat2) -> Tensor` */
export function mm(self: Tensor, mat2: Tensor): Tensor
/** `mm.dtype(Tensor self, Tensor mat2, ScalarType out_dtype) -> Tensor` */
export function mm(self: Tensor, mat2: Tensor, outDtype: DType): Tensor
export function mm(a: unknown, b: unknown, c?: unknown): unknown {
  return op(631, a, b, c)
}

/** `mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)` */
export function mode(self: Tensor, options?: { dim?: number | bigint; keepdim?: boolean }): [values: Tensor, indices: Tensor] {
  return op(632, self, options) as [values: Tensor, indices: Tensor]
}

/** `moveaxis.int(Tensor(a) self, int source, int destination) -> Tensor(a)` */
export function moveaxis(self: Tensor, source: number | bigint, destination: number | bigint): Tensor
/** `moveaxis.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)` */
export function moveaxis(self: Tensor, source: readonly number[], destination: readonly number[]): Tensor
export function moveaxis(a: unknown, b: unknown, c: unknown): unknown {
  return op(633, a, b, c)
}

/** `movedim.int(Tensor(a) self, int source, int destination) -> Tensor(a)` */
export function movedim(self: Tensor, source: number | bigint, destination: number | bigint): Tensor
/** `movedim.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)` */
export function movedim(self: Tensor, source: readonly number[], destination: readonly number[]): Tensor
export function movedim(a: unknown, b: unknown, c: unknown): unknown {
  return op(634, a, b, c)
}

/** `mse_loss(Tensor self, Tensor target, int reduction=1) -> Tensor` */
export function mseLoss(self: Tensor, target: Tensor, options?: { reduction?: number | bigint }): Tensor {
  return op(635, self, target, options) as Tensor
}

/** `msort(Tensor self) -> Tensor` */
export function msort(self: Tensor): Tensor {
  return op(636, self) as Tensor
}

/**
 * `mul.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `mul.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function mul(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(637, self, other) as Tensor
}

/** `multi_margin_loss(Tensor self, Tensor target, Scalar p=1, Scalar margin=1, Tensor? weight=None, int reduction=1) -> Tensor` */
export function multiMarginLoss(self: Tensor, target: Tensor, options?: { p?: Scalar; margin?: Scalar; weight?: Tensor | null; reduction?: number | bigint }): Tensor {
  return op(639, self, target, options) as Tensor
}

/** `multilabel_margin_loss(Tensor self, Tensor target, int reduction=1) -> Tensor` */
export function multilabelMarginLoss(self: Tensor, target: Tensor, options?: { reduction?: number | bigint }): Tensor {
  return op(640, self, target, options) as Tensor
}

/** `multinomial(Tensor self, SymInt num_samples, bool replacement=False, *, Generator? generator=None) -> Tensor` */
export function multinomial(self: Tensor, numSamples: number | bigint, options?: { replacement?: boolean; generator?: Generator | null }): Tensor {
  return op(641, self, numSamples, options) as Tensor
}

/**
 * `multiply.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `multiply.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function multiply(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(642, self, other) as Tensor
}

/** `mv(Tensor self, Tensor vec) -> Tensor` */
export function mv(self: Tensor, vec: Tensor): Tensor {
  return op(644, self, vec) as Tensor
}

/** `mvlgamma(Tensor self, int p) -> Tensor` */
export function mvlgamma(self: Tensor, p: number | bigint): Tensor {
  return op(645, self, p) as Tensor
}

/** `nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor` */
export function nanToNum(self: Tensor, options?: { nan?: number | null; posinf?: number | null; neginf?: number | null }): Tensor {
  return op(647, self, options) as Tensor
}

/** `nan_to_num_(Tensor(a!) self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor(a!)` */
export function nanToNum_(self: Tensor, options?: { nan?: number | null; posinf?: number | null; neginf?: number | null }): Tensor {
  return op(648, self, options) as Tensor
}

/** `nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
export function nanmean(self: Tensor, options?: { dim?: number | readonly number[] | null; keepdim?: boolean; dtype?: DType | null }): Tensor {
  return op(649, self, options) as Tensor
}

/** `nanmedian(Tensor self) -> Tensor` */
export function nanmedian(self: Tensor): Tensor
/** `nanmedian.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)` */
export function nanmedian(self: Tensor, dim: number | bigint, options?: { keepdim?: boolean }): [values: Tensor, indices: Tensor]
export function nanmedian(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(650, a, b, c)
}

/**
 * `nanquantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation="linear") -> Tensor`
 *
 * `nanquantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str interpolation="linear") -> Tensor`
 */
export function nanquantile(self: Tensor, q: Tensor | number, options?: { dim?: number | bigint | null; keepdim?: boolean; interpolation?: string }): Tensor {
  return op(651, self, q, options) as Tensor
}

/** `nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
export function nansum(self: Tensor, options?: { dim?: number | readonly number[] | null; keepdim?: boolean; dtype?: DType | null }): Tensor {
  return op(652, self, options) as Tensor
}

/**
 * `narrow.Tensor(Tensor(a) self, int dim, Tensor start, SymInt length) -> Tensor(a)`
 *
 * `narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)`
 */
export function narrow(self: Tensor, dim: number | bigint, start: Tensor | number | bigint, length: number | bigint): Tensor {
  return op(653, self, dim, start, length) as Tensor
}

/** `native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)` */
export function nativeBatchNorm(input: Tensor, training: boolean, momentum: number, eps: number, options?: { weight?: Tensor | null; bias?: Tensor | null; runningMean?: Tensor | null; runningVar?: Tensor | null }): [Tensor, Tensor, Tensor] {
  return op(654, input, training, momentum, eps, options) as [Tensor, Tensor, Tensor]
}

/** `native_channel_shuffle(Tensor self, SymInt groups) -> Tensor` */
export function nativeChannelShuffle(self: Tensor, groups: number | bigint): Tensor {
  return op(655, self, groups) as Tensor
}

/** `native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)` */
export function nativeDropout(input: Tensor, p: number, options?: { train?: boolean | null }): [Tensor, Tensor] {
  return op(656, input, p, options) as [Tensor, Tensor]
}

/** `native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, SymInt HxW, int group, float eps) -> (Tensor, Tensor, Tensor)` */
export function nativeGroupNorm(input: Tensor, N: number | bigint, C: number | bigint, HxW: number | bigint, group: number | bigint, eps: number, options?: { weight?: Tensor | null; bias?: Tensor | null }): [Tensor, Tensor, Tensor] {
  return opN(657, [input, N, C, HxW, group, eps, options]) as [Tensor, Tensor, Tensor]
}

/** `native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, float eps) -> (Tensor, Tensor, Tensor)` */
export function nativeLayerNorm(input: Tensor, normalizedShape: readonly number[], eps: number, options?: { weight?: Tensor | null; bias?: Tensor | null }): [Tensor, Tensor, Tensor] {
  return op(658, input, normalizedShape, eps, options) as [Tensor, Tensor, Tensor]
}

/**
 * `ne.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `ne.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function ne(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(659, self, other) as Tensor
}

/** `neg(Tensor self) -> Tensor` */
export function neg(self: Tensor): Tensor {
  return op(661, self) as Tensor
}

/** `neg_(Tensor(a!) self) -> Tensor(a!)` */
export function neg_(self: Tensor): Tensor {
  return op(662, self) as Tensor
}

/** `negative(Tensor self) -> Tensor` */
export function negative(self: Tensor): Tensor {
  return op(663, self) as Tensor
}

/** `negative_(Tensor(a!) self) -> Tensor(a!)` */
export function negative_(self: Tensor): Tensor {
  return op(664, self) as Tensor
}

/** `nextafter(Tensor self, Tensor other) -> Tensor` */
export function nextafter(self: Tensor, other: Tensor): Tensor {
  return op(670, self, other) as Tensor
}

/** `nll_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt ignore_index=-100) -> Tensor` */
export function nllLoss(self: Tensor, target: Tensor, options?: { weight?: Tensor | null; reduction?: number | bigint; ignoreIndex?: number | bigint }): Tensor {
  return op(672, self, target, options) as Tensor
}

/** `nll_loss2d(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt ignore_index=-100) -> Tensor` */
export function nllLoss2d(self: Tensor, target: Tensor, options?: { weight?: Tensor | null; reduction?: number | bigint; ignoreIndex?: number | bigint }): Tensor {
  return op(673, self, target, options) as Tensor
}

/** `nll_loss_nd(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt ignore_index=-100) -> Tensor` */
export function nllLossNd(self: Tensor, target: Tensor, options?: { weight?: Tensor | null; reduction?: number | bigint; ignoreIndex?: number | bigint }): Tensor {
  return op(674, self, target, options) as Tensor
}

/** `nonzero(Tensor self) -> Tensor` */
export function nonzero(self: Tensor): Tensor {
  return op(675, self) as Tensor
}

/** `nonzero_numpy(Tensor self) -> Tensor[]` */
export function nonzeroNumpy(self: Tensor): Tensor[] {
  return op(676, self) as Tensor[]
}

/** `nonzero_static(Tensor self, *, SymInt size, int fill_value=-1) -> Tensor` */
export function nonzeroStatic(self: Tensor, size: number | bigint, options?: { fillValue?: number | bigint }): Tensor {
  return op(677, self, size, options) as Tensor
}

/** `norm.Scalar(Tensor self, Scalar p=2) -> Tensor` */
export function norm(self: Tensor, options?: { p?: Scalar }): Tensor
/** `norm.ScalarOpt_dim(Tensor self, Scalar? p, int[1] dim, bool keepdim=False) -> Tensor` */
export function norm(self: Tensor, dim: number | readonly number[], options?: { p?: Scalar | null; keepdim?: boolean }): Tensor
/** `norm.ScalarOpt_dim_dtype(Tensor self, Scalar? p, int[1] dim, bool keepdim, *, ScalarType dtype) -> Tensor` */
export function norm(self: Tensor, dim: number | readonly number[], keepdim: boolean, dtype: DType, options?: { p?: Scalar | null }): Tensor
/** `norm.ScalarOpt_dtype(Tensor self, Scalar? p, *, ScalarType dtype) -> Tensor` */
export function norm(self: Tensor, dtype: DType, options?: { p?: Scalar | null }): Tensor
export function norm(a: unknown, b?: unknown, c?: unknown, d?: unknown, e?: unknown): unknown {
  return op(678, a, b, c, d, e)
}

/** `norm_except_dim(Tensor v, int pow=2, int dim=0) -> Tensor` */
export function normExceptDim(v: Tensor, options?: { pow?: number | bigint; dim?: number | bigint }): Tensor {
  return op(679, v, options) as Tensor
}

/** `normal.Tensor_float(Tensor mean, float std=1., *, Generator? generator=None) -> Tensor` */
export function normal(mean: Tensor, options?: { std?: number; generator?: Generator | null }): Tensor
/**
 * `normal.Tensor_Tensor(Tensor mean, Tensor std, *, Generator? generator=None) -> Tensor`
 *
 * `normal.float_Tensor(float mean, Tensor std, *, Generator? generator=None) -> Tensor`
 */
export function normal(mean: Tensor | number, std: Tensor, options?: { generator?: Generator | null }): Tensor
/** `normal.float_float(float mean, float std, SymInt[] size, *, Generator? generator=None, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function normal(mean: number, std: number, size: readonly number[], options?: { generator?: Generator | null; dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
export function normal(a: unknown, b?: unknown, c?: unknown, d?: unknown): unknown {
  return op(680, a, b, c, d)
}

/** `normal_functional(Tensor self, float mean=0., float std=1., *, Generator? generator=None) -> Tensor` */
export function normalFunctional(self: Tensor, options?: { mean?: number; std?: number; generator?: Generator | null }): Tensor {
  return op(682, self, options) as Tensor
}

/**
 * `not_equal.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `not_equal.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function notEqual(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(683, self, other) as Tensor
}

/** `nuclear_norm(Tensor self, bool keepdim=False) -> Tensor` */
export function nuclearNorm(self: Tensor, options?: { keepdim?: boolean }): Tensor
/** `nuclear_norm.dim(Tensor self, int[2] dim, bool keepdim=False) -> Tensor` */
export function nuclearNorm(self: Tensor, dim: number | readonly number[], options?: { keepdim?: boolean }): Tensor
export function nuclearNorm(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(685, a, b, c)
}

/** `one_hot(Tensor self, int num_classes=-1) -> Tensor` */
export function oneHot(self: Tensor, options?: { numClasses?: number | bigint }): Tensor {
  return op(686, self, options) as Tensor
}

/** `ones_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function onesLike(self: Tensor, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null; memoryFormat?: MemoryFormat | null }): Tensor {
  return op(687, self, options) as Tensor
}

/** `orgqr(Tensor self, Tensor input2) -> Tensor` */
export function orgqr(self: Tensor, input2: Tensor): Tensor {
  return op(688, self, input2) as Tensor
}

/** `ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False) -> Tensor` */
export function ormqr(self: Tensor, input2: Tensor, input3: Tensor, options?: { left?: boolean; transpose?: boolean }): Tensor {
  return op(689, self, input2, input3, options) as Tensor
}

/** `outer(Tensor self, Tensor vec2) -> Tensor` */
export function outer(self: Tensor, vec2: Tensor): Tensor {
  return op(690, self, vec2) as Tensor
}

/** `pad(Tensor self, SymInt[] pad, str mode="constant", float? value=None) -> Tensor` */
export function pad(self: Tensor, pad: readonly number[], options?: { mode?: string; value?: number | null }): Tensor {
  return op(691, self, pad, options) as Tensor
}

/** `pad_sequence(Tensor[] sequences, bool batch_first=False, float padding_value=0., str padding_side="right") -> Tensor` */
export function padSequence(sequences: readonly Tensor[], options?: { batchFirst?: boolean; paddingValue?: number; paddingSide?: string }): Tensor {
  return op(692, sequences, options) as Tensor
}

/** `pairwise_distance(Tensor x1, Tensor x2, float p=2., float eps=9.9999999999999995e-07, bool keepdim=False) -> Tensor` */
export function pairwiseDistance(x1: Tensor, x2: Tensor, options?: { p?: number; eps?: number; keepdim?: boolean }): Tensor {
  return op(693, x1, x2, options) as Tensor
}

/** `pdist(Tensor self, float p=2.) -> Tensor` */
export function pdist(self: Tensor, options?: { p?: number }): Tensor {
  return op(694, self, options) as Tensor
}

/** `permute(Tensor(a) self, int[] dims) -> Tensor(a)` */
export function permute(self: Tensor, dims: readonly number[]): Tensor {
  return op(695, self, dims) as Tensor
}

/** `pinverse(Tensor self, float rcond=1.0000000000000001e-15) -> Tensor` */
export function pinverse(self: Tensor, options?: { rcond?: number }): Tensor {
  return op(697, self, options) as Tensor
}

/** `pixel_shuffle(Tensor self, int upscale_factor) -> Tensor` */
export function pixelShuffle(self: Tensor, upscaleFactor: number | bigint): Tensor {
  return op(698, self, upscaleFactor) as Tensor
}

/** `pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor` */
export function pixelUnshuffle(self: Tensor, downscaleFactor: number | bigint): Tensor {
  return op(699, self, downscaleFactor) as Tensor
}

/** `poisson(Tensor self, Generator? generator=None) -> Tensor` */
export function poisson(self: Tensor, options?: { generator?: Generator | null }): Tensor {
  return op(700, self, options) as Tensor
}

/** `poisson_nll_loss(Tensor input, Tensor target, bool log_input, bool full, float eps, int reduction) -> Tensor` */
export function poissonNllLoss(input: Tensor, target: Tensor, logInput: boolean, full: boolean, eps: number, reduction: number | bigint): Tensor {
  return opN(701, [input, target, logInput, full, eps, reduction]) as Tensor
}

/** `polar(Tensor abs, Tensor angle) -> Tensor` */
export function polar(abs: Tensor, angle: Tensor): Tensor {
  return op(702, abs, angle) as Tensor
}

/** `polygamma(int n, Tensor self) -> Tensor` */
export function polygamma(n: number | bigint, self: Tensor): Tensor {
  return op(703, n, self) as Tensor
}

/** `positive(Tensor(a) self) -> Tensor(a)` */
export function positive(self: Tensor): Tensor {
  return op(705, self) as Tensor
}

/**
 * `pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor`
 *
 * `pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor`
 */
export function pow(self: Tensor, exponent: Tensor | Scalar): Tensor
/** `pow.Scalar(Scalar self, Tensor exponent) -> Tensor` */
export function pow(self: Scalar, exponent: Tensor): Tensor
export function pow(a: unknown, b: unknown): unknown {
  return op(706, a, b)
}

/** `prelu(Tensor self, Tensor weight) -> Tensor` */
export function prelu(self: Tensor, weight: Tensor): Tensor {
  return op(708, self, weight) as Tensor
}

/** `prod(Tensor self, *, ScalarType? dtype=None) -> Tensor` */
export function prod(self: Tensor, options?: { dtype?: DType | null }): Tensor
/** `prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
export function prod(self: Tensor, dim: number | bigint, options?: { keepdim?: boolean; dtype?: DType | null }): Tensor
export function prod(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(709, a, b, c)
}

/** `promote_types(ScalarType type1, ScalarType type2) -> ScalarType` */
export function promoteTypes(type1: DType, type2: DType): DType {
  return DTYPE_OF_CODE.get(op(710, type1, type2) as number) as DType
}

/** `put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor` */
export function put(self: Tensor, index: Tensor, source: Tensor, options?: { accumulate?: boolean }): Tensor {
  return op(711, self, index, source, options) as Tensor
}

/** `qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)` */
export function qr(self: Tensor, options?: { some?: boolean }): [Q: Tensor, R: Tensor] {
  return op(713, self, options) as [Q: Tensor, R: Tensor]
}

/**
 * `quantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation="linear") -> Tensor`
 *
 * `quantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str interpolation="linear") -> Tensor`
 */
export function quantile(self: Tensor, q: Tensor | number, options?: { dim?: number | bigint | null; keepdim?: boolean; interpolation?: string }): Tensor {
  return op(714, self, q, options) as Tensor
}

/** `rad2deg(Tensor self) -> Tensor` */
export function rad2deg(self: Tensor): Tensor {
  return op(715, self) as Tensor
}

/** `rad2deg_(Tensor(a!) self) -> Tensor(a!)` */
export function rad2deg_(self: Tensor): Tensor {
  return op(716, self) as Tensor
}

/** `rand_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function randLike(self: Tensor, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null; memoryFormat?: MemoryFormat | null }): Tensor
/** `rand_like.generator(Tensor self, *, Generator? generator, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function randLike(self: Tensor, options?: { generator?: Generator | null; dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null; memoryFormat?: MemoryFormat | null }): Tensor
export function randLike(a: unknown, b?: unknown): unknown {
  return op(717, a, b)
}

/**
 * `randint_like.Tensor(Tensor self, Tensor high, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor`
 *
 * `randint_like(Tensor self, SymInt high, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor`
 */
export function randintLike(self: Tensor, high: Tensor | number | bigint, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null; memoryFormat?: MemoryFormat | null }): Tensor
/**
 * `randint_like.Tensor_generator(Tensor self, Tensor high, *, Generator? generator, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor`
 *
 * `randint_like.generator(Tensor self, SymInt high, *, Generator? generator, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor`
 */
export function randintLike(self: Tensor, high: Tensor | number | bigint, options?: { generator?: Generator | null; dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null; memoryFormat?: MemoryFormat | null }): Tensor
/** `randint_like.low_dtype(Tensor self, SymInt low, SymInt high, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function randintLike(self: Tensor, low: number | bigint, high: number | bigint, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null; memoryFormat?: MemoryFormat | null }): Tensor
/** `randint_like.low_generator_dtype(Tensor self, SymInt low, SymInt high, *, Generator? generator, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function randintLike(self: Tensor, low: number | bigint, high: number | bigint, options?: { generator?: Generator | null; dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null; memoryFormat?: MemoryFormat | null }): Tensor
export function randintLike(a: unknown, b: unknown, c?: unknown, d?: unknown): unknown {
  return op(718, a, b, c, d)
}

/** `randn_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function randnLike(self: Tensor, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null; memoryFormat?: MemoryFormat | null }): Tensor
/** `randn_like.generator(Tensor self, *, Generator? generator, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function randnLike(self: Tensor, options?: { generator?: Generator | null; dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null; memoryFormat?: MemoryFormat | null }): Tensor
export function randnLike(a: unknown, b?: unknown): unknown {
  return op(719, a, b)
}

/** `ravel(Tensor(a) self) -> Tensor(a)` */
export function ravel(self: Tensor): Tensor {
  return op(721, self) as Tensor
}

/** `real(Tensor(a) self) -> Tensor(a)` */
export function real(self: Tensor): Tensor {
  return op(722, self) as Tensor
}

/** `reciprocal(Tensor self) -> Tensor` */
export function reciprocal(self: Tensor): Tensor {
  return op(723, self) as Tensor
}

/** `reciprocal_(Tensor(a!) self) -> Tensor(a!)` */
export function reciprocal_(self: Tensor): Tensor {
  return op(724, self) as Tensor
}

/** `reflection_pad1d(Tensor self, SymInt[2] padding) -> Tensor` */
export function reflectionPad1d(self: Tensor, padding: number | readonly number[]): Tensor {
  return op(725, self, padding) as Tensor
}

/** `reflection_pad2d(Tensor self, SymInt[4] padding) -> Tensor` */
export function reflectionPad2d(self: Tensor, padding: number | readonly number[]): Tensor {
  return op(726, self, padding) as Tensor
}

/** `reflection_pad3d(Tensor self, SymInt[6] padding) -> Tensor` */
export function reflectionPad3d(self: Tensor, padding: number | readonly number[]): Tensor {
  return op(727, self, padding) as Tensor
}

/** `relu(Tensor self) -> Tensor` */
export function relu(self: Tensor): Tensor {
  return op(728, self) as Tensor
}

/** `relu6(Tensor self) -> Tensor` */
export function relu6(self: Tensor): Tensor {
  return op(729, self) as Tensor
}

/** `relu6_(Tensor(a!) self) -> Tensor(a!)` */
export function relu6_(self: Tensor): Tensor {
  return op(730, self) as Tensor
}

/** `relu_(Tensor(a!) self) -> Tensor(a!)` */
export function relu_(self: Tensor): Tensor {
  return op(731, self) as Tensor
}

/**
 * `remainder.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `remainder.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function remainder(self: Tensor, other: Tensor | Scalar): Tensor
/** `remainder.Scalar_Tensor(Scalar self, Tensor other) -> Tensor` */
export function remainder(self: Scalar, other: Tensor): Tensor
export function remainder(a: unknown, b: unknown): unknown {
  return op(732, a, b)
}

/** `renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor` */
export function renorm(self: Tensor, p: Scalar, dim: number | bigint, maxnorm: Scalar): Tensor {
  return op(734, self, p, dim, maxnorm) as Tensor
}

/** `repeat_interleave.Tensor(Tensor repeats, *, SymInt? output_size=None) -> Tensor` */
export function repeatInterleave(repeats: Tensor, options?: { outputSize?: number | bigint | null }): Tensor
/**
 * `repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, *, SymInt? output_size=None) -> Tensor`
 *
 * `repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, *, SymInt? output_size=None) -> Tensor`
 */
export function repeatInterleave(self: Tensor, repeats: Tensor | number | bigint, options?: { dim?: number | bigint | null; outputSize?: number | bigint | null }): Tensor
export function repeatInterleave(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(737, a, b, c)
}

/** `replication_pad1d(Tensor self, SymInt[2] padding) -> Tensor` */
export function replicationPad1d(self: Tensor, padding: number | readonly number[]): Tensor {
  return op(738, self, padding) as Tensor
}

/** `replication_pad2d(Tensor self, SymInt[4] padding) -> Tensor` */
export function replicationPad2d(self: Tensor, padding: number | readonly number[]): Tensor {
  return op(739, self, padding) as Tensor
}

/** `replication_pad3d(Tensor self, SymInt[6] padding) -> Tensor` */
export function replicationPad3d(self: Tensor, padding: number | readonly number[]): Tensor {
  return op(740, self, padding) as Tensor
}

/** `reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)` */
export function reshape(self: Tensor, shape: readonly number[]): Tensor {
  return op(741, self, shape) as Tensor
}

/** `resolve_conj(Tensor(a) self) -> Tensor(a)` */
export function resolveConj(self: Tensor): Tensor {
  return op(743, self) as Tensor
}

/** `resolve_neg(Tensor(a) self) -> Tensor(a)` */
export function resolveNeg(self: Tensor): Tensor {
  return op(744, self) as Tensor
}

/**
 * `result_type.Tensor(Tensor tensor, Tensor other) -> ScalarType`
 *
 * `result_type.Scalar(Tensor tensor, Scalar other) -> ScalarType`
 */
export function resultType(tensor: Tensor, other: Tensor | Scalar): DType
/** `result_type.Scalar_Tensor(Scalar scalar, Tensor tensor) -> ScalarType` */
export function resultType(scalar: Scalar, tensor: Tensor): DType
/** `result_type.Scalar_Scalar(Scalar scalar1, Scalar scalar2) -> ScalarType` */
export function resultType(scalar1: Scalar, scalar2: Scalar): DType
export function resultType(a: unknown, b: unknown): DType {
  return DTYPE_OF_CODE.get(op(745, a, b) as number) as DType
}

/** `rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor` */
export function rmsNorm(input: Tensor, normalizedShape: readonly number[], options?: { weight?: Tensor | null; eps?: number | null }): Tensor {
  return op(746, input, normalizedShape, options) as Tensor
}

/** `rnn_relu.data(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor)` */
export function rnnRelu(data: Tensor, batchSizes: Tensor, hx: Tensor, params: readonly Tensor[], hasBiases: boolean, numLayers: number | bigint, dropout: number, train: boolean, bidirectional: boolean): [Tensor, Tensor]
/** `rnn_relu.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)` */
export function rnnRelu(input: Tensor, hx: Tensor, params: readonly Tensor[], hasBiases: boolean, numLayers: number | bigint, dropout: number, train: boolean, bidirectional: boolean, batchFirst: boolean): [Tensor, Tensor]
export function rnnRelu(a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown, g: unknown, h: unknown, i: unknown): unknown {
  return opN(747, [a, b, c, d, e, f, g, h, i])
}

/** `rnn_relu_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor` */
export function rnnReluCell(input: Tensor, hx: Tensor, wIh: Tensor, wHh: Tensor, options?: { bIh?: Tensor | null; bHh?: Tensor | null }): Tensor {
  return op(748, input, hx, wIh, wHh, options) as Tensor
}

/** `rnn_tanh.data(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor)` */
export function rnnTanh(data: Tensor, batchSizes: Tensor, hx: Tensor, params: readonly Tensor[], hasBiases: boolean, numLayers: number | bigint, dropout: number, train: boolean, bidirectional: boolean): [Tensor, Tensor]
/** `rnn_tanh.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)` */
export function rnnTanh(input: Tensor, hx: Tensor, params: readonly Tensor[], hasBiases: boolean, numLayers: number | bigint, dropout: number, train: boolean, bidirectional: boolean, batchFirst: boolean): [Tensor, Tensor]
export function rnnTanh(a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown, g: unknown, h: unknown, i: unknown): unknown {
  return opN(749, [a, b, c, d, e, f, g, h, i])
}

/** `rnn_tanh_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor` */
export function rnnTanhCell(input: Tensor, hx: Tensor, wIh: Tensor, wHh: Tensor, options?: { bIh?: Tensor | null; bHh?: Tensor | null }): Tensor {
  return op(750, input, hx, wIh, wHh, options) as Tensor
}

/** `roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor` */
export function roll(self: Tensor, shifts: number | readonly number[], options?: { dims?: number | readonly number[] }): Tensor {
  return op(751, self, shifts, options) as Tensor
}

/** `rot90(Tensor self, int k=1, int[] dims=[0, 1]) -> Tensor` */
export function rot90(self: Tensor, options?: { k?: number | bigint; dims?: readonly number[] }): Tensor {
  return op(752, self, options) as Tensor
}

/** `round(Tensor self) -> Tensor` */
export function round(self: Tensor): Tensor
/** `round.decimals(Tensor self, *, int decimals) -> Tensor` */
export function round(self: Tensor, decimals: number | bigint): Tensor
export function round(a: unknown, b?: unknown): unknown {
  return op(753, a, b)
}

/** `round_(Tensor(a!) self) -> Tensor(a!)` */
export function round_(self: Tensor): Tensor
/** `round_.decimals(Tensor(a!) self, *, int decimals) -> Tensor(a!)` */
export function round_(self: Tensor, decimals: number | bigint): Tensor
export function round_(a: unknown, b?: unknown): unknown {
  return op(754, a, b)
}

/** `row_stack(Tensor[] tensors) -> Tensor` */
export function rowStack(tensors: readonly Tensor[]): Tensor {
  return op(756, tensors) as Tensor
}

/** `rrelu(Tensor self, Scalar lower=0.125, Scalar upper=0.33333333333333331, bool training=False, Generator? generator=None) -> Tensor` */
export function rrelu(self: Tensor, options?: { lower?: Scalar; upper?: Scalar; training?: boolean; generator?: Generator | null }): Tensor {
  return op(757, self, options) as Tensor
}

/** `rrelu_(Tensor(a!) self, Scalar lower=0.125, Scalar upper=0.33333333333333331, bool training=False, Generator? generator=None) -> Tensor(a!)` */
export function rrelu_(self: Tensor, options?: { lower?: Scalar; upper?: Scalar; training?: boolean; generator?: Generator | null }): Tensor {
  return op(758, self, options) as Tensor
}

/** `rrelu_with_noise(Tensor self, Tensor(b!) noise, Scalar lower=0.125, Scalar upper=0.33333333333333331, bool training=False, Generator? generator=None) -> Tensor` */
export function rreluWithNoise(self: Tensor, noise: Tensor, options?: { lower?: Scalar; upper?: Scalar; training?: boolean; generator?: Generator | null }): Tensor {
  return op(759, self, noise, options) as Tensor
}

/** `rrelu_with_noise_(Tensor(a!) self, Tensor(b!) noise, Scalar lower=0.125, Scalar upper=0.33333333333333331, bool training=False, Generator? generator=None) -> Tensor(a!)` */
export function rreluWithNoise_(self: Tensor, noise: Tensor, options?: { lower?: Scalar; upper?: Scalar; training?: boolean; generator?: Generator | null }): Tensor {
  return op(760, self, noise, options) as Tensor
}

/** `rsqrt(Tensor self) -> Tensor` */
export function rsqrt(self: Tensor): Tensor {
  return op(761, self) as Tensor
}

/** `rsqrt_(Tensor(a!) self) -> Tensor(a!)` */
export function rsqrt_(self: Tensor): Tensor {
  return op(762, self) as Tensor
}

/**
 * `rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`
 *
 * `rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor`
 */
export function rsub(self: Tensor, other: Tensor | Scalar, options?: { alpha?: Scalar }): Tensor {
  return op(763, self, other, options) as Tensor
}

/** `scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0., bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor` */
export function scaledDotProductAttention(query: Tensor, key: Tensor, value: Tensor, options?: { attnMask?: Tensor | null; dropoutP?: number; isCausal?: boolean; scale?: number | null; enableGqa?: boolean }): Tensor {
  return op(764, query, key, value, options) as Tensor
}

/** `scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor` */
export function scatter(self: Tensor, dim: number | bigint, index: Tensor, src: Tensor): Tensor
/** `scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor` */
export function scatter(self: Tensor, dim: number | bigint, index: Tensor, src: Tensor, reduce: string): Tensor
/** `scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor` */
export function scatter(self: Tensor, dim: number | bigint, index: Tensor, value: Scalar): Tensor
/** `scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor` */
export function scatter(self: Tensor, dim: number | bigint, index: Tensor, value: Scalar, reduce: string): Tensor
export function scatter(a: unknown, b: unknown, c: unknown, d: unknown, e?: unknown): unknown {
  return op(765, a, b, c, d, e)
}

/** `scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor` */
export function scatterAdd(self: Tensor, dim: number | bigint, index: Tensor, src: Tensor): Tensor {
  return op(767, self, dim, index, src) as Tensor
}

/** `scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) -> Tensor` */
export function scatterReduce(self: Tensor, dim: number | bigint, index: Tensor, src: Tensor, reduce: string, options?: { includeSelf?: boolean }): Tensor {
  return opN(769, [self, dim, index, src, reduce, options]) as Tensor
}

/**
 * `searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None) -> Tensor`
 *
 * `searchsorted.Scalar(Tensor sorted_sequence, Scalar self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None) -> Tensor`
 */
export function searchsorted(sortedSequence: Tensor, self: Tensor | Scalar, options?: { outInt32?: boolean; right?: boolean; side?: string | null; sorter?: Tensor | null }): Tensor {
  return op(771, sortedSequence, self, options) as Tensor
}

/** `segment_reduce(Tensor data, str reduce, *, Tensor? lengths=None, Tensor? indices=None, Tensor? offsets=None, int axis=0, bool unsafe=False, Scalar? initial=None) -> Tensor` */
export function segmentReduce(data: Tensor, reduce: string, options?: { lengths?: Tensor | null; indices?: Tensor | null; offsets?: Tensor | null; axis?: number | bigint; unsafe?: boolean; initial?: Scalar | null }): Tensor {
  return op(772, data, reduce, options) as Tensor
}

/** `select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)` */
export function select(self: Tensor, dim: number | bigint, index: number | bigint): Tensor {
  return op(773, self, dim, index) as Tensor
}

/** `select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor` */
export function selectScatter(self: Tensor, src: Tensor, dim: number | bigint, index: number | bigint): Tensor {
  return op(774, self, src, dim, index) as Tensor
}

/** `selu(Tensor self) -> Tensor` */
export function selu(self: Tensor): Tensor {
  return op(775, self) as Tensor
}

/** `selu_(Tensor(a!) self) -> Tensor(a!)` */
export function selu_(self: Tensor): Tensor {
  return op(776, self) as Tensor
}

/** `sgn(Tensor self) -> Tensor` */
export function sgn(self: Tensor): Tensor {
  return op(777, self) as Tensor
}

/** `sigmoid(Tensor self) -> Tensor` */
export function sigmoid(self: Tensor): Tensor {
  return op(779, self) as Tensor
}

/** `sigmoid_(Tensor(a!) self) -> Tensor(a!)` */
export function sigmoid_(self: Tensor): Tensor {
  return op(780, self) as Tensor
}

/** `sign(Tensor self) -> Tensor` */
export function sign(self: Tensor): Tensor {
  return op(781, self) as Tensor
}

/** `signbit(Tensor self) -> Tensor` */
export function signbit(self: Tensor): Tensor {
  return op(783, self) as Tensor
}

/** `silu(Tensor self) -> Tensor` */
export function silu(self: Tensor): Tensor {
  return op(784, self) as Tensor
}

/** `silu_(Tensor(a!) self) -> Tensor(a!)` */
export function silu_(self: Tensor): Tensor {
  return op(785, self) as Tensor
}

/** `sin(Tensor self) -> Tensor` */
export function sin(self: Tensor): Tensor {
  return op(786, self) as Tensor
}

/** `sin_(Tensor(a!) self) -> Tensor(a!)` */
export function sin_(self: Tensor): Tensor {
  return op(787, self) as Tensor
}

/** `sinc(Tensor self) -> Tensor` */
export function sinc(self: Tensor): Tensor {
  return op(788, self) as Tensor
}

/** `sinc_(Tensor(a!) self) -> Tensor(a!)` */
export function sinc_(self: Tensor): Tensor {
  return op(789, self) as Tensor
}

/** `sinh(Tensor self) -> Tensor` */
export function sinh(self: Tensor): Tensor {
  return op(790, self) as Tensor
}

/** `sinh_(Tensor(a!) self) -> Tensor(a!)` */
export function sinh_(self: Tensor): Tensor {
  return op(791, self) as Tensor
}

/** `slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor(a)` */
export function slice(self: Tensor, options?: { dim?: number | bigint; start?: number | bigint | null; end?: number | bigint | null; step?: number | bigint }): Tensor {
  return op(792, self, options) as Tensor
}

/** `slice_inverse(Tensor(a) self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor(a)` */
export function sliceInverse(self: Tensor, src: Tensor, options?: { dim?: number | bigint; start?: number | bigint | null; end?: number | bigint | null; step?: number | bigint }): Tensor {
  return op(793, self, src, options) as Tensor
}

/** `slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor` */
export function sliceScatter(self: Tensor, src: Tensor, options?: { dim?: number | bigint; start?: number | bigint | null; end?: number | bigint | null; step?: number | bigint }): Tensor {
  return op(794, self, src, options) as Tensor
}

/** `slogdet(Tensor self) -> (Tensor sign, Tensor logabsdet)` */
export function slogdet(self: Tensor): [sign: Tensor, logabsdet: Tensor] {
  return op(795, self) as [sign: Tensor, logabsdet: Tensor]
}

/** `smm(Tensor self, Tensor mat2) -> Tensor` */
export function smm(self: Tensor, mat2: Tensor): Tensor {
  return op(796, self, mat2) as Tensor
}

/** `smooth_l1_loss(Tensor self, Tensor target, int reduction=1, float beta=1.) -> Tensor` */
export function smoothL1Loss(self: Tensor, target: Tensor, options?: { reduction?: number | bigint; beta?: number }): Tensor {
  return op(797, self, target, options) as Tensor
}

/** `soft_margin_loss(Tensor self, Tensor target, int reduction=1) -> Tensor` */
export function softMarginLoss(self: Tensor, target: Tensor, options?: { reduction?: number | bigint }): Tensor {
  return op(798, self, target, options) as Tensor
}

/** `softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor` */
export function softmax(self: Tensor, dim: number | bigint, options?: { dtype?: DType | null }): Tensor {
  return op(799, self, dim, options) as Tensor
}

/** `softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor` */
export function softplus(self: Tensor, options?: { beta?: Scalar; threshold?: Scalar }): Tensor {
  return op(800, self, options) as Tensor
}

/** `softshrink(Tensor self, Scalar lambd=0.5) -> Tensor` */
export function softshrink(self: Tensor, options?: { lambd?: Scalar }): Tensor {
  return op(801, self, options) as Tensor
}

/** `sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)` */
export function sort(self: Tensor, options?: { dim?: number | bigint; descending?: boolean }): [values: Tensor, indices: Tensor]
/** `sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)` */
export function sort(self: Tensor, options?: { stable?: boolean | null; dim?: number | bigint; descending?: boolean }): [values: Tensor, indices: Tensor]
export function sort(a: unknown, b?: unknown): unknown {
  return op(802, a, b)
}

/** `sparse_bsc_tensor.ccol_row_value(Tensor ccol_indices, Tensor row_indices, Tensor values, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=False) -> Tensor` */
export function sparseBscTensor(ccolIndices: Tensor, rowIndices: Tensor, values: Tensor, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
/** `sparse_bsc_tensor.ccol_row_value_size(Tensor ccol_indices, Tensor row_indices, Tensor values, int[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=False) -> Tensor` */
export function sparseBscTensor(ccolIndices: Tensor, rowIndices: Tensor, values: Tensor, size: readonly number[], options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
export function sparseBscTensor(a: unknown, b: unknown, c: unknown, d?: unknown, e?: unknown): unknown {
  return op(803, a, b, c, d, e)
}

/** `sparse_bsr_tensor.crow_col_value(Tensor crow_indices, Tensor col_indices, Tensor values, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=False) -> Tensor` */
export function sparseBsrTensor(crowIndices: Tensor, colIndices: Tensor, values: Tensor, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
/** `sparse_bsr_tensor.crow_col_value_size(Tensor crow_indices, Tensor col_indices, Tensor values, int[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=False) -> Tensor` */
export function sparseBsrTensor(crowIndices: Tensor, colIndices: Tensor, values: Tensor, size: readonly number[], options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
export function sparseBsrTensor(a: unknown, b: unknown, c: unknown, d?: unknown, e?: unknown): unknown {
  return op(804, a, b, c, d, e)
}

/** `sparse_compressed_tensor.comp_plain_value(Tensor compressed_indices, Tensor plain_indices, Tensor values, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=False) -> Tensor` */
export function sparseCompressedTensor(compressedIndices: Tensor, plainIndices: Tensor, values: Tensor, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
/** `sparse_compressed_tensor.comp_plain_value_size(Tensor compressed_indices, Tensor plain_indices, Tensor values, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=False) -> Tensor` */
export function sparseCompressedTensor(compressedIndices: Tensor, plainIndices: Tensor, values: Tensor, size: readonly number[], options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
export function sparseCompressedTensor(a: unknown, b: unknown, c: unknown, d?: unknown, e?: unknown): unknown {
  return op(805, a, b, c, d, e)
}

/** `sparse_coo_tensor.indices(Tensor indices, Tensor values, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, bool? is_coalesced=None) -> Tensor` */
export function sparseCooTensor(indices: Tensor, values: Tensor, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null; isCoalesced?: boolean | null }): Tensor
/** `sparse_coo_tensor.indices_size(Tensor indices, Tensor values, int[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, bool? is_coalesced=None) -> Tensor` */
export function sparseCooTensor(indices: Tensor, values: Tensor, size: readonly number[], options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null; isCoalesced?: boolean | null }): Tensor
/** `sparse_coo_tensor.size(int[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=False) -> Tensor` */
export function sparseCooTensor(size: readonly number[], options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
export function sparseCooTensor(a: unknown, b?: unknown, c?: unknown, d?: unknown): unknown {
  return op(806, a, b, c, d)
}

/** `sparse_csc_tensor.ccol_row_value(Tensor ccol_indices, Tensor row_indices, Tensor values, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=False) -> Tensor` */
export function sparseCscTensor(ccolIndices: Tensor, rowIndices: Tensor, values: Tensor, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
/** `sparse_csc_tensor.ccol_row_value_size(Tensor ccol_indices, Tensor row_indices, Tensor values, int[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=False) -> Tensor` */
export function sparseCscTensor(ccolIndices: Tensor, rowIndices: Tensor, values: Tensor, size: readonly number[], options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
export function sparseCscTensor(a: unknown, b: unknown, c: unknown, d?: unknown, e?: unknown): unknown {
  return op(807, a, b, c, d, e)
}

/** `sparse_csr_tensor.crow_col_value(Tensor crow_indices, Tensor col_indices, Tensor values, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=False) -> Tensor` */
export function sparseCsrTensor(crowIndices: Tensor, colIndices: Tensor, values: Tensor, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
/** `sparse_csr_tensor.crow_col_value_size(Tensor crow_indices, Tensor col_indices, Tensor values, int[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=False) -> Tensor` */
export function sparseCsrTensor(crowIndices: Tensor, colIndices: Tensor, values: Tensor, size: readonly number[], options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
export function sparseCsrTensor(a: unknown, b: unknown, c: unknown, d?: unknown, e?: unknown): unknown {
  return op(808, a, b, c, d, e)
}

/** `sparse_sampled_addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
export function sparseSampledAddmm(self: Tensor, mat1: Tensor, mat2: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): Tensor {
  return op(811, self, mat1, mat2, options) as Tensor
}

/** `special_airy_ai(Tensor x) -> Tensor` */
export function specialAiryAi(x: Tensor): Tensor {
  return op(812, x) as Tensor
}

/** `special_bessel_j0(Tensor self) -> Tensor` */
export function specialBesselJ0(self: Tensor): Tensor {
  return op(813, self) as Tensor
}

/** `special_bessel_j1(Tensor self) -> Tensor` */
export function specialBesselJ1(self: Tensor): Tensor {
  return op(814, self) as Tensor
}

/** `special_bessel_y0(Tensor self) -> Tensor` */
export function specialBesselY0(self: Tensor): Tensor {
  return op(815, self) as Tensor
}

/** `special_bessel_y1(Tensor self) -> Tensor` */
export function specialBesselY1(self: Tensor): Tensor {
  return op(816, self) as Tensor
}

/**
 * `special_chebyshev_polynomial_t(Tensor x, Tensor n) -> Tensor`
 *
 * `special_chebyshev_polynomial_t.n_scalar(Tensor x, Scalar n) -> Tensor`
 */
export function specialChebyshevPolynomialT(x: Tensor, n: Tensor | Scalar): Tensor
/** `special_chebyshev_polynomial_t.x_scalar(Scalar x, Tensor n) -> Tensor` */
export function specialChebyshevPolynomialT(x: Scalar, n: Tensor): Tensor
export function specialChebyshevPolynomialT(a: unknown, b: unknown): unknown {
  return op(817, a, b)
}

/**
 * `special_chebyshev_polynomial_u(Tensor x, Tensor n) -> Tensor`
 *
 * `special_chebyshev_polynomial_u.n_scalar(Tensor x, Scalar n) -> Tensor`
 */
export function specialChebyshevPolynomialU(x: Tensor, n: Tensor | Scalar): Tensor
/** `special_chebyshev_polynomial_u.x_scalar(Scalar x, Tensor n) -> Tensor` */
export function specialChebyshevPolynomialU(x: Scalar, n: Tensor): Tensor
export function specialChebyshevPolynomialU(a: unknown, b: unknown): unknown {
  return op(818, a, b)
}

/**
 * `special_chebyshev_polynomial_v(Tensor x, Tensor n) -> Tensor`
 *
 * `special_chebyshev_polynomial_v.n_scalar(Tensor x, Scalar n) -> Tensor`
 */
export function specialChebyshevPolynomialV(x: Tensor, n: Tensor | Scalar): Tensor
/** `special_chebyshev_polynomial_v.x_scalar(Scalar x, Tensor n) -> Tensor` */
export function specialChebyshevPolynomialV(x: Scalar, n: Tensor): Tensor
export function specialChebyshevPolynomialV(a: unknown, b: unknown): unknown {
  return op(819, a, b)
}

/**
 * `special_chebyshev_polynomial_w(Tensor x, Tensor n) -> Tensor`
 *
 * `special_chebyshev_polynomial_w.n_scalar(Tensor x, Scalar n) -> Tensor`
 */
export function specialChebyshevPolynomialW(x: Tensor, n: Tensor | Scalar): Tensor
/** `special_chebyshev_polynomial_w.x_scalar(Scalar x, Tensor n) -> Tensor` */
export function specialChebyshevPolynomialW(x: Scalar, n: Tensor): Tensor
export function specialChebyshevPolynomialW(a: unknown, b: unknown): unknown {
  return op(820, a, b)
}

/** `special_digamma(Tensor self) -> Tensor` */
export function specialDigamma(self: Tensor): Tensor {
  return op(821, self) as Tensor
}

/** `special_entr(Tensor self) -> Tensor` */
export function specialEntr(self: Tensor): Tensor {
  return op(822, self) as Tensor
}

/** `special_erf(Tensor self) -> Tensor` */
export function specialErf(self: Tensor): Tensor {
  return op(823, self) as Tensor
}

/** `special_erfc(Tensor self) -> Tensor` */
export function specialErfc(self: Tensor): Tensor {
  return op(824, self) as Tensor
}

/** `special_erfcx(Tensor self) -> Tensor` */
export function specialErfcx(self: Tensor): Tensor {
  return op(825, self) as Tensor
}

/** `special_erfinv(Tensor self) -> Tensor` */
export function specialErfinv(self: Tensor): Tensor {
  return op(826, self) as Tensor
}

/** `special_exp2(Tensor self) -> Tensor` */
export function specialExp2(self: Tensor): Tensor {
  return op(827, self) as Tensor
}

/** `special_expit(Tensor self) -> Tensor` */
export function specialExpit(self: Tensor): Tensor {
  return op(828, self) as Tensor
}

/** `special_expm1(Tensor self) -> Tensor` */
export function specialExpm1(self: Tensor): Tensor {
  return op(829, self) as Tensor
}

/** `special_gammainc(Tensor self, Tensor other) -> Tensor` */
export function specialGammainc(self: Tensor, other: Tensor): Tensor {
  return op(830, self, other) as Tensor
}

/** `special_gammaincc(Tensor self, Tensor other) -> Tensor` */
export function specialGammaincc(self: Tensor, other: Tensor): Tensor {
  return op(831, self, other) as Tensor
}

/** `special_gammaln(Tensor self) -> Tensor` */
export function specialGammaln(self: Tensor): Tensor {
  return op(832, self) as Tensor
}

/**
 * `special_hermite_polynomial_h(Tensor x, Tensor n) -> Tensor`
 *
 * `special_hermite_polynomial_h.n_scalar(Tensor x, Scalar n) -> Tensor`
 */
export function specialHermitePolynomialH(x: Tensor, n: Tensor | Scalar): Tensor
/** `special_hermite_polynomial_h.x_scalar(Scalar x, Tensor n) -> Tensor` */
export function specialHermitePolynomialH(x: Scalar, n: Tensor): Tensor
export function specialHermitePolynomialH(a: unknown, b: unknown): unknown {
  return op(833, a, b)
}

/**
 * `special_hermite_polynomial_he(Tensor x, Tensor n) -> Tensor`
 *
 * `special_hermite_polynomial_he.n_scalar(Tensor x, Scalar n) -> Tensor`
 */
export function specialHermitePolynomialHe(x: Tensor, n: Tensor | Scalar): Tensor
/** `special_hermite_polynomial_he.x_scalar(Scalar x, Tensor n) -> Tensor` */
export function specialHermitePolynomialHe(x: Scalar, n: Tensor): Tensor
export function specialHermitePolynomialHe(a: unknown, b: unknown): unknown {
  return op(834, a, b)
}

/** `special_i0(Tensor self) -> Tensor` */
export function specialI0(self: Tensor): Tensor {
  return op(835, self) as Tensor
}

/** `special_i0e(Tensor self) -> Tensor` */
export function specialI0e(self: Tensor): Tensor {
  return op(836, self) as Tensor
}

/** `special_i1(Tensor self) -> Tensor` */
export function specialI1(self: Tensor): Tensor {
  return op(837, self) as Tensor
}

/** `special_i1e(Tensor self) -> Tensor` */
export function specialI1e(self: Tensor): Tensor {
  return op(838, self) as Tensor
}

/**
 * `special_laguerre_polynomial_l(Tensor x, Tensor n) -> Tensor`
 *
 * `special_laguerre_polynomial_l.n_scalar(Tensor x, Scalar n) -> Tensor`
 */
export function specialLaguerrePolynomialL(x: Tensor, n: Tensor | Scalar): Tensor
/** `special_laguerre_polynomial_l.x_scalar(Scalar x, Tensor n) -> Tensor` */
export function specialLaguerrePolynomialL(x: Scalar, n: Tensor): Tensor
export function specialLaguerrePolynomialL(a: unknown, b: unknown): unknown {
  return op(839, a, b)
}

/**
 * `special_legendre_polynomial_p(Tensor x, Tensor n) -> Tensor`
 *
 * `special_legendre_polynomial_p.n_scalar(Tensor x, Scalar n) -> Tensor`
 */
export function specialLegendrePolynomialP(x: Tensor, n: Tensor | Scalar): Tensor
/** `special_legendre_polynomial_p.x_scalar(Scalar x, Tensor n) -> Tensor` */
export function specialLegendrePolynomialP(x: Scalar, n: Tensor): Tensor
export function specialLegendrePolynomialP(a: unknown, b: unknown): unknown {
  return op(840, a, b)
}

/** `special_log1p(Tensor self) -> Tensor` */
export function specialLog1p(self: Tensor): Tensor {
  return op(841, self) as Tensor
}

/** `special_log_ndtr(Tensor self) -> Tensor` */
export function specialLogNdtr(self: Tensor): Tensor {
  return op(842, self) as Tensor
}

/** `special_log_softmax(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor` */
export function specialLogSoftmax(self: Tensor, dim: number | bigint, options?: { dtype?: DType | null }): Tensor {
  return op(843, self, dim, options) as Tensor
}

/** `special_logit(Tensor self, float? eps=None) -> Tensor` */
export function specialLogit(self: Tensor, options?: { eps?: number | null }): Tensor {
  return op(844, self, options) as Tensor
}

/** `special_logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor` */
export function specialLogsumexp(self: Tensor, dim: number | readonly number[], options?: { keepdim?: boolean }): Tensor {
  return op(845, self, dim, options) as Tensor
}

/** `special_modified_bessel_i0(Tensor self) -> Tensor` */
export function specialModifiedBesselI0(self: Tensor): Tensor {
  return op(846, self) as Tensor
}

/** `special_modified_bessel_i1(Tensor self) -> Tensor` */
export function specialModifiedBesselI1(self: Tensor): Tensor {
  return op(847, self) as Tensor
}

/** `special_modified_bessel_k0(Tensor self) -> Tensor` */
export function specialModifiedBesselK0(self: Tensor): Tensor {
  return op(848, self) as Tensor
}

/** `special_modified_bessel_k1(Tensor self) -> Tensor` */
export function specialModifiedBesselK1(self: Tensor): Tensor {
  return op(849, self) as Tensor
}

/** `special_multigammaln(Tensor self, int p) -> Tensor` */
export function specialMultigammaln(self: Tensor, p: number | bigint): Tensor {
  return op(850, self, p) as Tensor
}

/** `special_ndtr(Tensor self) -> Tensor` */
export function specialNdtr(self: Tensor): Tensor {
  return op(851, self) as Tensor
}

/** `special_ndtri(Tensor self) -> Tensor` */
export function specialNdtri(self: Tensor): Tensor {
  return op(852, self) as Tensor
}

/** `special_polygamma(int n, Tensor self) -> Tensor` */
export function specialPolygamma(n: number | bigint, self: Tensor): Tensor {
  return op(853, n, self) as Tensor
}

/** `special_psi(Tensor self) -> Tensor` */
export function specialPsi(self: Tensor): Tensor {
  return op(854, self) as Tensor
}

/** `special_round(Tensor self, *, int decimals=0) -> Tensor` */
export function specialRound(self: Tensor, options?: { decimals?: number | bigint }): Tensor {
  return op(855, self, options) as Tensor
}

/** `special_scaled_modified_bessel_k0(Tensor x) -> Tensor` */
export function specialScaledModifiedBesselK0(x: Tensor): Tensor {
  return op(856, x) as Tensor
}

/** `special_scaled_modified_bessel_k1(Tensor x) -> Tensor` */
export function specialScaledModifiedBesselK1(x: Tensor): Tensor {
  return op(857, x) as Tensor
}

/**
 * `special_shifted_chebyshev_polynomial_t(Tensor x, Tensor n) -> Tensor`
 *
 * `special_shifted_chebyshev_polynomial_t.n_scalar(Tensor x, Scalar n) -> Tensor`
 */
export function specialShiftedChebyshevPolynomialT(x: Tensor, n: Tensor | Scalar): Tensor
/** `special_shifted_chebyshev_polynomial_t.x_scalar(Scalar x, Tensor n) -> Tensor` */
export function specialShiftedChebyshevPolynomialT(x: Scalar, n: Tensor): Tensor
export function specialShiftedChebyshevPolynomialT(a: unknown, b: unknown): unknown {
  return op(858, a, b)
}

/**
 * `special_shifted_chebyshev_polynomial_u(Tensor x, Tensor n) -> Tensor`
 *
 * `special_shifted_chebyshev_polynomial_u.n_scalar(Tensor x, Scalar n) -> Tensor`
 */
export function specialShiftedChebyshevPolynomialU(x: Tensor, n: Tensor | Scalar): Tensor
/** `special_shifted_chebyshev_polynomial_u.x_scalar(Scalar x, Tensor n) -> Tensor` */
export function specialShiftedChebyshevPolynomialU(x: Scalar, n: Tensor): Tensor
export function specialShiftedChebyshevPolynomialU(a: unknown, b: unknown): unknown {
  return op(859, a, b)
}

/**
 * `special_shifted_chebyshev_polynomial_v(Tensor x, Tensor n) -> Tensor`
 *
 * `special_shifted_chebyshev_polynomial_v.n_scalar(Tensor x, Scalar n) -> Tensor`
 */
export function specialShiftedChebyshevPolynomialV(x: Tensor, n: Tensor | Scalar): Tensor
/** `special_shifted_chebyshev_polynomial_v.x_scalar(Scalar x, Tensor n) -> Tensor` */
export function specialShiftedChebyshevPolynomialV(x: Scalar, n: Tensor): Tensor
export function specialShiftedChebyshevPolynomialV(a: unknown, b: unknown): unknown {
  return op(860, a, b)
}

/**
 * `special_shifted_chebyshev_polynomial_w(Tensor x, Tensor n) -> Tensor`
 *
 * `special_shifted_chebyshev_polynomial_w.n_scalar(Tensor x, Scalar n) -> Tensor`
 */
export function specialShiftedChebyshevPolynomialW(x: Tensor, n: Tensor | Scalar): Tensor
/** `special_shifted_chebyshev_polynomial_w.x_scalar(Scalar x, Tensor n) -> Tensor` */
export function specialShiftedChebyshevPolynomialW(x: Scalar, n: Tensor): Tensor
export function specialShiftedChebyshevPolynomialW(a: unknown, b: unknown): unknown {
  return op(861, a, b)
}

/** `special_sinc(Tensor self) -> Tensor` */
export function specialSinc(self: Tensor): Tensor {
  return op(862, self) as Tensor
}

/** `special_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor` */
export function specialSoftmax(self: Tensor, dim: number | bigint, options?: { dtype?: DType | null }): Tensor {
  return op(863, self, dim, options) as Tensor
}

/** `special_spherical_bessel_j0(Tensor x) -> Tensor` */
export function specialSphericalBesselJ0(x: Tensor): Tensor {
  return op(864, x) as Tensor
}

/**
 * `special_xlog1py(Tensor self, Tensor other) -> Tensor`
 *
 * `special_xlog1py.other_scalar(Tensor self, Scalar other) -> Tensor`
 */
export function specialXlog1py(self: Tensor, other: Tensor | Scalar): Tensor
/** `special_xlog1py.self_scalar(Scalar self, Tensor other) -> Tensor` */
export function specialXlog1py(self: Scalar, other: Tensor): Tensor
export function specialXlog1py(a: unknown, b: unknown): unknown {
  return op(865, a, b)
}

/**
 * `special_xlogy(Tensor self, Tensor other) -> Tensor`
 *
 * `special_xlogy.other_scalar(Tensor self, Scalar other) -> Tensor`
 */
export function specialXlogy(self: Tensor, other: Tensor | Scalar): Tensor
/** `special_xlogy.self_scalar(Scalar self, Tensor other) -> Tensor` */
export function specialXlogy(self: Scalar, other: Tensor): Tensor
export function specialXlogy(a: unknown, b: unknown): unknown {
  return op(866, a, b)
}

/**
 * `special_zeta(Tensor self, Tensor other) -> Tensor`
 *
 * `special_zeta.other_scalar(Tensor self, Scalar other) -> Tensor`
 */
export function specialZeta(self: Tensor, other: Tensor | Scalar): Tensor
/** `special_zeta.self_scalar(Scalar self, Tensor other) -> Tensor` */
export function specialZeta(self: Scalar, other: Tensor): Tensor
export function specialZeta(a: unknown, b: unknown): unknown {
  return op(867, a, b)
}

/**
 * `split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]`
 *
 * `split.sizes(Tensor(a -> *) self, SymInt[] split_size, int dim=0) -> Tensor(a)[]`
 */
export function split(self: Tensor, splitSize: number | bigint | readonly number[], options?: { dim?: number | bigint }): Tensor[] {
  return op(868, self, splitSize, options) as Tensor[]
}

/** `split_with_sizes(Tensor(a -> *) self, SymInt[] split_sizes, int dim=0) -> Tensor(a)[]` */
export function splitWithSizes(self: Tensor, splitSizes: readonly number[], options?: { dim?: number | bigint }): Tensor[] {
  return op(869, self, splitSizes, options) as Tensor[]
}

/** `sqrt(Tensor self) -> Tensor` */
export function sqrt(self: Tensor): Tensor {
  return op(870, self) as Tensor
}

/** `sqrt_(Tensor(a!) self) -> Tensor(a!)` */
export function sqrt_(self: Tensor): Tensor {
  return op(871, self) as Tensor
}

/** `square(Tensor self) -> Tensor` */
export function square(self: Tensor): Tensor {
  return op(872, self) as Tensor
}

/** `square_(Tensor(a!) self) -> Tensor(a!)` */
export function square_(self: Tensor): Tensor {
  return op(873, self) as Tensor
}

/** `squeeze(Tensor(a) self) -> Tensor(a)` */
export function squeeze(self: Tensor): Tensor
/**
 * `squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)`
 *
 * `squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)`
 */
export function squeeze(self: Tensor, dim: number | bigint | readonly number[]): Tensor
export function squeeze(a: unknown, b?: unknown): unknown {
  return op(874, a, b)
}

/** `sspaddmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
export function sspaddmm(self: Tensor, mat1: Tensor, mat2: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): Tensor {
  return op(876, self, mat1, mat2, options) as Tensor
}

/** `stack(Tensor[] tensors, int dim=0) -> Tensor` */
export function stack(tensors: readonly Tensor[], options?: { dim?: number | bigint }): Tensor {
  return op(877, tensors, options) as Tensor
}

/** `std(Tensor self, bool unbiased=True) -> Tensor` */
export function std(self: Tensor, options?: { unbiased?: boolean }): Tensor
/** `std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor` */
export function std(self: Tensor, options?: { dim?: number | readonly number[] | null; unbiased?: boolean; keepdim?: boolean }): Tensor
/** `std.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor` */
export function std(self: Tensor, options?: { dim?: number | readonly number[] | null; correction?: Scalar | null; keepdim?: boolean }): Tensor
export function std(a: unknown, b?: unknown): unknown {
  return op(878, a, b)
}

/** `std_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)` */
export function stdMean(self: Tensor, options?: { unbiased?: boolean }): [Tensor, Tensor]
/** `std_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)` */
export function stdMean(self: Tensor, options?: { dim?: number | readonly number[] | null; unbiased?: boolean; keepdim?: boolean }): [Tensor, Tensor]
/** `std_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> (Tensor, Tensor)` */
export function stdMean(self: Tensor, options?: { dim?: number | readonly number[] | null; correction?: Scalar | null; keepdim?: boolean }): [Tensor, Tensor]
export function stdMean(a: unknown, b?: unknown): unknown {
  return op(879, a, b)
}

/** `stft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool normalized=False, bool? onesided=None, bool? return_complex=None, bool? align_to_window=None) -> Tensor` */
export function stft(self: Tensor, nFft: number | bigint, options?: { hopLength?: number | bigint | null; winLength?: number | bigint | null; window?: Tensor | null; normalized?: boolean; onesided?: boolean | null; returnComplex?: boolean | null; alignToWindow?: boolean | null }): Tensor
/** `stft.center(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, str pad_mode="reflect", bool normalized=False, bool? onesided=None, bool? return_complex=None, bool? align_to_window=None) -> Tensor` */
export function stft(self: Tensor, nFft: number | bigint, options?: { hopLength?: number | bigint | null; winLength?: number | bigint | null; window?: Tensor | null; center?: boolean; padMode?: string; normalized?: boolean; onesided?: boolean | null; returnComplex?: boolean | null; alignToWindow?: boolean | null }): Tensor
export function stft(a: unknown, b: unknown, c?: unknown): unknown {
  return op(880, a, b, c)
}

/**
 * `sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`
 *
 * `sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor`
 */
export function sub(self: Tensor, other: Tensor | Scalar, options?: { alpha?: Scalar }): Tensor {
  return op(881, self, other, options) as Tensor
}

/**
 * `subtract.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`
 *
 * `subtract.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor`
 */
export function subtract(self: Tensor, other: Tensor | Scalar, options?: { alpha?: Scalar }): Tensor {
  return op(883, self, other, options) as Tensor
}

/** `sum(Tensor self, *, ScalarType? dtype=None) -> Tensor` */
export function sum(self: Tensor, options?: { dtype?: DType | null }): Tensor
/** `sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
export function sum(self: Tensor, options?: { dim?: number | readonly number[] | null; keepdim?: boolean; dtype?: DType | null }): Tensor
export function sum(a: unknown, b?: unknown): unknown {
  return op(885, a, b)
}

/** `svd(Tensor self, bool some=True, bool compute_uv=True) -> (Tensor U, Tensor S, Tensor V)` */
export function svd(self: Tensor, options?: { some?: boolean; computeUv?: boolean }): [U: Tensor, S: Tensor, V: Tensor] {
  return op(887, self, options) as [U: Tensor, S: Tensor, V: Tensor]
}

/** `swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)` */
export function swapaxes(self: Tensor, axis0: number | bigint, axis1: number | bigint): Tensor {
  return op(888, self, axis0, axis1) as Tensor
}

/** `swapdims(Tensor(a) self, int dim0, int dim1) -> Tensor(a)` */
export function swapdims(self: Tensor, dim0: number | bigint, dim1: number | bigint): Tensor {
  return op(890, self, dim0, dim1) as Tensor
}

/** `t(Tensor(a) self) -> Tensor(a)` */
export function t(self: Tensor): Tensor {
  return op(892, self) as Tensor
}

/** `take(Tensor self, Tensor index) -> Tensor` */
export function take(self: Tensor, index: Tensor): Tensor {
  return op(894, self, index) as Tensor
}

/** `take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor` */
export function takeAlongDim(self: Tensor, indices: Tensor, options?: { dim?: number | bigint | null }): Tensor {
  return op(895, self, indices, options) as Tensor
}

/** `tan(Tensor self) -> Tensor` */
export function tan(self: Tensor): Tensor {
  return op(896, self) as Tensor
}

/** `tan_(Tensor(a!) self) -> Tensor(a!)` */
export function tan_(self: Tensor): Tensor {
  return op(897, self) as Tensor
}

/** `tanh(Tensor self) -> Tensor` */
export function tanh(self: Tensor): Tensor {
  return op(898, self) as Tensor
}

/** `tanh_(Tensor(a!) self) -> Tensor(a!)` */
export function tanh_(self: Tensor): Tensor {
  return op(899, self) as Tensor
}

/** `tensor_split.tensor_indices_or_sections(Tensor(a -> *) self, Tensor tensor_indices_or_sections, int dim=0) -> Tensor(a)[]` */
export function tensorSplit(self: Tensor, tensorIndicesOrSections: Tensor, options?: { dim?: number | bigint }): Tensor[]
/** `tensor_split.sections(Tensor(a -> *) self, SymInt sections, int dim=0) -> Tensor(a)[]` */
export function tensorSplit(self: Tensor, sections: number | bigint, options?: { dim?: number | bigint }): Tensor[]
/** `tensor_split.indices(Tensor(a -> *) self, SymInt[] indices, int dim=0) -> Tensor(a)[]` */
export function tensorSplit(self: Tensor, indices: readonly number[], options?: { dim?: number | bigint }): Tensor[]
export function tensorSplit(a: unknown, b: unknown, c?: unknown): unknown {
  return op(900, a, b, c)
}

/** `tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor` */
export function tensordot(self: Tensor, other: Tensor, dimsSelf: readonly number[], dimsOther: readonly number[]): Tensor {
  return op(901, self, other, dimsSelf, dimsOther) as Tensor
}

/** `threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor` */
export function threshold(self: Tensor, threshold: Scalar, value: Scalar): Tensor {
  return op(902, self, threshold, value) as Tensor
}

/** `threshold_(Tensor(a!) self, Scalar threshold, Scalar value) -> Tensor(a!)` */
export function threshold_(self: Tensor, threshold: Scalar, value: Scalar): Tensor {
  return op(903, self, threshold, value) as Tensor
}

/** `tile(Tensor self, SymInt[] dims) -> Tensor` */
export function tile(self: Tensor, dims: readonly number[]): Tensor {
  return op(904, self, dims) as Tensor
}

/** `topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor indices)` */
export function topk(self: Tensor, k: number | bigint, options?: { dim?: number | bigint; largest?: boolean; sorted?: boolean }): [values: Tensor, indices: Tensor] {
  return op(912, self, k, options) as [values: Tensor, indices: Tensor]
}

/** `trace(Tensor self) -> Tensor` */
export function trace(self: Tensor): Tensor {
  return op(913, self) as Tensor
}

/** `transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)` */
export function transpose(self: Tensor, dim0: number | bigint, dim1: number | bigint): Tensor {
  return op(914, self, dim0, dim1) as Tensor
}

/** `trapezoid.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor` */
export function trapezoid(y: Tensor, options?: { dx?: Scalar; dim?: number | bigint }): Tensor
/** `trapezoid.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor` */
export function trapezoid(y: Tensor, x: Tensor, options?: { dim?: number | bigint }): Tensor
export function trapezoid(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(916, a, b, c)
}

/** `trapz.dx(Tensor y, *, float dx=1., int dim=-1) -> Tensor` */
export function trapz(y: Tensor, options?: { dx?: number; dim?: number | bigint }): Tensor
/** `trapz.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor` */
export function trapz(y: Tensor, x: Tensor, options?: { dim?: number | bigint }): Tensor
export function trapz(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(917, a, b, c)
}

/** `triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False) -> (Tensor solution, Tensor cloned_coefficient)` */
export function triangularSolve(self: Tensor, A: Tensor, options?: { upper?: boolean; transpose?: boolean; unitriangular?: boolean }): [solution: Tensor, clonedCoefficient: Tensor] {
  return op(918, self, A, options) as [solution: Tensor, clonedCoefficient: Tensor]
}

/** `tril(Tensor self, SymInt diagonal=0) -> Tensor` */
export function tril(self: Tensor, options?: { diagonal?: number | bigint }): Tensor {
  return op(919, self, options) as Tensor
}

/** `tril_indices(int row, int col, int offset=0, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function trilIndices(row: number | bigint, col: number | bigint, options?: { offset?: number | bigint; dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor {
  return op(921, row, col, options) as Tensor
}

/** `triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1., float p=2., float eps=9.9999999999999995e-07, bool swap=False, int reduction=1) -> Tensor` */
export function tripletMarginLoss(anchor: Tensor, positive: Tensor, negative: Tensor, options?: { margin?: number; p?: number; eps?: number; swap?: boolean; reduction?: number | bigint }): Tensor {
  return op(922, anchor, positive, negative, options) as Tensor
}

/** `triu(Tensor self, SymInt diagonal=0) -> Tensor` */
export function triu(self: Tensor, options?: { diagonal?: number | bigint }): Tensor {
  return op(923, self, options) as Tensor
}

/** `triu_indices(int row, int col, int offset=0, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function triuIndices(row: number | bigint, col: number | bigint, options?: { offset?: number | bigint; dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor {
  return op(925, row, col, options) as Tensor
}

/**
 * `true_divide.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `true_divide.Scalar(Tensor self, Scalar other) -> Tensor`
 */
export function trueDivide(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(926, self, other) as Tensor
}

/** `trunc(Tensor self) -> Tensor` */
export function trunc(self: Tensor): Tensor {
  return op(928, self) as Tensor
}

/** `trunc_(Tensor(a!) self) -> Tensor(a!)` */
export function trunc_(self: Tensor): Tensor {
  return op(929, self) as Tensor
}

/** `unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]` */
export function unbind(self: Tensor, options?: { dim?: number | bigint }): Tensor[] {
  return op(931, self, options) as Tensor[]
}

/** `unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)` */
export function unflatten(self: Tensor, dim: number | bigint, sizes: readonly number[]): Tensor {
  return op(932, self, dim, sizes) as Tensor
}

/** `unflatten_dense_tensors(Tensor flat, Tensor[] tensors) -> Tensor[]` */
export function unflattenDenseTensors(flat: Tensor, tensors: readonly Tensor[]): Tensor[] {
  return op(933, flat, tensors) as Tensor[]
}

/** `unique_consecutive(Tensor self, bool return_inverse=False, bool return_counts=False, int? dim=None) -> (Tensor, Tensor, Tensor)` */
export function uniqueConsecutive(self: Tensor, options?: { returnInverse?: boolean; returnCounts?: boolean; dim?: number | bigint | null }): [Tensor, Tensor, Tensor] {
  return op(936, self, options) as [Tensor, Tensor, Tensor]
}

/** `unique_dim(Tensor self, int dim, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> (Tensor, Tensor, Tensor)` */
export function uniqueDim(self: Tensor, dim: number | bigint, options?: { sorted?: boolean; returnInverse?: boolean; returnCounts?: boolean }): [Tensor, Tensor, Tensor] {
  return op(937, self, dim, options) as [Tensor, Tensor, Tensor]
}

/** `unique_dim_consecutive(Tensor self, int dim, bool return_inverse=False, bool return_counts=False) -> (Tensor, Tensor, Tensor)` */
export function uniqueDimConsecutive(self: Tensor, dim: number | bigint, options?: { returnInverse?: boolean; returnCounts?: boolean }): [Tensor, Tensor, Tensor] {
  return op(938, self, dim, options) as [Tensor, Tensor, Tensor]
}

/** `unsafe_chunk(Tensor self, int chunks, int dim=0) -> Tensor[]` */
export function unsafeChunk(self: Tensor, chunks: number | bigint, options?: { dim?: number | bigint }): Tensor[] {
  return op(939, self, chunks, options) as Tensor[]
}

/** `unsafe_split.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]` */
export function unsafeSplit(self: Tensor, splitSize: number | bigint, options?: { dim?: number | bigint }): Tensor[] {
  return op(940, self, splitSize, options) as Tensor[]
}

/** `unsafe_split_with_sizes(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]` */
export function unsafeSplitWithSizes(self: Tensor, splitSizes: readonly number[], options?: { dim?: number | bigint }): Tensor[] {
  return op(941, self, splitSizes, options) as Tensor[]
}

/** `unsqueeze(Tensor(a) self, int dim) -> Tensor(a)` */
export function unsqueeze(self: Tensor, dim: number | bigint): Tensor {
  return op(942, self, dim) as Tensor
}

/** `upsample_bicubic2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor` */
export function upsampleBicubic2d(input: Tensor, alignCorners: boolean, options?: { outputSize?: readonly number[] | null; scaleFactors?: readonly number[] | null }): Tensor
/** `upsample_bicubic2d(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor` */
export function upsampleBicubic2d(self: Tensor, outputSize: number | readonly number[], alignCorners: boolean, options?: { scalesH?: number | null; scalesW?: number | null }): Tensor
export function upsampleBicubic2d(a: unknown, b: unknown, c?: unknown, d?: unknown): unknown {
  return op(944, a, b, c, d)
}

/** `upsample_bilinear2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor` */
export function upsampleBilinear2d(input: Tensor, alignCorners: boolean, options?: { outputSize?: readonly number[] | null; scaleFactors?: readonly number[] | null }): Tensor
/** `upsample_bilinear2d(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor` */
export function upsampleBilinear2d(self: Tensor, outputSize: number | readonly number[], alignCorners: boolean, options?: { scalesH?: number | null; scalesW?: number | null }): Tensor
export function upsampleBilinear2d(a: unknown, b: unknown, c?: unknown, d?: unknown): unknown {
  return op(945, a, b, c, d)
}

/** `upsample_linear1d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor` */
export function upsampleLinear1d(input: Tensor, alignCorners: boolean, options?: { outputSize?: readonly number[] | null; scaleFactors?: readonly number[] | null }): Tensor
/** `upsample_linear1d(Tensor self, SymInt[1] output_size, bool align_corners, float? scales=None) -> Tensor` */
export function upsampleLinear1d(self: Tensor, outputSize: number | readonly number[], alignCorners: boolean, options?: { scales?: number | null }): Tensor
export function upsampleLinear1d(a: unknown, b: unknown, c?: unknown, d?: unknown): unknown {
  return op(946, a, b, c, d)
}

/** `upsample_nearest1d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor` */
export function upsampleNearest1d(input: Tensor, options?: { outputSize?: readonly number[] | null; scaleFactors?: readonly number[] | null }): Tensor
/** `upsample_nearest1d(Tensor self, SymInt[1] output_size, float? scales=None) -> Tensor` */
export function upsampleNearest1d(self: Tensor, outputSize: number | readonly number[], options?: { scales?: number | null }): Tensor
export function upsampleNearest1d(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(947, a, b, c)
}

/** `upsample_nearest2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor` */
export function upsampleNearest2d(input: Tensor, options?: { outputSize?: readonly number[] | null; scaleFactors?: readonly number[] | null }): Tensor
/** `upsample_nearest2d(Tensor self, SymInt[2] output_size, float? scales_h=None, float? scales_w=None) -> Tensor` */
export function upsampleNearest2d(self: Tensor, outputSize: number | readonly number[], options?: { scalesH?: number | null; scalesW?: number | null }): Tensor
export function upsampleNearest2d(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(948, a, b, c)
}

/** `upsample_nearest3d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor` */
export function upsampleNearest3d(input: Tensor, options?: { outputSize?: readonly number[] | null; scaleFactors?: readonly number[] | null }): Tensor
/** `upsample_nearest3d(Tensor self, SymInt[3] output_size, float? scales_d=None, float? scales_h=None, float? scales_w=None) -> Tensor` */
export function upsampleNearest3d(self: Tensor, outputSize: number | readonly number[], options?: { scalesD?: number | null; scalesH?: number | null; scalesW?: number | null }): Tensor
export function upsampleNearest3d(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(949, a, b, c)
}

/** `upsample_trilinear3d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor` */
export function upsampleTrilinear3d(input: Tensor, alignCorners: boolean, options?: { outputSize?: readonly number[] | null; scaleFactors?: readonly number[] | null }): Tensor
/** `upsample_trilinear3d(Tensor self, SymInt[3] output_size, bool align_corners, float? scales_d=None, float? scales_h=None, float? scales_w=None) -> Tensor` */
export function upsampleTrilinear3d(self: Tensor, outputSize: number | readonly number[], alignCorners: boolean, options?: { scalesD?: number | null; scalesH?: number | null; scalesW?: number | null }): Tensor
export function upsampleTrilinear3d(a: unknown, b: unknown, c?: unknown, d?: unknown): unknown {
  return op(950, a, b, c, d)
}

/** `vander(Tensor x, int? N=None, bool increasing=False) -> Tensor` */
export function vander(x: Tensor, options?: { N?: number | bigint | null; increasing?: boolean }): Tensor {
  return op(952, x, options) as Tensor
}

/** `var(Tensor self, bool unbiased=True) -> Tensor` */
export function var_(self: Tensor, options?: { unbiased?: boolean }): Tensor
/** `var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor` */
export function var_(self: Tensor, options?: { dim?: number | readonly number[] | null; unbiased?: boolean; keepdim?: boolean }): Tensor
/** `var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor` */
export function var_(self: Tensor, options?: { dim?: number | readonly number[] | null; correction?: Scalar | null; keepdim?: boolean }): Tensor
export function var_(a: unknown, b?: unknown): unknown {
  return op(953, a, b)
}
export { var_ as var }

/** `var_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)` */
export function varMean(self: Tensor, options?: { unbiased?: boolean }): [Tensor, Tensor]
/** `var_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)` */
export function varMean(self: Tensor, options?: { dim?: number | readonly number[] | null; unbiased?: boolean; keepdim?: boolean }): [Tensor, Tensor]
/** `var_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> (Tensor, Tensor)` */
export function varMean(self: Tensor, options?: { dim?: number | readonly number[] | null; correction?: Scalar | null; keepdim?: boolean }): [Tensor, Tensor]
export function varMean(a: unknown, b?: unknown): unknown {
  return op(954, a, b)
}

/** `vdot(Tensor self, Tensor other) -> Tensor` */
export function vdot(self: Tensor, other: Tensor): Tensor {
  return op(955, self, other) as Tensor
}

/** `view_as_complex(Tensor(a) self) -> Tensor(a)` */
export function viewAsComplex(self: Tensor): Tensor {
  return op(958, self) as Tensor
}

/** `view_as_real(Tensor(a) self) -> Tensor(a)` */
export function viewAsReal(self: Tensor): Tensor {
  return op(959, self) as Tensor
}

/** `vsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]` */
export function vsplit(self: Tensor, sections: number | bigint): Tensor[]
/** `vsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]` */
export function vsplit(self: Tensor, indices: readonly number[]): Tensor[]
export function vsplit(a: unknown, b: unknown): unknown {
  return op(960, a, b)
}

/** `vstack(Tensor[] tensors) -> Tensor` */
export function vstack(tensors: readonly Tensor[]): Tensor {
  return op(961, tensors) as Tensor
}

/** `where(Tensor condition) -> Tensor[]` */
export function where(condition: Tensor): Tensor[]
/**
 * `where.self(Tensor condition, Tensor self, Tensor other) -> Tensor`
 *
 * `where.ScalarOther(Tensor condition, Tensor self, Scalar other) -> Tensor`
 */
export function where(condition: Tensor, self: Tensor, other: Tensor | Scalar): Tensor
/**
 * `where.ScalarSelf(Tensor condition, Scalar self, Tensor other) -> Tensor`
 *
 * `where.Scalar(Tensor condition, Scalar self, Scalar other) -> Tensor`
 */
export function where(condition: Tensor, self: Scalar, other: Tensor | Scalar): Tensor
export function where(a: unknown, b?: unknown, c?: unknown): unknown {
  return op(962, a, b, c)
}

/**
 * `xlogy.Tensor(Tensor self, Tensor other) -> Tensor`
 *
 * `xlogy.Scalar_Other(Tensor self, Scalar other) -> Tensor`
 */
export function xlogy(self: Tensor, other: Tensor | Scalar): Tensor
/** `xlogy.Scalar_Self(Scalar self, Tensor other) -> Tensor` */
export function xlogy(self: Scalar, other: Tensor): Tensor
export function xlogy(a: unknown, b: unknown): unknown {
  return op(963, a, b)
}

/**
 * `xlogy_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
 *
 * `xlogy_.Scalar_Other(Tensor(a!) self, Scalar other) -> Tensor(a!)`
 */
export function xlogy_(self: Tensor, other: Tensor | Scalar): Tensor {
  return op(964, self, other) as Tensor
}

/** `zero_(Tensor(a!) self) -> Tensor(a!)` */
export function zero_(self: Tensor): Tensor {
  return op(965, self) as Tensor
}

/** `zeros_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function zerosLike(self: Tensor, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null; memoryFormat?: MemoryFormat | null }): Tensor {
  return op(966, self, options) as Tensor
}
