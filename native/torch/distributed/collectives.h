#pragma once
// LibTorch's functional collectives as calls that wait; no gradients.
#include <ATen/core/Tensor.h>

#include <string>

namespace vision_native::distributed {

/// What a functional collective gave, once it is there.
at::Tensor wait(const at::Tensor& issued);

at::Tensor all_reduce_sum(const at::Tensor& input, const std::string& group);

/// [N, …] of each process, one after the other: [world_size · N, …].
at::Tensor all_gather(const at::Tensor& input, const std::string& group, int64_t world_size);

}  // namespace vision_native::distributed
