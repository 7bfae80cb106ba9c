// torch.autograd.grad and backward as operators, so that they are called, captured and replayed as every other one is.
#include <ATen/core/List.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/library.h>

namespace vision_native {

namespace {

using OptionalTensors = c10::List<std::optional<at::Tensor>>;

/// The gradients that backward starts from: one for each root, undefined where the root has a single element.
std::vector<at::Tensor> starting_gradients(at::TensorList roots, const OptionalTensors& given) {
  TORCH_CHECK_VALUE(!roots.empty(), "there is no tensor to start from; pass at least one");
  TORCH_CHECK_VALUE(given.empty() || given.size() == roots.size(), "there are ", given.size(), " gradients for ",
                    roots.size(), " tensors; pass one for each, or null where the tensor has one element");
  std::vector<at::Tensor> gradients(roots.size());
  for (size_t i = 0; i < roots.size(); ++i) {
    const at::Tensor& root = roots[i];
    TORCH_CHECK_VALUE(root.requires_grad(), "tensor ", i, " ", root.sizes(),
                      " does not require grad and no operator recorded it; compute it from tensors that require "
                      "gradients, outside noGrad()");
    const std::optional<at::Tensor> gradient = given.empty() ? std::nullopt : std::optional(given.get(i));
    if (!gradient || !gradient->defined()) {
      TORCH_CHECK_VALUE(root.numel() == 1, "tensor ", i, " has shape ", root.sizes(),
                        ", and a gradient can be created implicitly only for scalar outputs; pass its gradient");
      continue;
    }
    TORCH_CHECK(gradient->sizes() == root.sizes(), "gradient ", i, " has shape ", gradient->sizes(), ", its tensor ",
                root.sizes(), "; they must be equal");
    TORCH_CHECK_TYPE(gradient->is_complex() == root.is_complex(), "gradient ", i, " is ", gradient->scalar_type(),
                     ", its tensor ", root.scalar_type(), "; both are complex or neither");
    gradients[i] = *gradient;
  }
  return gradients;
}

void check_inputs(at::TensorList inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    TORCH_CHECK_VALUE(inputs[i].requires_grad(), "input ", i, " ", inputs[i].sizes(),
                      " does not require grad; call requiresGrad_() on it before it is used");
  }
}

std::vector<at::Tensor> grad(at::TensorList outputs, at::TensorList inputs, const OptionalTensors& grad_outputs,
                             std::optional<bool> retain_graph, bool create_graph, bool allow_unused) {
  const std::vector<at::Tensor> starts = starting_gradients(outputs, grad_outputs);
  TORCH_CHECK_VALUE(!inputs.empty(), "there is no input to differentiate by; pass at least one");
  check_inputs(inputs);
  std::vector<at::Tensor> gradients = torch::autograd::grad(outputs.vec(), inputs.vec(), starts, retain_graph,
                                                            create_graph, /*allow_unused=*/true);
  for (size_t i = 0; i < gradients.size(); ++i) {
    TORCH_CHECK_VALUE(allow_unused || gradients[i].defined(), "input ", i, " ", inputs[i].sizes(),
                      " was not used to compute the outputs; pass allowUnused: true to get null for it");
  }
  return gradients;
}

void backward(at::TensorList tensors, const OptionalTensors& gradients, at::TensorList inputs,
              std::optional<bool> retain_graph, bool create_graph) {
  check_inputs(inputs);
  torch::autograd::backward(tensors.vec(), starting_gradients(tensors, gradients), retain_graph, create_graph,
                            inputs.vec());
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "grad(Tensor[] outputs, Tensor[] inputs, Tensor?[] grad_outputs, *, bool? retain_graph=None, "
      "bool create_graph=False, bool allow_unused=False) -> Tensor[]",
      grad);
  library.def(
      "backward(Tensor[] tensors, Tensor?[] gradients, Tensor[] inputs, *, bool? retain_graph=None, "
      "bool create_graph=False) -> ()",
      backward);
}

}  // namespace

}  // namespace vision_native
