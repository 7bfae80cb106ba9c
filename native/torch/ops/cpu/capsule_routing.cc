// CPU driver of capsule routing: passes over the votes of one sample, with the sums over all positions between them.
//
// Tiles are fixed by the shape and sums over them are made in their order, so that results do not depend on threads.
#include "torch/ops/capsule_routing.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include <limits>
#include <vector>

#include "torch/cpu_isa.h"
#include "torch/ops/cpu/capsule_routing_tiles.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

/// Positions from which the long tiles pay.
constexpr int64_t kWideFrom = 64;

template <typename A>
const CapsuleTiles<A>& tiles_for(int64_t positions) {
  const CapsuleTables& tables = for_cpu_isa(kCapsuleTilesScalar, kCapsuleTilesAvx2, kCapsuleTilesAvx512);
  const bool wide = positions >= kWideFrom;
  if constexpr (std::is_same_v<A, double>) {
    return wide ? tables.wide_double : tables.narrow_double;
  } else {
    return wide ? tables.wide : tables.narrow;
  }
}

CapsuleType type_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kDouble: return CapsuleType::kDouble;
    case at::kHalf: return CapsuleType::kHalf;
    case at::kBFloat16: return CapsuleType::kBFloat16;
    default: return CapsuleType::kFloat;
  }
}

/// One sample of [B, S, K, N, H, W].
CapsuleView votes_of(const at::Tensor& votes, int64_t sample) {
  void* data = static_cast<char*>(votes.data_ptr()) + sample * votes.stride(0) * votes.element_size();
  return {data, type_of(votes), votes.stride(1), votes.stride(2), votes.stride(3), votes.stride(4), votes.stride(5)};
}

/// One sample of [B, K, N, H, W].
CapsuleView capsules_of(const at::Tensor& capsules, int64_t sample) {
  void* data = static_cast<char*>(capsules.data_ptr()) + sample * capsules.stride(0) * capsules.element_size();
  return {data,
          type_of(capsules),
          0,
          capsules.stride(1),
          capsules.stride(2),
          capsules.stride(3),
          capsules.stride(4)};
}

/// One sample of [B, S, K, H, W].
CapsuleView couplings_of(const at::Tensor& couplings, int64_t sample) {
  CapsuleView view = capsules_of(couplings, sample);
  view.input_stride = couplings.stride(1);
  view.output_stride = couplings.stride(2);
  view.dim_stride = 0;
  return view;
}

template <typename A>
at::Tensor accumulated(const std::optional<at::Tensor>& bias) {
  if (!bias || !bias->defined()) return {};
  return bias->to(std::is_same_v<A, double> ? at::kDouble : at::kFloat).contiguous();
}

/// The passes over one sample, and the memory between them.
template <typename A>
class SampleRouter {
 public:
  SampleRouter(const at::Tensor& votes, int64_t sample, const A* bias, double kappa, int64_t iterations,
               const RunContext* context)
      : votes_(votes_of(votes, sample)),
        bias_(bias),
        kappa_(static_cast<A>(kappa)),
        iterations_(iterations),
        context_(context),
        kernels_(tiles_for<A>(votes.size(4) * votes.size(5))) {
    const int64_t positions = votes.size(4) * votes.size(5);
    sizes_ = {votes.size(1), votes.size(2), votes.size(3), votes.size(5),
              positions,     (positions + kernels_.tile - 1) / kernels_.tile};
    items_ = sizes_.tiles * sizes_.outputs;
    const A uniform = A(1) / static_cast<A>(positions * sizes_.outputs);
    couplings_.assign(iterations, {nullptr, nullptr, uniform});
    maxima_ = take(items_ * sizes_.inputs);
  }

  /// `keep` holds the couplings of all iterations for the backward pass; `passes` are fewer than the iterations there.
  void forward(int64_t passes, bool keep, CapsuleView* capsules, CapsuleView* couplings) {
    A* logits = nullptr;
    const int64_t block = items_ * sizes_.inputs * kernels_.tile;
    A* spare[2] = {nullptr, nullptr};
    for (int64_t t = 0; t < passes; ++t) {
      const bool ends = t == iterations_ - 1;
      if (!ends && spare[t % 2] == nullptr) spare[t % 2] = take(block);
      // Each place is read before it is written, so one buffer of logits does; two keep the loops free of aliases.
      A* next = ends ? nullptr : spare[t % 2];
      const CapsuleForward<A> pass{sizes_, votes_,  bias_, kappa_,  couplings_[t],
                                   logits, next,    maxima_, ends ? capsules : nullptr, ends ? couplings : nullptr};
      run([&](int64_t item, A* scratch) { kernels_.forward(pass, item, scratch); });
      if (ends || is_cancelled(context_)) return;
      normalise(t + 1, next, keep);
      logits = next;
    }
  }

  void backward(CapsuleView grad, CapsuleView votes_grad, bool detach, double* bias_grad) {
    forward(iterations_ - 1, true, nullptr, nullptr);
    std::vector<A*> gammas(iterations_, nullptr), pulls(iterations_, nullptr), capsules(iterations_, nullptr);
    const int64_t by_input = items_ * sizes_.inputs * kernels_.tile;
    const int64_t by_dim = items_ * sizes_.dims * kernels_.tile;
    A* bias_parts = take(items_ * sizes_.dims);
    A* mean_parts = nullptr;
    A* agreement = nullptr;
    std::vector<A> means(sizes_.inputs, A(0));
    const int64_t end = detach ? iterations_ - 1 : 0;
    if (end < iterations_ - 1) {
      mean_parts = take(items_ * sizes_.inputs);
      agreement = take(by_input);
    }
    for (int64_t t = iterations_ - 1; t >= end; --t) {
      if (is_cancelled(context_)) return;
      const bool first = t == iterations_ - 1;
      const bool last = t == end;
      if (!first) gammas[t + 1] = take(by_input);
      if (!last) pulls[t] = take(by_dim);
      if (!first && !last) capsules[t] = take(by_dim);
      const CapsuleBackward<A> pass{sizes_,       votes_,     bias_,           kappa_,        t,
                                    iterations_,  first,      last,            grad,          couplings_.data(),
                                    gammas.data(), pulls.data(), capsules.data(), agreement,  means.data(),
                                    mean_parts,   bias_parts, votes_grad};
      run([&](int64_t item, A* scratch) { kernels_.backward(pass, item, scratch); });
      for (int64_t item = 0; item < items_; ++item) {
        double* out = bias_grad + item / sizes_.tiles * sizes_.dims;
        for (int64_t n = 0; n < sizes_.dims; ++n) out[n] += bias_parts[item * sizes_.dims + n];
      }
      if (last) continue;
      for (int64_t s = 0; s < sizes_.inputs; ++s) means[s] = static_cast<A>(sum_over_items(mean_parts, s));
    }
  }

 private:
  A* take(int64_t count) {
    const auto type = std::is_same_v<A, double> ? at::kDouble : at::kFloat;
    memory_.push_back(at::empty({count}, at::TensorOptions().dtype(type)));
    return memory_.back().template mutable_data_ptr<A>();
  }

  template <typename Body>
  void run(const Body& body) {
    const int64_t scratch = kernels_.scratch(sizes_, iterations_);
    at::parallel_for(0, items_, 1, [&](int64_t begin, int64_t end) {
      const auto type = std::is_same_v<A, double> ? at::kDouble : at::kFloat;
      const at::Tensor memory = at::empty({scratch}, at::TensorOptions().dtype(type));
      for (int64_t item = begin; item < end && !is_cancelled(context_); ++item) {
        body(item, memory.template mutable_data_ptr<A>());
      }
    });
  }

  double sum_over_items(const A* parts, int64_t s) const {
    double sum = 0.0;
    for (int64_t item = 0; item < items_; ++item) sum += parts[item * sizes_.inputs + s];
    return sum;
  }

  /// Softmax of the logits over positions and outputs, as weights and one factor for each input type.
  void normalise(int64_t t, const A* logits, bool keep) {
    std::vector<A> highest(sizes_.inputs, -std::numeric_limits<A>::infinity());
    for (int64_t item = 0; item < items_; ++item) {
      for (int64_t s = 0; s < sizes_.inputs; ++s) {
        highest[s] = std::max(highest[s], maxima_[item * sizes_.inputs + s]);
      }
    }
    if (keep || weights_ == nullptr) weights_ = take(items_ * sizes_.inputs * kernels_.tile);
    A* factors = take(sizes_.inputs);
    at::parallel_for(0, items_, 8, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        kernels_.exponentials(logits, highest.data(), weights_, maxima_, sizes_.inputs, item);
      }
    });
    for (int64_t s = 0; s < sizes_.inputs; ++s) factors[s] = static_cast<A>(1.0 / sum_over_items(maxima_, s));
    couplings_[t] = {weights_, factors, A(0)};
  }

  CapsuleView votes_;
  const A* bias_;
  A kappa_;
  int64_t iterations_;
  const RunContext* context_;
  const CapsuleTiles<A>& kernels_;
  CapsuleSizes sizes_;
  int64_t items_;
  std::vector<CapsuleCouplings<A>> couplings_;
  std::vector<at::Tensor> memory_;
  A* maxima_ = nullptr;
  A* weights_ = nullptr;
};

/// Samples side by side when there are enough for all threads, otherwise one after another with threads inside.
template <typename Body>
void for_samples(int64_t samples, const Body& body) {
  if (samples >= 2 * at::get_num_threads()) {
    at::parallel_for(0, samples, 1, [&](int64_t begin, int64_t end) {
      for (int64_t sample = begin; sample < end; ++sample) body(sample);
    });
    return;
  }
  for (int64_t sample = 0; sample < samples; ++sample) body(sample);
}

using Pair = std::tuple<at::Tensor, at::Tensor>;

template <typename A>
void route(const at::Tensor& votes, const std::optional<at::Tensor>& given, int64_t iterations, double kappa,
           const at::Tensor& capsules, const at::Tensor& couplings) {
  const at::Tensor bias = accumulated<A>(given);
  const A* values = bias.defined() ? bias.template const_data_ptr<A>() : nullptr;
  const RunContext* context = current_run_context();
  for_samples(votes.size(0), [&](int64_t sample) {
    if (is_cancelled(context)) return;
    SampleRouter<A> router(votes, sample, values, kappa, iterations, context);
    CapsuleView out = capsules_of(capsules, sample);
    CapsuleView shares{};
    if (couplings.dim() == 5) shares = couplings_of(couplings, sample);
    router.forward(iterations, false, &out, couplings.dim() == 5 ? &shares : nullptr);
  });
  check_cancelled();
}

Pair capsule_routing(const at::Tensor& votes, const std::optional<at::Tensor>& bias, int64_t iterations, double kappa,
                     bool detach, bool return_couplings) {
  capsule_check_routing("capsule_routing", votes, bias, iterations, kappa);
  const bool wide = votes.scalar_type() == at::kDouble;
  const auto options = votes.options().dtype(wide ? at::kDouble : at::kFloat);
  at::Tensor capsules =
      at::empty({votes.size(0), votes.size(2), votes.size(3), votes.size(4), votes.size(5)}, votes.options());
  at::Tensor couplings =
      return_couplings
          ? at::empty({votes.size(0), votes.size(1), votes.size(2), votes.size(4), votes.size(5)}, options)
          : at::empty({0}, options);
  if (capsules.numel() == 0 && couplings.numel() == 0) return {std::move(capsules), std::move(couplings)};
  if (wide) {
    route<double>(votes, bias, iterations, kappa, capsules, couplings);
  } else {
    route<float>(votes, bias, iterations, kappa, capsules, couplings);
  }
  return {std::move(capsules), std::move(couplings)};
}

template <typename A>
void route_backward(const at::Tensor& grad, const at::Tensor& votes, const std::optional<at::Tensor>& given,
                    int64_t iterations, double kappa, bool detach, const at::Tensor& votes_grad,
                    at::Tensor& bias_sums) {
  const at::Tensor bias = accumulated<A>(given);
  const A* values = bias.defined() ? bias.template const_data_ptr<A>() : nullptr;
  const RunContext* context = current_run_context();
  double* sums = bias_sums.mutable_data_ptr<double>();
  const int64_t size = bias_sums.size(1) * bias_sums.size(2);
  for_samples(votes.size(0), [&](int64_t sample) {
    if (is_cancelled(context)) return;
    SampleRouter<A> router(votes, sample, values, kappa, iterations, context);
    router.backward(capsules_of(grad, sample), votes_of(votes_grad, sample), detach, sums + sample * size);
  });
  check_cancelled();
}

Pair capsule_routing_backward(const at::Tensor& grad, const at::Tensor& votes, const std::optional<at::Tensor>& bias,
                              int64_t iterations, double kappa, bool detach) {
  capsule_check_routing("_capsule_routing_backward", votes, bias, iterations, kappa);
  capsule_check_grad(grad, votes);
  at::Tensor votes_grad = at::empty(votes.sizes(), votes.options());
  at::Tensor sums = at::zeros({votes.size(0), votes.size(2), votes.size(3)}, votes.options().dtype(at::kDouble));
  if (grad.numel() > 0) {
    if (votes.scalar_type() == at::kDouble) {
      route_backward<double>(grad, votes, bias, iterations, kappa, detach, votes_grad, sums);
    } else {
      route_backward<float>(grad, votes, bias, iterations, kappa, detach, votes_grad, sums);
    }
  }
  const auto type = bias && bias->defined() ? bias->scalar_type() : votes.scalar_type();
  return {std::move(votes_grad), sums.sum(0).to(type)};
}

// ---- Squash -----------------------------------------------------------------------------------------------------

/// Capsules lie between `outer` and `inner` indices.
struct SquashSizes {
  int64_t outer, dims, inner;
  SquashSizes(const at::Tensor& input, int64_t dim) : outer(1), dims(1), inner(1) {
    const int64_t place = dim < 0 ? dim + input.dim() : dim;
    dims = input.size(place);
    for (int64_t i = 0; i < place; ++i) outer *= input.size(i);
    for (int64_t i = place + 1; i < input.dim(); ++i) inner *= input.size(i);
  }
};

template <typename A>
void squash_rows(const A* input, const A* grad, A* out, const SquashSizes& sizes, A kappa) {
  if (sizes.inner == 0) return;
  at::parallel_for(0, sizes.outer * sizes.inner, 1024, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t start = i / sizes.inner * sizes.dims * sizes.inner + i % sizes.inner;
      A squared = 0, inner = 0;
      for (int64_t n = 0; n < sizes.dims; ++n) {
        const A value = input[start + n * sizes.inner];
        squared += value * value;
        if (grad != nullptr) inner += value * grad[start + n * sizes.inner];
      }
      const A norm = std::sqrt(squared);
      const A sum = kappa + squared;
      const A a = norm / sum;
      const A b = (kappa - squared) / ((norm < A(1e-12) ? A(1e-12) : norm) * (sum * sum));
      for (int64_t n = 0; n < sizes.dims; ++n) {
        const int64_t at = start + n * sizes.inner;
        out[at] = grad != nullptr ? a * grad[at] + b * input[at] * inner : a * input[at];
      }
    }
  });
}

at::Tensor squash_of(const at::Tensor& input, const at::Tensor* grad, double kappa, int64_t dim) {
  const bool wide = input.scalar_type() == at::kDouble;
  const auto type = wide ? at::kDouble : at::kFloat;
  const at::Tensor values = input.to(type).contiguous();
  const at::Tensor gradient = grad != nullptr ? grad->to(type).contiguous() : at::Tensor();
  at::Tensor out = at::empty(input.sizes(), input.options().dtype(type));
  const SquashSizes sizes(input, dim);
  if (wide) {
    squash_rows<double>(values.const_data_ptr<double>(), grad ? gradient.const_data_ptr<double>() : nullptr,
                        out.mutable_data_ptr<double>(), sizes, kappa);
  } else {
    squash_rows<float>(values.const_data_ptr<float>(), grad ? gradient.const_data_ptr<float>() : nullptr,
                       out.mutable_data_ptr<float>(), sizes, static_cast<float>(kappa));
  }
  return out.to(input.scalar_type());
}

at::Tensor squash(const at::Tensor& input, double kappa, int64_t dim) {
  capsule_check_squash("squash", input, kappa, dim);
  return squash_of(input, nullptr, kappa, dim);
}

at::Tensor squash_backward(const at::Tensor& grad, const at::Tensor& input, double kappa, int64_t dim) {
  capsule_check_squash("_squash_backward", input, kappa, dim);
  TORCH_CHECK(grad.sizes() == input.sizes(), "_squash_backward: the gradient has shape ", grad.sizes(),
              ", the input ", input.sizes(), "; they must be equal");
  return squash_of(input, &grad, kappa, dim);
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CPU, library) {
  library.impl("capsule_routing", capsule_routing);
  library.impl("_capsule_routing_backward", capsule_routing_backward);
  library.impl("squash", squash);
  library.impl("_squash_backward", squash_backward);
}

}  // namespace vision_native
