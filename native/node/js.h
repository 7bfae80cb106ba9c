#pragma once
// Native functions as Node sees them: arguments read with checks, results made, and everything C++ throws turned into
// a typed error.
#include <node_api.h>

#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "node/environment.h"

namespace vision_native {

inline constexpr size_t kMostParameters = 4;

/// The arguments of one native function, read with checks.
class Parameters {
 public:
  Parameters(napi_env env, napi_callback_info info) : env_(env) {
    napi_get_cb_info(env, info, &count_, values_, nullptr, nullptr);
  }

  double number(size_t index) const {
    double value = 0;
    check(napi_get_value_double(env_, values_[index], &value), index, "a number");
    return value;
  }
  bool boolean(size_t index) const {
    bool value = false;
    check(napi_get_value_bool(env_, values_[index], &value), index, "a boolean");
    return value;
  }
  int64_t bigint(size_t index) const {
    int64_t value = 0;
    bool lossless = true;
    check(napi_get_value_bigint_int64(env_, values_[index], &value, &lossless), index, "a bigint");
    return value;
  }
  std::string text(size_t index) const {
    size_t length = 0;
    check(napi_get_value_string_utf8(env_, values_[index], nullptr, 0, &length), index, "a string");
    std::string value(length, '\0');
    napi_get_value_string_utf8(env_, values_[index], value.data(), length + 1, &length);
    return value;
  }
  std::vector<std::string> texts(size_t index) const {
    uint32_t length = 0;
    check(napi_get_array_length(env_, values_[index], &length), index, "an array of strings");
    std::vector<std::string> list;
    for (uint32_t i = 0; i < length; ++i) {
      Parameters item(env_);
      napi_get_element(env_, values_[index], i, &item.values_[0]);
      list.push_back(item.text(0));
    }
    return list;
  }
  std::pair<void*, size_t> bytes(size_t index) const {
    void* data = nullptr;
    size_t length = 0;
    napi_typedarray_type type;
    size_t elements = 0;
    bool view = false;
    napi_is_dataview(env_, values_[index], &view);
    if (view) {
      check(napi_get_dataview_info(env_, values_[index], &length, &data, nullptr, nullptr), index, "a view");
      return {data, length};
    }
    check(napi_get_typedarray_info(env_, values_[index], &type, &elements, &data, nullptr, nullptr), index,
          "a typed array");
    constexpr size_t kWidth[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
    return {data, elements * (type < std::size(kWidth) ? kWidth[type] : 2)};
  }
  /// A function to keep and call later.
  napi_value function(size_t index) const {
    check(type_of(index) == napi_function ? napi_ok : napi_function_expected, index, "a function");
    return values_[index];
  }
  /// The same, or nullptr for undefined.
  napi_value function_if_any(size_t index) const {
    return type_of(index) == napi_undefined ? nullptr : function(index);
  }
  napi_value array_buffer(size_t index) const {
    bool is_one = false;
    napi_is_arraybuffer(env_, values_[index], &is_one);
    check(is_one ? napi_ok : napi_arraybuffer_expected, index, "an ArrayBuffer");
    return values_[index];
  }

 private:
  explicit Parameters(napi_env env) : env_(env) {}
  static void check(napi_status status, size_t index, const char* expected) {
    if (status == napi_ok) return;
    throw BridgeError("Argument", "native call: argument " + std::to_string(index + 1) + " must be " + expected);
  }

  napi_valuetype type_of(size_t index) const {
    napi_valuetype type = napi_undefined;
    napi_typeof(env_, values_[index], &type);
    return type;
  }

  napi_env env_;
  size_t count_ = kMostParameters;
  napi_value values_[kMostParameters] = {};
};

inline napi_value to_js(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}
inline napi_value to_js(napi_env env, bool value) {
  napi_value result;
  napi_get_boolean(env, value, &result);
  return result;
}
inline napi_value to_js(napi_env env, const std::string& value) {
  napi_value result;
  napi_create_string_utf8(env, value.c_str(), value.size(), &result);
  return result;
}
inline napi_value to_js(napi_env env, const std::vector<std::string>& values) {
  napi_value result;
  napi_create_array_with_length(env, values.size(), &result);
  for (size_t i = 0; i < values.size(); ++i) napi_set_element(env, result, static_cast<uint32_t>(i), to_js(env, values[i]));
  return result;
}
inline napi_value to_js(napi_env env, size_t value) { return to_js(env, static_cast<double>(value)); }
inline napi_value to_js(napi_env env, int64_t value) { return to_js(env, static_cast<double>(value)); }

template <typename Value>
void set(napi_env env, napi_value object, const char* name, Value value) {
  napi_set_named_property(env, object, name, to_js(env, value));
}

/// A native function: `body` with its failures thrown as typed errors. Nothing C++ throws passes this line.
template <napi_value (*Body)(Environment&, const Parameters&)>
napi_value entry(napi_env env, napi_callback_info info) {
  Environment& environment = Environment::of(env);
  const Environment::Timer timer(environment);
  napi_value result = nullptr;
  Failure failure;
  if (!guarded(failure, [&] { result = Body(environment, Parameters(env, info)); })) {
    napi_throw(env, environment.make_error(failure));
    return nullptr;
  }
  return result;
}

inline void declare(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace vision_native
