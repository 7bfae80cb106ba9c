// NCCL: carries tensors of GPUs between processes.
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "torch/distributed/groups.h"

namespace vision_native::distributed {

namespace {

/// The interface is NCCL's own choice, or NCCL_SOCKET_IFNAME's.
c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store, int rank, int world_size,
                                            std::chrono::milliseconds timeout, const std::string& /*interface*/) {
  const auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, world_size, options);
}

const bool registered =
    (register_backend("nccl", {c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL, make_nccl}), true);

}  // namespace

}  // namespace vision_native::distributed
