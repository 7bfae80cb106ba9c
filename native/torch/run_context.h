#pragma once
// What a long kernel asks of whoever runs it: whether to stop, and where to report progress.
//
// The bridge sets one context per running call; a kernel polls it at points where stopping is clean. Outside Node
// (Python, a C++ test) there is none, and every function here does nothing.
#include <atomic>
#include <cstdint>
#include <stdexcept>

#define VISION_NATIVE_API __attribute__((visibility("default")))

namespace vision_native {

/// Thrown by `check_cancelled`; the bridge turns it into the JavaScript `CancelledError`.
class VISION_NATIVE_API Cancelled : public std::runtime_error {
 public:
  Cancelled() : std::runtime_error("the call was cancelled") {}
};

class VISION_NATIVE_API RunContext {
 public:
  RunContext() = default;
  RunContext(const RunContext&) = delete;
  RunContext& operator=(const RunContext&) = delete;
  virtual ~RunContext() = default;

  std::atomic<bool> cancelled{false};

  /// Called on the thread of the kernel. `stage` must be a string literal.
  virtual void on_progress(const char* stage, int64_t done, int64_t total) = 0;
};

/// The context of the call that this thread runs, or null.
VISION_NATIVE_API RunContext* current_run_context();

/// Makes `context` current on this thread for as long as the guard lives.
class VISION_NATIVE_API RunContextGuard {
 public:
  explicit RunContextGuard(RunContext* context);
  ~RunContextGuard();
  RunContextGuard(const RunContextGuard&) = delete;
  RunContextGuard& operator=(const RunContextGuard&) = delete;

 private:
  RunContext* previous_;
};

/// True when the current call should stop. Cheap enough for once per row; safe to call with a context taken earlier on
/// the calling thread from inside a parallel region.
inline bool is_cancelled(const RunContext* context) {
  return context != nullptr && context->cancelled.load(std::memory_order_relaxed);
}

/// Throws `Cancelled` when the current call should stop. Not for use inside a parallel region.
inline void check_cancelled() {
  if (is_cancelled(current_run_context())) throw Cancelled();
}

inline void report_progress(const char* stage, int64_t done, int64_t total) {
  if (RunContext* context = current_run_context()) context->on_progress(stage, done, total);
}

}  // namespace vision_native
