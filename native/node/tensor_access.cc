#include "node/tensor_access.h"

#include <ATen/EmptyTensor.h>

#include <cstring>

namespace vision_native {

const at::Tensor& find_tensor(const Environment& environment, double handle, const char* what) {
  const at::Tensor* tensor = environment.registry.tensors.find(handle);
  if (tensor == nullptr) {
    throw BridgeError("Disposed", std::string(what) + ": the tensor was disposed, or belongs to another thread; "
                                                      "return it from its tidy() scope, or keep() it");
  }
  return *tensor;
}

double tensor_from_bytes(Environment& environment, const void* data, size_t bytes) {
  const Frame& frame = environment.frame;
  const auto dtype = static_cast<c10::ScalarType>(static_cast<int>(frame.at(0)));
  const size_t rank = frame.count_at(1);
  std::vector<int64_t> sizes(rank);
  size_t elements = 1;
  bool too_large = false;
  for (size_t i = 0; i < rank; ++i) {
    const double size = frame.at(2 + i);
    if (!(size >= 0 && size <= 9007199254740991.0) || size != static_cast<double>(static_cast<int64_t>(size))) {
      throw BridgeError("Shape", "tensor: size " + std::to_string(size) + " of dimension " + std::to_string(i) +
                                     " must be a whole number of 0 or more");
    }
    sizes[i] = static_cast<int64_t>(size);
    too_large |= __builtin_mul_overflow(elements, static_cast<size_t>(sizes[i]), &elements);
  }
  size_t needed = 0;
  too_large |= __builtin_mul_overflow(elements, c10::elementSize(dtype), &needed);
  if (too_large || needed != bytes) {
    throw BridgeError("Shape", "tensor: the shape needs " + (too_large ? "more than 2^64" : std::to_string(needed)) +
                                   " bytes, the data has " + std::to_string(bytes));
  }
  at::Tensor tensor = at::detail::empty_cpu(sizes, dtype);
  if (bytes > 0) std::memcpy(tensor.mutable_data_ptr(), data, bytes);
  const double handle = environment.registry.tensors.insert(std::move(tensor));
  if (handle == 0) throw BridgeError("OutOfMemory", "4194304 tensors are alive in this thread, which is the limit");
  return handle;
}

void describe_to_frame(Environment& environment) {
  const at::Tensor& tensor = find_tensor(environment, environment.frame.at(0), "tensor");
  const auto rank = static_cast<size_t>(tensor.dim());
  Frame& frame = environment.frame;
  frame.at(12 + 2 * rank);
  double* out = frame.data;
  const bool strided = tensor.layout() == c10::kStrided;
  *out++ = static_cast<double>(tensor.scalar_type());
  *out++ = static_cast<double>(tensor.device().type());
  *out++ = static_cast<double>(tensor.device().index());
  *out++ = static_cast<double>(tensor.layout());
  *out++ = tensor.requires_grad() ? 1 : 0;
  *out++ = tensor.is_leaf() ? 1 : 0;
  *out++ = tensor.is_inference() ? -1 : tensor._version();
  *out++ = static_cast<double>(tensor.numel());
  *out++ = static_cast<double>(tensor.element_size());
  *out++ = strided ? static_cast<double>(tensor.storage_offset()) : 0;
  *out++ = strided && tensor.is_contiguous() ? 1 : 0;
  *out++ = static_cast<double>(rank);
  for (size_t i = 0; i < rank; ++i) *out++ = static_cast<double>(tensor.size(static_cast<int64_t>(i)));
  for (size_t i = 0; i < rank; ++i) *out++ = strided ? static_cast<double>(tensor.stride(static_cast<int64_t>(i))) : 0;
}

}  // namespace vision_native
