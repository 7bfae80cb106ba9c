#pragma once
// Graphs whose values are all on one CUDA device, launched as one device graph (torch/replay.h).
#include <string>
#include <vector>

#include "node/graph.h"

namespace vision_native {

struct Graph::Device {
  Device(DeviceRuntime& runtime, int index) : replay(runtime, index) {}

  /// One run at a time: the inputs and outputs stand in memory of their own.
  std::mutex mutex;
  Replay replay;
  std::vector<at::Tensor> inputs;
  std::vector<at::Tensor> outputs;
  /// What the leaves' gradients are after a run: replaying launches kernels, but moves no pointers.
  std::vector<std::pair<at::Tensor, at::Tensor>> gradients;
};

class DevicePlan {
 public:
  /// Decides whether a graph becomes a device graph. `seen` are all tensors of the capture.
  static void make(Graph& graph, const std::vector<at::Tensor>& seen, const std::vector<at::Tensor>& outputs);
  /// What became of it, or nothing where no tensor is on a CUDA device.
  static std::string text(const Graph& graph);

 private:
  static std::string obstacle(const Graph& graph, const std::vector<at::Tensor>& seen,
                              const std::vector<at::Tensor>& outputs);
};

}  // namespace vision_native
