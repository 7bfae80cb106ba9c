#pragma once
// Tensors of four dimensions as launches take them.
#include <ATen/core/Tensor.h>

#include "cuda/floating.h"

namespace vision_native {

inline cuda::FloatType float_type_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kHalf: return cuda::FloatType::kHalf;
    case at::kBFloat16: return cuda::FloatType::kBFloat16;
    case at::kDouble: return cuda::FloatType::kDouble;
    default: return cuda::FloatType::kFloat;
  }
}

inline cuda::FloatSource float_source(const at::Tensor& tensor) {
  return {tensor.const_data_ptr(),
          float_type_of(tensor),
          {tensor.stride(0), tensor.stride(1), tensor.stride(2), tensor.stride(3)}};
}

inline cuda::FloatTarget float_target(const at::Tensor& tensor) {
  return {tensor.mutable_data_ptr(),
          float_type_of(tensor),
          {tensor.stride(0), tensor.stride(1), tensor.stride(2), tensor.stride(3)}};
}

}  // namespace vision_native
