#include "torch/runtime.h"

#include <atomic>

namespace vision_native {

namespace {
std::atomic<DeviceRuntime*> registered{nullptr};
}

DeviceRuntime* device_runtime() { return registered.load(std::memory_order_acquire); }

void register_device_runtime(DeviceRuntime* runtime) { registered.store(runtime, std::memory_order_release); }

}  // namespace vision_native
