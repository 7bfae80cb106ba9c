#include "node/graph.h"

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
  return {at::ThreadLocalState(), at::autocast::get_autocast_dtype(at::kCPU), at::autocast::get_autocast_dtype(at::kCUDA)};
}

std::string RecordedModes::key_now() {
  const auto keys = c10::impl::tls_local_dispatch_key_set();
  std::ostringstream key;
  key << at::GradMode::is_enabled() << ' ' << c10::InferenceMode::is_enabled() << ' ' << keys.included_.raw_repr() << ' '
      << keys.excluded_.raw_repr() << ' ' << static_cast<int>(at::autocast::get_autocast_dtype(at::kCPU)) << ' '
      << static_cast<int>(at::autocast::get_autocast_dtype(at::kCUDA));
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

// ---- Recording ------------------------------------------------------------------------------------------------------

Recorder::Recorder(const std::vector<at::Tensor>& inputs) {
  for (const auto& input : inputs) {
    if (known(input) != kNoValue) {
      throw BridgeError("Argument", "capture: one tensor is passed as two inputs; pass it once, or a clone()");
    }
    new_value(input);
  }
  graph_->inputs_ = inputs.size();
  graph_->written_inputs_.resize(inputs.size());
}

ValueId Recorder::known(const at::Tensor& tensor) {
  const auto found = ids_.find(tensor.unsafeGetTensorImpl());
  return found == ids_.end() ? kNoValue : found->second;
}

ValueId Recorder::new_value(const at::Tensor& tensor) {
  const auto id = static_cast<ValueId>(graph_->external_of_.size());
  graph_->external_of_.push_back(kNoValue);
  ids_.emplace(tensor.unsafeGetTensorImpl(), id);
  seen_.push_back(tensor);
  return id;
}

ValueId Recorder::value_of(const at::Tensor& tensor) {
  if (!tensor.defined()) return kNoValue;
  if (const ValueId id = known(tensor); id != kNoValue) return id;
  const ValueId id = new_value(tensor);
  graph_->external_of_[id] = static_cast<int32_t>(graph_->externals_.size());
  graph_->externals_.push_back(
      {tensor, tensor.scalar_type(), tensor.device(), tensor.sizes().vec(), tensor.requires_grad()});
  return id;
}

ValueId Recorder::result_of(const at::Tensor& tensor) {
  if (!tensor.defined()) return kNoValue;
  // An operator may return its own argument (contiguous(), add_()): that is the value it was.
  if (const ValueId id = known(tensor); id != kNoValue) return id;
  return new_value(tensor);
}

size_t Recorder::current_modes() {
  const auto [at, fresh] = modes_ids_.try_emplace(RecordedModes::key_now(), graph_->modes_.size());
  if (fresh) graph_->modes_.push_back(RecordedModes::now());
  return at->second;
}

void Recorder::mark_written(ValueId value, Instruction& instruction) {
  if (value == kNoValue) return;
  if (static_cast<size_t>(value) < graph_->inputs_) graph_->written_inputs_[value] = true;
  if (const int32_t external = graph_->external_of_[value]; external != kNoValue) {
    graph_->externals_[external].written = true;
    instruction.writes_external = true;
    graph_->writes_state_ = true;
  }
}

Instruction Recorder::begin(const c10::OperatorHandle& op, const torch::jit::Stack& arguments) {
  const auto& schema = op.schema();
  for (const auto& result : schema.returns()) {
    const auto kind = result.type()->kind();
    if (kind == c10::TypeKind::TensorType || kind == c10::TypeKind::ListType) continue;
    throw BridgeError("Config", schema.name() +
                                    ": its result is a value in JavaScript, which a captured graph could not change "
                                    "between runs; compute with tensors, or read data outside the captured function");
  }
  Instruction instruction;
  instruction.op = op;
  instruction.modes = current_modes();
  for (size_t i = 0; i < arguments.size(); ++i) {
    const c10::IValue& argument = arguments[i];
    ArgumentSource source;
    if (argument.isTensor()) {
      source.kind = ArgumentSource::Kind::kValue;
      source.values = {value_of(argument.toTensor())};
    } else if (argument.isTensorList()) {
      source.kind = ArgumentSource::Kind::kValues;
      for (const at::Tensor& tensor : argument.toTensorList()) source.values.push_back(value_of(tensor));
    } else if (argument.isOptionalTensorList()) {
      source.kind = ArgumentSource::Kind::kOptionalValues;
      for (const std::optional<at::Tensor>& tensor : argument.toOptionalTensorList()) {
        source.values.push_back(tensor ? value_of(*tensor) : kNoValue);
      }
    } else {
      source.constant = argument;
    }
    const auto* alias = schema.arguments()[i].alias_info();
    if (alias != nullptr && alias->isWrite()) {
      for (const ValueId value : source.values) mark_written(value, instruction);
    }
    instruction.arguments.push_back(std::move(source));
  }
  // backward() adds to the gradients of leaves, which no argument names.
  if (schema.name() == "aten::_backward" || schema.name() == "vision_native::backward") graph_->writes_state_ = true;
  return instruction;
}

void Recorder::finish(Instruction instruction, const torch::jit::Stack& results) {
  for (const auto& result : results) {
    std::vector<ValueId> values;
    const bool list = result.isTensorList();
    if (list) {
      for (const at::Tensor& tensor : result.toTensorList()) values.push_back(result_of(tensor));
    } else {
      values.push_back(result.isTensor() ? result_of(result.toTensor()) : kNoValue);
    }
    instruction.results.push_back(std::move(values));
    instruction.result_is_list.push_back(list);
  }
  graph_->instructions_.push_back(std::move(instruction));
}

void Recorder::gradient_read(const at::Tensor& leaf, const at::Tensor& gradient) {
  Instruction instruction;
  instruction.kind = Instruction::Kind::kGetGradient;
  instruction.modes = current_modes();
  instruction.arguments.push_back({ArgumentSource::Kind::kValue, {}, {value_of(leaf)}});
  instruction.results.push_back({result_of(gradient)});
  instruction.result_is_list.push_back(false);
  graph_->instructions_.push_back(std::move(instruction));
}

void Recorder::gradient_written(const at::Tensor& leaf, const at::Tensor& gradient) {
  Instruction instruction;
  instruction.kind = Instruction::Kind::kSetGradient;
  instruction.modes = current_modes();
  instruction.arguments.push_back({ArgumentSource::Kind::kValue, {}, {value_of(leaf), value_of(gradient)}});
  graph_->writes_state_ = true;
  graph_->instructions_.push_back(std::move(instruction));
}

std::shared_ptr<Graph> Recorder::end(const std::vector<at::Tensor>& outputs) {
  for (const auto& output : outputs) graph_->outputs_.push_back(value_of(output));

  // Values are released after the last instruction that names them; outputs are kept to the end.
  std::vector<bool> needed(graph_->external_of_.size(), false);
  for (const ValueId output : graph_->outputs_) {
    if (output != kNoValue) needed[output] = true;
  }
  const auto release = [&](ValueId value, Instruction& instruction) {
    if (value == kNoValue || needed[value] || graph_->external_of_[value] != kNoValue) return;
    needed[value] = true;
    instruction.released.push_back(value);
  };
  for (auto instruction = graph_->instructions_.rbegin(); instruction != graph_->instructions_.rend(); ++instruction) {
    for (const auto& argument : instruction->arguments) {
      for (const ValueId value : argument.values) release(value, *instruction);
    }
    for (const auto& result : instruction->results) {
      for (const ValueId value : result) release(value, *instruction);
    }
  }
  seen_.clear();
  return std::move(graph_);
}

// ---- Running --------------------------------------------------------------------------------------------------------

std::vector<c10::IValue> Graph::run(const std::vector<at::Tensor>& inputs, const RunContext* context) const {
  const memory::BlockPools::Lease pool(pools_);
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
      if (result != kNoValue) values[result] = value(instruction.arguments[0].values[0]).grad();
    } else if (instruction.kind == Instruction::Kind::kSetGradient) {
      const auto& pair = instruction.arguments[0].values;
      value(pair[0]).mutable_grad() = value(pair[1]);
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
          if (ids[0] != kNoValue && external_of_[ids[0]] == kNoValue) values[ids[0]] = stack[i].toTensor();
          continue;
        }
        const auto list = stack[i].toTensorList();
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
    }
    for (const ValueId id : instruction.released) values[id].reset();
  }
  modes_guard.reset();

  std::vector<c10::IValue> outputs;
  for (const ValueId id : outputs_) outputs.emplace_back(value(id));
  return outputs;
}

bool Graph::stale() const {
  return std::any_of(externals_.begin(), externals_.end(), [](const External& external) {
    return external.tensor.scalar_type() != external.dtype || external.tensor.device() != external.device ||
           external.tensor.sizes() != external.sizes || external.tensor.requires_grad() != external.requires_grad;
  });
}

std::vector<at::Tensor> Graph::read_only() const {
  std::vector<at::Tensor> tensors;
  for (const auto& external : externals_) {
    if (!external.written) tensors.push_back(external.tensor);
  }
  return tensors;
}

// ---- Text -----------------------------------------------------------------------------------------------------------

std::string Graph::text() const {
  std::ostringstream out;
  const auto name = [](ValueId id) { return id == kNoValue ? std::string("none") : "%" + std::to_string(id); };
  const auto names = [&](const std::vector<ValueId>& ids) {
    std::string text;
    for (const ValueId id : ids) text += (text.empty() ? "" : ", ") + name(id);
    return text;
  };
  out << "graph(";
  for (size_t i = 0; i < inputs_; ++i) out << (i > 0 ? ", " : "") << name(static_cast<ValueId>(i));
  out << ")\n";
  for (size_t id = 0; id < external_of_.size(); ++id) {
    if (external_of_[id] == kNoValue) continue;
    const External& external = externals_[external_of_[id]];
    out << "  " << name(static_cast<ValueId>(id)) << ": " << describe(external.tensor) << (external.written ? ", written" : "") << '\n';
  }
  for (const auto& instruction : instructions_) {
    out << "  ";
    std::string results;
    for (size_t i = 0; i < instruction.results.size(); ++i) {
      const std::string text = names(instruction.results[i]);
      results += (i > 0 ? ", " : "") + (instruction.result_is_list[i] ? "[" + text + "]" : text);
    }
    if (!results.empty()) out << results << " = ";
    if (instruction.kind == Instruction::Kind::kGetGradient) {
      out << "gradient of " << name(instruction.arguments[0].values[0]);
    } else if (instruction.kind == Instruction::Kind::kSetGradient) {
      out << "gradient of " << name(instruction.arguments[0].values[0]) << " := "
          << name(instruction.arguments[0].values[1]);
    } else {
      out << instruction.op->operator_name() << '(';
      for (size_t i = 0; i < instruction.arguments.size(); ++i) {
        const auto& argument = instruction.arguments[i];
        out << (i > 0 ? ", " : "");
        if (argument.kind == ArgumentSource::Kind::kConstant) out << argument.constant;
        else if (argument.kind == ArgumentSource::Kind::kValue) out << name(argument.values[0]);
        else out << '[' << names(argument.values) << ']';
      }
      out << ')';
    }
    if (!instruction.released.empty()) out << "  # frees " << names(instruction.released);
    out << '\n';
  }
  out << "  return " << names(outputs_) << '\n';
  return out.str();
}

}  // namespace vision_native
