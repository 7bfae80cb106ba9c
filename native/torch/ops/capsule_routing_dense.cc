// Dense routing of capsules (Sabour, Frosst, Hinton, "Dynamic Routing Between Capsules", NeurIPS 2017): schemas, checks
// and shapes.
#include "torch/ops/capsule_routing_dense.h"

#include <ATen/ops/empty.h>
#include <torch/library.h>

#include "torch/ops/capsule_routing.h"

namespace vision_native {

namespace {

using Pair = std::tuple<at::Tensor, at::Tensor>;
using Triple = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

at::Tensor dense_meta(const at::Tensor& input, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                      int64_t iterations, double kappa, bool detach) {
  capsule_check_dense("capsule_routing_dense", input, weight, bias, iterations, kappa);
  return at::empty_symint({input.sym_size(0), weight.sym_size(1), weight.sym_size(2)}, input.options());
}

Pair dense_forward_meta(const at::Tensor& input, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                        int64_t iterations, double kappa) {
  capsule_check_dense("capsule_routing_dense", input, weight, bias, iterations, kappa);
  const auto options = input.options().dtype(input.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  return {at::empty_symint({input.sym_size(0), weight.sym_size(1), weight.sym_size(2)}, input.options()),
          at::empty_symint({iterations, input.sym_size(0), weight.sym_size(1), weight.sym_size(2)}, options)};
}

Triple dense_backward_meta(const at::Tensor& grad, const at::Tensor& input, const at::Tensor& weight,
                           const std::optional<at::Tensor>& bias, const at::Tensor& sums, int64_t iterations,
                           double kappa, bool detach) {
  constexpr const char* op = "_capsule_routing_dense_backward";
  capsule_check_dense(op, input, weight, bias, iterations, kappa);
  capsule_check_dense_saved(op, grad, input, weight, sums, iterations);
  const auto type = bias ? bias->scalar_type() : input.scalar_type();
  return {at::empty_symint(input.sym_sizes(), input.options()), at::empty_symint(weight.sym_sizes(), weight.options()),
          at::empty_symint({weight.sym_size(1), weight.sym_size(2)}, input.options().dtype(type))};
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "capsule_routing_dense(Tensor input, Tensor weight, Tensor? bias=None, *, int iterations=3, float kappa=1.0, "
      "bool detach=False) -> Tensor");
  library.def(
      "_capsule_routing_dense_forward(Tensor input, Tensor weight, Tensor? bias, int iterations, float kappa) -> "
      "(Tensor capsules, Tensor sums)");
  library.def(
      "_capsule_routing_dense_backward(Tensor grad, Tensor input, Tensor weight, Tensor? bias, Tensor sums, "
      "int iterations, float kappa, bool detach) -> (Tensor input_grad, Tensor weight_grad, Tensor bias_grad)");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) {
  library.impl("capsule_routing_dense", dense_meta);
  library.impl("_capsule_routing_dense_forward", dense_forward_meta);
  library.impl("_capsule_routing_dense_backward", dense_backward_meta);
}

}  // namespace

void capsule_check_dense(std::string_view op, const at::Tensor& input, const at::Tensor& weight,
                         const std::optional<at::Tensor>& bias, int64_t iterations, double kappa) {
  capsule_check_type(op, "inputs", input);
  capsule_check_type(op, "weights", weight);
  TORCH_CHECK(input.dim() == 3, op, ": the input is [B, I, N], got shape ", input.sym_sizes());
  TORCH_CHECK(weight.dim() == 4 && weight.sym_size(0) == input.sym_size(1) && weight.sym_size(3) == input.sym_size(2), op,
              ": the weight is [I, J, M, N] with I = ", input.sym_size(1), " and N = ", input.sym_size(2),
              " of the input, got shape ", weight.sym_sizes());
  TORCH_CHECK_TYPE(input.scalar_type() == weight.scalar_type(), op, ": the input is ", input.scalar_type(),
                   " and the weight ", weight.scalar_type(), "; convert one");
  TORCH_CHECK(input.device() == weight.device(), op, ": the input is on ", input.device(), " and the weight on ",
              weight.device(), "; move one to the same device");
  capsule_check_options(op, iterations, kappa);
  capsule_check_bias(op, bias, "[J, M]", weight.sym_size(1), weight.sym_size(2), input);
}

void capsule_check_dense_saved(std::string_view op, const at::Tensor& grad, const at::Tensor& input,
                               const at::Tensor& weight, const at::Tensor& sums, int64_t iterations) {
  capsule_check_type(op, "gradients", grad);
  const c10::SymInt samples = input.sym_size(0), outputs = weight.sym_size(1), dims = weight.sym_size(2);
  TORCH_CHECK(grad.sym_sizes() == c10::SymIntArrayRef({samples, outputs, dims}), op,
              ": the gradient is [B, J, M] = [", samples, ", ", outputs, ", ", dims, "], got shape ", grad.sym_sizes());
  TORCH_CHECK(sums.sym_sizes() == c10::SymIntArrayRef({c10::SymInt(iterations), samples, outputs, dims}), op,
              ": the sums are those of the forward pass, [", iterations, ", B, J, M], got shape ", sums.sym_sizes());
  const c10::ScalarType type = input.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  TORCH_CHECK_TYPE(sums.scalar_type() == type, op, ": the sums are those of the forward pass, ", type, ", got ",
                   sums.scalar_type());
  TORCH_CHECK(grad.device() == input.device() && sums.device() == input.device(), op, ": the input is on ",
              input.device(), ", the gradient on ", grad.device(), " and the sums on ", sums.device(), "; move them to the same device");
}

}  // namespace vision_native
