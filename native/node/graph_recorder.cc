// Writes the calls of a function down.
#include <algorithm>

#include "node/errors.h"
#include "node/graph.h"
#include "node/graph_device.h"
#include "node/graph_optimize.h"

namespace vision_native {

namespace {

/// Arguments that an operator writes although its schema does not say so.
std::vector<size_t> undeclared_writes(const std::string& name, const torch::jit::Stack& arguments) {
  constexpr size_t kMean = 3;
  constexpr size_t kVariance = 4;
  constexpr size_t kTraining = 5;
  const bool norm = name == "aten::batch_norm" || name == "aten::native_batch_norm" || name == "aten::cudnn_batch_norm" ||
                    name == "aten::_batch_norm_impl_index" || name == "aten::instance_norm";
  if (norm && arguments[kTraining].isBool() && arguments[kTraining].toBool()) return {kMean, kVariance};
  return {};
}

}  // namespace

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
      {tensor, tensor.scalar_type(), tensor.device(), tensor.sizes().vec(),
       tensor.layout() == c10::kStrided ? tensor.strides().vec() : std::vector<int64_t>(), tensor.requires_grad(),
       /*written=*/false, /*had_gradient=*/{}, /*adds_to_gradient=*/false});
  return id;
}

Graph::External* Recorder::external(ValueId value) {
  if (value == kNoValue || graph_->external_of_[value] == kNoValue) return nullptr;
  return &graph_->externals_[graph_->external_of_[value]];
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

/// backward() adds to the gradients of leaves, which no argument names.
void Recorder::note_backward() {
  graph_->writes_state_ = true;
  for (size_t value = 0; value < graph_->external_of_.size(); ++value) {
    External* leaf = external(static_cast<ValueId>(value));
    if (leaf == nullptr || !leaf->requires_grad || known_gradients_.contains(static_cast<ValueId>(value))) continue;
    leaf->adds_to_gradient = true;
  }
  backward_seen_ = true;
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
  for (const size_t written : undeclared_writes(schema.name(), arguments)) {
    for (const ValueId value : instruction.arguments[written].values) mark_written(value, instruction);
  }
  if (schema.name() == "aten::_backward" || schema.name() == "vision_native::backward") note_backward();
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
  const ValueId id = value_of(leaf);
  External* held = external(id);
  // What the function did on meeting a gradient, or none, holds only for runs that meet the same.
  const bool from_before = !known_gradients_.contains(id) && (!gradient.defined() || !backward_seen_);
  if (held != nullptr && from_before) held->had_gradient = gradient.defined();
  known_gradients_.insert(id);
  if (!gradient.defined()) return;
  if (held != nullptr && from_before) held->adds_to_gradient = true;
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
  known_gradients_.insert(value_of(leaf));
  graph_->writes_state_ = true;
  graph_->instructions_.push_back(std::move(instruction));
}

std::shared_ptr<Graph> Recorder::end(const std::vector<at::Tensor>& outputs, bool optimize) {
  for (const auto& output : outputs) graph_->outputs_.push_back(value_of(output));
  if (optimize) GraphOptimizer::run(*graph_, seen_);

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
  DevicePlan::make(*graph_, seen_, outputs);
  seen_.clear();
  return std::move(graph_);
}

}  // namespace vision_native
