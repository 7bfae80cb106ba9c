#include "node/autocast.h"

#include <ATen/autocast_mode.h>

#include "node/js.h"

namespace vision_native {

namespace {

c10::DeviceType device_of(const Parameters& in, size_t index) {
  const std::string name = in.text(index);
  if (name == "cpu") return c10::kCPU;
  if (name == "cuda") return c10::kCUDA;
  throw BridgeError("Device", "autocast: '" + name + "' is no kind of device with mixed precision; use cpu or cuda");
}

/// The modes of a device as one number: bit 0 enabled, bit 1 the cache, then the dtype.
double modes_of(c10::DeviceType device) {
  const int dtype = static_cast<int>(at::autocast::get_autocast_dtype(device));
  return (at::autocast::is_autocast_enabled(device) ? 1 : 0) + (at::autocast::is_autocast_cache_enabled() ? 2 : 0) +
         4 * dtype;
}

void set_modes(c10::DeviceType device, double modes) {
  const int bits = static_cast<int>(modes);
  at::autocast::set_autocast_enabled(device, (bits & 1) != 0);
  at::autocast::set_autocast_cache_enabled((bits & 2) != 0);
  at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(bits / 4));
}

napi_value enter_autocast(Environment& self, const Parameters& in) {
  const c10::DeviceType device = device_of(in, 0);
  const double before = modes_of(device);
  set_modes(device, in.number(1));
  at::autocast::increment_nesting();
  return to_js(self.env, before);
}

napi_value leave_autocast(Environment&, const Parameters& in) {
  const c10::DeviceType device = device_of(in, 0);
  // Weights cast within the outermost scope are kept no longer than it lasts.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  set_modes(device, in.number(1));
  return nullptr;
}

napi_value autocast_modes(Environment& self, const Parameters& in) { return to_js(self.env, modes_of(device_of(in, 0))); }

napi_value clear_autocast_cache(Environment&, const Parameters&) {
  at::autocast::clear_cache();
  return nullptr;
}

}  // namespace

void declare_autocast_functions(napi_env env, napi_value exports) {
  declare(env, exports, "enterAutocast", entry<enter_autocast>);
  declare(env, exports, "leaveAutocast", entry<leave_autocast>);
  declare(env, exports, "autocastModes", entry<autocast_modes>);
  declare(env, exports, "clearAutocastCache", entry<clear_autocast_cache>);
}

}  // namespace vision_native
