#include "node/environment.h"

#include <x86intrin.h>

#include <atomic>
#include <chrono>
#include <cstdlib>

#include "node/async.h"
#include "node/memory.h"

namespace vision_native {

namespace {

/// V8 is told of changes of this size; smaller ones are not worth the call.
constexpr int64_t kReportStep = 4 << 20;

double ticks_per_ms() {
  static const double rate = [] {
    const auto start = std::chrono::steady_clock::now();
    const uint64_t ticks = __rdtsc();
    while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(2)) {
    }
    const std::chrono::duration<double, std::milli> passed = std::chrono::steady_clock::now() - start;
    return static_cast<double>(__rdtsc() - ticks) / passed.count();
  }();
  return rate;
}

std::atomic<int> environments{0};

}  // namespace

Environment::Environment(napi_env node_env) : env(node_env) {
  account = environments.fetch_add(1) % memory::kAccounts;
  memory::charge_to(account);
  ticks_per_ms();
  napi_value name;
  napi_create_string_utf8(env, "vision-native jobs", NAPI_AUTO_LENGTH, &name);
  const napi_status status =
      napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, on_settled, &settled_);
  if (status != napi_ok) napi_fatal_error("vision-native", NAPI_AUTO_LENGTH, "no thread-safe function", NAPI_AUTO_LENGTH);
  // Only running jobs keep the process alive.
  napi_unref_threadsafe_function(env, settled_);
}

Environment& Environment::of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Environment*>(data);
}

namespace {

void replace_reference(napi_env env, napi_ref& ref, napi_value value) {
  napi_ref fresh = nullptr;
  napi_create_reference(env, value, 1, &fresh);
  if (ref != nullptr) napi_delete_reference(env, ref);
  ref = fresh;
}

}  // namespace

void Environment::attach(napi_value buffer, napi_value make_error) {
  void* data = nullptr;
  size_t bytes = 0;
  napi_get_arraybuffer_info(env, buffer, &data, &bytes);
  replace_reference(env, frame_ref_, buffer);
  replace_reference(env, make_error_, make_error);
  frame = {static_cast<double*>(data), bytes / sizeof(double)};
}

bool Environment::keep_exception() {
  bool pending = false;
  napi_value thrown, holder;
  napi_is_exception_pending(env, &pending);
  if (!pending || napi_get_and_clear_last_exception(env, &thrown) != napi_ok) return false;
  napi_create_array_with_length(env, 1, &holder);
  napi_set_element(env, holder, 0, thrown);
  replace_reference(env, exception_, holder);
  return true;
}

void Environment::keep_site_function(napi_value function) { replace_reference(env, site_function_, function); }

std::string Environment::site() const {
  napi_handle_scope scope;
  napi_value receiver, function;
  napi_value result = nullptr;
  char text[1024] = "";
  if (site_function_ == nullptr || napi_open_handle_scope(env, &scope) != napi_ok) return text;
  napi_get_undefined(env, &receiver);
  napi_get_reference_value(env, site_function_, &function);
  if (napi_call_function(env, receiver, function, 0, nullptr, &result) == napi_ok) {
    napi_get_value_string_utf8(env, result, text, sizeof text, nullptr);
  }
  napi_close_handle_scope(env, scope);
  return text;
}

napi_value Environment::make_error(const Failure& failure) {
  napi_value receiver, factory, args[2];
  napi_value error = nullptr;
  if (failure.kind == kJavaScriptError && exception_ != nullptr) {
    napi_get_reference_value(env, exception_, &args[0]);
    napi_get_element(env, args[0], 0, &error);
    napi_delete_reference(env, exception_);
    exception_ = nullptr;
    return error;
  }
  napi_get_undefined(env, &receiver);
  napi_create_string_utf8(env, failure.kind.c_str(), failure.kind.size(), &args[0]);
  napi_create_string_utf8(env, failure.message.c_str(), failure.message.size(), &args[1]);
  if (make_error_ != nullptr && napi_get_reference_value(env, make_error_, &factory) == napi_ok) {
    napi_call_function(env, receiver, factory, 2, args, &error);
  }
  if (error == nullptr) napi_create_error(env, args[0], args[1], &error);
  return error;
}

void Environment::write_results(const Candidate* candidate, torch::jit::Stack& returns) {
  size_t needed = 1;
  for (const auto& value : returns) needed += encoded_size(value);
  if (needed > frame.size) {
    pending = std::move(returns);
    returns.clear();
    frame.data[0] = -2;
    frame.data[1] = static_cast<double>(needed);
    return;
  }
  size_t cursor = 1;
  for (size_t i = 0; i < returns.size(); ++i) {
    const int position = candidate != nullptr ? candidate->returned_positional[i] : -1;
    if (position >= 0 && returns[i].isTensor()) {
      frame.data[cursor++] = static_cast<double>(Tag::kArgument);
      frame.data[cursor++] = position;
    } else {
      encode(returns[i], frame, cursor, registry);
    }
  }
  frame.data[0] = static_cast<double>(returns.size());
  returns.clear();
}

void Environment::report_memory() {
  const int64_t held = memory::allocated(account);
  if (std::llabs(held - reported_bytes_) < kReportStep) return;
  int64_t adjusted = 0;
  napi_adjust_external_memory(env, held - reported_bytes_, &adjusted);
  reported_bytes_ = held;
}

Environment::Timer::Timer(Environment& environment) : environment_(environment), start_(__rdtsc()) {}

Environment::Timer::~Timer() {
  const uint64_t ticks = __rdtsc() - start_;
  if (ticks > environment_.longest_ticks_) environment_.longest_ticks_ = ticks;
}

double Environment::take_longest_call_ms() {
  const double ms = static_cast<double>(longest_ticks_) / ticks_per_ms();
  longest_ticks_ = 0;
  return ms;
}

}  // namespace vision_native
