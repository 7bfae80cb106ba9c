// CPU driver of dense capsule routing: passes over input and weights, with the sums over all input capsules between them.
//
// Logits are linear in the capsules of the iterations before: b^t = ⟨Σ_{τ<t} y^τ, û⟩. So nothing of the size of the votes
// or of the couplings is kept; every pass makes the votes anew, sixteen samples of one input capsule at a time. Chunks of
// input capsules are fixed by the shape and their sums are added in order, so that results do not depend on threads.
#include "torch/ops/capsule_routing_dense.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "torch/cpu_isa.h"
#include "torch/ops/cpu/capsule_routing_dense_tiles.h"
#include "torch/ops/cpu/capsule_routing_memory.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

constexpr int64_t kMostChunks = 64;
constexpr int64_t kLeastChunks = 8;
/// Bytes that the sums of all chunks should not exceed.
constexpr int64_t kPartBytes = int64_t{2} << 20;

template <typename A>
constexpr at::ScalarType kSumType = std::is_same_v<A, double> ? at::kDouble : at::kFloat;

template <typename A>
const CapsuleDenseTiles<A>& dense_tiles() {
  const CapsuleDenseTables& tables =
      for_cpu_isa(kCapsuleDenseTilesScalar, kCapsuleDenseTilesAvx2, kCapsuleDenseTilesAvx512);
  if constexpr (std::is_same_v<A, double>) {
    return tables.double_precision;
  } else {
    return tables.single_precision;
  }
}

CapsuleType dense_type(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kDouble: return CapsuleType::kDouble;
    case at::kHalf: return CapsuleType::kHalf;
    case at::kBFloat16: return CapsuleType::kBFloat16;
    default: return CapsuleType::kFloat;
  }
}

template <typename A>
CapsuleDenseSizes dense_sizes(const at::Tensor& input, const at::Tensor& weight) {
  CapsuleDenseSizes sizes{input.size(0), input.size(1), input.size(2), weight.size(1), weight.size(2), 0, 0};
  sizes.blocks = (sizes.samples + kCapsuleLanes - 1) / kCapsuleLanes;
  const int64_t bytes = std::max<int64_t>(sizes.lanes() * static_cast<int64_t>(sizeof(A)), 1);
  sizes.chunks = std::clamp(kPartBytes / bytes, kLeastChunks, kMostChunks);
  sizes.chunks = std::max<int64_t>(std::min(sizes.chunks, sizes.inputs), 1);
  return sizes;
}

/// The passes of one call, and what is kept of its iterations.
template <typename A>
class DenseRouter {
 public:
  DenseRouter(const at::Tensor& input, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
              int64_t iterations, double kappa)
      : input_(input.stride(2) == 1 ? input : input.contiguous()),
        weight_(weight.contiguous()),
        kappa_(static_cast<A>(kappa)),
        iterations_(iterations),
        context_(current_run_context()),
        kernels_(dense_tiles<A>()),
        sizes_(dense_sizes<A>(input, weight)),
        memory_(at::empty({(3 * iterations + 1 + sizes_.chunks) * sizes_.lanes()}, kSumType<A>)) {
    if (bias && bias->defined()) bias_ = bias->to(kSumType<A>).contiguous();
    A* next = memory_.template mutable_data_ptr<A>();
    const auto take = [&] {
      A* taken = next;
      next += sizes_.lanes();
      return taken;
    };
    for (int64_t t = 0; t < iterations; ++t) {
      totals_.push_back(take());
      capsules_.push_back(take());
      pulls_.push_back(take());
    }
    sums_ = take();
    parts_ = next;
    pass_ = {sizes_,
             dense_type(input_),
             input_.const_data_ptr(),
             input_.stride(0),
             input_.stride(1),
             weight_.const_data_ptr(),
             0,
             iterations,
             totals_.data(),
             capsules_.data(),
             pulls_.data(),
             parts_,
             false,
             nullptr,
             nullptr};
  }

  /// `saved` are the sums of every iteration, [R, B, J, M]; `out` the capsules, [B, J, M].
  void forward(A* saved, A* out) {
    const int64_t each = sizes_.samples * sizes_.rows();
    for (int64_t t = 0; t < iterations_; ++t) {
      pass_.iteration = t;
      run([&](int64_t chunk, A* scratch) { kernels_.forward(pass_, chunk, scratch); });
      if (is_cancelled(context_)) return;
      add_parts(t == 0 ? A(1) / static_cast<A>(sizes_.outputs) : A(1),
                bias_.defined() ? bias_.template const_data_ptr<A>() : nullptr, sums_);
      squash(t);
      from_lanes(sums_, saved + t * each);
    }
    from_lanes(capsules_.back(), out);
  }

  /// `bias_grad` is [J, M].
  void backward(const A* saved, const A* grad, bool detach, void* input_grad, void* weight_grad, double* bias_grad) {
    const int64_t each = sizes_.samples * sizes_.rows();
    pass_.detach = detach;
    pass_.input_grad = input_grad;
    pass_.weight_grad = weight_grad;
    for (int64_t t = 0; t < iterations_; ++t) {
      to_lanes(saved + t * each, sums_);
      squash(t);
    }
    const int64_t first = detach ? iterations_ - 1 : 0;
    to_lanes(grad, parts_);
    for (int64_t t = iterations_ - 1; t >= first; --t) {
      to_lanes(saved + t * each, sums_);
      if (t + 1 < iterations_) {
        pass_.iteration = t + 1;
        run([&](int64_t chunk, A* scratch) { kernels_.backward(pass_, chunk, scratch); });
        if (is_cancelled(context_)) return;
        add_parts(A(1), nullptr, pulls_[t]);
        pull(t, pulls_[t]);
      } else {
        pull(t, parts_);
      }
      add_bias_grad(pulls_[t], bias_grad);
    }
    run([&](int64_t chunk, A* scratch) { kernels_.finish(pass_, chunk, scratch); });
  }

 private:
  template <typename Body>
  void run(const Body& body) const {
    at::parallel_for(0, sizes_.chunks, 1, [&](int64_t begin, int64_t end) {
      const int64_t count = kernels_.scratch(sizes_, iterations_);
      CapsuleScratch<A> memory(CapsuleMemory::kTile, CapsuleScratch<A>::rounded(count));
      A* scratch = memory.take(count);
      for (int64_t chunk = begin; chunk < end && !is_cancelled(context_); ++chunk) body(chunk, scratch);
    });
  }

  /// out = factor·Σ over the chunks, and the bias [J, M].
  void add_parts(A factor, const A* bias, A* out) const {
    const int64_t count = sizes_.lanes(), rows = sizes_.rows();
    for (int64_t x = 0; x < count; ++x) out[x] = parts_[x];
    for (int64_t chunk = 1; chunk < sizes_.chunks; ++chunk) {
      const A* part = parts_ + chunk * count;
      for (int64_t x = 0; x < count; ++x) out[x] += part[x];
    }
    for (int64_t x = 0; x < count; ++x) {
      out[x] = factor * out[x] + (bias != nullptr ? bias[x / kCapsuleLanes % rows] : A(0));
    }
  }

  /// Calls `body(first)` for every capsule: where its components begin, kCapsuleLanes apart.
  template <typename Body>
  void for_capsules(const Body& body) const {
    for (int64_t capsule = 0; capsule < sizes_.blocks * sizes_.outputs; ++capsule) {
      for (int64_t lane = 0; lane < kCapsuleLanes; ++lane) body(capsule * sizes_.dims * kCapsuleLanes + lane);
    }
  }

  /// Capsules of iteration t from its sums, and the total that they add to.
  void squash(int64_t t) {
    for_capsules([&](int64_t first) {
      A squared = 0;
      for (int64_t n = 0; n < sizes_.dims; ++n) {
        const A value = sums_[first + n * kCapsuleLanes];
        squared += value * value;
      }
      const A a = std::sqrt(squared) / (kappa_ + squared);
      for (int64_t n = 0; n < sizes_.dims; ++n) {
        const int64_t x = first + n * kCapsuleLanes;
        capsules_[t][x] = a * sums_[x];
      }
    });
    if (t + 1 == iterations_) return;
    for (int64_t x = 0; x < sizes_.lanes(); ++x) {
      totals_[t + 1][x] = t == 0 ? capsules_[t][x] : totals_[t][x] + capsules_[t][x];
    }
  }

  /// h = dL/ds of iteration t from dL/dy, which may be where h goes.
  void pull(int64_t t, const A* grads) {
    for_capsules([&](int64_t first) {
      A squared = 0, inner = 0;
      for (int64_t n = 0; n < sizes_.dims; ++n) {
        const int64_t x = first + n * kCapsuleLanes;
        squared += sums_[x] * sums_[x];
        inner += sums_[x] * grads[x];
      }
      const A norm = std::sqrt(squared), sum = kappa_ + squared;
      const A a = norm / sum;
      const A b = (kappa_ - squared) / (std::max(norm, A(1e-12)) * (sum * sum)) * inner;
      for (int64_t n = 0; n < sizes_.dims; ++n) {
        const int64_t x = first + n * kCapsuleLanes;
        pulls_[t][x] = a * grads[x] + b * sums_[x];
      }
    });
  }

  void add_bias_grad(const A* pulls, double* bias_grad) const {
    for (int64_t row = 0; row < sizes_.blocks * sizes_.rows(); ++row) {
      double sum = 0.0;
      for (int64_t lane = 0; lane < kCapsuleLanes; ++lane) sum += pulls[row * kCapsuleLanes + lane];
      bias_grad[row % sizes_.rows()] += sum;
    }
  }

  void to_lanes(const A* values, A* lanes) const {
    for (int64_t block = 0; block < sizes_.blocks; ++block) {
      for (int64_t row = 0; row < sizes_.rows(); ++row) {
        for (int64_t lane = 0; lane < kCapsuleLanes; ++lane) {
          const int64_t sample = block * kCapsuleLanes + lane;
          *lanes++ = sample < sizes_.samples ? values[sample * sizes_.rows() + row] : A(0);
        }
      }
    }
  }

  void from_lanes(const A* lanes, A* values) const {
    for (int64_t sample = 0; sample < sizes_.samples; ++sample) {
      const A* first = lanes + sample / kCapsuleLanes * sizes_.rows() * kCapsuleLanes + sample % kCapsuleLanes;
      for (int64_t row = 0; row < sizes_.rows(); ++row) *values++ = first[row * kCapsuleLanes];
    }
  }

  at::Tensor input_, weight_, bias_;
  A kappa_;
  int64_t iterations_;
  const RunContext* context_;
  const CapsuleDenseTiles<A>& kernels_;
  CapsuleDenseSizes sizes_;
  at::Tensor memory_;
  std::vector<A*> totals_, capsules_, pulls_;
  A* sums_ = nullptr;
  A* parts_ = nullptr;
  CapsuleDense<A> pass_{};
};

using Pair = std::tuple<at::Tensor, at::Tensor>;
using Triple = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

template <typename A>
Pair route_dense(const at::Tensor& input, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                 int64_t iterations, double kappa) {
  const auto options = input.options().dtype(kSumType<A>);
  at::Tensor capsules = at::empty({input.size(0), weight.size(1), weight.size(2)}, options);
  at::Tensor sums = at::empty({iterations, input.size(0), weight.size(1), weight.size(2)}, options);
  if (capsules.numel() > 0) {
    DenseRouter<A>(input, weight, bias, iterations, kappa)
        .forward(sums.template mutable_data_ptr<A>(), capsules.template mutable_data_ptr<A>());
    check_cancelled();
  }
  return {capsules.to(input.scalar_type()), std::move(sums)};
}

Pair dense_forward(const at::Tensor& input, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                   int64_t iterations, double kappa) {
  capsule_check_dense("capsule_routing_dense", input, weight, bias, iterations, kappa);
  const bool wide = input.scalar_type() == at::kDouble;
  return (wide ? route_dense<double> : route_dense<float>)(input, weight, bias, iterations, kappa);
}

at::Tensor capsule_routing_dense(const at::Tensor& input, const at::Tensor& weight,
                                 const std::optional<at::Tensor>& bias, int64_t iterations, double kappa, bool detach) {
  return std::get<0>(dense_forward(input, weight, bias, iterations, kappa));
}

template <typename A>
void route_dense_backward(const at::Tensor& grad, const at::Tensor& input, const at::Tensor& weight,
                          const std::optional<at::Tensor>& bias, const at::Tensor& sums, int64_t iterations,
                          double kappa, bool detach, const at::Tensor& input_grad, const at::Tensor& weight_grad,
                          const at::Tensor& bias_grad) {
  const at::Tensor values = grad.to(kSumType<A>).contiguous();
  const at::Tensor saved = sums.contiguous();
  DenseRouter<A>(input, weight, bias, iterations, kappa)
      .backward(saved.template const_data_ptr<A>(), values.template const_data_ptr<A>(), detach,
                input_grad.mutable_data_ptr(), weight_grad.mutable_data_ptr(), bias_grad.mutable_data_ptr<double>());
  check_cancelled();
}

Triple dense_backward(const at::Tensor& grad, const at::Tensor& input, const at::Tensor& weight,
                      const std::optional<at::Tensor>& bias, const at::Tensor& sums, int64_t iterations, double kappa,
                      bool detach) {
  constexpr const char* op = "_capsule_routing_dense_backward";
  capsule_check_dense(op, input, weight, bias, iterations, kappa);
  capsule_check_dense_saved(op, grad, input, weight, sums, iterations);
  at::Tensor bias_grad = at::zeros({weight.size(1), weight.size(2)}, input.options().dtype(at::kDouble));
  const auto type = bias && bias->defined() ? bias->scalar_type() : input.scalar_type();
  if (grad.numel() == 0) {
    return {at::zeros(input.sizes(), input.options()), at::zeros(weight.sizes(), weight.options()), bias_grad.to(type)};
  }
  at::Tensor input_grad = at::empty(input.sizes(), input.options());
  at::Tensor weight_grad = at::empty(weight.sizes(), weight.options());
  const bool wide = input.scalar_type() == at::kDouble;
  (wide ? route_dense_backward<double> : route_dense_backward<float>)(grad, input, weight, bias, sums, iterations, kappa,
                                                                      detach, input_grad, weight_grad, bias_grad);
  return {std::move(input_grad), std::move(weight_grad), bias_grad.to(type)};
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CPU, library) {
  library.impl("capsule_routing_dense", capsule_routing_dense);
  library.impl("_capsule_routing_dense_forward", dense_forward);
  library.impl("_capsule_routing_dense_backward", dense_backward);
}

}  // namespace vision_native
