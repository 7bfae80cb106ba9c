#pragma once
// What only the CUDA library can do. It registers its runtime when it is loaded; whoever asks before, or on a machine
// without CUDA, gets none. Knows nothing of LibTorch, so that what is built on it can be tested alone.
#include <functional>
#include <memory>

#define VISION_NATIVE_RUNTIME_API __attribute__((visibility("default")))

namespace vision_native {

/// Work of a device, written down to be launched again at once.
class VISION_NATIVE_RUNTIME_API DeviceGraph {
 public:
  DeviceGraph() = default;
  DeviceGraph(const DeviceGraph&) = delete;
  DeviceGraph& operator=(const DeviceGraph&) = delete;
  virtual ~DeviceGraph() = default;

  /// Runs `body` with everything it launches written down instead of run. Memory that it takes stays the graph's. Throws
  /// when something cannot be written down, such as waiting for the device.
  virtual void capture(const std::function<void()>& body) = 0;
  /// Launches what was written down, after all that was launched before on this thread's stream.
  virtual void replay() = 0;
};

class VISION_NATIVE_RUNTIME_API DeviceRuntime {
 public:
  DeviceRuntime() = default;
  DeviceRuntime(const DeviceRuntime&) = delete;
  DeviceRuntime& operator=(const DeviceRuntime&) = delete;
  virtual ~DeviceRuntime() = default;

  virtual std::unique_ptr<DeviceGraph> make_graph(int device) = 0;
  /// Runs `body` with a stream of its own, which follows this thread's stream and is followed by it.
  virtual void on_side_stream(int device, const std::function<void()>& body) = 0;
};

/// The runtime of CUDA, or null.
VISION_NATIVE_RUNTIME_API DeviceRuntime* device_runtime();
/// `runtime` must live as long as the process.
VISION_NATIVE_RUNTIME_API void register_device_runtime(DeviceRuntime* runtime);

}  // namespace vision_native
