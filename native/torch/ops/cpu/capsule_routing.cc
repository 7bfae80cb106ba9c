// CPU driver of capsule routing: passes over the votes of one sample, with the sums over all positions between them.
//
// Tiles are fixed by the shape and sums over them are made in their order, so that results do not depend on threads.
#include "torch/ops/capsule_routing.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include <algorithm>
#include <vector>

#include "torch/cpu_isa.h"
#include "torch/ops/cpu/capsule_routing_memory.h"
#include "torch/ops/cpu/capsule_routing_tiles.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

/// Positions of a tile at most: 128 votes of each are 64 KiB, which the second cache holds, and rows of 512 bytes are read
/// at a good part of the speed of memory.
constexpr int64_t kMostPlaces = 128;

template <typename A>
const CapsuleTiles<A>& tiles_for() {
  const CapsuleTables& tables = for_cpu_isa(kCapsuleTilesScalar, kCapsuleTilesAvx2, kCapsuleTilesAvx512);
  if constexpr (std::is_same_v<A, double>) {
    return tables.double_precision;
  } else {
    return tables.single_precision;
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

/// What the iterations before the last leave of one sample, by iteration from the second on.
template <typename A>
struct SampleState {
  A* logits;  // [S][K·P]
  /// Between one iteration and the next; 0 where nobody asks for the old ones.
  int64_t logits_step;
  A* statistics;  // maxima [S] and factors [S]
  int64_t statistics_step;
};

/// The passes over one sample.
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
        kernels_(tiles_for<A>()),
        sizes_(sizes_of(votes)),
        items_(sizes_.tiles * sizes_.outputs) {}

  static CapsuleSizes sizes_of(const at::Tensor& votes) {
    const int64_t positions = votes.size(4) * votes.size(5);
    const int64_t tile =
        std::min(kMostPlaces, (positions + kCapsuleLanes - 1) / kCapsuleLanes * kCapsuleLanes);
    return {votes.size(1), votes.size(2), votes.size(3), votes.size(5),
            positions,     tile,          (positions + tile - 1) / tile};
  }

  void forward(const SampleState<A>& state, const CapsuleView& capsules, const CapsuleView* couplings) const {
    const int64_t parts = items_ * sizes_.inputs;
    CapsuleScratch<A> memory(CapsuleMemory::kSample, 2 * CapsuleScratch<A>::rounded(parts));
    A* maxima = memory.take(parts);
    A* sums = memory.take(parts);
    for (int64_t t = 0; t < iterations_; ++t) {
      const bool ends = t == iterations_ - 1;
      A* next = ends ? nullptr : state.logits + t * state.logits_step;
      const CapsuleForward<A> pass{sizes_, votes_, bias_,   kappa_,
                                   couplings_at(state, t),  next,
                                   maxima, sums,   ends ? &capsules : nullptr, ends ? couplings : nullptr};
      run(t, [&](int64_t item, int64_t after, A* scratch) { kernels_.forward(pass, item, after, scratch); });
      if (ends || is_cancelled(context_)) return;
      A* statistics = state.statistics + t * state.statistics_step;
      kernels_.merge(sizes_, maxima, sums, statistics, statistics + sizes_.inputs);
    }
  }

  void backward(const SampleState<A>& state, const CapsuleView& grad, const CapsuleView& votes_grad, bool detach,
                double* bias_grad) const {
    const int64_t first = detach ? iterations_ - 1 : 0;
    const int64_t passes = iterations_ - 1 - first;
    const int64_t by_input = items_ * sizes_.inputs * sizes_.tile;
    const auto rounded = CapsuleScratch<A>::rounded;
    CapsuleScratch<A> memory(CapsuleMemory::kSample,
                             passes * (rounded(by_input) + rounded(sizes_.inputs)) + rounded(items_ * sizes_.inputs) +
                                 rounded(items_ * sizes_.dims));
    A* mean_parts = memory.take(items_ * sizes_.inputs);
    A* bias_parts = memory.take(items_ * sizes_.dims);
    std::vector<CapsuleCouplings<A>> couplings;
    std::vector<A*> gammas(iterations_, nullptr), means(iterations_, nullptr);
    for (int64_t t = 0; t < iterations_; ++t) {
      couplings.push_back(couplings_at(state, t));
      if (t <= first) continue;
      gammas[t] = memory.take(by_input);
      means[t] = memory.take(sizes_.inputs);
    }
    CapsuleBackward<A> pass{sizes_, votes_, bias_, kappa_, 0, iterations_, grad, couplings.data(), gammas.data(),
                            means.data(), mean_parts, bias_parts, votes_grad};
    for (int64_t t = iterations_ - 1; t > first; --t) {
      pass.iteration = t;
      run(t, [&](int64_t item, int64_t after, A* scratch) { kernels_.backward(pass, item, after, scratch); });
      if (is_cancelled(context_)) return;
      for (int64_t s = 0; s < sizes_.inputs; ++s) {
        double sum = 0.0;
        for (int64_t item = 0; item < items_; ++item) sum += mean_parts[item * sizes_.inputs + s];
        means[t][s] = static_cast<A>(sum);
      }
    }
    pass.iteration = first;
    run(first, [&](int64_t item, int64_t after, A* scratch) { kernels_.finish(pass, item, after, scratch); });
    if (is_cancelled(context_)) return;
    for (int64_t item = 0; item < items_; ++item) {
      double* out = bias_grad + item / sizes_.tiles * sizes_.dims;
      for (int64_t n = 0; n < sizes_.dims; ++n) out[n] += bias_parts[item * sizes_.dims + n];
    }
  }

 private:
  CapsuleCouplings<A> couplings_at(const SampleState<A>& state, int64_t t) const {
    if (t == 0) return {nullptr, nullptr, nullptr, A(1) / static_cast<A>(sizes_.positions * sizes_.outputs)};
    const A* statistics = state.statistics + (t - 1) * state.statistics_step;
    return {state.logits + (t - 1) * state.logits_step, statistics, statistics + sizes_.inputs, A(0)};
  }

  /// `body(item, item after it, scratch)` for every item. Every second pass goes backwards, so that it begins with votes
  /// that are still in a cache.
  template <typename Body>
  void run(int64_t t, const Body& body) const {
    at::parallel_for(0, items_, 1, [&](int64_t begin, int64_t end) {
      const int64_t count = kernels_.scratch(sizes_, iterations_);
      CapsuleScratch<A> memory(CapsuleMemory::kTile, CapsuleScratch<A>::rounded(count));
      A* scratch = memory.take(count);
      const int64_t last = end - 1, step = t % 2 == 0 ? 1 : -1;
      int64_t item = step > 0 ? begin : last;
      for (int64_t left = end - begin; left > 0 && !is_cancelled(context_); --left, item += step) {
        body(item, std::clamp(item + step, begin, last), scratch);
      }
    });
  }

  CapsuleView votes_;
  const A* bias_;
  A kappa_;
  int64_t iterations_;
  const RunContext* context_;
  const CapsuleTiles<A>& kernels_;
  CapsuleSizes sizes_;
  int64_t items_;
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

/// `state` of one sample, of [R − 1, B, S, K, H, W] and [R − 1, B, 2, S].
template <typename A>
SampleState<A> state_of(const at::Tensor& logits, const at::Tensor& statistics, int64_t sample) {
  return {static_cast<A*>(logits.data_ptr()) + sample * logits.stride(1), logits.stride(0),
          static_cast<A*>(statistics.data_ptr()) + sample * statistics.stride(1), statistics.stride(0)};
}

/// Without `logits` they are kept no longer than the next iteration needs them.
template <typename A>
void route(const at::Tensor& votes, const std::optional<at::Tensor>& given, int64_t iterations, double kappa,
           const at::Tensor& capsules, const at::Tensor& couplings, const at::Tensor& logits,
           const at::Tensor& statistics) {
  const at::Tensor bias = accumulated<A>(given);
  const A* values = bias.defined() ? bias.template const_data_ptr<A>() : nullptr;
  const RunContext* context = current_run_context();
  for_samples(votes.size(0), [&](int64_t sample) {
    if (is_cancelled(context)) return;
    const SampleRouter<A> router(votes, sample, values, kappa, iterations, context);
    const CapsuleView out = capsules_of(capsules, sample);
    CapsuleView shares{};
    if (couplings.dim() == 5) shares = couplings_of(couplings, sample);
    const CapsuleView* wanted = couplings.dim() == 5 ? &shares : nullptr;
    if (logits.defined()) return router.forward(state_of<A>(logits, statistics, sample), out, wanted);
    const int64_t inputs = votes.size(1);
    const int64_t count = iterations > 1 ? inputs * votes.size(2) * votes.size(4) * votes.size(5) : 0;
    CapsuleScratch<A> memory(CapsuleMemory::kLogits, CapsuleScratch<A>::rounded(count) + 2 * inputs);
    A* block = memory.take(count);
    router.forward({block, 0, memory.take(2 * inputs), 0}, out, wanted);
  });
  check_cancelled();
}

struct RoutingResult {
  at::Tensor capsules, couplings;
};

RoutingResult route_votes(const at::Tensor& votes, const std::optional<at::Tensor>& bias, int64_t iterations,
                          double kappa, bool return_couplings, const at::Tensor& logits, const at::Tensor& statistics) {
  const bool wide = votes.scalar_type() == at::kDouble;
  const auto options = votes.options().dtype(wide ? at::kDouble : at::kFloat);
  at::Tensor capsules =
      at::empty({votes.size(0), votes.size(2), votes.size(3), votes.size(4), votes.size(5)}, votes.options());
  at::Tensor couplings =
      return_couplings
          ? at::empty({votes.size(0), votes.size(1), votes.size(2), votes.size(4), votes.size(5)}, options)
          : at::empty({0}, options);
  if (capsules.numel() > 0 || couplings.numel() > 0) {
    (wide ? route<double> : route<float>)(votes, bias, iterations, kappa, capsules, couplings, logits, statistics);
  }
  return {std::move(capsules), std::move(couplings)};
}

Pair capsule_routing(const at::Tensor& votes, const std::optional<at::Tensor>& bias, int64_t iterations, double kappa,
                     bool detach, bool return_couplings) {
  capsule_check_routing("capsule_routing", votes, bias, iterations, kappa);
  auto [capsules, couplings] = route_votes(votes, bias, iterations, kappa, return_couplings, {}, {});
  return {std::move(capsules), std::move(couplings)};
}

using Four = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

Four capsule_routing_forward(const at::Tensor& votes, const std::optional<at::Tensor>& bias, int64_t iterations,
                             double kappa, bool return_couplings) {
  capsule_check_routing("capsule_routing", votes, bias, iterations, kappa);
  const auto options = votes.options().dtype(votes.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  const auto size = [&](int64_t dim) { return votes.size(dim); };
  at::Tensor logits = at::empty({iterations - 1, size(0), size(1), size(2), size(4), size(5)}, options);
  at::Tensor statistics = at::empty({iterations - 1, size(0), 2, size(1)}, options);
  auto [capsules, couplings] = route_votes(votes, bias, iterations, kappa, return_couplings, logits, statistics);
  return {std::move(capsules), std::move(couplings), std::move(logits), std::move(statistics)};
}

template <typename A>
void route_backward(const at::Tensor& grad, const at::Tensor& votes, const std::optional<at::Tensor>& given,
                    const at::Tensor& logits, const at::Tensor& statistics, int64_t iterations, double kappa,
                    bool detach, const at::Tensor& votes_grad, const at::Tensor& bias_sums) {
  const at::Tensor bias = accumulated<A>(given);
  const A* values = bias.defined() ? bias.template const_data_ptr<A>() : nullptr;
  const RunContext* context = current_run_context();
  double* sums = bias_sums.mutable_data_ptr<double>();
  const int64_t size = bias_sums.size(1) * bias_sums.size(2);
  for_samples(votes.size(0), [&](int64_t sample) {
    if (is_cancelled(context)) return;
    const SampleRouter<A> router(votes, sample, values, kappa, iterations, context);
    router.backward(state_of<A>(logits, statistics, sample), capsules_of(grad, sample), votes_of(votes_grad, sample),
                    detach, sums + sample * size);
  });
  check_cancelled();
}

Pair capsule_routing_backward(const at::Tensor& grad, const at::Tensor& votes, const std::optional<at::Tensor>& bias,
                              const at::Tensor& logits, const at::Tensor& statistics, int64_t iterations, double kappa,
                              bool detach) {
  constexpr const char* op = "_capsule_routing_backward";
  capsule_check_routing(op, votes, bias, iterations, kappa);
  capsule_check_saved(op, grad, votes, logits, statistics, iterations);
  at::Tensor votes_grad = at::empty(votes.sizes(), votes.options());
  at::Tensor sums = at::zeros({votes.size(0), votes.size(2), votes.size(3)}, votes.options().dtype(at::kDouble));
  if (grad.numel() > 0) {
    (votes.scalar_type() == at::kDouble ? route_backward<double> : route_backward<float>)(
        grad, votes, bias, logits.contiguous(), statistics.contiguous(), iterations, kappa, detach, votes_grad, sums);
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
  capsule_check_squash_gradient(grad, input);
  return squash_of(input, &grad, kappa, dim);
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CPU, library) {
  library.impl("capsule_routing", capsule_routing);
  library.impl("_capsule_routing_forward", capsule_routing_forward);
  library.impl("_capsule_routing_backward", capsule_routing_backward);
  library.impl("squash", squash);
  library.impl("_squash_backward", squash_backward);
}

}  // namespace vision_native
