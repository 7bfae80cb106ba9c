#pragma once
// What the bridge keeps for one Node environment: the main thread or a worker.
#include <node_api.h>

#include <list>
#include <memory>
#include <vector>

#include "node/autograd.h"
#include "node/functions.h"
#include "node/graph.h"

namespace vision_native {

class Job;

/// The kind of a failure that JavaScript itself threw, in a function that native code called.
inline constexpr const char* kJavaScriptError = "JavaScript";

class Environment {
 public:
  explicit Environment(napi_env env);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  static Environment& of(napi_env env);

  napi_env env;
  Frame frame;
  Registry registry;
  FunctionTable functions;
  std::unordered_map<std::string, size_t> string_ids;
  /// The call being made; kept so that its stack's memory is used again.
  PreparedCall call;
  /// Returns that did not fit into the frame.
  std::vector<c10::IValue> pending;
  int account = 0;
  const std::shared_ptr<HookTable> hooks = std::make_shared<HookTable>(*this);
  /// Set while a function is captured.
  std::unique_ptr<Recorder> recorder;
  std::unordered_map<int64_t, std::shared_ptr<Graph>> graphs;
  int64_t next_graph = 1;

  /// Takes the frame, and the function by which errors are made: `(kind, message) => Error`.
  void attach(napi_value frame, napi_value make_error);
  napi_value make_error(const Failure& failure);
  /// Puts aside what JavaScript has just thrown, for `make_error` of a `kJavaScriptError`; false when nothing was thrown.
  bool keep_exception();
  /// Takes the function that tells the line JavaScript is at; `site` calls it.
  void keep_site_function(napi_value function);
  std::string site() const;
  /// Writes returns to the frame, by the aliases of the candidate that made them where there is one.
  void write_results(const Candidate* candidate, torch::jit::Stack& returns);
  /// Tells V8 how much memory its tensors hold, when that has changed enough to matter.
  void report_memory();

  // Asynchronous jobs (async.cc).
  int64_t start(std::unique_ptr<Job> job);
  void cancel(int64_t id);
  bool busy() const { return !jobs_.empty(); }

  /// Keeps the longest time a native call has held this thread.
  class Timer {
   public:
    explicit Timer(Environment& environment);
    ~Timer();

   private:
    Environment& environment_;
    uint64_t start_;
  };
  double take_longest_call_ms();

 private:
  friend class Job;
  void settle(Job* job);
  static void on_settled(napi_env env, napi_value, void* context, void* data);

  napi_ref frame_ref_ = nullptr;
  napi_ref make_error_ = nullptr;
  napi_ref site_function_ = nullptr;
  /// An array around what JavaScript threw: references are to objects alone.
  napi_ref exception_ = nullptr;
  int64_t reported_bytes_ = 0;
  uint64_t longest_ticks_ = 0;
  napi_threadsafe_function settled_ = nullptr;
  std::list<std::shared_ptr<Job>> jobs_;
  int64_t next_job_ = 1;
};

}  // namespace vision_native
