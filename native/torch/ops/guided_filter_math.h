#pragma once
// The arithmetic of the guided filter at one place, written once for CPU and CUDA.
//
// V is a vector of places on the CPU, a number on CUDA. Every expression has one order of evaluation and is compiled
// without contraction to fused multiply-adds. Everything has internal linkage: the CPU sweeps are compiled once for each
// instruction set, and the linker must not merge those copies.
#include "torch/ops/box_filter_axis.h"

namespace vision_native {
namespace {

/// n guides have n(n + 1)/2 different products, numbered 11, 12, 13, 22, 23, 33.
template <int n>
constexpr int kPairs = n * (n + 1) / 2;
template <int n>
VISION_NATIVE_BOTH constexpr int pair_of(int k, int l) {
  return k <= l ? k * n - k * (k - 1) / 2 + l - k : pair_of<n>(l, k);
}

/// Calls `visit(pair, k, l)` for every pair k ≤ l; written out, for compilers leave a triangular loop as it is and then
/// compute the numbers of pairs at every place.
template <int n, class Visit>
VISION_NATIVE_BOTH inline void guided_pairs(const Visit& visit) {
  if constexpr (n == 1) {
    visit(0, 0, 0);
  } else {
    visit(0, 0, 0);
    visit(1, 0, 1);
    visit(2, 0, 2);
    visit(3, 1, 1);
    visit(4, 1, 2);
    visit(5, 2, 2);
  }
}

/// 1/d; finite where d is 0, which happens only with ε = 0.
template <class T, class V>
VISION_NATIVE_BOTH inline V guided_reciprocal(V d) {
  const T least = sizeof(T) == 4 ? T(1.17549435e-38) : T(2.2250738585072014e-308);
  return d < V{} + least ? V{} + T(1e6) : (V{} + T(1)) / d;
}

/// LDLᵀ of Σ + εU. Exact pivots are at least ε; one that rounding made smaller becomes ε. NaN stays.
template <class T, class V, int n>
struct GuidedFactor {
  V lower[n == 1 ? 1 : 3], inverse[n];

  VISION_NATIVE_BOTH GuidedFactor(const V* sigma, V eps) {
    if constexpr (n == 1) {
      const V variance = sigma[0] < V{} ? V{} : sigma[0];
      inverse[0] = guided_reciprocal<T>(variance + eps);
    } else {
      inverse[0] = guided_reciprocal<T>(pivot(sigma[0] + eps, eps));
      lower[0] = sigma[1] * inverse[0];
      lower[1] = sigma[2] * inverse[0];
      inverse[1] = guided_reciprocal<T>(pivot(sigma[3] + eps - lower[0] * sigma[1], eps));
      const V rest = sigma[4] - lower[1] * sigma[1];
      lower[2] = rest * inverse[1];
      inverse[2] = guided_reciprocal<T>(pivot(sigma[5] + eps - lower[1] * sigma[2] - lower[2] * rest, eps));
    }
  }

  VISION_NATIVE_BOTH void solve(V* x) const {
    if constexpr (n == 1) {
      x[0] = x[0] * inverse[0];
    } else {
      const V y1 = x[1] - lower[0] * x[0];
      const V y2 = x[2] - lower[1] * x[0] - lower[2] * y1;
      x[2] = y2 * inverse[2];
      x[1] = y1 * inverse[1] - lower[2] * x[2];
      x[0] = x[0] * inverse[0] - lower[0] * x[1] - lower[1] * x[2];
    }
  }

 private:
  VISION_NATIVE_BOTH static V pivot(V d, V eps) { return d < eps ? eps : d; }
};

/// Means of the guides and of their products at one place, both of what a tile's centres leave; products become
/// covariances.
template <class V, int n>
struct GuidedMoments {
  V mean[n], sigma[kPairs<n>];

  VISION_NATIVE_BOTH void centre_products() {
    guided_pairs<n>([this](int pair, int k, int l) { sigma[pair] = sigma[pair] - mean[k] * mean[l]; });
  }
};

/// a of one channel; it comes in as the means of the products of guides and input. π is the input's mean.
template <class T, class V, int n>
VISION_NATIVE_BOTH inline void guided_slopes(const GuidedMoments<V, n>& moments, const GuidedFactor<T, V, n>& factor, V pi,
                                             V* a) {
  for (int k = 0; k < n; ++k) a[k] = a[k] - moments.mean[k] * pi;
  factor.solve(a);
}

/// b = π − aᵀμ, where μ and π have their centres again.
template <class V, int n>
VISION_NATIVE_BOTH inline V guided_offset(const V* a, const V* mu, V pi) {
  V b = pi;
  for (int k = 0; k < n; ++k) b = b - a[k] * mu[k];
  return b;
}

/// Gradients of what the means of one place gave; those of μ, Σ and ε are added up over channels.
template <class T, class V, int n>
struct GuidedGradient {
  V mu[n] = {}, sigma[kPairs<n>] = {}, eps = {};

  /// One channel: α comes in as `gamma` and leaves as γ. `offset` is the mean that belongs to α: that of the guide less its
  /// centre where α was made of products with what the centre leaves. Returns the gradient of π.
  VISION_NATIVE_BOTH V add(const GuidedFactor<T, V, n>& factor, const V* mean, const V* offset, V pi, const V* a, V beta,
                           V* gamma) {
    for (int k = 0; k < n; ++k) gamma[k] = gamma[k] - beta * offset[k];
    factor.solve(gamma);
    V grad_pi = beta;
    for (int k = 0; k < n; ++k) {
      grad_pi = grad_pi - gamma[k] * mean[k];
      mu[k] = mu[k] - beta * a[k] - gamma[k] * pi;
      eps = eps - gamma[k] * a[k];
    }
    guided_pairs<n>([&](int pair, int k, int l) {
      sigma[pair] = sigma[pair] - (gamma[k] * a[l] + a[k] * gamma[l]);
    });
    return grad_pi;
  }

  /// After the last channel: Σ holds M(I Iᵀ) − μμᵀ, so that μ gets a share of its gradient.
  VISION_NATIVE_BOTH void finish(const V* mean) {
    for (int k = 0; k < n; ++k) {
      for (int l = 0; l < n; ++l) mu[k] = mu[k] - sigma[pair_of<n>(k, l)] * mean[l];
    }
  }
};

}  // namespace
}  // namespace vision_native
