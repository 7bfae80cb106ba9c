#pragma once
// Process groups of LibTorch's c10d by name, as its functional operators find them.
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include <chrono>
#include <string>

#define VISION_NATIVE_DISTRIBUTED_API __attribute__((visibility("default")))

namespace vision_native::distributed {

/// Makes the engine that carries a group's tensors of one kind of device.
using BackendFactory = c10::intrusive_ptr<c10d::Backend> (*)(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                                             int world_size, std::chrono::milliseconds timeout,
                                                             const std::string& interface);

struct BackendEntry {
  c10::DeviceType device;
  c10d::ProcessGroup::BackendType type;
  BackendFactory make;
};

/// Gloo is there always; the CUDA library adds NCCL.
VISION_NATIVE_DISTRIBUTED_API void register_backend(const std::string& name, BackendEntry entry);

}  // namespace vision_native::distributed
