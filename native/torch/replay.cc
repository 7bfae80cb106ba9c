#include "torch/replay.h"

#include <exception>

namespace vision_native {

bool Replay::run(const std::vector<std::uintptr_t>& addresses, const std::function<void()>& body,
                 const std::function<void()>& after_capture) {
  if (!refusal_.empty()) {
    body();
    return false;
  }
  if (warm_ups_ < kWarmUps) {
    runtime_.on_side_stream(device_, body);
    ++warm_ups_;
    return false;
  }
  if (graph_ && addresses == addresses_) {
    graph_->replay();
    return true;
  }

  graph_.reset();
  if (captures_ == kMostCaptures) {
    refusal_ = "the memory of its tensors moves from run to run";
    body();
    return false;
  }
  ++captures_;
  try {
    auto graph = runtime_.make_graph(device_);
    graph->capture(body);
    graph_ = std::move(graph);
  } catch (const std::exception& error) {
    refusal_ = error.what();
  }
  if (!graph_) {
    body();
    return false;
  }
  addresses_ = addresses;
  after_capture();
  graph_->replay();
  return true;
}

std::string Replay::text() const {
  if (!refusal_.empty()) return "not replayed as a CUDA graph: " + refusal_;
  if (warm_ups_ < kWarmUps) return "warming up, " + std::to_string(warm_ups_) + " of " + std::to_string(kWarmUps) + " runs";
  return graph_ ? "replayed as a CUDA graph" : "to be written down as a CUDA graph";
}

}  // namespace vision_native
