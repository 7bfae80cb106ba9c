#pragma once
// What the capsule kernels share: element types, sums over a warp, the squash.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "cuda/capsule_routing.h"
#include "cuda/launch.cuh"

namespace vision_native::cuda {

constexpr int kWarps = 8;
constexpr unsigned kAllLanes = 0xffffffffu;

__device__ inline float widened(float x) { return x; }
__device__ inline double widened(double x) { return x; }
__device__ inline float widened(__half x) { return __half2float(x); }
__device__ inline float widened(__nv_bfloat16 x) { return __bfloat162float(x); }

__device__ inline void narrowed(float x, float& out) { out = x; }
__device__ inline void narrowed(double x, double& out) { out = x; }
__device__ inline void narrowed(float x, __half& out) { out = __float2half_rn(x); }
__device__ inline void narrowed(float x, __nv_bfloat16& out) { out = __float2bfloat16_rn(x); }

template <typename T>
struct CapsuleSum {
  using Type = float;
};
template <>
struct CapsuleSum<double> {
  using Type = double;
};

__device__ inline float root(float x) { return sqrtf(x); }
__device__ inline double root(double x) { return sqrt(x); }
__device__ inline float exponential(float x) { return expf(x); }
__device__ inline double exponential(double x) { return exp(x); }

template <typename A>
__device__ A warp_sum(A value) {
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(kAllLanes, value, step);
  return value;
}

template <typename A>
__device__ A warp_maximum(A value) {
  for (int step = 16; step > 0; step /= 2) {
    const A other = __shfl_xor_sync(kAllLanes, value, step);
    value = other > value ? other : value;
  }
  return value;
}

/// y = a·s and dL/ds = a·g + b·s·⟨s, g⟩.
template <typename A>
struct SquashFactors {
  A a, b;
  __device__ SquashFactors(A squared, A kappa) {
    const A norm = root(squared), sum = kappa + squared;
    a = norm / sum;
    b = (kappa - squared) / ((norm < A(1e-12) ? A(1e-12) : norm) * (sum * sum));
  }
};

/// Calls `body` with a value of the element type.
template <typename Body>
void with_element(CapsuleElement element, const Body& body) {
  switch (element) {
    case CapsuleElement::kFloat: return body(float{});
    case CapsuleElement::kDouble: return body(double{});
    case CapsuleElement::kHalf: return body(__half{});
    case CapsuleElement::kBFloat16: return body(__nv_bfloat16{});
  }
}

/// Lets a kernel have more shared memory than the 48 KiB that every kernel has.
template <typename Kernel>
void allow_shared(Kernel kernel, size_t bytes) {
  if (bytes <= 48 * 1024) return;
  check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)),
             "asking for shared memory");
}

/// Shared memory that a block may ask for on this device.
inline size_t most_shared() {
  int device = 0, bytes = 0;
  check_cuda(cudaGetDevice(&device), "asking for the device");
  check_cuda(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), "asking for shared memory");
  return static_cast<size_t>(bytes);
}

}  // namespace vision_native::cuda
