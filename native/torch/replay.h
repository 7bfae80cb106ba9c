#pragma once
// When work of a device is run, written down, and launched again: the states of a device graph. Knows nothing of
// LibTorch or CUDA.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "torch/runtime.h"

namespace vision_native {

class VISION_NATIVE_RUNTIME_API Replay {
 public:
  /// Runs before the work is written down: libraries choose their algorithms and take their workspace in them.
  static constexpr int kWarmUps = 3;
  /// How often work is written down anew because memory has moved; after that it is run as it is.
  static constexpr int kMostCaptures = 4;

  Replay(DeviceRuntime& runtime, int device) : runtime_(runtime), device_(device) {}

  /// Does the work of `body`: by running it, by writing it down, or by what was written down before.
  ///
  /// @param addresses memory that the work uses and does not own; a graph holds only while it is where it was
  /// @param after_capture told when the work was written down, which has changed nothing yet
  /// @returns true when the work was launched from a graph: `body` was not run, or wrote down only
  bool run(const std::vector<std::uintptr_t>& addresses, const std::function<void()>& body,
           const std::function<void()>& after_capture);

  /// What the next run does and why, for people.
  std::string text() const;

 private:
  DeviceRuntime& runtime_;
  int device_;
  int warm_ups_ = 0;
  int captures_ = 0;
  std::string refusal_;
  std::unique_ptr<DeviceGraph> graph_;
  std::vector<std::uintptr_t> addresses_;
};

}  // namespace vision_native
