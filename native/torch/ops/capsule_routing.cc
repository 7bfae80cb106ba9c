// Capsule networks: schemas, checks and shapes. Routing over positions and output types is Equations 6 to 9 of "Toward
// More Accurate Heterogeneous Iris Recognition with Transformers and Capsules" (MMM 2023); dense routing and squash are
// Sabour, Frosst, Hinton, NeurIPS 2017.
#include "torch/ops/capsule_routing.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include <cmath>

namespace vision_native {

namespace {

constexpr int64_t kMostIterations = 64;

using Pair = std::tuple<at::Tensor, at::Tensor>;

Pair routing_meta(const at::Tensor& votes, const std::optional<at::Tensor>& bias, int64_t iterations, double kappa,
                  bool detach, bool return_couplings) {
  capsule_check_routing("capsule_routing", votes, bias, iterations, kappa);
  const auto size = [&](int64_t dim) { return votes.sym_size(dim); };
  at::Tensor capsules = at::empty_symint({size(0), size(2), size(3), size(4), size(5)}, votes.options());
  const auto options = votes.options().dtype(votes.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  at::Tensor couplings = return_couplings
                             ? at::empty_symint({size(0), size(1), size(2), size(4), size(5)}, options)
                             : at::empty({0}, options);
  return {std::move(capsules), std::move(couplings)};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> routing_forward_meta(const at::Tensor& votes,
                                                                                const std::optional<at::Tensor>& bias,
                                                                                int64_t iterations, double kappa,
                                                                                bool return_couplings) {
  auto [capsules, couplings] = routing_meta(votes, bias, iterations, kappa, false, return_couplings);
  const auto size = [&](int64_t dim) { return votes.sym_size(dim); };
  at::Tensor logits =
      at::empty_symint({iterations - 1, size(0), size(1), size(2), size(4), size(5)}, couplings.options());
  at::Tensor statistics = at::empty_symint({iterations - 1, size(0), 2, size(1)}, couplings.options());
  return {std::move(capsules), std::move(couplings), std::move(logits), std::move(statistics)};
}

Pair routing_backward_meta(const at::Tensor& grad, const at::Tensor& votes, const std::optional<at::Tensor>& bias,
                           const at::Tensor& logits, const at::Tensor& statistics, int64_t iterations, double kappa,
                           bool detach) {
  constexpr const char* op = "_capsule_routing_backward";
  capsule_check_routing(op, votes, bias, iterations, kappa);
  capsule_check_saved(op, grad, votes, logits, statistics, iterations);
  const auto type = bias ? bias->scalar_type() : votes.scalar_type();
  return {at::empty_symint(votes.sym_sizes(), votes.options()),
          at::empty_symint({votes.sym_size(2), votes.sym_size(3)}, votes.options().dtype(type))};
}

at::Tensor squash_meta(const at::Tensor& input, double kappa, int64_t dim) {
  capsule_check_squash("squash", input, kappa, dim);
  return at::empty_symint(input.sym_sizes(), input.options());
}

at::Tensor squash_backward_meta(const at::Tensor& grad, const at::Tensor& input, double kappa, int64_t dim) {
  capsule_check_squash("_squash_backward", input, kappa, dim);
  capsule_check_squash_gradient(grad, input);
  return at::empty_symint(input.sym_sizes(), input.options());
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "capsule_routing(Tensor votes, Tensor? bias=None, *, int iterations=3, float kappa=0.5, bool detach=False, "
      "bool return_couplings=False) -> (Tensor capsules, Tensor couplings)");
  library.def(
      "_capsule_routing_forward(Tensor votes, Tensor? bias, int iterations, float kappa, bool return_couplings) -> "
      "(Tensor capsules, Tensor couplings, Tensor logits, Tensor statistics)");
  library.def(
      "_capsule_routing_backward(Tensor grad, Tensor votes, Tensor? bias, Tensor logits, Tensor statistics, "
      "int iterations, float kappa, bool detach) -> (Tensor votes_grad, Tensor bias_grad)");
  library.def("squash(Tensor input, *, float kappa=1.0, int dim=-1) -> Tensor");
  library.def("_squash_backward(Tensor grad, Tensor input, float kappa, int dim) -> Tensor");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) {
  library.impl("capsule_routing", routing_meta);
  library.impl("_capsule_routing_forward", routing_forward_meta);
  library.impl("_capsule_routing_backward", routing_backward_meta);
  library.impl("squash", squash_meta);
  library.impl("_squash_backward", squash_backward_meta);
}

}  // namespace

void capsule_check_type(std::string_view op, const char* name, const at::Tensor& tensor) {
  const c10::ScalarType type = tensor.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16, op, ": ",
                   name, " are float32, float64, float16 or bfloat16, got ", type, "; convert them");
}

void capsule_check_options(std::string_view op, int64_t iterations, double kappa) {
  TORCH_CHECK_VALUE(iterations >= 1 && iterations <= kMostIterations, op, ": iterations are 1 to ", kMostIterations,
                    ", got ", iterations);
  TORCH_CHECK_VALUE(std::isfinite(kappa) && kappa > 0.0, op, ": kappa is a finite number above 0, got ", kappa);
}

void capsule_check_bias(std::string_view op, const std::optional<at::Tensor>& bias, const char* names,
                        const c10::SymInt& outputs, const c10::SymInt& dims, const at::Tensor& votes) {
  if (!bias || !bias->defined()) return;
  capsule_check_type(op, "biases", *bias);
  TORCH_CHECK(bias->dim() == 2 && bias->sym_size(0) == outputs && bias->sym_size(1) == dims, op, ": the bias is ", names,
              " = [", outputs, ", ", dims, "], got shape ", bias->sym_sizes());
  TORCH_CHECK(bias->device() == votes.device(), op, ": votes are on ", votes.device(), " and the bias on ",
              bias->device(), "; move one to the same device");
  TORCH_CHECK_TYPE((bias->scalar_type() == at::kDouble) <= (votes.scalar_type() == at::kDouble), op,
                   ": a float64 bias needs float64 votes, got ", votes.scalar_type());
}

void capsule_check_routing(std::string_view op, const at::Tensor& votes, const std::optional<at::Tensor>& bias,
                           int64_t iterations, double kappa) {
  capsule_check_type(op, "votes", votes);
  TORCH_CHECK(votes.dim() == 6, op, ": votes are [B, S, K, N, H, W], got shape ", votes.sym_sizes());
  capsule_check_options(op, iterations, kappa);
  capsule_check_bias(op, bias, "[K, N]", votes.sym_size(2), votes.sym_size(3), votes);
}

void capsule_check_saved(std::string_view op, const at::Tensor& grad, const at::Tensor& votes, const at::Tensor& logits,
                         const at::Tensor& statistics, int64_t iterations) {
  capsule_check_type(op, "gradients", grad);
  const auto size = [&](int64_t dim) { return votes.sym_size(dim); };
  const auto is_sized = [](const at::Tensor& tensor, std::initializer_list<c10::SymInt> sizes) {
    return tensor.sym_sizes() == c10::SymIntArrayRef(sizes);
  };
  TORCH_CHECK(is_sized(grad, {size(0), size(2), size(3), size(4), size(5)}), op,
              ": the gradient is [B, K, N, H, W] for votes ", votes.sym_sizes(), ", got shape ", grad.sym_sizes());
  const c10::ScalarType type = votes.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  TORCH_CHECK_TYPE(logits.scalar_type() == type && statistics.scalar_type() == type, op,
                   ": logits and statistics are those of the forward pass, ", type, " for ", votes.scalar_type(),
                   " votes, got ", logits.scalar_type(), " and ", statistics.scalar_type());
  TORCH_CHECK(is_sized(logits, {iterations - 1, size(0), size(1), size(2), size(4), size(5)}) &&
                  is_sized(statistics, {iterations - 1, size(0), 2, size(1)}),
              op, ": logits and statistics are those of the forward pass, [", iterations - 1,
              ", B, S, K, H, W] and [", iterations - 1, ", B, 2, S] for votes ", votes.sym_sizes(), ", got shapes ",
              logits.sym_sizes(), " and ", statistics.sym_sizes());
  for (const at::Tensor& tensor : {grad, logits, statistics}) {
    TORCH_CHECK(tensor.device() == votes.device(), op, ": votes are on ", votes.device(), " and a gradient or state on ",
                tensor.device(), "; move one to the same device");
  }
}

void capsule_check_squash_gradient(const at::Tensor& grad, const at::Tensor& input) {
  TORCH_CHECK(grad.sym_sizes() == input.sym_sizes(), "_squash_backward: the gradient has shape ", grad.sym_sizes(),
              ", the input ", input.sym_sizes(), "; they must be equal");
  TORCH_CHECK(grad.device() == input.device(), "_squash_backward: the gradient is on ", grad.device(), ", the input on ",
              input.device(), "; move one to the same device");
}

void capsule_check_squash(std::string_view op, const at::Tensor& input, double kappa, int64_t dim) {
  capsule_check_type(op, "inputs", input);
  TORCH_CHECK_VALUE(std::isfinite(kappa) && kappa > 0.0, op, ": kappa is a finite number above 0, got ", kappa);
  TORCH_CHECK(input.dim() >= 1, op, ": the input has 1 dimension or more, got shape []");
  TORCH_CHECK_INDEX(dim >= -input.dim() && dim < input.dim(), op, ": dim is from ", -input.dim(), " to ",
                    input.dim() - 1, ", got ", dim);
}

}  // namespace vision_native
