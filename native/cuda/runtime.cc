// The runtime interface on CUDA: graphs and streams.
#include "torch/runtime.h"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include "cuda/launch.cuh"

namespace vision_native {

namespace {

/// Makes what is launched on `later` from now on follow what `first` has been given.
void follow(cudaStream_t first, cudaStream_t later) {
  cudaEvent_t event = nullptr;
  cuda::check_cuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
  cudaError_t status = cudaEventRecord(event, first);
  if (status == cudaSuccess) status = cudaStreamWaitEvent(later, event, 0);
  // Freed by the driver once it has happened.
  cudaEventDestroy(event);
  cuda::check_cuda(status, "making one stream follow another");
}

/// Makes a stream of the pool that of this thread. It begins after the thread's stream, and that one goes on after it.
class SideStream {
 public:
  explicit SideStream(int device)
      : outer_(c10::cuda::getCurrentCUDAStream(static_cast<c10::DeviceIndex>(device))),
        side_(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, static_cast<c10::DeviceIndex>(device))),
        guard_(side_) {
    follow(outer_.stream(), side_.stream());
  }

  /// To be called where the work was launched without failure.
  void join() { follow(side_.stream(), outer_.stream()); }

 private:
  c10::cuda::CUDAStream outer_;
  c10::cuda::CUDAStream side_;
  c10::cuda::CUDAStreamGuard guard_;
};

class CudaGraph final : public DeviceGraph {
 public:
  explicit CudaGraph(int device) : device_(device) {}

  void capture(const std::function<void()>& body) override {
    SideStream stream(device_);
    // Other threads of the process go on using CUDA meanwhile. The default generator is registered by this call, so
    // that every replay draws new numbers.
    graph_.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    try {
      body();
    } catch (...) {
      abandon();
      throw;
    }
    graph_.capture_end();
    stream.join();
  }

  void replay() override {
    const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(device_));
    graph_.replay();
  }

 private:
  /// Ends a capture that failed; that it is of no use is known already.
  void abandon() noexcept {
    try {
      graph_.capture_end();
    } catch (...) {
    }
    cudaGetLastError();
  }

  int device_;
  at::cuda::CUDAGraph graph_;
};

class CudaRuntime final : public DeviceRuntime {
 public:
  std::unique_ptr<DeviceGraph> make_graph(int device) override { return std::make_unique<CudaGraph>(device); }

  void on_side_stream(int device, const std::function<void()>& body) override {
    SideStream stream(device);
    body();
    stream.join();
  }
};

CudaRuntime runtime;
const bool registered = (register_device_runtime(&runtime), true);

}  // namespace

}  // namespace vision_native
