#include "node/graph_device.h"

#include <ATen/core/enum_tag.h>
#include <ATen/ops/clone.h>
#include <ATen/ops/empty_strided.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <set>

#include "node/value.h"
#include "torch/runtime.h"

namespace vision_native {

namespace {

bool is_cuda(const at::Tensor& tensor) { return tensor.is_cuda(); }

/// Operators that wait for the device, or whose results have sizes that depend on data, as LibTorch tags them; and some
/// that it does not tag.
bool waits(const c10::OperatorHandle& op) {
  static const std::set<std::string> untagged{"aten::masked_select", "aten::nonzero", "aten::_ctc_loss", "aten::_unique2",
                                              "aten::equal", "aten::is_nonzero"};
  return op.hasTag(at::Tag::data_dependent_output) || op.hasTag(at::Tag::dynamic_output_shape) ||
         untagged.contains(op.operator_name().name);
}

}  // namespace

std::string DevicePlan::obstacle(const Graph& graph, const std::vector<at::Tensor>& seen,
                                const std::vector<at::Tensor>& outputs) {
  const auto first = std::find_if(seen.begin(), seen.end(), is_cuda);
  for (const at::Tensor& tensor : seen) {
    if (tensor.device() != first->device()) {
      return "a value, " + describe(tensor) + ", is on " + tensor.device().str() + " and others on " + first->device().str() +
             "; pass tensors on one device, and make rates and scales there";
    }
    if (tensor.layout() != c10::kStrided) return "a value is sparse";
  }
  for (const at::Tensor& output : outputs) {
    if (output.defined() && output.requires_grad() && !output.is_leaf()) {
      return "an output requires gradients, whose computation a later backward would need; detach() it";
    }
  }
  for (const Instruction& instruction : graph.instructions_) {
    if (instruction.kind != Instruction::Kind::kCall) continue;
    if (waits(*instruction.op)) return instruction.op->operator_name().name + " waits for the device";
    for (const ArgumentSource& argument : instruction.arguments) {
      if (argument.kind == ArgumentSource::Kind::kConstant && argument.constant.isGenerator()) {
        return instruction.op->operator_name().name + " has a generator of its own";
      }
    }
  }
  if (std::find(graph.written_inputs_.begin(), graph.written_inputs_.end(), true) != graph.written_inputs_.end()) {
    return "an input is changed";
  }
  if (device_runtime() == nullptr) return "the CUDA library has no runtime; build it anew";
  return "";
}

void DevicePlan::make(Graph& graph, const std::vector<at::Tensor>& seen, const std::vector<at::Tensor>& outputs) {
  const auto first = std::find_if(seen.begin(), seen.end(), is_cuda);
  if (first == seen.end()) return;
  graph.device_refusal_ = obstacle(graph, seen, outputs);
  if (graph.device_refusal_.empty()) {
    graph.device_ = std::make_shared<Graph::Device>(*device_runtime(), static_cast<int>(first->device().index()));
  }
}

std::string DevicePlan::text(const Graph& graph) {
  if (!graph.device_refusal_.empty()) return "not replayed as a CUDA graph: " + graph.device_refusal_;
  if (!graph.device_) return "";
  std::lock_guard lock(graph.device_->mutex);
  return graph.device_->replay.text();
}

/// Memory that the instructions use and that is neither an input's nor made by them.
std::vector<std::uintptr_t> Graph::addresses() const {
  std::vector<std::uintptr_t> addresses;
  const auto add = [&](const at::Tensor& tensor) {
    addresses.push_back(tensor.defined() ? reinterpret_cast<std::uintptr_t>(tensor.const_data_ptr()) : 0);
  };
  for (const External& external : externals_) {
    add(external.tensor);
    if (external.adds_to_gradient) add(external.tensor.grad());
  }
  return addresses;
}

std::vector<at::Tensor> Graph::run_on_device(const std::vector<at::Tensor>& inputs) const {
  Device& device = *device_;
  std::lock_guard lock(device.mutex);
  {
    const c10::AutoGradMode no_grad(false);
    if (device.inputs.empty()) {
      for (const at::Tensor& input : inputs) {
        device.inputs.push_back(at::empty_strided(input.sizes(), input.strides(), input.options()));
        device.inputs.back().set_requires_grad(input.requires_grad());
      }
    }
    for (size_t i = 0; i < inputs.size(); ++i) device.inputs[i].copy_(inputs[i]);
  }
  const bool replayed = device.replay.run(
      addresses(), [&] { device.outputs = run_instructions(device.inputs, nullptr); },
      [&] {
        device.gradients.clear();
        for (const External& external : externals_) {
          if (external.requires_grad) device.gradients.emplace_back(external.tensor, external.tensor.grad());
        }
      });
  if (replayed) {
    for (const auto& [leaf, gradient] : device.gradients) leaf.mutable_grad() = gradient;
  }

  std::vector<at::Tensor> outputs;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const ValueId id = outputs_[i];
    if (id == kNoValue) outputs.emplace_back();
    else if (static_cast<size_t>(id) < inputs_) outputs.push_back(inputs[id]);
    else if (external_of_[id] != kNoValue) outputs.push_back(externals_[external_of_[id]].tensor);
    else outputs.push_back(replayed ? device.outputs[i].detach().clone() : device.outputs[i]);
  }
  if (!replayed) device.outputs.clear();
  return outputs;
}

}  // namespace vision_native
