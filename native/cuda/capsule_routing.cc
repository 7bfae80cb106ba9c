// Capsule routing on CUDA: tensors to raw pointers. The kernels are in the .cu files.
#include "torch/ops/capsule_routing.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <algorithm>
#include <vector>

#include "cuda/capsule_routing.h"
#include "torch/ops/capsule_routing_dense.h"

namespace vision_native {

namespace {

using Optional = std::optional<at::Tensor>;
using Pair = std::tuple<at::Tensor, at::Tensor>;
using Triple = std::tuple<at::Tensor, at::Tensor, at::Tensor>;
using Four = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

cudaStream_t stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

cuda::CapsuleElement element_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kDouble: return cuda::CapsuleElement::kDouble;
    case at::kHalf: return cuda::CapsuleElement::kHalf;
    case at::kBFloat16: return cuda::CapsuleElement::kBFloat16;
    default: return cuda::CapsuleElement::kFloat;
  }
}

at::TensorOptions sum_options(const at::Tensor& tensor) {
  return tensor.options().dtype(tensor.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
}

at::Tensor summed(const Optional& bias, const at::Tensor& like) {
  return bias && bias->defined() ? bias->to(sum_options(like).dtype()).contiguous() : at::Tensor();
}

const void* data_or_null(const at::Tensor& tensor) { return tensor.defined() ? tensor.const_data_ptr() : nullptr; }

// ---- Positions and output types ---------------------------------------------------------------------------------

cuda::CapsuleRoute route_of(const at::Tensor& votes, const at::Tensor& bias, int64_t iterations, double kappa) {
  cuda::CapsuleRoute route{};
  route.element = element_of(votes);
  route.batch = votes.size(0);
  route.inputs = votes.size(1);
  route.outputs = votes.size(2);
  route.dims = votes.size(3);
  route.positions = votes.size(4) * votes.size(5);
  route.tiles = (route.positions + cuda::kCapsuleLanes - 1) / cuda::kCapsuleLanes;
  route.kappa = kappa;
  route.votes = votes.const_data_ptr();
  route.bias = data_or_null(bias);
  route.iterations = iterations;
  return route;
}

at::Tensor parts_of(const cuda::CapsuleRoute& route, const at::TensorOptions& options) {
  return at::empty({2, route.batch * route.inputs, route.outputs * route.tiles}, options);
}

Four route_votes(const at::Tensor& given, const Optional& given_bias, int64_t iterations, double kappa,
                 bool return_couplings, bool keeps) {
  const c10::cuda::CUDAGuard guard(given.device());
  const at::Tensor votes = given.contiguous(), bias = summed(given_bias, given);
  const auto options = sum_options(votes);
  const auto size = [&](int64_t dim) { return votes.size(dim); };
  at::Tensor capsules = at::empty({size(0), size(2), size(3), size(4), size(5)}, votes.options());
  at::Tensor couplings = return_couplings ? at::empty({size(0), size(1), size(2), size(4), size(5)}, options)
                                          : at::empty({0}, options);
  const int64_t kept = keeps ? iterations - 1 : std::min<int64_t>(iterations - 1, 1);
  at::Tensor logits = at::empty({kept, size(0), size(1), size(2), size(4), size(5)}, options);
  at::Tensor statistics = at::empty({iterations - 1, size(0), 2, size(1)}, options);
  if (capsules.numel() > 0 || couplings.numel() > 0) {
    cuda::CapsuleRoute route = route_of(votes, bias, iterations, kappa);
    const at::Tensor parts = parts_of(route, options);
    route.logits = logits.mutable_data_ptr();
    route.statistics = statistics.mutable_data_ptr();
    route.keeps = keeps;
    route.parts = parts.mutable_data_ptr();
    route.capsules = capsules.mutable_data_ptr();
    route.couplings = return_couplings ? couplings.mutable_data_ptr() : nullptr;
    cuda::launch_capsule_route(route, stream());
  }
  return {std::move(capsules), std::move(couplings), std::move(logits), std::move(statistics)};
}

Pair capsule_routing(const at::Tensor& votes, const Optional& bias, int64_t iterations, double kappa, bool detach,
                     bool return_couplings) {
  capsule_check_routing("capsule_routing", votes, bias, iterations, kappa);
  auto [capsules, couplings, logits, statistics] = route_votes(votes, bias, iterations, kappa, return_couplings, false);
  return {std::move(capsules), std::move(couplings)};
}

Four capsule_routing_forward(const at::Tensor& votes, const Optional& bias, int64_t iterations, double kappa,
                             bool return_couplings) {
  capsule_check_routing("capsule_routing", votes, bias, iterations, kappa);
  return route_votes(votes, bias, iterations, kappa, return_couplings, true);
}

Pair capsule_routing_backward(const at::Tensor& grad, const at::Tensor& given, const Optional& given_bias,
                              const at::Tensor& given_logits, const at::Tensor& given_statistics, int64_t iterations,
                              double kappa, bool detach) {
  constexpr const char* op = "_capsule_routing_backward";
  capsule_check_routing(op, given, given_bias, iterations, kappa);
  capsule_check_saved(op, grad, given, given_logits, given_statistics, iterations);
  const c10::cuda::CUDAGuard guard(given.device());
  const at::Tensor votes = given.contiguous(), bias = summed(given_bias, given);
  const at::Tensor logits = given_logits.contiguous(), statistics = given_statistics.contiguous();
  const auto options = sum_options(votes);
  const auto type = given_bias && given_bias->defined() ? given_bias->scalar_type() : votes.scalar_type();
  at::Tensor votes_grad = at::empty(votes.sizes(), votes.options());
  if (grad.numel() == 0) return {std::move(votes_grad), at::zeros({votes.size(2), votes.size(3)}, votes.options().dtype(type))};

  cuda::CapsuleRoute route = route_of(votes, bias, iterations, kappa);
  const at::Tensor parts = parts_of(route, options);
  const at::Tensor slopes = grad.to(options.dtype()).contiguous();
  const at::Tensor gammas = detach ? at::empty({0}, options) : at::empty_like(logits);
  const at::Tensor means = at::empty({iterations, route.batch, route.inputs}, options);
  const at::Tensor bias_parts = at::empty({route.batch, route.outputs, route.dims, route.tiles}, options);
  const at::Tensor sums = cuda::capsule_tile_fits(route) ? at::Tensor() : at::empty(votes.sizes(), options);
  // The backward pass only reads what the forward pass left.
  route.logits = const_cast<void*>(logits.const_data_ptr());
  route.statistics = const_cast<void*>(statistics.const_data_ptr());
  route.keeps = true;
  route.parts = parts.mutable_data_ptr();
  const cuda::CapsuleRouteBackward backward{detach,
                                            slopes.const_data_ptr(),
                                            gammas.mutable_data_ptr(),
                                            means.mutable_data_ptr(),
                                            bias_parts.mutable_data_ptr(),
                                            sums.defined() ? sums.mutable_data_ptr() : nullptr,
                                            votes_grad.mutable_data_ptr()};
  cuda::launch_capsule_route_backward(route, backward, stream());
  return {std::move(votes_grad), bias_parts.sum(at::IntArrayRef{0, 3}).to(type)};
}

// ---- Dense routing ----------------------------------------------------------------------------------------------

/// Memory of one call, and what the kernels are told of it.
struct DenseCall {
  at::Tensor input, weight, bias, memory, parts;
  cuda::CapsuleDense dense{};

  DenseCall(const at::Tensor& given_input, const at::Tensor& given_weight, const Optional& given_bias,
            int64_t iterations, double kappa)
      : input(given_input.contiguous()), weight(given_weight.contiguous()), bias(summed(given_bias, given_input)) {
    dense.element = element_of(input);
    dense.samples = input.size(0);
    dense.inputs = input.size(1);
    dense.from = input.size(2);
    dense.outputs = weight.size(1);
    dense.dims = weight.size(2);
    dense.blocks = (dense.samples + cuda::kCapsuleLanes - 1) / cuda::kCapsuleLanes;
    const int64_t lanes = dense.blocks * dense.outputs * dense.dims * cuda::kCapsuleLanes;
    dense.chunks = std::clamp<int64_t>(kPartBytes / (lanes * 4), 8, 512);
    dense.chunks = std::max<int64_t>(std::min(dense.chunks, dense.inputs), 1);
    dense.kappa = kappa;
    dense.iterations = iterations;
    memory = at::empty({4, iterations, dense.blocks, dense.outputs, dense.dims, cuda::kCapsuleLanes}, sum_options(input));
    parts = at::empty({dense.chunks, lanes}, sum_options(input));
    dense.input = input.const_data_ptr();
    dense.weight = weight.const_data_ptr();
    dense.bias = data_or_null(bias);
    dense.totals = memory.select(0, 0).mutable_data_ptr();
    dense.capsules = memory.select(0, 1).mutable_data_ptr();
    dense.pulls = memory.select(0, 2).mutable_data_ptr();
    dense.sums = memory.select(0, 3).mutable_data_ptr();
    dense.parts = parts.mutable_data_ptr();
  }

  /// `[…, blocks, J, M, 32]` to `[…, B, J, M]`.
  at::Tensor from_lanes(const at::Tensor& lanes) const {
    const int64_t d = lanes.dim();
    return lanes.movedim(d - 1, d - 3).flatten(d - 4, d - 3).narrow(d - 4, 0, dense.samples);
  }

  at::Tensor to_lanes(const at::Tensor& values) const {
    const int64_t d = values.dim();
    std::vector<int64_t> sizes = values.sizes().vec();
    sizes[d - 3] = dense.blocks * cuda::kCapsuleLanes;
    const at::Tensor padded = at::zeros(sizes, values.options());
    padded.narrow(d - 3, 0, dense.samples).copy_(values);
    return padded.unflatten(d - 3, {dense.blocks, cuda::kCapsuleLanes}).movedim(d - 2, d).contiguous();
  }

 private:
  /// Bytes that the sums of all chunks should not exceed.
  static constexpr int64_t kPartBytes = int64_t{16} << 20;
};

Pair dense_forward(const at::Tensor& input, const at::Tensor& weight, const Optional& bias, int64_t iterations,
                   double kappa) {
  capsule_check_dense("capsule_routing_dense", input, weight, bias, iterations, kappa);
  const c10::cuda::CUDAGuard guard(input.device());
  if (input.size(0) == 0 || weight.size(1) == 0 || weight.size(2) == 0) {
    return {at::empty({input.size(0), weight.size(1), weight.size(2)}, input.options()),
            at::empty({iterations, input.size(0), weight.size(1), weight.size(2)}, sum_options(input))};
  }
  DenseCall call(input, weight, bias, iterations, kappa);
  cuda::launch_capsule_dense(call.dense, stream());
  return {call.from_lanes(call.memory.select(0, 1).select(0, iterations - 1)).to(input.scalar_type()).contiguous(),
          call.from_lanes(call.memory.select(0, 3)).contiguous()};
}

at::Tensor capsule_routing_dense(const at::Tensor& input, const at::Tensor& weight, const Optional& bias,
                                 int64_t iterations, double kappa, bool detach) {
  return std::get<0>(dense_forward(input, weight, bias, iterations, kappa));
}

Triple dense_backward(const at::Tensor& grad, const at::Tensor& input, const at::Tensor& weight, const Optional& bias,
                      const at::Tensor& sums, int64_t iterations, double kappa, bool detach) {
  constexpr const char* op = "_capsule_routing_dense_backward";
  capsule_check_dense(op, input, weight, bias, iterations, kappa);
  capsule_check_dense_saved(op, grad, input, weight, sums, iterations);
  const c10::cuda::CUDAGuard guard(input.device());
  const auto type = bias && bias->defined() ? bias->scalar_type() : input.scalar_type();
  if (grad.numel() == 0) {
    return {at::zeros(input.sizes(), input.options()), at::zeros(weight.sizes(), weight.options()),
            at::zeros({weight.size(1), weight.size(2)}, input.options().dtype(type))};
  }
  DenseCall call(input, weight, bias, iterations, kappa);
  call.dense.detach = detach;
  call.memory.select(0, 3).copy_(call.to_lanes(sums));
  const at::Tensor slopes = call.to_lanes(grad.to(sum_options(input).dtype()));
  at::Tensor input_grad = at::empty(input.sizes(), input.options());
  at::Tensor weight_grad = at::empty(weight.sizes(), weight.options());
  cuda::launch_capsule_dense_backward(call.dense, slopes.const_data_ptr(), input_grad.mutable_data_ptr(),
                                      weight_grad.mutable_data_ptr(), stream());
  at::Tensor pulls = call.memory.select(0, 2);
  if (detach) pulls = pulls.narrow(0, iterations - 1, 1);
  return {std::move(input_grad), std::move(weight_grad), pulls.sum(at::IntArrayRef{0, 1, 4}).to(type)};
}

// ---- Squash -----------------------------------------------------------------------------------------------------

at::Tensor squash_of(const at::Tensor& given, const at::Tensor* grad, double kappa, int64_t dim) {
  const c10::cuda::CUDAGuard guard(given.device());
  const at::Tensor input = given.contiguous();
  const at::Tensor slopes = grad != nullptr ? grad->to(given.scalar_type()).contiguous() : at::Tensor();
  at::Tensor out = at::empty(input.sizes(), input.options());
  const int64_t place = dim < 0 ? dim + input.dim() : dim;
  int64_t outer = 1, inner = 1;
  for (int64_t i = 0; i < place; ++i) outer *= input.size(i);
  for (int64_t i = place + 1; i < input.dim(); ++i) inner *= input.size(i);
  cuda::launch_squash(element_of(input), input.const_data_ptr(), data_or_null(slopes), out.mutable_data_ptr(), outer,
                      input.size(place), inner, kappa, stream());
  return out;
}

at::Tensor squash(const at::Tensor& input, double kappa, int64_t dim) {
  capsule_check_squash("squash", input, kappa, dim);
  return squash_of(input, nullptr, kappa, dim);
}

at::Tensor squash_backward(const at::Tensor& grad, const at::Tensor& input, double kappa, int64_t dim) {
  capsule_check_squash("_squash_backward", input, kappa, dim);
  capsule_check_squash_gradient(grad, input);
  return squash_of(input, &grad, kappa, dim);
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) {
  library.impl("capsule_routing", capsule_routing);
  library.impl("_capsule_routing_forward", capsule_routing_forward);
  library.impl("_capsule_routing_backward", capsule_routing_backward);
  library.impl("capsule_routing_dense", capsule_routing_dense);
  library.impl("_capsule_routing_dense_forward", dense_forward);
  library.impl("_capsule_routing_dense_backward", dense_backward);
  library.impl("squash", squash);
  library.impl("_squash_backward", squash_backward);
}

}  // namespace vision_native
