#include "node/autograd.h"

#include <c10/core/AutogradState.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>

#include "node/js.h"
#include "node/tensor_access.h"

namespace vision_native {

// ---- Lists of hooks -------------------------------------------------------------------------------------------------

Hook::~Hook() { table->released(id); }

void HookList::add(std::shared_ptr<Hook> hook) {
  std::lock_guard lock(mutex_);
  hooks_.push_back(std::move(hook));
}

void HookList::remove(int64_t id) {
  // Destroyed after the lock is given back: the end of a hook may call JavaScript's engine.
  std::shared_ptr<Hook> gone;
  std::lock_guard lock(mutex_);
  const auto at = std::find_if(hooks_.begin(), hooks_.end(), [id](const auto& hook) { return hook->id == id; });
  if (at == hooks_.end()) return;
  gone = std::move(*at);
  hooks_.erase(at);
}

std::vector<std::shared_ptr<Hook>> HookList::all() const {
  std::lock_guard lock(mutex_);
  return hooks_;
}

namespace {

/// What a gradient hook returns takes the gradient's place, so it must be of its kind.
void check_replacement(const Hook& hook, const at::Tensor& gradient, const at::Tensor& replacement) {
  const auto refuse = [&](const char* kind) {
    throw BridgeError(kind, "the gradient hook registered at " + hook.site + " returned " + describe(replacement) +
                                " for a gradient " + describe(gradient) +
                                "; return one of the same shape, dtype and device, or nothing");
  };
  if (replacement.sizes() != gradient.sizes()) refuse("Shape");
  if (replacement.scalar_type() != gradient.scalar_type()) refuse("DType");
  if (replacement.device() != gradient.device()) refuse("Device");
}

at::Tensor run_gradient_hooks(const HookList& list, at::Tensor gradient) {
  for (const auto& hook : list.all()) {
    if (hook->removed || !gradient.defined()) continue;
    const at::Tensor replacement = hook->table->call(*hook, gradient);
    if (!replacement.defined()) continue;
    check_replacement(*hook, gradient, replacement);
    gradient = replacement;
  }
  return gradient;
}

class PostAccumulateHooks final : public torch::autograd::PostAccumulateGradHook {
 public:
  explicit PostAccumulateHooks(std::shared_ptr<HookList> list) : list(std::move(list)) {}
  void operator()(const at::Tensor& leaf) override {
    for (const auto& hook : list->all()) {
      if (!hook->removed) hook->table->call(*hook, leaf);
    }
  }
  const std::shared_ptr<HookList> list;
};

/// Lets JavaScript call the bridge in the middle of a call: puts the call and its frame aside, and back afterwards.
class PausedCall {
 public:
  explicit PausedCall(Environment& environment) : environment_(environment) {
    std::swap(environment.call, call_);
    const Frame& frame = environment.frame;
    const double used = frame.size > 1 ? frame.data[1] : 0;
    const size_t kept = used >= 4 && used <= static_cast<double>(frame.size) ? static_cast<size_t>(used) : 4;
    frame_.assign(frame.data, frame.data + std::min(kept, frame.size));
  }
  ~PausedCall() {
    std::copy(frame_.begin(), frame_.end(), environment_.frame.data);
    std::swap(environment_.call, call_);
  }
  PausedCall(const PausedCall&) = delete;
  PausedCall& operator=(const PausedCall&) = delete;

 private:
  Environment& environment_;
  PreparedCall call_;
  std::vector<double> frame_;
};

class HandleScope {
 public:
  explicit HandleScope(napi_env env) : env_(env) { napi_open_handle_scope(env, &scope_); }
  ~HandleScope() { napi_close_handle_scope(env_, scope_); }
  HandleScope(const HandleScope&) = delete;
  HandleScope& operator=(const HandleScope&) = delete;

 private:
  napi_env env_;
  napi_handle_scope scope_ = nullptr;
};

}  // namespace

// ---- Table ----------------------------------------------------------------------------------------------------------

std::shared_ptr<HookList> HookTable::gradient_hooks_of(const at::Tensor& tensor) {
  std::weak_ptr<HookList>* known = nullptr;
  if (tensor.is_leaf()) {
    known = &lists_of_leaves_[tensor.unsafeGetTensorImpl()];
    if (auto list = known->lock()) return list;
  }
  auto list = std::make_shared<HookList>();
  tensor.register_hook([list](at::Tensor gradient) -> at::Tensor { return run_gradient_hooks(*list, std::move(gradient)); });
  if (known != nullptr) *known = list;
  return list;
}

std::shared_ptr<HookList> HookTable::post_accumulate_hooks_of(const at::Tensor& tensor) {
  const auto& installed = torch::autograd::impl::post_acc_grad_hooks(tensor);
  if (const auto* ours = dynamic_cast<PostAccumulateHooks*>(installed.get())) return ours->list;
  auto list = std::make_shared<HookList>();
  torch::autograd::impl::set_post_acc_grad_hooks(tensor, std::make_unique<PostAccumulateHooks>(list));
  return list;
}

int64_t HookTable::add(Kind kind, const at::Tensor& tensor, napi_value function, std::string site) {
  sweep();
  std::erase_if(lists_of_leaves_, [](const auto& entry) { return entry.second.expired(); });
  const auto list = kind == Kind::kGradient ? gradient_hooks_of(tensor) : post_accumulate_hooks_of(tensor);
  const int64_t id = next_++;
  auto hook = std::make_shared<Hook>(shared_from_this(), id, std::move(site));
  Entry entry{nullptr, hook, list};
  napi_create_reference(environment_.env, function, 1, &entry.function);
  entries_.emplace(id, std::move(entry));
  list->add(std::move(hook));
  return id;
}

void HookTable::remove(int64_t id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  if (const auto hook = found->second.hook.lock()) hook->removed = true;
  // Frees the hook, unless it is the one that is running now.
  if (const auto list = found->second.list.lock()) list->remove(id);
}

void HookTable::released(int64_t id) {
  if (std::this_thread::get_id() == thread_) {
    erase(id);
    return;
  }
  std::lock_guard lock(mutex_);
  released_.push_back(id);
  has_released_ = true;
}

void HookTable::erase(int64_t id) {
  if (closed_) return;
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  napi_delete_reference(environment_.env, found->second.function);
  entries_.erase(found);
}

void HookTable::sweep() {
  if (!has_released_) return;
  std::vector<int64_t> ids;
  {
    std::lock_guard lock(mutex_);
    ids.swap(released_);
    has_released_ = false;
  }
  for (const int64_t id : ids) erase(id);
}

void HookTable::close() {
  for (const auto& [id, entry] : entries_) napi_delete_reference(environment_.env, entry.function);
  entries_.clear();
  closed_ = true;
}

at::Tensor HookTable::call(const Hook& hook, const at::Tensor& argument) {
  if (std::this_thread::get_id() != thread_) {
    throw BridgeError("Config", "the gradient hook registered at " + hook.site +
                                    " was reached by a backward that runs on another thread, where JavaScript cannot be "
                                    "called; call backward() itself, not in a captured function or callAsync, or remove "
                                    "the hook");
  }
  if (environment_.recorder) {
    throw BridgeError("Config", "the gradient hook registered at " + hook.site +
                                    " was reached while a function is captured: a graph could not repeat what it does; "
                                    "remove the hook, or call the function without capture()");
  }
  const auto entry = entries_.find(hook.id);
  if (closed_ || entry == entries_.end()) return {};

  const napi_env env = environment_.env;
  const HandleScope scope(env);
  const PausedCall paused(environment_);
  const double handle = environment_.registry.tensors.insert(argument);
  if (handle == 0) throw BridgeError("OutOfMemory", "4194304 tensors are alive in this thread, which is the limit");
  napi_value function, receiver;
  napi_value result = nullptr;
  napi_value number = to_js(env, handle);
  napi_get_reference_value(env, entry->second.function, &function);
  napi_get_undefined(env, &receiver);
  if (napi_call_function(env, receiver, function, 1, &number, &result) != napi_ok) {
    if (environment_.keep_exception()) throw BridgeError(kJavaScriptError, "a gradient hook threw");
    throw BridgeError("Cancelled", "the thread ends while a gradient hook runs");
  }
  double returned = 0;
  napi_get_value_double(env, result, &returned);
  return returned == 0 ? at::Tensor() : find_tensor(environment_, returned, "the gradient that a hook returned");
}

HookThreadGuard::HookThreadGuard(const HookTable& hooks) : changed_(false) {
  if (!hooks.any()) return;
  c10::AutogradState& state = c10::AutogradState::get_tls_state();
  changed_ = state.get_multithreading_enabled();
  if (changed_) state.set_multithreading_enabled(false);
}

HookThreadGuard::~HookThreadGuard() {
  if (changed_) c10::AutogradState::get_tls_state().set_multithreading_enabled(true);
}

// ---- Functions ------------------------------------------------------------------------------------------------------

namespace {

napi_value register_hook(Environment& self, const Parameters& in) {
  const at::Tensor tensor = find_tensor(self, in.number(0), "registerHook");
  const bool post_accumulate = in.boolean(1);
  const std::string name = post_accumulate ? "registerPostAccumulateGradHook" : "registerHook";
  if (self.recorder) {
    throw BridgeError("Config", name + ": a hook was registered while a function is captured: a graph could not repeat "
                                       "what it does; compute its part with operators");
  }
  if (self.busy()) {
    throw BridgeError("Config", name + ": asynchronous calls are running, whose backward may read the hooks of this "
                                       "tensor; await them first");
  }
  if (!tensor.requires_grad()) {
    throw BridgeError("Argument", name + ": the tensor " + describe(tensor) +
                                      " does not require grad, so it never gets a gradient; call requiresGrad_() first");
  }
  if (post_accumulate && !tensor.is_leaf()) {
    throw BridgeError("Argument", name + ": the tensor " + describe(tensor) +
                                      " was computed, and only leaves accumulate gradients; use registerHook()");
  }
  const auto kind = post_accumulate ? HookTable::Kind::kPostAccumulate : HookTable::Kind::kGradient;
  return to_js(self.env, self.hooks->add(kind, tensor, in.function(2), in.text(3)));
}

napi_value remove_hook(Environment& self, const Parameters& in) {
  self.hooks->remove(static_cast<int64_t>(in.number(0)));
  return nullptr;
}

napi_value grad_function(Environment& self, const Parameters& in) {
  const auto& node = find_tensor(self, in.number(0), "gradFn").grad_fn();
  return to_js(self.env, node ? node->name() : std::string());
}

}  // namespace

void declare_autograd_functions(napi_env env, napi_value exports) {
  declare(env, exports, "registerHook", entry<register_hook>);
  declare(env, exports, "removeHook", entry<remove_hook>);
  declare(env, exports, "gradFunction", entry<grad_function>);
}

}  // namespace vision_native
