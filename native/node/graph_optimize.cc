#include "node/graph_optimize.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <utility>

#include "node/graph_layouts.h"

namespace vision_native {

namespace {

const std::string& name_of(const Instruction& instruction) {
  static const std::string none;
  return instruction.kind == Instruction::Kind::kCall ? instruction.op->operator_name().name : none;
}

ValueId value_at(const Instruction& instruction, size_t argument) {
  const ArgumentSource& source = instruction.arguments[argument];
  return source.kind == ArgumentSource::Kind::kValue ? source.values[0] : kNoValue;
}

const c10::IValue& constant_at(const Instruction& instruction, size_t argument) {
  return instruction.arguments[argument].constant;
}

bool plain_float(const at::Tensor& tensor) {
  return tensor.defined() && tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat &&
         tensor.layout() == c10::kStrided;
}

std::optional<c10::OperatorHandle> find(const char* name, const char* overload) {
  return c10::Dispatcher::singleton().findSchema({name, overload});
}

}  // namespace

GraphOptimizer::GraphOptimizer(Graph& graph, const std::vector<at::Tensor>& tensors)
    : graph_(graph), tensors_(tensors), uses_(tensors.size(), 0), gone_(graph.instructions_.size(), false) {
  for (const Instruction& instruction : graph.instructions_) {
    for (const ArgumentSource& argument : instruction.arguments) {
      for (const ValueId value : argument.values) {
        if (value != kNoValue) ++uses_[value];
      }
    }
  }
  for (const ValueId value : graph.outputs_) {
    if (value != kNoValue) ++uses_[value];
  }
}

void GraphOptimizer::run() {
  if (!find("mkldnn::_convolution_pointwise", "") || !find("mkldnn::_reorder_convolution_weight", "")) return;
  const c10::AutoGradMode no_grad(false);
  auto& instructions = graph_.instructions_;
  const std::vector<Instruction> recorded = instructions;
  std::vector<bool> fused(instructions.size(), false);
  for (size_t i = 0; i < instructions.size(); ++i) {
    const std::optional<Chain> chain = gone_[i] ? std::nullopt : chain_from(i);
    if (!chain) continue;
    Instruction instruction = fuse(*chain);
    for (const size_t member : chain->members) gone_[member] = true;
    // In the place of the last of them: what it adds is there by then.
    const size_t last = chain->members.back();
    gone_[last] = false;
    fused[last] = true;
    instructions[last] = std::move(instruction);
  }
  size_t kept = 0;
  for (size_t i = 0; i < instructions.size(); ++i) {
    if (gone_[i]) continue;
    if (kept != i) instructions[kept] = std::move(instructions[i]);
    fused[kept++] = fused[i];
  }
  instructions.erase(instructions.begin() + static_cast<std::ptrdiff_t>(kept), instructions.end());
  if (keep_layouts(instructions, fused, graph_.outputs_, tensors_)) return;
  instructions = recorded;
  graph_.folded_.clear();
}

at::Tensor GraphOptimizer::fixed(const Instruction& instruction, size_t argument) const {
  const ValueId value = value_at(instruction, argument);
  if (value == kNoValue || graph_.external_of_[value] == kNoValue) return {};
  const Graph::External& external = graph_.externals_[graph_.external_of_[value]];
  // Of tensors made in inference mode nobody could tell that they were changed.
  return external.written || external.tensor.is_inference() ? at::Tensor() : external.tensor;
}

std::optional<size_t> GraphOptimizer::next_use(ValueId value, size_t after) const {
  for (size_t i = after + 1; i < graph_.instructions_.size(); ++i) {
    // What another chain has taken is not there any more: it reads the value where that chain ends.
    if (!gone_[i] && names(graph_.instructions_[i], value)) return i;
  }
  return std::nullopt;
}

/// Whether anything but the chain writes to a tensor before `end`: the input is read there, later than it was.
bool GraphOptimizer::writes_between(const Chain& chain, size_t end) const {
  for (size_t i = chain.convolution + 1; i < end; ++i) {
    const bool own = std::find(chain.members.begin(), chain.members.end(), i) != chain.members.end();
    if (!own && !gone_[i] && writes(graph_.instructions_[i])) return true;
  }
  return false;
}

std::optional<GraphOptimizer::Chain> GraphOptimizer::chain_from(size_t index) const {
  const Instruction& instruction = graph_.instructions_[index];
  const bool convolution = name_of(instruction) == "aten::conv2d" || name_of(instruction) == "aten::conv3d";
  if (!convolution || !instruction.op->operator_name().overload_name.empty()) return {};
  if (!graph_.modes_[instruction.modes].plain_inference) return {};
  const ValueId input = value_at(instruction, 0);
  const at::Tensor weight = fixed(instruction, 1);
  const bool has_bias = value_at(instruction, 2) != kNoValue;
  if (input == kNoValue || !plain_float(tensors_[input]) || !plain_float(weight)) return {};
  // Without its dimension of the batch an input is not what oneDNN takes.
  if (tensors_[input].dim() != weight.dim()) return {};
  if (has_bias && !plain_float(fixed(instruction, 2))) return {};

  Chain chain{index, {index}, instruction.results[0][0], {}, kNoValue, "none", {}};
  while (chain.activation == "none") {
    const std::optional<size_t> next = next_use(chain.value, chain.members.back());
    if (!next || !extend(chain, *next)) break;
  }
  return chain;
}

bool GraphOptimizer::extend(Chain& chain, size_t next) const {
  const Instruction& instruction = graph_.instructions_[next];
  if (instruction.kind != Instruction::Kind::kCall || instruction.results.size() != 1 ||
      instruction.modes != graph_.instructions_[chain.convolution].modes || writes_between(chain, next)) {
    return false;
  }
  const ValueId result = instruction.results[0][0];
  // A value that others look at too must be there; one that is written in place is the same value afterwards.
  if (result != chain.value && uses_[chain.value] != 1) return false;
  const std::string& name = name_of(instruction);
  const bool merged = name == "aten::batch_norm" ? add_norm(chain, instruction, next)
                      : name == "aten::add" || name == "aten::add_" ? add_other(chain, instruction)
                                                                    : add_activation(chain, instruction);
  if (!merged) return false;
  chain.members.push_back(next);
  chain.value = result;
  return true;
}

bool GraphOptimizer::add_norm(Chain& chain, const Instruction& norm, size_t index) const {
  if (chain.norm || chain.other != kNoValue || value_at(norm, 0) != chain.value) return false;
  const bool training = constant_at(norm, 5).toBool();
  for (size_t argument = 1; argument <= 4; ++argument) {
    const bool optional = argument <= 2 && value_at(norm, argument) == kNoValue;
    if (!optional && !plain_float(fixed(norm, argument))) return false;
  }
  if (training) return false;
  chain.norm = index;
  return true;
}

bool GraphOptimizer::add_other(Chain& chain, const Instruction& addition) const {
  if (chain.other != kNoValue || addition.op->operator_name().overload_name != "Tensor") return false;
  const ValueId left = value_at(addition, 0);
  const ValueId right = value_at(addition, 1);
  const ValueId other = left == chain.value ? right : left;
  if (other == kNoValue || other == chain.value || !constant_at(addition, 2).isScalar()) return false;
  if (constant_at(addition, 2).toScalar().toDouble() != 1) return false;
  // In place, it must be the chain's value that is written.
  if (name_of(addition) == "aten::add_" && left != chain.value) return false;
  const at::Tensor& addend = tensors_[other];
  if (!plain_float(addend) || addend.sizes() != tensors_[chain.value].sizes()) return false;
  chain.other = other;
  return true;
}

bool GraphOptimizer::add_activation(Chain& chain, const Instruction& activation) const {
  const std::string& name = name_of(activation);
  if (value_at(activation, 0) != chain.value || activation.arguments.size() > 3) return false;
  if (name == "aten::relu" || name == "aten::relu_") {
    chain.activation = "relu";
    return true;
  }
  // oneDNN's addition takes no other activation.
  if (chain.other != kNoValue) return false;
  if (name == "aten::relu6" || name == "aten::relu6_") {
    chain.activation = "hardtanh";
    chain.bounds = {0, 6};
    return true;
  }
  if (name == "aten::hardtanh" || name == "aten::hardtanh_") {
    chain.activation = "hardtanh";
    chain.bounds = {constant_at(activation, 1).toScalar().toDouble(), constant_at(activation, 2).toScalar().toDouble()};
    return true;
  }
  return false;
}

void GraphOptimizer::remember(const at::Tensor& tensor) {
  if (!tensor.defined()) return;
  graph_.folded_.push_back(
      {tensor, tensor.storage(), tensor.const_data_ptr(), static_cast<uint32_t>(tensor._version())});
}

Instruction GraphOptimizer::fuse(const Chain& chain) {
  const Instruction& convolution = graph_.instructions_[chain.convolution];
  at::Tensor weight = fixed(convolution, 1);
  at::Tensor bias = fixed(convolution, 2);
  remember(weight);
  remember(bias);
  weight = weight.detach();
  if (chain.norm) {
    const Instruction& norm = graph_.instructions_[*chain.norm];
    for (size_t argument = 1; argument <= 4; ++argument) remember(fixed(norm, argument));
    const at::Tensor gain = fixed(norm, 1);
    const at::Tensor shift = fixed(norm, 2);
    const at::Tensor mean = fixed(norm, 3);
    at::Tensor scale = fixed(norm, 4).add(constant_at(norm, 7).toDouble()).rsqrt();
    if (gain.defined()) scale = scale.mul(gain);
    std::vector<int64_t> by_channel(static_cast<size_t>(weight.dim()), 1);
    by_channel[0] = -1;
    weight = weight.mul(scale.reshape(by_channel));
    bias = (bias.defined() ? bias.sub(mean) : mean.neg()).mul(scale);
    if (shift.defined()) bias = bias.add(shift);
  }

  const auto ints = [&](size_t argument) { return constant_at(convolution, argument); };
  torch::jit::Stack reorder{weight.contiguous(), ints(4), ints(3), ints(5), ints(6),
                            tensors_[value_at(convolution, 0)].sizes().vec()};
  find("mkldnn::_reorder_convolution_weight", "")->callBoxed(reorder);

  c10::List<std::optional<at::Scalar>> bounds;
  for (const double bound : chain.bounds) bounds.push_back(at::Scalar(bound));
  const auto constant = [](c10::IValue value) { return ArgumentSource{ArgumentSource::Kind::kConstant, std::move(value), {}}; };
  const auto text = [&](const char* value) { return constant(std::string(value)); };
  const ArgumentSource none = constant({});

  Instruction instruction;
  instruction.modes = convolution.modes;
  instruction.results = {{chain.value}};
  instruction.result_is_list = {false};
  auto& arguments = instruction.arguments;
  arguments.push_back(convolution.arguments[0]);
  if (chain.other != kNoValue) arguments.push_back({ArgumentSource::Kind::kValue, {}, {chain.other}});
  arguments.push_back(constant(std::move(reorder[0])));
  arguments.push_back(bias.defined() ? constant(bias.detach()) : none);
  for (const size_t argument : {4, 3, 5, 6}) arguments.push_back(constant(ints(argument)));
  if (chain.other == kNoValue) {
    instruction.op = find("mkldnn::_convolution_pointwise", "");
    arguments.push_back(constant(chain.activation));
    arguments.push_back(constant(bounds));
    arguments.push_back(text(""));
  } else {
    instruction.op = find("mkldnn::_convolution_pointwise", "binary");
    arguments.push_back(text("add"));
    arguments.push_back(constant(at::Scalar(1)));
    arguments.push_back(chain.activation == "none" ? none : constant(chain.activation));
    arguments.push_back(constant(bounds));
    arguments.push_back(none);
  }
  return instruction;
}

}  // namespace vision_native
