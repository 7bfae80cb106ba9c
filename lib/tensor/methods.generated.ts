// Written by `npm run generate` from the schemas of LibTorch; do not edit.

import type { Generator } from './random'
import type { Tensor } from './tensor'
import type { Device, DType, Layout, MemoryFormat, Scalar } from './types'

/** The operators that PyTorch has as methods of a tensor. */
export interface TensorMethods {
  /** `abs(Tensor self) -> Tensor` */
  abs(): Tensor
  /** `abs_(Tensor(a!) self) -> Tensor(a!)` */
  abs_(): this
  /** `absolute(Tensor self) -> Tensor` */
  absolute(): Tensor
  /** `absolute_(Tensor(a!) self) -> Tensor(a!)` */
  absolute_(): this
  /** `acos(Tensor self) -> Tensor` */
  acos(): Tensor
  /** `acos_(Tensor(a!) self) -> Tensor(a!)` */
  acos_(): this
  /** `acosh(Tensor self) -> Tensor` */
  acosh(): Tensor
  /** `acosh_(Tensor(a!) self) -> Tensor(a!)` */
  acosh_(): this
  /**
   * `add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`
   *
   * `add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor`
   */
  add(other: Tensor | Scalar, options?: { alpha?: Scalar }): Tensor
  /**
   * `add_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)`
   *
   * `add_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)`
   */
  add_(other: Tensor | Scalar, options?: { alpha?: Scalar }): this
  /** `addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
  addbmm(batch1: Tensor, batch2: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): Tensor
  /** `addbmm_(Tensor(a!) self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor(a!)` */
  addbmm_(batch1: Tensor, batch2: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): this
  /** `addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor` */
  addcdiv(tensor1: Tensor, tensor2: Tensor, options?: { value?: Scalar }): Tensor
  /** `addcdiv_(Tensor(a!) self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor(a!)` */
  addcdiv_(tensor1: Tensor, tensor2: Tensor, options?: { value?: Scalar }): this
  /** `addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor` */
  addcmul(tensor1: Tensor, tensor2: Tensor, options?: { value?: Scalar }): Tensor
  /** `addcmul_(Tensor(a!) self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor(a!)` */
  addcmul_(tensor1: Tensor, tensor2: Tensor, options?: { value?: Scalar }): this
  /** `addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
  addmm(mat1: Tensor, mat2: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): Tensor
  /** `addmm_(Tensor(a!) self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor(a!)` */
  addmm_(mat1: Tensor, mat2: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): this
  /** `addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
  addmv(mat: Tensor, vec: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): Tensor
  /** `addmv_(Tensor(a!) self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor(a!)` */
  addmv_(mat: Tensor, vec: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): this
  /** `addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
  addr(vec1: Tensor, vec2: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): Tensor
  /** `addr_(Tensor(a!) self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor(a!)` */
  addr_(vec1: Tensor, vec2: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): this
  /** `adjoint(Tensor(a) self) -> Tensor(a)` */
  adjoint(): Tensor
  /** `all(Tensor self) -> Tensor` */
  all(): Tensor
  /** `all.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor` */
  all(options?: { dim?: readonly number[] | null; keepdim?: boolean }): Tensor
  /** `all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor` */
  all(dim: number | bigint, options?: { keepdim?: boolean }): Tensor
  /** `allclose(Tensor self, Tensor other, float rtol=1.0000000000000001e-05, float atol=1e-08, bool equal_nan=False) -> bool` */
  allclose(other: Tensor, options?: { rtol?: number; atol?: number; equalNan?: boolean }): boolean
  /** `amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor` */
  amax(options?: { dim?: number | readonly number[]; keepdim?: boolean }): Tensor
  /** `amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor` */
  amin(options?: { dim?: number | readonly number[]; keepdim?: boolean }): Tensor
  /** `aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)` */
  aminmax(options?: { dim?: number | bigint | null; keepdim?: boolean }): [min: Tensor, max: Tensor]
  /** `angle(Tensor self) -> Tensor` */
  angle(): Tensor
  /** `any(Tensor self) -> Tensor` */
  any(): Tensor
  /** `any.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor` */
  any(options?: { dim?: readonly number[] | null; keepdim?: boolean }): Tensor
  /** `any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor` */
  any(dim: number | bigint, options?: { keepdim?: boolean }): Tensor
  /** `arccos(Tensor self) -> Tensor` */
  arccos(): Tensor
  /** `arccos_(Tensor(a!) self) -> Tensor(a!)` */
  arccos_(): this
  /** `arccosh(Tensor self) -> Tensor` */
  arccosh(): Tensor
  /** `arccosh_(Tensor(a!) self) -> Tensor(a!)` */
  arccosh_(): this
  /** `arcsin(Tensor self) -> Tensor` */
  arcsin(): Tensor
  /** `arcsin_(Tensor(a!) self) -> Tensor(a!)` */
  arcsin_(): this
  /** `arcsinh(Tensor self) -> Tensor` */
  arcsinh(): Tensor
  /** `arcsinh_(Tensor(a!) self) -> Tensor(a!)` */
  arcsinh_(): this
  /** `arctan(Tensor self) -> Tensor` */
  arctan(): Tensor
  /** `arctan2(Tensor self, Tensor other) -> Tensor` */
  arctan2(other: Tensor): Tensor
  /** `arctan2_(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
  arctan2_(other: Tensor): this
  /** `arctan_(Tensor(a!) self) -> Tensor(a!)` */
  arctan_(): this
  /** `arctanh(Tensor self) -> Tensor` */
  arctanh(): Tensor
  /** `arctanh_(Tensor(a!) self) -> Tensor(a!)` */
  arctanh_(): this
  /** `argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor` */
  argmax(options?: { dim?: number | bigint | null; keepdim?: boolean }): Tensor
  /** `argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor` */
  argmin(options?: { dim?: number | bigint | null; keepdim?: boolean }): Tensor
  /** `argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor` */
  argsort(options?: { dim?: number | bigint; descending?: boolean }): Tensor
  /** `argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor` */
  argsort(stable: boolean, options?: { dim?: number | bigint; descending?: boolean }): Tensor
  /** `argwhere(Tensor self) -> Tensor` */
  argwhere(): Tensor
  /** `as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor(a)` */
  asStrided(size: readonly number[], stride: readonly number[], options?: { storageOffset?: number | bigint | null }): Tensor
  /** `as_strided_(Tensor(a!) self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor(a!)` */
  asStrided_(size: readonly number[], stride: readonly number[], options?: { storageOffset?: number | bigint | null }): this
  /** `as_strided_scatter(Tensor self, Tensor src, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor` */
  asStridedScatter(src: Tensor, size: readonly number[], stride: readonly number[], options?: { storageOffset?: number | bigint | null }): Tensor
  /** `asin(Tensor self) -> Tensor` */
  asin(): Tensor
  /** `asin_(Tensor(a!) self) -> Tensor(a!)` */
  asin_(): this
  /** `asinh(Tensor self) -> Tensor` */
  asinh(): Tensor
  /** `asinh_(Tensor(a!) self) -> Tensor(a!)` */
  asinh_(): this
  /** `atan(Tensor self) -> Tensor` */
  atan(): Tensor
  /** `atan2(Tensor self, Tensor other) -> Tensor` */
  atan2(other: Tensor): Tensor
  /** `atan2_(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
  atan2_(other: Tensor): this
  /** `atan_(Tensor(a!) self) -> Tensor(a!)` */
  atan_(): this
  /** `atanh(Tensor self) -> Tensor` */
  atanh(): Tensor
  /** `atanh_(Tensor(a!) self) -> Tensor(a!)` */
  atanh_(): this
  /** `baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
  baddbmm(batch1: Tensor, batch2: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): Tensor
  /** `baddbmm_(Tensor(a!) self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor(a!)` */
  baddbmm_(batch1: Tensor, batch2: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): this
  /** `bernoulli(Tensor self, *, Generator? generator=None) -> Tensor` */
  bernoulli(options?: { generator?: Generator | null }): Tensor
  /** `bernoulli.p(Tensor self, float p, *, Generator? generator=None) -> Tensor` */
  bernoulli(p: number, options?: { generator?: Generator | null }): Tensor
  /** `bernoulli_.float(Tensor(a!) self, float p=0.5, *, Generator? generator=None) -> Tensor(a!)` */
  bernoulli_(options?: { p?: number; generator?: Generator | null }): this
  /** `bernoulli_.Tensor(Tensor(a!) self, Tensor p, *, Generator? generator=None) -> Tensor(a!)` */
  bernoulli_(p: Tensor, options?: { generator?: Generator | null }): this
  /** `bincount(Tensor self, Tensor? weights=None, SymInt minlength=0) -> Tensor` */
  bincount(options?: { weights?: Tensor | null; minlength?: number | bigint }): Tensor
  /**
   * `bitwise_and.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `bitwise_and.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  bitwiseAnd(other: Tensor | Scalar): Tensor
  /**
   * `bitwise_and_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `bitwise_and_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  bitwiseAnd_(other: Tensor | Scalar): this
  /**
   * `bitwise_left_shift.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `bitwise_left_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor`
   */
  bitwiseLeftShift(other: Tensor | Scalar): Tensor
  /**
   * `bitwise_left_shift_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `bitwise_left_shift_.Tensor_Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  bitwiseLeftShift_(other: Tensor | Scalar): this
  /** `bitwise_not(Tensor self) -> Tensor` */
  bitwiseNot(): Tensor
  /** `bitwise_not_(Tensor(a!) self) -> Tensor(a!)` */
  bitwiseNot_(): this
  /**
   * `bitwise_or.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `bitwise_or.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  bitwiseOr(other: Tensor | Scalar): Tensor
  /**
   * `bitwise_or_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `bitwise_or_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  bitwiseOr_(other: Tensor | Scalar): this
  /**
   * `bitwise_right_shift.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `bitwise_right_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor`
   */
  bitwiseRightShift(other: Tensor | Scalar): Tensor
  /**
   * `bitwise_right_shift_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `bitwise_right_shift_.Tensor_Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  bitwiseRightShift_(other: Tensor | Scalar): this
  /**
   * `bitwise_xor.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `bitwise_xor.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  bitwiseXor(other: Tensor | Scalar): Tensor
  /**
   * `bitwise_xor_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `bitwise_xor_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  bitwiseXor_(other: Tensor | Scalar): this
  /** `bmm(Tensor self, Tensor mat2) -> Tensor` */
  bmm(mat2: Tensor): Tensor
  /** `broadcast_to(Tensor(a) self, SymInt[] size) -> Tensor(a)` */
  broadcastTo(size: readonly number[]): Tensor
  /** `cauchy_(Tensor(a!) self, float median=0., float sigma=1., *, Generator? generator=None) -> Tensor(a!)` */
  cauchy_(options?: { median?: number; sigma?: number; generator?: Generator | null }): this
  /** `ccol_indices(Tensor(a) self) -> Tensor(a)` */
  ccolIndices(): Tensor
  /** `ceil(Tensor self) -> Tensor` */
  ceil(): Tensor
  /** `ceil_(Tensor(a!) self) -> Tensor(a!)` */
  ceil_(): this
  /** `chalf(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor` */
  chalf(options?: { memoryFormat?: MemoryFormat | null }): Tensor
  /** `cholesky(Tensor self, bool upper=False) -> Tensor` */
  cholesky(options?: { upper?: boolean }): Tensor
  /** `cholesky_inverse(Tensor self, bool upper=False) -> Tensor` */
  choleskyInverse(options?: { upper?: boolean }): Tensor
  /** `cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor` */
  choleskySolve(input2: Tensor, options?: { upper?: boolean }): Tensor
  /** `chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]` */
  chunk(chunks: number | bigint, options?: { dim?: number | bigint }): Tensor[]
  /** `clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor` */
  clamp(options?: { min?: Tensor | null; max?: Tensor | null }): Tensor
  /** `clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor` */
  clamp(options?: { min?: Scalar | null; max?: Scalar | null }): Tensor
  /** `clamp_.Tensor(Tensor(a!) self, Tensor? min=None, Tensor? max=None) -> Tensor(a!)` */
  clamp_(options?: { min?: Tensor | null; max?: Tensor | null }): this
  /** `clamp_(Tensor(a!) self, Scalar? min=None, Scalar? max=None) -> Tensor(a!)` */
  clamp_(options?: { min?: Scalar | null; max?: Scalar | null }): this
  /**
   * `clamp_max.Tensor(Tensor self, Tensor max) -> Tensor`
   *
   * `clamp_max(Tensor self, Scalar max) -> Tensor`
   */
  clampMax(max: Tensor | Scalar): Tensor
  /**
   * `clamp_max_.Tensor(Tensor(a!) self, Tensor max) -> Tensor(a!)`
   *
   * `clamp_max_(Tensor(a!) self, Scalar max) -> Tensor(a!)`
   */
  clampMax_(max: Tensor | Scalar): this
  /**
   * `clamp_min.Tensor(Tensor self, Tensor min) -> Tensor`
   *
   * `clamp_min(Tensor self, Scalar min) -> Tensor`
   */
  clampMin(min: Tensor | Scalar): Tensor
  /**
   * `clamp_min_.Tensor(Tensor(a!) self, Tensor min) -> Tensor(a!)`
   *
   * `clamp_min_(Tensor(a!) self, Scalar min) -> Tensor(a!)`
   */
  clampMin_(min: Tensor | Scalar): this
  /** `clip.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor` */
  clip(options?: { min?: Tensor | null; max?: Tensor | null }): Tensor
  /** `clip(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor` */
  clip(options?: { min?: Scalar | null; max?: Scalar | null }): Tensor
  /** `clip_.Tensor(Tensor(a!) self, Tensor? min=None, Tensor? max=None) -> Tensor(a!)` */
  clip_(options?: { min?: Tensor | null; max?: Tensor | null }): this
  /** `clip_(Tensor(a!) self, Scalar? min=None, Scalar? max=None) -> Tensor(a!)` */
  clip_(options?: { min?: Scalar | null; max?: Scalar | null }): this
  /** `clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor` */
  clone(options?: { memoryFormat?: MemoryFormat | null }): Tensor
  /** `coalesce(Tensor(a) self) -> Tensor(a)` */
  coalesce(): Tensor
  /** `col_indices(Tensor(a) self) -> Tensor(a)` */
  colIndices(): Tensor
  /** `conj(Tensor(a) self) -> Tensor(a)` */
  conj(): Tensor
  /** `conj_physical(Tensor self) -> Tensor` */
  conjPhysical(): Tensor
  /** `conj_physical_(Tensor(a!) self) -> Tensor(a!)` */
  conjPhysical_(): this
  /** `contiguous(Tensor(a) self, *, MemoryFormat memory_format=0) -> Tensor(a)` */
  contiguous(options?: { memoryFormat?: MemoryFormat }): Tensor
  /** `copy_(Tensor(a!) self, Tensor src, bool non_blocking=False) -> Tensor(a!)` */
  copy_(src: Tensor, options?: { nonBlocking?: boolean }): this
  /**
   * `copysign.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `copysign.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  copysign(other: Tensor | Scalar): Tensor
  /**
   * `copysign_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `copysign_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  copysign_(other: Tensor | Scalar): this
  /** `corrcoef(Tensor self) -> Tensor` */
  corrcoef(): Tensor
  /** `cos(Tensor self) -> Tensor` */
  cos(): Tensor
  /** `cos_(Tensor(a!) self) -> Tensor(a!)` */
  cos_(): this
  /** `cosh(Tensor self) -> Tensor` */
  cosh(): Tensor
  /** `cosh_(Tensor(a!) self) -> Tensor(a!)` */
  cosh_(): this
  /** `count_nonzero(Tensor self, int? dim=None) -> Tensor` */
  countNonzero(options?: { dim?: number | bigint | null }): Tensor
  /** `count_nonzero.dim_IntList(Tensor self, int[] dim) -> Tensor` */
  countNonzero(dim: readonly number[]): Tensor
  /** `cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None) -> Tensor` */
  cov(options?: { correction?: number | bigint; fweights?: Tensor | null; aweights?: Tensor | null }): Tensor
  /** `cross(Tensor self, Tensor other, int? dim=None) -> Tensor` */
  cross(other: Tensor, options?: { dim?: number | bigint | null }): Tensor
  /** `crow_indices(Tensor(a) self) -> Tensor(a)` */
  crowIndices(): Tensor
  /** `cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)` */
  cummax(dim: number | bigint): [values: Tensor, indices: Tensor]
  /** `cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)` */
  cummin(dim: number | bigint): [values: Tensor, indices: Tensor]
  /** `cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor` */
  cumprod(dim: number | bigint, options?: { dtype?: DType | null }): Tensor
  /** `cumprod_(Tensor(a!) self, int dim, *, ScalarType? dtype=None) -> Tensor(a!)` */
  cumprod_(dim: number | bigint, options?: { dtype?: DType | null }): this
  /** `cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor` */
  cumsum(dim: number | bigint, options?: { dtype?: DType | null }): Tensor
  /** `cumsum_(Tensor(a!) self, int dim, *, ScalarType? dtype=None) -> Tensor(a!)` */
  cumsum_(dim: number | bigint, options?: { dtype?: DType | null }): this
  /** `deg2rad(Tensor self) -> Tensor` */
  deg2rad(): Tensor
  /** `deg2rad_(Tensor(a!) self) -> Tensor(a!)` */
  deg2rad_(): this
  /** `dense_dim(Tensor self) -> int` */
  denseDim(): number
  /** `det(Tensor self) -> Tensor` */
  det(): Tensor
  /** `detach(Tensor(a) self) -> Tensor(a)` */
  detach(): Tensor
  /** `detach_(Tensor(a!) self) -> Tensor(a!)` */
  detach_(): this
  /** `diag(Tensor self, int diagonal=0) -> Tensor` */
  diag(options?: { diagonal?: number | bigint }): Tensor
  /** `diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor` */
  diagEmbed(options?: { offset?: number | bigint; dim1?: number | bigint; dim2?: number | bigint }): Tensor
  /** `diagflat(Tensor self, int offset=0) -> Tensor` */
  diagflat(options?: { offset?: number | bigint }): Tensor
  /** `diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)` */
  diagonal(options?: { offset?: number | bigint; dim1?: number | bigint; dim2?: number | bigint }): Tensor
  /** `diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor` */
  diagonalScatter(src: Tensor, options?: { offset?: number | bigint; dim1?: number | bigint; dim2?: number | bigint }): Tensor
  /** `diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor` */
  diff(options?: { n?: number | bigint; dim?: number | bigint; prepend?: Tensor | null; append?: Tensor | null }): Tensor
  /** `digamma(Tensor self) -> Tensor` */
  digamma(): Tensor
  /** `digamma_(Tensor(a!) self) -> Tensor(a!)` */
  digamma_(): this
  /** `dist(Tensor self, Tensor other, Scalar p=2) -> Tensor` */
  dist(other: Tensor, options?: { p?: Scalar }): Tensor
  /**
   * `div.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `div.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  div(other: Tensor | Scalar): Tensor
  /**
   * `div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor`
   *
   * `div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor`
   */
  div(other: Tensor | Scalar, options?: { roundingMode?: string | null }): Tensor
  /**
   * `div_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `div_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  div_(other: Tensor | Scalar): this
  /**
   * `div_.Tensor_mode(Tensor(a!) self, Tensor other, *, str? rounding_mode) -> Tensor(a!)`
   *
   * `div_.Scalar_mode(Tensor(a!) self, Scalar other, *, str? rounding_mode) -> Tensor(a!)`
   */
  div_(other: Tensor | Scalar, options?: { roundingMode?: string | null }): this
  /**
   * `divide.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `divide.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  divide(other: Tensor | Scalar): Tensor
  /**
   * `divide.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor`
   *
   * `divide.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor`
   */
  divide(other: Tensor | Scalar, options?: { roundingMode?: string | null }): Tensor
  /**
   * `divide_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `divide_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  divide_(other: Tensor | Scalar): this
  /**
   * `divide_.Tensor_mode(Tensor(a!) self, Tensor other, *, str? rounding_mode) -> Tensor(a!)`
   *
   * `divide_.Scalar_mode(Tensor(a!) self, Scalar other, *, str? rounding_mode) -> Tensor(a!)`
   */
  divide_(other: Tensor | Scalar, options?: { roundingMode?: string | null }): this
  /** `dot(Tensor self, Tensor tensor) -> Tensor` */
  dot(tensor: Tensor): Tensor
  /** `dsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]` */
  dsplit(sections: number | bigint): Tensor[]
  /** `dsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]` */
  dsplit(indices: readonly number[]): Tensor[]
  /**
   * `eq.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `eq.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  eq(other: Tensor | Scalar): Tensor
  /**
   * `eq_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `eq_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  eq_(other: Tensor | Scalar): this
  /** `equal(Tensor self, Tensor other) -> bool` */
  equal(other: Tensor): boolean
  /** `erf(Tensor self) -> Tensor` */
  erf(): Tensor
  /** `erf_(Tensor(a!) self) -> Tensor(a!)` */
  erf_(): this
  /** `erfc(Tensor self) -> Tensor` */
  erfc(): Tensor
  /** `erfc_(Tensor(a!) self) -> Tensor(a!)` */
  erfc_(): this
  /** `erfinv(Tensor self) -> Tensor` */
  erfinv(): Tensor
  /** `erfinv_(Tensor(a!) self) -> Tensor(a!)` */
  erfinv_(): this
  /** `exp(Tensor self) -> Tensor` */
  exp(): Tensor
  /** `exp2(Tensor self) -> Tensor` */
  exp2(): Tensor
  /** `exp2_(Tensor(a!) self) -> Tensor(a!)` */
  exp2_(): this
  /** `exp_(Tensor(a!) self) -> Tensor(a!)` */
  exp_(): this
  /** `expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)` */
  expand(size: readonly number[], options?: { implicit?: boolean }): Tensor
  /** `expand_as(Tensor(a) self, Tensor other) -> Tensor(a)` */
  expandAs(other: Tensor): Tensor
  /** `expm1(Tensor self) -> Tensor` */
  expm1(): Tensor
  /** `expm1_(Tensor(a!) self) -> Tensor(a!)` */
  expm1_(): this
  /** `exponential_(Tensor(a!) self, float lambd=1., *, Generator? generator=None) -> Tensor(a!)` */
  exponential_(options?: { lambd?: number; generator?: Generator | null }): this
  /**
   * `fill_.Tensor(Tensor(a!) self, Tensor value) -> Tensor(a!)`
   *
   * `fill_.Scalar(Tensor(a!) self, Scalar value) -> Tensor(a!)`
   */
  fill_(value: Tensor | Scalar): this
  /** `fill_diagonal_(Tensor(a!) self, Scalar fill_value, bool wrap=False) -> Tensor(a!)` */
  fillDiagonal_(fillValue: Scalar, options?: { wrap?: boolean }): this
  /** `fix(Tensor self) -> Tensor` */
  fix(): Tensor
  /** `fix_(Tensor(a!) self) -> Tensor(a!)` */
  fix_(): this
  /** `flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)` */
  flatten(options?: { startDim?: number | bigint; endDim?: number | bigint }): Tensor
  /** `flip(Tensor self, int[] dims) -> Tensor` */
  flip(dims: readonly number[]): Tensor
  /** `fliplr(Tensor self) -> Tensor` */
  fliplr(): Tensor
  /** `flipud(Tensor self) -> Tensor` */
  flipud(): Tensor
  /**
   * `float_power.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor`
   *
   * `float_power.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor`
   */
  floatPower(exponent: Tensor | Scalar): Tensor
  /**
   * `float_power_.Tensor(Tensor(a!) self, Tensor exponent) -> Tensor(a!)`
   *
   * `float_power_.Scalar(Tensor(a!) self, Scalar exponent) -> Tensor(a!)`
   */
  floatPower_(exponent: Tensor | Scalar): this
  /** `floor(Tensor self) -> Tensor` */
  floor(): Tensor
  /** `floor_(Tensor(a!) self) -> Tensor(a!)` */
  floor_(): this
  /**
   * `floor_divide(Tensor self, Tensor other) -> Tensor`
   *
   * `floor_divide.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  floorDivide(other: Tensor | Scalar): Tensor
  /**
   * `floor_divide_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `floor_divide_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  floorDivide_(other: Tensor | Scalar): this
  /** `fmax(Tensor self, Tensor other) -> Tensor` */
  fmax(other: Tensor): Tensor
  /** `fmin(Tensor self, Tensor other) -> Tensor` */
  fmin(other: Tensor): Tensor
  /**
   * `fmod.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `fmod.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  fmod(other: Tensor | Scalar): Tensor
  /**
   * `fmod_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `fmod_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  fmod_(other: Tensor | Scalar): this
  /** `frac(Tensor self) -> Tensor` */
  frac(): Tensor
  /** `frac_(Tensor(a!) self) -> Tensor(a!)` */
  frac_(): this
  /** `frexp.Tensor(Tensor self) -> (Tensor mantissa, Tensor exponent)` */
  frexp(): [mantissa: Tensor, exponent: Tensor]
  /** `gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor` */
  gather(dim: number | bigint, index: Tensor, options?: { sparseGrad?: boolean }): Tensor
  /** `gcd(Tensor self, Tensor other) -> Tensor` */
  gcd(other: Tensor): Tensor
  /** `gcd_(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
  gcd_(other: Tensor): this
  /**
   * `ge.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `ge.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  ge(other: Tensor | Scalar): Tensor
  /**
   * `ge_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `ge_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  ge_(other: Tensor | Scalar): this
  /** `geometric_(Tensor(a!) self, float p, *, Generator? generator=None) -> Tensor(a!)` */
  geometric_(p: number, options?: { generator?: Generator | null }): this
  /** `geqrf(Tensor self) -> (Tensor a, Tensor tau)` */
  geqrf(): [a: Tensor, tau: Tensor]
  /** `ger(Tensor self, Tensor vec2) -> Tensor` */
  ger(vec2: Tensor): Tensor
  /**
   * `greater.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `greater.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  greater(other: Tensor | Scalar): Tensor
  /**
   * `greater_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `greater_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  greater_(other: Tensor | Scalar): this
  /**
   * `greater_equal.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `greater_equal.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  greaterEqual(other: Tensor | Scalar): Tensor
  /**
   * `greater_equal_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `greater_equal_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  greaterEqual_(other: Tensor | Scalar): this
  /**
   * `gt.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `gt.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  gt(other: Tensor | Scalar): Tensor
  /**
   * `gt_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `gt_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  gt_(other: Tensor | Scalar): this
  /** `hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor` */
  hardshrink(options?: { lambd?: Scalar }): Tensor
  /** `hash_tensor(Tensor self, int[1] dim=[], *, bool keepdim=False, int mode=0) -> Tensor` */
  hashTensor(options?: { dim?: number | readonly number[]; keepdim?: boolean; mode?: number | bigint }): Tensor
  /** `heaviside(Tensor self, Tensor values) -> Tensor` */
  heaviside(values: Tensor): Tensor
  /** `heaviside_(Tensor(a!) self, Tensor values) -> Tensor(a!)` */
  heaviside_(values: Tensor): this
  /** `histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor` */
  histc(options?: { bins?: number | bigint; min?: Scalar; max?: Scalar }): Tensor
  /** `histogram.bin_ct(Tensor self, int bins=100, *, float[]? range=None, Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor bin_edges)` */
  histogram(options?: { bins?: number | bigint; range?: readonly number[] | null; weight?: Tensor | null; density?: boolean }): [hist: Tensor, binEdges: Tensor]
  /** `histogram.bins_tensor(Tensor self, Tensor bins, *, Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor bin_edges)` */
  histogram(bins: Tensor, options?: { weight?: Tensor | null; density?: boolean }): [hist: Tensor, binEdges: Tensor]
  /** `hsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]` */
  hsplit(sections: number | bigint): Tensor[]
  /** `hsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]` */
  hsplit(indices: readonly number[]): Tensor[]
  /** `hypot(Tensor self, Tensor other) -> Tensor` */
  hypot(other: Tensor): Tensor
  /** `hypot_(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
  hypot_(other: Tensor): this
  /** `i0(Tensor self) -> Tensor` */
  i0(): Tensor
  /** `i0_(Tensor(a!) self) -> Tensor(a!)` */
  i0_(): this
  /** `igamma(Tensor self, Tensor other) -> Tensor` */
  igamma(other: Tensor): Tensor
  /** `igamma_(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
  igamma_(other: Tensor): this
  /** `igammac(Tensor self, Tensor other) -> Tensor` */
  igammac(other: Tensor): Tensor
  /** `igammac_(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
  igammac_(other: Tensor): this
  /** `index.Tensor(Tensor self, Tensor?[] indices) -> Tensor` */
  index(indices: readonly (Tensor | null)[]): Tensor
  /** `index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor` */
  indexAdd(dim: number | bigint, index: Tensor, source: Tensor, options?: { alpha?: Scalar }): Tensor
  /** `index_add_(Tensor(a!) self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor(a!)` */
  indexAdd_(dim: number | bigint, index: Tensor, source: Tensor, options?: { alpha?: Scalar }): this
  /** `index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor` */
  indexCopy(dim: number | bigint, index: Tensor, source: Tensor): Tensor
  /** `index_copy_(Tensor(a!) self, int dim, Tensor index, Tensor source) -> Tensor(a!)` */
  indexCopy_(dim: number | bigint, index: Tensor, source: Tensor): this
  /**
   * `index_fill.int_Tensor(Tensor self, int dim, Tensor index, Tensor value) -> Tensor`
   *
   * `index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor`
   */
  indexFill(dim: number | bigint, index: Tensor, value: Tensor | Scalar): Tensor
  /**
   * `index_fill_.int_Tensor(Tensor(a!) self, int dim, Tensor index, Tensor value) -> Tensor(a!)`
   *
   * `index_fill_.int_Scalar(Tensor(a!) self, int dim, Tensor index, Scalar value) -> Tensor(a!)`
   */
  indexFill_(dim: number | bigint, index: Tensor, value: Tensor | Scalar): this
  /** `index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor` */
  indexPut(indices: readonly (Tensor | null)[], values: Tensor, options?: { accumulate?: boolean }): Tensor
  /** `index_put_(Tensor(a!) self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor(a!)` */
  indexPut_(indices: readonly (Tensor | null)[], values: Tensor, options?: { accumulate?: boolean }): this
  /** `index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True) -> Tensor` */
  indexReduce(dim: number | bigint, index: Tensor, source: Tensor, reduce: string, options?: { includeSelf?: boolean }): Tensor
  /** `index_reduce_(Tensor(a!) self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True) -> Tensor(a!)` */
  indexReduce_(dim: number | bigint, index: Tensor, source: Tensor, reduce: string, options?: { includeSelf?: boolean }): this
  /** `index_select(Tensor self, int dim, Tensor index) -> Tensor` */
  indexSelect(dim: number | bigint, index: Tensor): Tensor
  /** `indices(Tensor(a) self) -> Tensor(a)` */
  indices(): Tensor
  /** `inner(Tensor self, Tensor other) -> Tensor` */
  inner(other: Tensor): Tensor
  /** `inverse(Tensor self) -> Tensor` */
  inverse(): Tensor
  /** `is_coalesced(Tensor self) -> bool` */
  isCoalesced(): boolean
  /** `is_complex(Tensor self) -> bool` */
  isComplex(): boolean
  /** `is_conj(Tensor self) -> bool` */
  isConj(): boolean
  /** `is_floating_point(Tensor self) -> bool` */
  isFloatingPoint(): boolean
  /** `is_inference(Tensor self) -> bool` */
  isInference(): boolean
  /** `is_neg(Tensor self) -> bool` */
  isNeg(): boolean
  /** `is_nonzero(Tensor self) -> bool` */
  isNonzero(): boolean
  /** `is_pinned(Tensor self, Device? device=None) -> bool` */
  isPinned(options?: { device?: Device | null }): boolean
  /** `is_same_size(Tensor self, Tensor other) -> bool` */
  isSameSize(other: Tensor): boolean
  /** `is_set_to(Tensor self, Tensor tensor) -> bool` */
  isSetTo(tensor: Tensor): boolean
  /** `is_signed(Tensor self) -> bool` */
  isSigned(): boolean
  /** `isclose(Tensor self, Tensor other, float rtol=1.0000000000000001e-05, float atol=1e-08, bool equal_nan=False) -> Tensor` */
  isclose(other: Tensor, options?: { rtol?: number; atol?: number; equalNan?: boolean }): Tensor
  /** `isfinite(Tensor self) -> Tensor` */
  isfinite(): Tensor
  /** `isinf(Tensor self) -> Tensor` */
  isinf(): Tensor
  /** `isnan(Tensor self) -> Tensor` */
  isnan(): Tensor
  /** `isneginf(Tensor self) -> Tensor` */
  isneginf(): Tensor
  /** `isposinf(Tensor self) -> Tensor` */
  isposinf(): Tensor
  /** `isreal(Tensor self) -> Tensor` */
  isreal(): Tensor
  /** `istft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, bool normalized=False, bool? onesided=None, int? length=None, bool return_complex=False) -> Tensor` */
  istft(nFft: number | bigint, options?: { hopLength?: number | bigint | null; winLength?: number | bigint | null; window?: Tensor | null; center?: boolean; normalized?: boolean; onesided?: boolean | null; length?: number | bigint | null; returnComplex?: boolean }): Tensor
  /** `kron(Tensor self, Tensor other) -> Tensor` */
  kron(other: Tensor): Tensor
  /** `kthvalue(Tensor self, SymInt k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)` */
  kthvalue(k: number | bigint, options?: { dim?: number | bigint; keepdim?: boolean }): [values: Tensor, indices: Tensor]
  /** `lcm(Tensor self, Tensor other) -> Tensor` */
  lcm(other: Tensor): Tensor
  /** `lcm_(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
  lcm_(other: Tensor): this
  /** `ldexp.Tensor(Tensor self, Tensor other) -> Tensor` */
  ldexp(other: Tensor): Tensor
  /** `ldexp_(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
  ldexp_(other: Tensor): this
  /**
   * `le.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `le.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  le(other: Tensor | Scalar): Tensor
  /**
   * `le_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `le_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  le_(other: Tensor | Scalar): this
  /**
   * `lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor`
   *
   * `lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor`
   */
  lerp(end: Tensor, weight: Tensor | Scalar): Tensor
  /**
   * `lerp_.Tensor(Tensor(a!) self, Tensor end, Tensor weight) -> Tensor(a!)`
   *
   * `lerp_.Scalar(Tensor(a!) self, Tensor end, Scalar weight) -> Tensor(a!)`
   */
  lerp_(end: Tensor, weight: Tensor | Scalar): this
  /**
   * `less.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `less.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  less(other: Tensor | Scalar): Tensor
  /**
   * `less_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `less_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  less_(other: Tensor | Scalar): this
  /**
   * `less_equal.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `less_equal.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  lessEqual(other: Tensor | Scalar): Tensor
  /**
   * `less_equal_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `less_equal_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  lessEqual_(other: Tensor | Scalar): this
  /** `lgamma(Tensor self) -> Tensor` */
  lgamma(): Tensor
  /** `lgamma_(Tensor(a!) self) -> Tensor(a!)` */
  lgamma_(): this
  /** `log(Tensor self) -> Tensor` */
  log(): Tensor
  /** `log10(Tensor self) -> Tensor` */
  log10(): Tensor
  /** `log10_(Tensor(a!) self) -> Tensor(a!)` */
  log10_(): this
  /** `log1p(Tensor self) -> Tensor` */
  log1p(): Tensor
  /** `log1p_(Tensor(a!) self) -> Tensor(a!)` */
  log1p_(): this
  /** `log2(Tensor self) -> Tensor` */
  log2(): Tensor
  /** `log2_(Tensor(a!) self) -> Tensor(a!)` */
  log2_(): this
  /** `log_(Tensor(a!) self) -> Tensor(a!)` */
  log_(): this
  /** `log_normal_(Tensor(a!) self, float mean=1., float std=2., *, Generator? generator=None) -> Tensor(a!)` */
  logNormal_(options?: { mean?: number; std?: number; generator?: Generator | null }): this
  /** `log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor` */
  logSoftmax(dim: number | bigint, options?: { dtype?: DType | null }): Tensor
  /** `logaddexp(Tensor self, Tensor other) -> Tensor` */
  logaddexp(other: Tensor): Tensor
  /** `logaddexp2(Tensor self, Tensor other) -> Tensor` */
  logaddexp2(other: Tensor): Tensor
  /** `logcumsumexp(Tensor self, int dim) -> Tensor` */
  logcumsumexp(dim: number | bigint): Tensor
  /** `logdet(Tensor self) -> Tensor` */
  logdet(): Tensor
  /** `logical_and(Tensor self, Tensor other) -> Tensor` */
  logicalAnd(other: Tensor): Tensor
  /** `logical_and_(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
  logicalAnd_(other: Tensor): this
  /** `logical_not(Tensor self) -> Tensor` */
  logicalNot(): Tensor
  /** `logical_not_(Tensor(a!) self) -> Tensor(a!)` */
  logicalNot_(): this
  /** `logical_or(Tensor self, Tensor other) -> Tensor` */
  logicalOr(other: Tensor): Tensor
  /** `logical_or_(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
  logicalOr_(other: Tensor): this
  /** `logical_xor(Tensor self, Tensor other) -> Tensor` */
  logicalXor(other: Tensor): Tensor
  /** `logical_xor_(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
  logicalXor_(other: Tensor): this
  /** `logit(Tensor self, float? eps=None) -> Tensor` */
  logit(options?: { eps?: number | null }): Tensor
  /** `logit_(Tensor(a!) self, float? eps=None) -> Tensor(a!)` */
  logit_(options?: { eps?: number | null }): this
  /** `logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor` */
  logsumexp(dim: number | readonly number[], options?: { keepdim?: boolean }): Tensor
  /**
   * `lt.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `lt.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  lt(other: Tensor | Scalar): Tensor
  /**
   * `lt_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `lt_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  lt_(other: Tensor | Scalar): this
  /** `lu_solve(Tensor self, Tensor LU_data, Tensor LU_pivots) -> Tensor` */
  luSolve(LUData: Tensor, LUPivots: Tensor): Tensor
  /** `mH(Tensor(a) self) -> Tensor(a)` */
  mH(): Tensor
  /** `mT(Tensor(a) self) -> Tensor(a)` */
  mT(): Tensor
  /**
   * `masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor`
   *
   * `masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor`
   */
  maskedFill(mask: Tensor, value: Tensor | Scalar): Tensor
  /**
   * `masked_fill_.Tensor(Tensor(a!) self, Tensor mask, Tensor value) -> Tensor(a!)`
   *
   * `masked_fill_.Scalar(Tensor(a!) self, Tensor mask, Scalar value) -> Tensor(a!)`
   */
  maskedFill_(mask: Tensor, value: Tensor | Scalar): this
  /** `masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor` */
  maskedScatter(mask: Tensor, source: Tensor): Tensor
  /** `masked_scatter_(Tensor(a!) self, Tensor mask, Tensor source) -> Tensor(a!)` */
  maskedScatter_(mask: Tensor, source: Tensor): this
  /** `masked_select(Tensor self, Tensor mask) -> Tensor` */
  maskedSelect(mask: Tensor): Tensor
  /** `matmul(Tensor self, Tensor other) -> Tensor` */
  matmul(other: Tensor): Tensor
  /** `matrix_exp(Tensor self) -> Tensor` */
  matrixExp(): Tensor
  /** `matrix_power(Tensor self, int n) -> Tensor` */
  matrixPower(n: number | bigint): Tensor
  /** `max(Tensor self) -> Tensor` */
  max(): Tensor
  /** `max.other(Tensor self, Tensor other) -> Tensor` */
  max(other: Tensor): Tensor
  /** `max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)` */
  max(dim: number | bigint, options?: { keepdim?: boolean }): [values: Tensor, indices: Tensor]
  /** `maximum(Tensor self, Tensor other) -> Tensor` */
  maximum(other: Tensor): Tensor
  /** `mean(Tensor self, *, ScalarType? dtype=None) -> Tensor` */
  mean(options?: { dtype?: DType | null }): Tensor
  /** `mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
  mean(options?: { dim?: number | readonly number[] | null; keepdim?: boolean; dtype?: DType | null }): Tensor
  /** `median(Tensor self) -> Tensor` */
  median(): Tensor
  /** `median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)` */
  median(dim: number | bigint, options?: { keepdim?: boolean }): [values: Tensor, indices: Tensor]
  /** `min(Tensor self) -> Tensor` */
  min(): Tensor
  /** `min.other(Tensor self, Tensor other) -> Tensor` */
  min(other: Tensor): Tensor
  /** `min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)` */
  min(dim: number | bigint, options?: { keepdim?: boolean }): [values: Tensor, indices: Tensor]
  /** `minimum(Tensor self, Tensor other) -> Tensor` */
  minimum(other: Tensor): Tensor
  /** `mm(Tensor self, Tensor mat2) -> Tensor` */
  mm(mat2: Tensor): Tensor
  /** `mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)` */
  mode(options?: { dim?: number | bigint; keepdim?: boolean }): [values: Tensor, indices: Tensor]
  /** `moveaxis.int(Tensor(a) self, int source, int destination) -> Tensor(a)` */
  moveaxis(source: number | bigint, destination: number | bigint): Tensor
  /** `moveaxis.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)` */
  moveaxis(source: readonly number[], destination: readonly number[]): Tensor
  /** `movedim.int(Tensor(a) self, int source, int destination) -> Tensor(a)` */
  movedim(source: number | bigint, destination: number | bigint): Tensor
  /** `movedim.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)` */
  movedim(source: readonly number[], destination: readonly number[]): Tensor
  /** `msort(Tensor self) -> Tensor` */
  msort(): Tensor
  /**
   * `mul.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `mul.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  mul(other: Tensor | Scalar): Tensor
  /**
   * `mul_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `mul_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  mul_(other: Tensor | Scalar): this
  /** `multinomial(Tensor self, SymInt num_samples, bool replacement=False, *, Generator? generator=None) -> Tensor` */
  multinomial(numSamples: number | bigint, options?: { replacement?: boolean; generator?: Generator | null }): Tensor
  /**
   * `multiply.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `multiply.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  multiply(other: Tensor | Scalar): Tensor
  /**
   * `multiply_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `multiply_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  multiply_(other: Tensor | Scalar): this
  /** `mv(Tensor self, Tensor vec) -> Tensor` */
  mv(vec: Tensor): Tensor
  /** `mvlgamma(Tensor self, int p) -> Tensor` */
  mvlgamma(p: number | bigint): Tensor
  /** `mvlgamma_(Tensor(a!) self, int p) -> Tensor(a!)` */
  mvlgamma_(p: number | bigint): this
  /** `nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor` */
  nanToNum(options?: { nan?: number | null; posinf?: number | null; neginf?: number | null }): Tensor
  /** `nan_to_num_(Tensor(a!) self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor(a!)` */
  nanToNum_(options?: { nan?: number | null; posinf?: number | null; neginf?: number | null }): this
  /** `nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
  nanmean(options?: { dim?: number | readonly number[] | null; keepdim?: boolean; dtype?: DType | null }): Tensor
  /** `nanmedian(Tensor self) -> Tensor` */
  nanmedian(): Tensor
  /** `nanmedian.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)` */
  nanmedian(dim: number | bigint, options?: { keepdim?: boolean }): [values: Tensor, indices: Tensor]
  /**
   * `nanquantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation="linear") -> Tensor`
   *
   * `nanquantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str interpolation="linear") -> Tensor`
   */
  nanquantile(q: Tensor | number, options?: { dim?: number | bigint | null; keepdim?: boolean; interpolation?: string }): Tensor
  /** `nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
  nansum(options?: { dim?: number | readonly number[] | null; keepdim?: boolean; dtype?: DType | null }): Tensor
  /**
   * `narrow.Tensor(Tensor(a) self, int dim, Tensor start, SymInt length) -> Tensor(a)`
   *
   * `narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)`
   */
  narrow(dim: number | bigint, start: Tensor | number | bigint, length: number | bigint): Tensor
  /**
   * `ne.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `ne.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  ne(other: Tensor | Scalar): Tensor
  /**
   * `ne_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `ne_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  ne_(other: Tensor | Scalar): this
  /** `neg(Tensor self) -> Tensor` */
  neg(): Tensor
  /** `neg_(Tensor(a!) self) -> Tensor(a!)` */
  neg_(): this
  /** `negative(Tensor self) -> Tensor` */
  negative(): Tensor
  /** `negative_(Tensor(a!) self) -> Tensor(a!)` */
  negative_(): this
  /** `new_empty(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
  newEmpty(size: readonly number[], options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
  /** `new_empty_strided(Tensor self, SymInt[] size, SymInt[] stride, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
  newEmptyStrided(size: readonly number[], stride: readonly number[], options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
  /** `new_full(Tensor self, SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
  newFull(size: readonly number[], fillValue: Scalar, options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
  /** `new_ones(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
  newOnes(size: readonly number[], options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
  /** `new_zeros(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
  newZeros(size: readonly number[], options?: { dtype?: DType | null; layout?: Layout | null; device?: Device | null; pinMemory?: boolean | null }): Tensor
  /** `nextafter(Tensor self, Tensor other) -> Tensor` */
  nextafter(other: Tensor): Tensor
  /** `nextafter_(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
  nextafter_(other: Tensor): this
  /** `nonzero(Tensor self) -> Tensor` */
  nonzero(): Tensor
  /** `nonzero_numpy(Tensor self) -> Tensor[]` */
  nonzeroNumpy(): Tensor[]
  /** `nonzero_static(Tensor self, *, SymInt size, int fill_value=-1) -> Tensor` */
  nonzeroStatic(size: number | bigint, options?: { fillValue?: number | bigint }): Tensor
  /** `norm.Scalar(Tensor self, Scalar p=2) -> Tensor` */
  norm(options?: { p?: Scalar }): Tensor
  /** `norm.ScalarOpt_dim(Tensor self, Scalar? p, int[1] dim, bool keepdim=False) -> Tensor` */
  norm(dim: number | readonly number[], options?: { p?: Scalar | null; keepdim?: boolean }): Tensor
  /** `norm.ScalarOpt_dim_dtype(Tensor self, Scalar? p, int[1] dim, bool keepdim, *, ScalarType dtype) -> Tensor` */
  norm(dim: number | readonly number[], keepdim: boolean, dtype: DType, options?: { p?: Scalar | null }): Tensor
  /** `norm.ScalarOpt_dtype(Tensor self, Scalar? p, *, ScalarType dtype) -> Tensor` */
  norm(dtype: DType, options?: { p?: Scalar | null }): Tensor
  /** `normal_(Tensor(a!) self, float mean=0., float std=1., *, Generator? generator=None) -> Tensor(a!)` */
  normal_(options?: { mean?: number; std?: number; generator?: Generator | null }): this
  /**
   * `not_equal.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `not_equal.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  notEqual(other: Tensor | Scalar): Tensor
  /**
   * `not_equal_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `not_equal_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  notEqual_(other: Tensor | Scalar): this
  /** `orgqr(Tensor self, Tensor input2) -> Tensor` */
  orgqr(input2: Tensor): Tensor
  /** `ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False) -> Tensor` */
  ormqr(input2: Tensor, input3: Tensor, options?: { left?: boolean; transpose?: boolean }): Tensor
  /** `outer(Tensor self, Tensor vec2) -> Tensor` */
  outer(vec2: Tensor): Tensor
  /** `permute(Tensor(a) self, int[] dims) -> Tensor(a)` */
  permute(dims: readonly number[]): Tensor
  /** `pin_memory(Tensor(a) self, Device? device=None) -> Tensor(a)` */
  pinMemory(options?: { device?: Device | null }): Tensor
  /** `pinverse(Tensor self, float rcond=1.0000000000000001e-15) -> Tensor` */
  pinverse(options?: { rcond?: number }): Tensor
  /** `polygamma(int n, Tensor self) -> Tensor` */
  polygamma(n: number | bigint): Tensor
  /** `polygamma_(Tensor(a!) self, int n) -> Tensor(a!)` */
  polygamma_(n: number | bigint): this
  /** `positive(Tensor(a) self) -> Tensor(a)` */
  positive(): Tensor
  /**
   * `pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor`
   *
   * `pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor`
   */
  pow(exponent: Tensor | Scalar): Tensor
  /**
   * `pow_.Tensor(Tensor(a!) self, Tensor exponent) -> Tensor(a!)`
   *
   * `pow_.Scalar(Tensor(a!) self, Scalar exponent) -> Tensor(a!)`
   */
  pow_(exponent: Tensor | Scalar): this
  /** `prelu(Tensor self, Tensor weight) -> Tensor` */
  prelu(weight: Tensor): Tensor
  /** `prod(Tensor self, *, ScalarType? dtype=None) -> Tensor` */
  prod(options?: { dtype?: DType | null }): Tensor
  /** `prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
  prod(dim: number | bigint, options?: { keepdim?: boolean; dtype?: DType | null }): Tensor
  /** `put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor` */
  put(index: Tensor, source: Tensor, options?: { accumulate?: boolean }): Tensor
  /** `put_(Tensor(a!) self, Tensor index, Tensor source, bool accumulate=False) -> Tensor(a!)` */
  put_(index: Tensor, source: Tensor, options?: { accumulate?: boolean }): this
  /** `qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)` */
  qr(options?: { some?: boolean }): [Q: Tensor, R: Tensor]
  /**
   * `quantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation="linear") -> Tensor`
   *
   * `quantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str interpolation="linear") -> Tensor`
   */
  quantile(q: Tensor | number, options?: { dim?: number | bigint | null; keepdim?: boolean; interpolation?: string }): Tensor
  /** `rad2deg(Tensor self) -> Tensor` */
  rad2deg(): Tensor
  /** `rad2deg_(Tensor(a!) self) -> Tensor(a!)` */
  rad2deg_(): this
  /** `random_(Tensor(a!) self, *, Generator? generator=None) -> Tensor(a!)` */
  random_(options?: { generator?: Generator | null }): this
  /** `random_.to(Tensor(a!) self, int to, *, Generator? generator=None) -> Tensor(a!)` */
  random_(to: number | bigint, options?: { generator?: Generator | null }): this
  /** `random_.from(Tensor(a!) self, int from, int? to, *, Generator? generator=None) -> Tensor(a!)` */
  random_(from: number | bigint, options?: { to?: number | bigint | null; generator?: Generator | null }): this
  /** `ravel(Tensor(a) self) -> Tensor(a)` */
  ravel(): Tensor
  /** `reciprocal(Tensor self) -> Tensor` */
  reciprocal(): Tensor
  /** `reciprocal_(Tensor(a!) self) -> Tensor(a!)` */
  reciprocal_(): this
  /** `relu(Tensor self) -> Tensor` */
  relu(): Tensor
  /** `relu_(Tensor(a!) self) -> Tensor(a!)` */
  relu_(): this
  /**
   * `remainder.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `remainder.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  remainder(other: Tensor | Scalar): Tensor
  /**
   * `remainder_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `remainder_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  remainder_(other: Tensor | Scalar): this
  /** `renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor` */
  renorm(p: Scalar, dim: number | bigint, maxnorm: Scalar): Tensor
  /** `renorm_(Tensor(a!) self, Scalar p, int dim, Scalar maxnorm) -> Tensor(a!)` */
  renorm_(p: Scalar, dim: number | bigint, maxnorm: Scalar): this
  /** `repeat(Tensor self, SymInt[] repeats) -> Tensor` */
  repeat(repeats: readonly number[]): Tensor
  /**
   * `repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, *, SymInt? output_size=None) -> Tensor`
   *
   * `repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, *, SymInt? output_size=None) -> Tensor`
   */
  repeatInterleave(repeats: Tensor | number | bigint, options?: { dim?: number | bigint | null; outputSize?: number | bigint | null }): Tensor
  /** `reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)` */
  reshape(shape: readonly number[]): Tensor
  /** `reshape_as(Tensor(a) self, Tensor other) -> Tensor(a)` */
  reshapeAs(other: Tensor): Tensor
  /** `resolve_conj(Tensor(a) self) -> Tensor(a)` */
  resolveConj(): Tensor
  /** `resolve_neg(Tensor(a) self) -> Tensor(a)` */
  resolveNeg(): Tensor
  /** `roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor` */
  roll(shifts: number | readonly number[], options?: { dims?: number | readonly number[] }): Tensor
  /** `rot90(Tensor self, int k=1, int[] dims=[0, 1]) -> Tensor` */
  rot90(options?: { k?: number | bigint; dims?: readonly number[] }): Tensor
  /** `round(Tensor self) -> Tensor` */
  round(): Tensor
  /** `round.decimals(Tensor self, *, int decimals) -> Tensor` */
  round(decimals: number | bigint): Tensor
  /** `round_(Tensor(a!) self) -> Tensor(a!)` */
  round_(): this
  /** `round_.decimals(Tensor(a!) self, *, int decimals) -> Tensor(a!)` */
  round_(decimals: number | bigint): this
  /** `row_indices(Tensor(a) self) -> Tensor(a)` */
  rowIndices(): Tensor
  /** `rsqrt(Tensor self) -> Tensor` */
  rsqrt(): Tensor
  /** `rsqrt_(Tensor(a!) self) -> Tensor(a!)` */
  rsqrt_(): this
  /** `scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor` */
  scatter(dim: number | bigint, index: Tensor, src: Tensor): Tensor
  /** `scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor` */
  scatter(dim: number | bigint, index: Tensor, src: Tensor, reduce: string): Tensor
  /** `scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor` */
  scatter(dim: number | bigint, index: Tensor, value: Scalar): Tensor
  /** `scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor` */
  scatter(dim: number | bigint, index: Tensor, value: Scalar, reduce: string): Tensor
  /** `scatter_.src(Tensor(a!) self, int dim, Tensor index, Tensor src) -> Tensor(a!)` */
  scatter_(dim: number | bigint, index: Tensor, src: Tensor): this
  /** `scatter_.reduce(Tensor(a!) self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor(a!)` */
  scatter_(dim: number | bigint, index: Tensor, src: Tensor, reduce: string): this
  /** `scatter_.value(Tensor(a!) self, int dim, Tensor index, Scalar value) -> Tensor(a!)` */
  scatter_(dim: number | bigint, index: Tensor, value: Scalar): this
  /** `scatter_.value_reduce(Tensor(a!) self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor(a!)` */
  scatter_(dim: number | bigint, index: Tensor, value: Scalar, reduce: string): this
  /** `scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor` */
  scatterAdd(dim: number | bigint, index: Tensor, src: Tensor): Tensor
  /** `scatter_add_(Tensor(a!) self, int dim, Tensor index, Tensor src) -> Tensor(a!)` */
  scatterAdd_(dim: number | bigint, index: Tensor, src: Tensor): this
  /** `scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) -> Tensor` */
  scatterReduce(dim: number | bigint, index: Tensor, src: Tensor, reduce: string, options?: { includeSelf?: boolean }): Tensor
  /** `scatter_reduce_.two(Tensor(a!) self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) -> Tensor(a!)` */
  scatterReduce_(dim: number | bigint, index: Tensor, src: Tensor, reduce: string, options?: { includeSelf?: boolean }): this
  /** `select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)` */
  select(dim: number | bigint, index: number | bigint): Tensor
  /** `select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor` */
  selectScatter(src: Tensor, dim: number | bigint, index: number | bigint): Tensor
  /** `sgn(Tensor self) -> Tensor` */
  sgn(): Tensor
  /** `sgn_(Tensor(a!) self) -> Tensor(a!)` */
  sgn_(): this
  /** `sigmoid(Tensor self) -> Tensor` */
  sigmoid(): Tensor
  /** `sigmoid_(Tensor(a!) self) -> Tensor(a!)` */
  sigmoid_(): this
  /** `sign(Tensor self) -> Tensor` */
  sign(): Tensor
  /** `sign_(Tensor(a!) self) -> Tensor(a!)` */
  sign_(): this
  /** `signbit(Tensor self) -> Tensor` */
  signbit(): Tensor
  /** `sin(Tensor self) -> Tensor` */
  sin(): Tensor
  /** `sin_(Tensor(a!) self) -> Tensor(a!)` */
  sin_(): this
  /** `sinc(Tensor self) -> Tensor` */
  sinc(): Tensor
  /** `sinc_(Tensor(a!) self) -> Tensor(a!)` */
  sinc_(): this
  /** `sinh(Tensor self) -> Tensor` */
  sinh(): Tensor
  /** `sinh_(Tensor(a!) self) -> Tensor(a!)` */
  sinh_(): this
  /** `slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor(a)` */
  slice(options?: { dim?: number | bigint; start?: number | bigint | null; end?: number | bigint | null; step?: number | bigint }): Tensor
  /** `slice_inverse(Tensor(a) self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor(a)` */
  sliceInverse(src: Tensor, options?: { dim?: number | bigint; start?: number | bigint | null; end?: number | bigint | null; step?: number | bigint }): Tensor
  /** `slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor` */
  sliceScatter(src: Tensor, options?: { dim?: number | bigint; start?: number | bigint | null; end?: number | bigint | null; step?: number | bigint }): Tensor
  /** `slogdet(Tensor self) -> (Tensor sign, Tensor logabsdet)` */
  slogdet(): [sign: Tensor, logabsdet: Tensor]
  /** `smm(Tensor self, Tensor mat2) -> Tensor` */
  smm(mat2: Tensor): Tensor
  /** `softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor` */
  softmax(dim: number | bigint, options?: { dtype?: DType | null }): Tensor
  /** `sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)` */
  sort(options?: { dim?: number | bigint; descending?: boolean }): [values: Tensor, indices: Tensor]
  /** `sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)` */
  sort(options?: { stable?: boolean | null; dim?: number | bigint; descending?: boolean }): [values: Tensor, indices: Tensor]
  /** `sparse_dim(Tensor self) -> int` */
  sparseDim(): number
  /** `sparse_mask(Tensor self, Tensor mask) -> Tensor` */
  sparseMask(mask: Tensor): Tensor
  /**
   * `split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]`
   *
   * `split.sizes(Tensor(a -> *) self, SymInt[] split_size, int dim=0) -> Tensor(a)[]`
   */
  split(splitSize: number | bigint | readonly number[], options?: { dim?: number | bigint }): Tensor[]
  /** `split_with_sizes(Tensor(a -> *) self, SymInt[] split_sizes, int dim=0) -> Tensor(a)[]` */
  splitWithSizes(splitSizes: readonly number[], options?: { dim?: number | bigint }): Tensor[]
  /** `sqrt(Tensor self) -> Tensor` */
  sqrt(): Tensor
  /** `sqrt_(Tensor(a!) self) -> Tensor(a!)` */
  sqrt_(): this
  /** `square(Tensor self) -> Tensor` */
  square(): Tensor
  /** `square_(Tensor(a!) self) -> Tensor(a!)` */
  square_(): this
  /** `squeeze(Tensor(a) self) -> Tensor(a)` */
  squeeze(): Tensor
  /**
   * `squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)`
   *
   * `squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)`
   */
  squeeze(dim: number | bigint | readonly number[]): Tensor
  /** `squeeze_(Tensor(a!) self) -> Tensor(a!)` */
  squeeze_(): this
  /**
   * `squeeze_.dim(Tensor(a!) self, int dim) -> Tensor(a!)`
   *
   * `squeeze_.dims(Tensor(a!) self, int[] dim) -> Tensor(a!)`
   */
  squeeze_(dim: number | bigint | readonly number[]): this
  /** `sspaddmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
  sspaddmm(mat1: Tensor, mat2: Tensor, options?: { beta?: Scalar; alpha?: Scalar }): Tensor
  /** `std(Tensor self, bool unbiased=True) -> Tensor` */
  std(options?: { unbiased?: boolean }): Tensor
  /** `std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor` */
  std(options?: { dim?: number | readonly number[] | null; unbiased?: boolean; keepdim?: boolean }): Tensor
  /** `std.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor` */
  std(options?: { dim?: number | readonly number[] | null; correction?: Scalar | null; keepdim?: boolean }): Tensor
  /** `stft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool normalized=False, bool? onesided=None, bool? return_complex=None, bool? align_to_window=None) -> Tensor` */
  stft(nFft: number | bigint, options?: { hopLength?: number | bigint | null; winLength?: number | bigint | null; window?: Tensor | null; normalized?: boolean; onesided?: boolean | null; returnComplex?: boolean | null; alignToWindow?: boolean | null }): Tensor
  /** `stft.center(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, str pad_mode="reflect", bool normalized=False, bool? onesided=None, bool? return_complex=None, bool? align_to_window=None) -> Tensor` */
  stft(nFft: number | bigint, options?: { hopLength?: number | bigint | null; winLength?: number | bigint | null; window?: Tensor | null; center?: boolean; padMode?: string; normalized?: boolean; onesided?: boolean | null; returnComplex?: boolean | null; alignToWindow?: boolean | null }): Tensor
  /**
   * `sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`
   *
   * `sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor`
   */
  sub(other: Tensor | Scalar, options?: { alpha?: Scalar }): Tensor
  /**
   * `sub_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)`
   *
   * `sub_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)`
   */
  sub_(other: Tensor | Scalar, options?: { alpha?: Scalar }): this
  /**
   * `subtract.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`
   *
   * `subtract.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor`
   */
  subtract(other: Tensor | Scalar, options?: { alpha?: Scalar }): Tensor
  /**
   * `subtract_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)`
   *
   * `subtract_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)`
   */
  subtract_(other: Tensor | Scalar, options?: { alpha?: Scalar }): this
  /** `sum(Tensor self, *, ScalarType? dtype=None) -> Tensor` */
  sum(options?: { dtype?: DType | null }): Tensor
  /** `sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
  sum(options?: { dim?: number | readonly number[] | null; keepdim?: boolean; dtype?: DType | null }): Tensor
  /** `sum_to_size(Tensor self, SymInt[] size) -> Tensor` */
  sumToSize(size: readonly number[]): Tensor
  /** `svd(Tensor self, bool some=True, bool compute_uv=True) -> (Tensor U, Tensor S, Tensor V)` */
  svd(options?: { some?: boolean; computeUv?: boolean }): [U: Tensor, S: Tensor, V: Tensor]
  /** `swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)` */
  swapaxes(axis0: number | bigint, axis1: number | bigint): Tensor
  /** `swapaxes_(Tensor(a!) self, int axis0, int axis1) -> Tensor(a!)` */
  swapaxes_(axis0: number | bigint, axis1: number | bigint): this
  /** `swapdims(Tensor(a) self, int dim0, int dim1) -> Tensor(a)` */
  swapdims(dim0: number | bigint, dim1: number | bigint): Tensor
  /** `swapdims_(Tensor(a!) self, int dim0, int dim1) -> Tensor(a!)` */
  swapdims_(dim0: number | bigint, dim1: number | bigint): this
  /** `t(Tensor(a) self) -> Tensor(a)` */
  t(): Tensor
  /** `t_(Tensor(a!) self) -> Tensor(a!)` */
  t_(): this
  /** `take(Tensor self, Tensor index) -> Tensor` */
  take(index: Tensor): Tensor
  /** `take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor` */
  takeAlongDim(indices: Tensor, options?: { dim?: number | bigint | null }): Tensor
  /** `tan(Tensor self) -> Tensor` */
  tan(): Tensor
  /** `tan_(Tensor(a!) self) -> Tensor(a!)` */
  tan_(): this
  /** `tanh(Tensor self) -> Tensor` */
  tanh(): Tensor
  /** `tanh_(Tensor(a!) self) -> Tensor(a!)` */
  tanh_(): this
  /** `tensor_split.tensor_indices_or_sections(Tensor(a -> *) self, Tensor tensor_indices_or_sections, int dim=0) -> Tensor(a)[]` */
  tensorSplit(tensorIndicesOrSections: Tensor, options?: { dim?: number | bigint }): Tensor[]
  /** `tensor_split.sections(Tensor(a -> *) self, SymInt sections, int dim=0) -> Tensor(a)[]` */
  tensorSplit(sections: number | bigint, options?: { dim?: number | bigint }): Tensor[]
  /** `tensor_split.indices(Tensor(a -> *) self, SymInt[] indices, int dim=0) -> Tensor(a)[]` */
  tensorSplit(indices: readonly number[], options?: { dim?: number | bigint }): Tensor[]
  /** `tile(Tensor self, SymInt[] dims) -> Tensor` */
  tile(dims: readonly number[]): Tensor
  /** `to_dense(Tensor self, ScalarType? dtype=None, *, bool? masked_grad=None) -> Tensor` */
  toDense(options?: { dtype?: DType | null; maskedGrad?: boolean | null }): Tensor
  /** `to_padded_tensor(Tensor self, float padding, SymInt[]? output_size=None) -> Tensor` */
  toPaddedTensor(padding: number, options?: { outputSize?: readonly number[] | null }): Tensor
  /** `to_sparse(Tensor self, *, Layout? layout=None, int[2]? blocksize=None, int? dense_dim=None) -> Tensor` */
  toSparse(options?: { layout?: Layout | null; blocksize?: number | readonly number[] | null; denseDim?: number | bigint | null }): Tensor
  /** `to_sparse.sparse_dim(Tensor self, int sparse_dim) -> Tensor` */
  toSparse(sparseDim: number | bigint): Tensor
  /** `to_sparse_bsc(Tensor self, int[2] blocksize, int? dense_dim=None) -> Tensor` */
  toSparseBsc(blocksize: number | readonly number[], options?: { denseDim?: number | bigint | null }): Tensor
  /** `to_sparse_bsr(Tensor self, int[2] blocksize, int? dense_dim=None) -> Tensor` */
  toSparseBsr(blocksize: number | readonly number[], options?: { denseDim?: number | bigint | null }): Tensor
  /** `to_sparse_csc(Tensor self, int? dense_dim=None) -> Tensor` */
  toSparseCsc(options?: { denseDim?: number | bigint | null }): Tensor
  /** `to_sparse_csr(Tensor self, int? dense_dim=None) -> Tensor` */
  toSparseCsr(options?: { denseDim?: number | bigint | null }): Tensor
  /** `topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor indices)` */
  topk(k: number | bigint, options?: { dim?: number | bigint; largest?: boolean; sorted?: boolean }): [values: Tensor, indices: Tensor]
  /** `trace(Tensor self) -> Tensor` */
  trace(): Tensor
  /** `transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)` */
  transpose(dim0: number | bigint, dim1: number | bigint): Tensor
  /** `transpose_(Tensor(a!) self, int dim0, int dim1) -> Tensor(a!)` */
  transpose_(dim0: number | bigint, dim1: number | bigint): this
  /** `triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False) -> (Tensor solution, Tensor cloned_coefficient)` */
  triangularSolve(A: Tensor, options?: { upper?: boolean; transpose?: boolean; unitriangular?: boolean }): [solution: Tensor, clonedCoefficient: Tensor]
  /** `tril(Tensor self, SymInt diagonal=0) -> Tensor` */
  tril(options?: { diagonal?: number | bigint }): Tensor
  /** `tril_(Tensor(a!) self, SymInt diagonal=0) -> Tensor(a!)` */
  tril_(options?: { diagonal?: number | bigint }): this
  /** `triu(Tensor self, SymInt diagonal=0) -> Tensor` */
  triu(options?: { diagonal?: number | bigint }): Tensor
  /** `triu_(Tensor(a!) self, SymInt diagonal=0) -> Tensor(a!)` */
  triu_(options?: { diagonal?: number | bigint }): this
  /**
   * `true_divide.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `true_divide.Scalar(Tensor self, Scalar other) -> Tensor`
   */
  trueDivide(other: Tensor | Scalar): Tensor
  /**
   * `true_divide_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `true_divide_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  trueDivide_(other: Tensor | Scalar): this
  /** `trunc(Tensor self) -> Tensor` */
  trunc(): Tensor
  /** `trunc_(Tensor(a!) self) -> Tensor(a!)` */
  trunc_(): this
  /** `type_as(Tensor self, Tensor other) -> Tensor` */
  typeAs(other: Tensor): Tensor
  /** `unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]` */
  unbind(options?: { dim?: number | bigint }): Tensor[]
  /** `unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)` */
  unflatten(dim: number | bigint, sizes: readonly number[]): Tensor
  /** `unfold(Tensor(a) self, int dimension, int size, int step) -> Tensor(a)` */
  unfold(dimension: number | bigint, size: number | bigint, step: number | bigint): Tensor
  /** `uniform_(Tensor(a!) self, float from=0., float to=1., *, Generator? generator=None) -> Tensor(a!)` */
  uniform_(options?: { from?: number; to?: number; generator?: Generator | null }): this
  /** `unsafe_chunk(Tensor self, int chunks, int dim=0) -> Tensor[]` */
  unsafeChunk(chunks: number | bigint, options?: { dim?: number | bigint }): Tensor[]
  /** `unsafe_split.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]` */
  unsafeSplit(splitSize: number | bigint, options?: { dim?: number | bigint }): Tensor[]
  /** `unsafe_split_with_sizes(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]` */
  unsafeSplitWithSizes(splitSizes: readonly number[], options?: { dim?: number | bigint }): Tensor[]
  /** `unsqueeze(Tensor(a) self, int dim) -> Tensor(a)` */
  unsqueeze(dim: number | bigint): Tensor
  /** `unsqueeze_(Tensor(a!) self, int dim) -> Tensor(a!)` */
  unsqueeze_(dim: number | bigint): this
  /** `values(Tensor(a) self) -> Tensor(a)` */
  values(): Tensor
  /** `var(Tensor self, bool unbiased=True) -> Tensor` */
  var(options?: { unbiased?: boolean }): Tensor
  /** `var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor` */
  var(options?: { dim?: number | readonly number[] | null; unbiased?: boolean; keepdim?: boolean }): Tensor
  /** `var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor` */
  var(options?: { dim?: number | readonly number[] | null; correction?: Scalar | null; keepdim?: boolean }): Tensor
  /** `vdot(Tensor self, Tensor other) -> Tensor` */
  vdot(other: Tensor): Tensor
  /** `view(Tensor(a) self, SymInt[] size) -> Tensor(a)` */
  view(size: readonly number[]): Tensor
  /** `view.dtype(Tensor(a) self, ScalarType dtype) -> Tensor(a)` */
  view(dtype: DType): Tensor
  /** `view_as(Tensor(a) self, Tensor other) -> Tensor(a)` */
  viewAs(other: Tensor): Tensor
  /** `vsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]` */
  vsplit(sections: number | bigint): Tensor[]
  /** `vsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]` */
  vsplit(indices: readonly number[]): Tensor[]
  /**
   * `where.self(Tensor condition, Tensor self, Tensor other) -> Tensor`
   *
   * `where.ScalarOther(Tensor condition, Tensor self, Scalar other) -> Tensor`
   */
  where(condition: Tensor, other: Tensor | Scalar): Tensor
  /**
   * `xlogy.Tensor(Tensor self, Tensor other) -> Tensor`
   *
   * `xlogy.Scalar_Other(Tensor self, Scalar other) -> Tensor`
   */
  xlogy(other: Tensor | Scalar): Tensor
  /**
   * `xlogy_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`
   *
   * `xlogy_.Scalar_Other(Tensor(a!) self, Scalar other) -> Tensor(a!)`
   */
  xlogy_(other: Tensor | Scalar): this
  /** `zero_(Tensor(a!) self) -> Tensor(a!)` */
  zero_(): this
}

/**
 * What to install on the prototype: a name and a function id. Where it is not the usual case, also the number of values
 * at most (the tensor and the options counted) and the place of the tensor among them.
 */
export const METHODS: readonly (readonly [name: string, id: number, values?: number, self?: number])[] = [
  ['abs', 136],
  ['abs_', 137],
  ['absolute', 138],
  ['absolute_', 139],
  ['acos', 140],
  ['acos_', 141],
  ['acosh', 142],
  ['acosh_', 143],
  ['add', 150],
  ['add_', 151],
  ['addbmm', 152],
  ['addbmm_', 153],
  ['addcdiv', 154],
  ['addcdiv_', 155],
  ['addcmul', 156],
  ['addcmul_', 157],
  ['addmm', 158],
  ['addmm_', 159],
  ['addmv', 160],
  ['addmv_', 161],
  ['addr', 162],
  ['addr_', 163],
  ['adjoint', 164],
  ['all', 166],
  ['allclose', 167],
  ['amax', 170],
  ['amin', 171],
  ['aminmax', 172],
  ['angle', 173],
  ['any', 174],
  ['arccos', 175],
  ['arccos_', 176],
  ['arccosh', 177],
  ['arccosh_', 178],
  ['arcsin', 179],
  ['arcsin_', 180],
  ['arcsinh', 181],
  ['arcsinh_', 182],
  ['arctan', 183],
  ['arctan2', 184],
  ['arctan2_', 185],
  ['arctan_', 186],
  ['arctanh', 187],
  ['arctanh_', 188],
  ['argmax', 189],
  ['argmin', 190],
  ['argsort', 191],
  ['argwhere', 192],
  ['asStrided', 193],
  ['asStrided_', 194],
  ['asStridedScatter', 195],
  ['asin', 196],
  ['asin_', 197],
  ['asinh', 198],
  ['asinh_', 199],
  ['atan', 200],
  ['atan2', 201],
  ['atan2_', 202],
  ['atan_', 203],
  ['atanh', 204],
  ['atanh_', 205],
  ['baddbmm', 212],
  ['baddbmm_', 213],
  ['bernoulli', 216],
  ['bernoulli_', 217],
  ['bincount', 221],
  ['bitwiseAnd', 223],
  ['bitwiseAnd_', 224],
  ['bitwiseLeftShift', 225],
  ['bitwiseLeftShift_', 226],
  ['bitwiseNot', 227],
  ['bitwiseNot_', 228],
  ['bitwiseOr', 229],
  ['bitwiseOr_', 230],
  ['bitwiseRightShift', 231],
  ['bitwiseRightShift_', 232],
  ['bitwiseXor', 233],
  ['bitwiseXor_', 234],
  ['bmm', 237],
  ['broadcastTo', 239],
  ['cauchy_', 244],
  ['ccolIndices', 245],
  ['ceil', 247],
  ['ceil_', 248],
  ['chalf', 252],
  ['cholesky', 254],
  ['choleskyInverse', 255],
  ['choleskySolve', 256],
  ['chunk', 257],
  ['clamp', 258],
  ['clamp_', 259],
  ['clampMax', 260],
  ['clampMax_', 261],
  ['clampMin', 262],
  ['clampMin_', 263],
  ['clip', 264],
  ['clip_', 265],
  ['clone', 266],
  ['coalesce', 267],
  ['colIndices', 269],
  ['conj', 275],
  ['conjPhysical', 276],
  ['conjPhysical_', 277],
  ['contiguous', 279],
  ['copy_', 289],
  ['copysign', 290],
  ['copysign_', 291],
  ['corrcoef', 292],
  ['cos', 293],
  ['cos_', 294],
  ['cosh', 295],
  ['cosh_', 296],
  ['countNonzero', 299],
  ['cov', 300],
  ['cross', 301],
  ['crowIndices', 303],
  ['cummax', 305],
  ['cummin', 306],
  ['cumprod', 307],
  ['cumprod_', 308],
  ['cumsum', 309],
  ['cumsum_', 310],
  ['deg2rad', 312],
  ['deg2rad_', 313],
  ['denseDim', 314],
  ['det', 315],
  ['detach', 316],
  ['detach_', 317],
  ['diag', 318],
  ['diagEmbed', 319],
  ['diagflat', 320],
  ['diagonal', 321],
  ['diagonalScatter', 322],
  ['diff', 323],
  ['digamma', 324],
  ['digamma_', 325],
  ['dist', 326],
  ['div', 327],
  ['div_', 328],
  ['divide', 329],
  ['divide_', 330],
  ['dot', 331],
  ['dsplit', 334],
  ['eq', 345],
  ['eq_', 346],
  ['equal', 347],
  ['erf', 348],
  ['erf_', 349],
  ['erfc', 350],
  ['erfc_', 351],
  ['erfinv', 352],
  ['erfinv_', 353],
  ['exp', 354],
  ['exp2', 355],
  ['exp2_', 356],
  ['exp_', 357],
  ['expand', 358],
  ['expandAs', 359],
  ['expm1', 360],
  ['expm1_', 361],
  ['exponential_', 362],
  ['fill_', 392],
  ['fillDiagonal_', 393],
  ['fix', 394],
  ['fix_', 395],
  ['flatten', 396],
  ['flip', 398],
  ['fliplr', 399],
  ['flipud', 400],
  ['floatPower', 401],
  ['floatPower_', 402],
  ['floor', 403],
  ['floor_', 404],
  ['floorDivide', 405],
  ['floorDivide_', 406],
  ['fmax', 407],
  ['fmin', 408],
  ['fmod', 409],
  ['fmod_', 410],
  ['frac', 411],
  ['frac_', 412],
  ['frexp', 415],
  ['gather', 418],
  ['gcd', 419],
  ['gcd_', 420],
  ['ge', 421],
  ['ge_', 422],
  ['geometric_', 425],
  ['geqrf', 426],
  ['ger', 427],
  ['greater', 430],
  ['greater_', 431],
  ['greaterEqual', 432],
  ['greaterEqual_', 433],
  ['gt', 440],
  ['gt_', 441],
  ['hardshrink', 444],
  ['hashTensor', 451],
  ['heaviside', 452],
  ['heaviside_', 453],
  ['histc', 455],
  ['histogram', 456],
  ['hsplit', 458],
  ['hypot', 461],
  ['hypot_', 462],
  ['i0', 463],
  ['i0_', 464],
  ['igamma', 465],
  ['igamma_', 466],
  ['igammac', 467],
  ['igammac_', 468],
  ['index', 471],
  ['indexAdd', 472],
  ['indexAdd_', 473],
  ['indexCopy', 474],
  ['indexCopy_', 475],
  ['indexFill', 476],
  ['indexFill_', 477],
  ['indexPut', 478],
  ['indexPut_', 479],
  ['indexReduce', 480, 6, 0],
  ['indexReduce_', 481, 6, 0],
  ['indexSelect', 482],
  ['indices', 483],
  ['inner', 484],
  ['inverse', 486],
  ['isCoalesced', 487],
  ['isComplex', 488],
  ['isConj', 489],
  ['isFloatingPoint', 490],
  ['isInference', 491],
  ['isNeg', 492],
  ['isNonzero', 493],
  ['isPinned', 494],
  ['isSameSize', 495],
  ['isSetTo', 496],
  ['isSigned', 497],
  ['isclose', 498],
  ['isfinite', 499],
  ['isinf', 501],
  ['isnan', 502],
  ['isneginf', 503],
  ['isposinf', 504],
  ['isreal', 505],
  ['istft', 506],
  ['kron', 509],
  ['kthvalue', 510],
  ['lcm', 513],
  ['lcm_', 514],
  ['ldexp', 515],
  ['ldexp_', 516],
  ['le', 517],
  ['le_', 518],
  ['lerp', 521],
  ['lerp_', 522],
  ['less', 523],
  ['less_', 524],
  ['lessEqual', 525],
  ['lessEqual_', 526],
  ['lgamma', 527],
  ['lgamma_', 528],
  ['log', 571],
  ['log10', 572],
  ['log10_', 573],
  ['log1p', 574],
  ['log1p_', 575],
  ['log2', 576],
  ['log2_', 577],
  ['log_', 578],
  ['logNormal_', 579],
  ['logSoftmax', 581],
  ['logaddexp', 582],
  ['logaddexp2', 583],
  ['logcumsumexp', 584],
  ['logdet', 585],
  ['logicalAnd', 586],
  ['logicalAnd_', 587],
  ['logicalNot', 588],
  ['logicalNot_', 589],
  ['logicalOr', 590],
  ['logicalOr_', 591],
  ['logicalXor', 592],
  ['logicalXor_', 593],
  ['logit', 594],
  ['logit_', 595],
  ['logsumexp', 596],
  ['lt', 599],
  ['lt_', 600],
  ['luSolve', 601],
  ['mH', 603],
  ['mT', 604],
  ['maskedFill', 606],
  ['maskedFill_', 607],
  ['maskedScatter', 608],
  ['maskedScatter_', 609],
  ['maskedSelect', 610],
  ['matmul', 611],
  ['matrixExp', 612],
  ['matrixPower', 613],
  ['max', 614],
  ['maximum', 623],
  ['mean', 624],
  ['median', 625],
  ['min', 627],
  ['minimum', 628],
  ['mm', 631],
  ['mode', 632],
  ['moveaxis', 633],
  ['movedim', 634],
  ['msort', 636],
  ['mul', 637],
  ['mul_', 638],
  ['multinomial', 641],
  ['multiply', 642],
  ['multiply_', 643],
  ['mv', 644],
  ['mvlgamma', 645],
  ['mvlgamma_', 646],
  ['nanToNum', 647],
  ['nanToNum_', 648],
  ['nanmean', 649],
  ['nanmedian', 650],
  ['nanquantile', 651],
  ['nansum', 652],
  ['narrow', 653],
  ['ne', 659],
  ['ne_', 660],
  ['neg', 661],
  ['neg_', 662],
  ['negative', 663],
  ['negative_', 664],
  ['newEmpty', 665],
  ['newEmptyStrided', 666],
  ['newFull', 667],
  ['newOnes', 668],
  ['newZeros', 669],
  ['nextafter', 670],
  ['nextafter_', 671],
  ['nonzero', 675],
  ['nonzeroNumpy', 676],
  ['nonzeroStatic', 677],
  ['norm', 678],
  ['normal_', 681],
  ['notEqual', 683],
  ['notEqual_', 684],
  ['orgqr', 688],
  ['ormqr', 689],
  ['outer', 690],
  ['permute', 695],
  ['pinMemory', 696],
  ['pinverse', 697],
  ['polygamma', 703, 2, 1],
  ['polygamma_', 704],
  ['positive', 705],
  ['pow', 706],
  ['pow_', 707],
  ['prelu', 708],
  ['prod', 709],
  ['put', 711],
  ['put_', 712],
  ['qr', 713],
  ['quantile', 714],
  ['rad2deg', 715],
  ['rad2deg_', 716],
  ['random_', 720],
  ['ravel', 721],
  ['reciprocal', 723],
  ['reciprocal_', 724],
  ['relu', 728],
  ['relu_', 731],
  ['remainder', 732],
  ['remainder_', 733],
  ['renorm', 734],
  ['renorm_', 735],
  ['repeat', 736],
  ['repeatInterleave', 737],
  ['reshape', 741],
  ['reshapeAs', 742],
  ['resolveConj', 743],
  ['resolveNeg', 744],
  ['roll', 751],
  ['rot90', 752],
  ['round', 753],
  ['round_', 754],
  ['rowIndices', 755],
  ['rsqrt', 761],
  ['rsqrt_', 762],
  ['scatter', 765],
  ['scatter_', 766],
  ['scatterAdd', 767],
  ['scatterAdd_', 768],
  ['scatterReduce', 769, 6, 0],
  ['scatterReduce_', 770, 6, 0],
  ['select', 773],
  ['selectScatter', 774],
  ['sgn', 777],
  ['sgn_', 778],
  ['sigmoid', 779],
  ['sigmoid_', 780],
  ['sign', 781],
  ['sign_', 782],
  ['signbit', 783],
  ['sin', 786],
  ['sin_', 787],
  ['sinc', 788],
  ['sinc_', 789],
  ['sinh', 790],
  ['sinh_', 791],
  ['slice', 792],
  ['sliceInverse', 793],
  ['sliceScatter', 794],
  ['slogdet', 795],
  ['smm', 796],
  ['softmax', 799],
  ['sort', 802],
  ['sparseDim', 809],
  ['sparseMask', 810],
  ['split', 868],
  ['splitWithSizes', 869],
  ['sqrt', 870],
  ['sqrt_', 871],
  ['square', 872],
  ['square_', 873],
  ['squeeze', 874],
  ['squeeze_', 875],
  ['sspaddmm', 876],
  ['std', 878],
  ['stft', 880],
  ['sub', 881],
  ['sub_', 882],
  ['subtract', 883],
  ['subtract_', 884],
  ['sum', 885],
  ['sumToSize', 886],
  ['svd', 887],
  ['swapaxes', 888],
  ['swapaxes_', 889],
  ['swapdims', 890],
  ['swapdims_', 891],
  ['t', 892],
  ['t_', 893],
  ['take', 894],
  ['takeAlongDim', 895],
  ['tan', 896],
  ['tan_', 897],
  ['tanh', 898],
  ['tanh_', 899],
  ['tensorSplit', 900],
  ['tile', 904],
  ['toDense', 905],
  ['toPaddedTensor', 906],
  ['toSparse', 907],
  ['toSparseBsc', 908],
  ['toSparseBsr', 909],
  ['toSparseCsc', 910],
  ['toSparseCsr', 911],
  ['topk', 912],
  ['trace', 913],
  ['transpose', 914],
  ['transpose_', 915],
  ['triangularSolve', 918],
  ['tril', 919],
  ['tril_', 920],
  ['triu', 923],
  ['triu_', 924],
  ['trueDivide', 926],
  ['trueDivide_', 927],
  ['trunc', 928],
  ['trunc_', 929],
  ['typeAs', 930],
  ['unbind', 931],
  ['unflatten', 932],
  ['unfold', 934],
  ['uniform_', 935],
  ['unsafeChunk', 939],
  ['unsafeSplit', 940],
  ['unsafeSplitWithSizes', 941],
  ['unsqueeze', 942],
  ['unsqueeze_', 943],
  ['values', 951],
  ['var', 953],
  ['vdot', 955],
  ['view', 956],
  ['viewAs', 957],
  ['vsplit', 960],
  ['where', 962, 3, 1],
  ['xlogy', 963],
  ['xlogy_', 964],
  ['zero_', 965],
]
