#include "node/graph.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/List.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <sstream>

#include "node/errors.h"
#include "node/guards.h"
#include "node/value.h"

namespace vision_native {

// ---- Modes ----------------------------------------------------------------------------------------------------------

RecordedModes RecordedModes::now() {
  return {at::ThreadLocalState(), at::autocast::get_autocast_dtype(at::kCPU), at::autocast::get_autocast_dtype(at::kCUDA),
          !at::GradMode::is_enabled() && !at::autocast::is_autocast_enabled(at::kCPU)};
}

std::string RecordedModes::key_now() {
  const auto keys = c10::impl::tls_local_dispatch_key_set();
  std::ostringstream key;
  key << at::GradMode::is_enabled() << ' ' << c10::InferenceMode::is_enabled() << ' ' << keys.included_.raw_repr() << ' '
      << keys.excluded_.raw_repr() << ' ' << static_cast<int>(at::autocast::get_autocast_dtype(at::kCPU)) << ' '
      << static_cast<int>(at::autocast::get_autocast_dtype(at::kCUDA)) << ' '
      << at::autocast::is_autocast_cache_enabled() << ' ' << at::globalContext().deterministicAlgorithms();
  return key.str();
}

namespace {

/// Makes recorded modes those of this thread, and puts back what was there before.
class ModesGuard {
 public:
  explicit ModesGuard(const RecordedModes& modes)
      : cpu_(at::autocast::get_autocast_dtype(at::kCPU)),
        cuda_(at::autocast::get_autocast_dtype(at::kCUDA)),
        state_(modes.state) {
    at::autocast::set_autocast_dtype(at::kCPU, modes.autocast_cpu);
    at::autocast::set_autocast_dtype(at::kCUDA, modes.autocast_cuda);
  }
  ~ModesGuard() {
    at::autocast::set_autocast_dtype(at::kCPU, cpu_);
    at::autocast::set_autocast_dtype(at::kCUDA, cuda_);
  }
  ModesGuard(const ModesGuard&) = delete;
  ModesGuard& operator=(const ModesGuard&) = delete;

 private:
  c10::ScalarType cpu_;
  c10::ScalarType cuda_;
  at::ThreadLocalStateGuard state_;
};

}  // namespace

bool writes(const Instruction& instruction) {
  if (instruction.kind == Instruction::Kind::kRestride) return false;
  if (instruction.kind != Instruction::Kind::kCall || instruction.writes_external) return true;
  const auto& arguments = instruction.op->schema().arguments();
  return std::any_of(arguments.begin(), arguments.end(), [](const c10::Argument& argument) {
    return argument.alias_info() != nullptr && argument.alias_info()->isWrite();
  });
}

bool names(const Instruction& instruction, ValueId value) {
  return std::any_of(instruction.arguments.begin(), instruction.arguments.end(), [&](const ArgumentSource& argument) {
    return std::find(argument.values.begin(), argument.values.end(), value) != argument.values.end();
  });
}

// ---- Running --------------------------------------------------------------------------------------------------------

std::vector<c10::IValue> Graph::run(const std::vector<at::Tensor>& inputs, const RunContext* context) const {
  const memory::BlockPools::Lease pool(pools_);
  const std::vector<at::Tensor> outputs = device_ ? run_on_device(inputs) : run_instructions(inputs, context);
  return {outputs.begin(), outputs.end()};
}

std::vector<at::Tensor> Graph::run_instructions(const std::vector<at::Tensor>& inputs,
                                                const RunContext* context) const {
  std::vector<at::Tensor> values(external_of_.size());
  for (size_t i = 0; i < inputs.size(); ++i) values[i] = inputs[i];
  const at::Tensor undefined;
  const auto value = [&](ValueId id) -> const at::Tensor& {
    if (id == kNoValue) return undefined;
    return external_of_[id] == kNoValue ? values[id] : externals_[external_of_[id]].tensor;
  };

  // Weights have changed since the last run; casts of them that autocast kept are of no use.
  at::autocast::clear_cache();
  torch::jit::Stack stack;
  size_t modes = modes_.size();
  std::unique_ptr<ModesGuard> modes_guard;
  for (const auto& instruction : instructions_) {
    if (is_cancelled(context)) throw Cancelled();
    if (instruction.modes != modes) {
      modes_guard.reset();
      modes_guard = std::make_unique<ModesGuard>(modes_[instruction.modes]);
      modes = instruction.modes;
    }
    if (instruction.kind == Instruction::Kind::kGetGradient) {
      const ValueId result = instruction.results[0][0];
      values[result] = value(instruction.arguments[0].values[0]).grad();
    } else if (instruction.kind == Instruction::Kind::kSetGradient) {
      const auto& pair = instruction.arguments[0].values;
      value(pair[0]).mutable_grad() = value(pair[1]);
    } else if (instruction.kind == Instruction::Kind::kRestride) {
      at::Tensor& tensor = values[instruction.results[0][0]];
      const std::vector<int64_t> strides = instruction.arguments[1].constant.toIntVector();
      if (tensor.strides() != at::IntArrayRef(strides)) {
        tensor = at::empty_strided(tensor.sizes(), strides, tensor.options()).copy_(tensor);
      }
    } else {
      stack.clear();
      for (const auto& argument : instruction.arguments) {
        switch (argument.kind) {
          case ArgumentSource::Kind::kConstant: stack.push_back(argument.constant); break;
          case ArgumentSource::Kind::kValue: stack.emplace_back(value(argument.values[0])); break;
          case ArgumentSource::Kind::kValues: {
            c10::List<at::Tensor> list;
            for (const ValueId id : argument.values) list.push_back(value(id));
            stack.emplace_back(std::move(list));
            break;
          }
          case ArgumentSource::Kind::kOptionalValues: {
            c10::List<std::optional<at::Tensor>> list;
            for (const ValueId id : argument.values) {
              list.push_back(id == kNoValue ? std::nullopt : std::optional<at::Tensor>(value(id)));
            }
            stack.emplace_back(std::move(list));
            break;
          }
        }
      }
      try {
        // Rules that look at data must hold for these inputs too, not only for those of the capture.
        if (const std::string reason = guard(*instruction.op, stack); !reason.empty()) {
          throw BridgeError("Argument", reason);
        }
        instruction.op->callBoxed(stack);
      } catch (const Cancelled&) {
        throw;
      } catch (...) {
        const Failure failure = current_failure();
        throw BridgeError(failure.kind, "captured " + instruction.op->operator_name().name + ": " + failure.message);
      }
      for (size_t i = 0; i < instruction.results.size(); ++i) {
        const auto& ids = instruction.results[i];
        if (!instruction.result_is_list[i]) {
          if (ids[0] != kNoValue && external_of_[ids[0]] == kNoValue) values[ids[0]] = std::move(stack[i]).toTensor();
          continue;
        }
        const auto list = std::move(stack[i]).toTensorList();
        if (list.size() != ids.size()) {
          throw BridgeError("Shape", "captured " + instruction.op->operator_name().name + ": gave " +
                                         std::to_string(list.size()) + " tensors where " + std::to_string(ids.size()) +
                                         " were recorded; what depends on data must stay outside the captured function");
        }
        for (size_t k = 0; k < ids.size(); ++k) {
          if (ids[k] != kNoValue) values[ids[k]] = list.get(k);
        }
      }
      if (instruction.writes_external) at::autocast::clear_cache();
      // Nothing but `values` holds results: what is released below is freed now.
      stack.clear();
    }
    for (const ValueId id : instruction.released) values[id].reset();
  }
  modes_guard.reset();

  std::vector<at::Tensor> outputs;
  for (const ValueId id : outputs_) outputs.push_back(value(id));
  return outputs;
}

Graph::Fit Graph::fit() const {
  const auto changed = [](const External& external) {
    const at::Tensor& tensor = external.tensor;
    return tensor.scalar_type() != external.dtype || tensor.device() != external.device ||
           tensor.sizes() != external.sizes || tensor.requires_grad() != external.requires_grad ||
           (tensor.layout() == c10::kStrided && tensor.strides() != external.strides);
  };
  if (std::any_of(externals_.begin(), externals_.end(), changed)) return Fit::kStale;
  const auto refilled = [](const Folded& folded) {
    return folded.tensor._version() != folded.version || folded.tensor.const_data_ptr() != folded.data;
  };
  if (std::any_of(folded_.begin(), folded_.end(), refilled)) return Fit::kStale;
  const auto other = [](const External& external) {
    return external.had_gradient && *external.had_gradient != external.tensor.grad().defined();
  };
  return std::any_of(externals_.begin(), externals_.end(), other) ? Fit::kOther : Fit::kFits;
}

Graph::Storages Graph::storages() const {
  Storages storages;
  for (const External& external : externals_) {
    if (!external.tensor.has_storage()) continue;
    const bool written = external.written || (writes_state_ && external.requires_grad);
    (written ? storages.written : storages.read).push_back(external.tensor.storage().unsafeGetStorageImpl());
  }
  return storages;
}

std::vector<at::Tensor> Graph::read_only() const {
  std::vector<at::Tensor> tensors;
  for (const auto& external : externals_) {
    if (!external.written) tensors.push_back(external.tensor);
  }
  return tensors;
}

}  // namespace vision_native
