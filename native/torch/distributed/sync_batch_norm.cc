// Batch normalisation with the statistics of all processes' batches: one collective forward, one backward.
#include <ATen/ATen.h>
#include <ATen/OpMathType.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "torch/distributed/collectives.h"

namespace vision_native::distributed {

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Of each channel over all processes, in float32 for halves.
struct Statistics {
  Tensor mean;
  Tensor variance;
  Tensor count;
};

Statistics gather_statistics(const Tensor& input, const std::string& group, int64_t world_size) {
  const auto channels = input.size(1);
  // Its statistics have the type of running ones, of which it is given some that nobody reads.
  const auto unread = at::zeros({channels}, input.options().dtype(at::toOpMathType(input.scalar_type())));
  auto [mean, variance] = at::batch_norm_update_stats(input, unread, unread, 0);
  const auto own = at::cat({mean, variance, mean.new_full({1}, input.numel() / channels)});
  const auto all = all_gather(own.unsqueeze(0), group, world_size);
  const auto means = all.narrow(1, 0, channels);
  const auto counts = all.narrow(1, 2 * channels, 1);
  const auto total = counts.sum();
  mean = (means * counts).sum(0) / total;
  // Of the parts about their own means, and of these about the mean of all (Chan, Golub, LeVeque 1979).
  variance = ((all.narrow(1, channels, channels) + (means - mean).square()) * counts).sum(0) / total;
  return {mean, variance, total};
}

Tensor normalize(const Tensor& input, const Tensor& weight, const Tensor& bias, const Statistics& of, double eps) {
  return std::get<0>(at::native_batch_norm(input, weight, bias, of.mean, of.variance, false, 0, eps));
}

void check(const Tensor& input, int64_t world_size) {
  TORCH_CHECK_VALUE(input.dim() >= 2, "sync_batch_norm: the input has ", input.dim(),
                    " dimensions; it must have at least 2, [N, C, …]");
  TORCH_CHECK_VALUE(input.numel() > 0, "sync_batch_norm: the input has shape ", input.sizes(),
                    "; each process needs at least one value of each channel");
  TORCH_CHECK_VALUE(world_size >= 1, "sync_batch_norm: world_size is ", world_size, "; it must be at least 1");
}

void move_towards(const std::optional<Tensor>& running, const Tensor& value, double momentum) {
  if (running.has_value() && running->defined()) Tensor(*running).mul_(1 - momentum).add_(value, momentum);
}

class SyncBatchNorm : public torch::autograd::Function<SyncBatchNorm> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& input, const Tensor& weight, const Tensor& bias,
                        const std::optional<Tensor>& running_mean, const std::optional<Tensor>& running_var,
                        double momentum, double eps, const std::string& group, int64_t world_size) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    check(input, world_size);
    const auto of = gather_statistics(input, group, world_size);
    move_towards(running_mean, of.mean, momentum);
    move_towards(running_var, of.variance * (of.count / (of.count - 1)), momentum);
    context->save_for_backward({input, weight, of.mean, of.variance, of.count});
    context->saved_data["eps"] = eps;
    context->saved_data["group"] = group;
    return normalize(input, weight, bias, of, eps);
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto saved = context->get_saved_variables();
    const auto& [input, weight, mean, variance] = std::tie(saved[0], saved[1], saved[2], saved[3]);
    const auto eps = context->saved_data["eps"].toDouble();
    const auto grad = grads[0].contiguous(input.suggest_memory_format());
    TORCH_CHECK_NOT_IMPLEMENTED(!(at::GradMode::is_enabled() && grad.requires_grad()),
                                "sync_batch_norm: it has no second derivative");
    const auto scale = weight.defined() ? weight.to(mean.scalar_type()) : at::ones_like(mean);
    // Of given statistics, the gradients of weight and bias are the two sums that the input's needs.
    const auto [unused, weighted, sum] = at::native_batch_norm_backward(grad, input, weight.defined() ? weight : scale, mean,
                                                                        variance, {}, {}, false, eps, {false, true, true});
    Tensor grad_input;
    if (context->needs_input_grad(0)) {
      const auto sums = all_reduce_sum(at::cat({sum, weighted}).to(mean.scalar_type()), context->saved_data["group"].toStringRef());
      const auto halves = (sums / saved[4]).chunk(2);
      const auto inverse = (variance + eps).rsqrt();
      const auto factor = scale * inverse;
      const auto slope = -factor * inverse * halves[1];
      const auto offset = -factor * halves[0] - slope * mean;
      std::vector<int64_t> each_channel(input.dim(), 1);
      each_channel[1] = input.size(1);
      const auto spread = [&](const Tensor& x) { return x.reshape(each_channel).to(input.scalar_type()); };
      grad_input = (grad * spread(factor)).addcmul_(input, spread(slope)).add_(spread(offset));
    }
    const auto gradient_of = [&](int index, const Tensor& value) {
      return weight.defined() && context->needs_input_grad(index) ? value : Tensor();
    };
    return {grad_input, gradient_of(1, weighted), gradient_of(2, sum), {}, {}, {}, {}, {}, {}};
  }
};

Tensor sync_batch_norm(const Tensor& input, const std::optional<Tensor>& weight, const std::optional<Tensor>& bias,
                       const std::optional<Tensor>& running_mean, const std::optional<Tensor>& running_var,
                       double momentum, double eps, c10::string_view group, int64_t world_size) {
  return SyncBatchNorm::apply(input, weight.value_or(Tensor()), bias.value_or(Tensor()), running_mean, running_var,
                              momentum, eps, std::string(group), world_size);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(vision_native_distributed, library) {
  library.def(
      "sync_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!)? running_mean, Tensor(b!)? running_var, "
      "float momentum, float eps, str group, int world_size) -> Tensor");
}

TORCH_LIBRARY_IMPL(vision_native_distributed, CompositeImplicitAutograd, library) {
  library.impl("sync_batch_norm", sync_batch_norm);
}

}  // namespace vision_native::distributed
