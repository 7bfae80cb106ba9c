// An addon with defects made on purpose: proof that a sanitizer sees those of an addon.
#include <node_api.h>

#include <cstdlib>
#include <thread>

namespace {

napi_value number(napi_env env, int value) {
  napi_value result;
  napi_create_int32(env, value, &result);
  return result;
}

/// Reads what is past the end of a block.
napi_value overflow(napi_env env, napi_callback_info) {
  auto* block = static_cast<volatile char*>(std::malloc(100));
  block[0] = 1;
  const int value = block[0] + block[100];
  std::free(const_cast<char*>(block));
  return number(env, value);
}

/// Forgets a block.
napi_value leak(napi_env env, napi_callback_info) {
  auto* block = static_cast<volatile char*>(std::malloc(4321));
  block[0] = 1;
  return number(env, block[0]);
}

int shared_count = 0;

/// Counts on two threads at once.
napi_value race(napi_env env, napi_callback_info) {
  const auto count = [] {
    for (int i = 0; i < 1000; ++i) ++shared_count;
  };
  std::thread first(count), second(count);
  first.join();
  second.join();
  return number(env, shared_count);
}

}  // namespace

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"overflow", nullptr, overflow, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"leak", nullptr, leak, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"race", nullptr, race, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  napi_define_properties(env, exports, 3, functions);
  return exports;
}
