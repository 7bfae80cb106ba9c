#pragma once
// What the bridge does with tensors beside calling operators: making them from bytes, reading them, describing them.
#include "node/environment.h"

namespace vision_native {

/// A tensor of the dtype and sizes in the frame (`[dtype, rank, size …]`), with a copy of the bytes.
double tensor_from_bytes(Environment& environment, const void* data, size_t bytes);

/// Lays out what a tensor is, for the handle at the start of the frame.
void describe_to_frame(Environment& environment);

const at::Tensor& find_tensor(const Environment& environment, double handle, const char* what);

}  // namespace vision_native
