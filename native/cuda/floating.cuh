#pragma once
// Tensors of any floating-point type and layout as kernels see them: sums are made in `A`, float or double.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "cuda/floating.h"

namespace vision_native::cuda {

template <typename A>
__device__ __forceinline__ A widened(float x) {
  return static_cast<A>(x);
}
template <typename A>
__device__ __forceinline__ A widened(double x) {
  return static_cast<A>(x);
}
template <typename A>
__device__ __forceinline__ A widened(__half x) {
  return static_cast<A>(__half2float(x));
}
template <typename A>
__device__ __forceinline__ A widened(__nv_bfloat16 x) {
  return static_cast<A>(__bfloat162float(x));
}

template <typename A>
__device__ __forceinline__ A load_as(const void* data, FloatType type, int64_t i) {
  switch (type) {
    case FloatType::kHalf: return widened<A>(static_cast<const __half*>(data)[i]);
    case FloatType::kBFloat16: return widened<A>(static_cast<const __nv_bfloat16*>(data)[i]);
    case FloatType::kDouble: return widened<A>(static_cast<const double*>(data)[i]);
    default: return widened<A>(static_cast<const float*>(data)[i]);
  }
}

template <typename A>
__device__ __forceinline__ void store_as(void* data, FloatType type, int64_t i, A value) {
  switch (type) {
    case FloatType::kHalf: static_cast<__half*>(data)[i] = __float2half_rn(static_cast<float>(value)); break;
    case FloatType::kBFloat16:
      static_cast<__nv_bfloat16*>(data)[i] = __float2bfloat16_rn(static_cast<float>(value));
      break;
    case FloatType::kDouble: static_cast<double*>(data)[i] = static_cast<double>(value); break;
    default: static_cast<float*>(data)[i] = static_cast<float>(value);
  }
}

}  // namespace vision_native::cuda
