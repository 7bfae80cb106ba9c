#include "node/anomaly.h"

#include <torch/csrc/autograd/anomaly_mode.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/function.h>

#include <memory>
#include <string_view>

#include "node/js.h"

namespace vision_native {

namespace {

using torch::autograd::AnomalyMode;
using torch::autograd::Engine;
using torch::autograd::Node;
using Site = std::shared_ptr<const std::string>;

/// The line that JavaScript is at, of the call that this thread makes.
thread_local Site current_site;

class SiteMetadata final : public torch::autograd::AnomalyMetadata {
 public:
  void store_stack() override { site_ = current_site; }
  void print_stack(const std::string&) override {}
  void assign_parent(const std::shared_ptr<Node>& parent) override {
    if (!parent) return;
    const auto* metadata = dynamic_cast<const SiteMetadata*>(parent->metadata());
    made_by_ = parent->name() + (metadata != nullptr && metadata->site_ ? ", whose operator ran at " + *metadata->site_ : "");
  }

  /// "the operator ran at model.ts:42:17"
  std::string text() const {
    const std::string where = site_ ? "the operator ran at " + *site_
                                    : "the operator's line is not known: it ran before anomaly mode began, or in a "
                                      "captured function";
    return where + (made_by_.empty() ? "" : ", for the backward of " + made_by_);
  }

 private:
  Site site_;
  /// The node in whose backward this one was made, for gradients of gradients.
  std::string made_by_;
};

/// The failure of a node in the words of anomaly mode.
Failure explain(Failure failure, Node& node) {
  const auto* metadata = dynamic_cast<const SiteMetadata*>(node.metadata());
  const std::string where = metadata != nullptr ? metadata->text() : "the operator's line is not known";
  // As the engine says it: "Function 'DivBackward0' returned nan values in its 0th output."
  constexpr std::string_view kNan = "returned nan values in its ";
  const size_t at = failure.message.find(kNan);
  if (at == std::string::npos) {
    failure.message += "; detectAnomaly: " + node.name() + " failed, " + where;
    return failure;
  }
  const int output = std::atoi(failure.message.c_str() + at + kNan.size());
  return {"Operator", "detectAnomaly: the gradient that " + node.name() + " computed is NaN in its output " +
                          std::to_string(output) + "; " + where};
}

/// LibTorch's engine with failures that name the line of the forward operator.
class SiteEngine final : public Engine {
 public:
  std::unique_ptr<torch::autograd::AnomalyMetadata> make_anomaly_metadata() override {
    return std::make_unique<SiteMetadata>();
  }

  void thread_on_exception(const std::shared_ptr<torch::autograd::GraphTask>& task, const std::shared_ptr<Node>& node,
                           std::exception& error) override {
    if (!node || !AnomalyMode::is_enabled()) return Engine::thread_on_exception(task, node, error);
    Failure failure = current_failure();
    // What a hook threw is the application's own error, and a cancelled call no anomaly.
    if (failure.kind == kJavaScriptError || failure.kind == "Cancelled") {
      return Engine::thread_on_exception(task, node, error);
    }
    try {
      failure = explain(std::move(failure), *node);
      throw BridgeError(failure.kind, failure.message);
    } catch (std::exception& explained) {
      // The engine takes the exception that is being handled.
      Engine::thread_on_exception(task, node, explained);
    }
  }

  static Engine& instance() {
    // Never destroyed: its device threads may outlive the statics of the process.
    static auto* const engine = new SiteEngine();
    return *engine;
  }
};

napi_value set_anomaly(Environment& self, const Parameters& in) {
  // Nodes keep metadata of the engine that was the default when they were made; it is put in place before the first.
  static const bool installed = (torch::autograd::set_default_engine_stub(SiteEngine::instance), true);
  static_cast<void>(installed);
  if (in.boolean(0)) self.keep_site_function(in.function(2));
  AnomalyMode::set_enabled(in.boolean(0), in.boolean(1));
  return nullptr;
}

/// 0 off, 1 on, 2 on with a search for NaN.
napi_value anomaly(Environment& self, const Parameters&) {
  const double on = AnomalyMode::should_check_nan() ? 2 : 1;
  return to_js(self.env, AnomalyMode::is_enabled() ? on : 0.0);
}

}  // namespace

AnomalySite::AnomalySite(Environment& environment) : set_(AnomalyMode::is_enabled()) {
  if (!set_) return;
  previous_ = std::move(current_site);
  const std::string line = environment.site();
  current_site = line.empty() ? nullptr : std::make_shared<const std::string>(line);
}

AnomalySite::~AnomalySite() {
  if (set_) current_site = std::move(previous_);
}

void declare_anomaly_functions(napi_env env, napi_value exports) {
  declare(env, exports, "setAnomaly", entry<set_anomaly>);
  declare(env, exports, "anomaly", entry<anomaly>);
}

}  // namespace vision_native
