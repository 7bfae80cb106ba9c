#pragma once
// JavaScript functions as gradient hooks of tensors.
//
// LibTorch calls a hook from its backward. The bridge lets that reach JavaScript on the environment's own thread alone:
// a backward that a captured function or an asynchronous call runs elsewhere fails with the line that registered the hook.
#include <ATen/core/Tensor.h>
#include <node_api.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace vision_native {

class Environment;
class HookTable;

/// A hook as tensors hold it. The last of them to go gives the JavaScript function back.
struct Hook {
  Hook(std::shared_ptr<HookTable> hooks, int64_t number, std::string line)
      : table(std::move(hooks)), id(number), site(std::move(line)) {}
  ~Hook();
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

  const std::shared_ptr<HookTable> table;
  const int64_t id;
  /// Where it was registered.
  const std::string site;
  std::atomic<bool> removed{false};
};

/// The hooks of one tensor in the order they were registered. LibTorch's own lists only ever grow.
class HookList {
 public:
  void add(std::shared_ptr<Hook> hook);
  void remove(int64_t id);
  std::vector<std::shared_ptr<Hook>> all() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Hook>> hooks_;
};

/// The hooks of an environment. Tensors may hold it longer than the environment lives.
class HookTable : public std::enable_shared_from_this<HookTable> {
 public:
  enum class Kind { kGradient, kPostAccumulate };

  explicit HookTable(Environment& environment) : environment_(environment), thread_(std::this_thread::get_id()) {}

  int64_t add(Kind kind, const at::Tensor& tensor, napi_value function, std::string site);
  void remove(int64_t id);
  /// Calls the hook with a tensor; what it returned, or undefined.
  at::Tensor call(const Hook& hook, const at::Tensor& argument);
  /// True while JavaScript may be called by a backward.
  bool any() const { return !entries_.empty(); }
  /// Gives back the functions that other threads let go of.
  void sweep();
  /// The environment ends: no function may be called or given back from now on.
  void close();

 private:
  friend struct Hook;
  struct Entry {
    napi_ref function;
    std::weak_ptr<Hook> hook;
    std::weak_ptr<HookList> list;
  };
  void released(int64_t id);
  void erase(int64_t id);
  std::shared_ptr<HookList> gradient_hooks_of(const at::Tensor& tensor);
  std::shared_ptr<HookList> post_accumulate_hooks_of(const at::Tensor& tensor);

  Environment& environment_;
  const std::thread::id thread_;
  std::unordered_map<int64_t, Entry> entries_;
  /// The lists of leaves, by address; a tensor that is gone has left a list that is gone.
  std::unordered_map<const void*, std::weak_ptr<HookList>> lists_of_leaves_;
  int64_t next_ = 1;
  bool closed_ = false;
  std::mutex mutex_;
  std::vector<int64_t> released_;  // guarded by mutex_
  std::atomic<bool> has_released_{false};
};

/// While it lives, backward runs on this thread alone, for every device, when there are hooks that it may have to call.
class HookThreadGuard {
 public:
  explicit HookThreadGuard(const HookTable& hooks);
  ~HookThreadGuard();
  HookThreadGuard(const HookThreadGuard&) = delete;
  HookThreadGuard& operator=(const HookThreadGuard&) = delete;

 private:
  bool changed_;
};

void declare_autograd_functions(napi_env env, napi_value exports);

}  // namespace vision_native
