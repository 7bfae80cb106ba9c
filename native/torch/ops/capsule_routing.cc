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

void check_floating(std::string_view op, const char* name, const at::Tensor& tensor) {
  const c10::ScalarType type = tensor.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16, op, ": ",
                   name, " are float32, float64, float16 or bfloat16, got ", type, "; convert them");
}

void check_kappa(std::string_view op, double kappa) {
  TORCH_CHECK_VALUE(std::isfinite(kappa) && kappa > 0.0, op, ": kappa is a finite number above 0, got ", kappa);
}

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

Pair routing_backward_meta(const at::Tensor& grad, const at::Tensor& votes, const std::optional<at::Tensor>& bias,
                           int64_t iterations, double kappa, bool detach) {
  capsule_check_routing("capsule_routing", votes, bias, iterations, kappa);
  capsule_check_grad(grad, votes);
  const auto type = bias ? bias->scalar_type() : votes.scalar_type();
  return {at::empty_symint(votes.sym_sizes(), votes.options()),
          at::empty_symint({votes.sym_size(2), votes.sym_size(3)}, votes.options().dtype(type))};
}

at::Tensor squash_meta(const at::Tensor& input, double kappa, int64_t dim) {
  capsule_check_squash("squash", input, kappa, dim);
  return at::empty_symint(input.sym_sizes(), input.options());
}

at::Tensor squash_backward_meta(const at::Tensor& grad, const at::Tensor& input, double kappa, int64_t dim) {
  capsule_check_squash("squash", input, kappa, dim);
  return at::empty_symint(input.sym_sizes(), input.options());
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "capsule_routing(Tensor votes, Tensor? bias=None, *, int iterations=3, float kappa=0.5, bool detach=False, "
      "bool return_couplings=False) -> (Tensor capsules, Tensor couplings)");
  library.def(
      "_capsule_routing_backward(Tensor grad, Tensor votes, Tensor? bias, int iterations, float kappa, bool detach) -> "
      "(Tensor votes_grad, Tensor bias_grad)");
  library.def("squash(Tensor input, *, float kappa=1.0, int dim=-1) -> Tensor");
  library.def("_squash_backward(Tensor grad, Tensor input, float kappa, int dim) -> Tensor");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) {
  library.impl("capsule_routing", routing_meta);
  library.impl("_capsule_routing_backward", routing_backward_meta);
  library.impl("squash", squash_meta);
  library.impl("_squash_backward", squash_backward_meta);
}

}  // namespace

void capsule_check_routing(std::string_view op, const at::Tensor& votes, const std::optional<at::Tensor>& bias,
                           int64_t iterations, double kappa) {
  check_floating(op, "votes", votes);
  TORCH_CHECK(votes.dim() == 6, op, ": votes are [B, S, K, N, H, W], got shape ", votes.sym_sizes());
  TORCH_CHECK_VALUE(iterations >= 1 && iterations <= kMostIterations, op, ": iterations are 1 to ", kMostIterations,
                    ", got ", iterations);
  check_kappa(op, kappa);
  if (!bias || !bias->defined()) return;
  check_floating(op, "biases", *bias);
  TORCH_CHECK(bias->dim() == 2 && bias->sym_size(0) == votes.sym_size(2) && bias->sym_size(1) == votes.sym_size(3), op,
              ": the bias is [K, N] = [", votes.sym_size(2), ", ", votes.sym_size(3), "], got shape ",
              bias->sym_sizes());
  TORCH_CHECK(bias->device() == votes.device(), op, ": votes are on ", votes.device(), " and the bias on ",
              bias->device(), "; move one");
  TORCH_CHECK_TYPE((bias->scalar_type() == at::kDouble) <= (votes.scalar_type() == at::kDouble), op,
                   ": a float64 bias needs float64 votes, got ", votes.scalar_type());
}

void capsule_check_grad(const at::Tensor& grad, const at::Tensor& votes) {
  constexpr const char* op = "_capsule_routing_backward";
  check_floating(op, "gradients", grad);
  TORCH_CHECK(grad.dim() == 5 && grad.sym_size(0) == votes.sym_size(0) && grad.sym_size(1) == votes.sym_size(2) &&
                  grad.sym_size(2) == votes.sym_size(3) && grad.sym_size(3) == votes.sym_size(4) &&
                  grad.sym_size(4) == votes.sym_size(5),
              op, ": the gradient is [B, K, N, H, W] for votes ", votes.sym_sizes(), ", got shape ", grad.sym_sizes());
  TORCH_CHECK(grad.device() == votes.device(), op, ": votes are on ", votes.device(), " and the gradient on ",
              grad.device());
}

void capsule_check_squash(std::string_view op, const at::Tensor& input, double kappa, int64_t dim) {
  check_floating(op, "inputs", input);
  check_kappa(op, kappa);
  TORCH_CHECK(input.dim() >= 1, op, ": the input has 1 dimension or more, got shape []");
  TORCH_CHECK_INDEX(dim >= -input.dim() && dim < input.dim(), op, ": dim is from ", -input.dim(), " to ",
                    input.dim() - 1, ", got ", dim);
}

}  // namespace vision_native
