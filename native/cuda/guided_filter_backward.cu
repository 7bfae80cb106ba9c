// Gradients of the guided filter on CUDA, in three passes: what a window's gradient does to its means, then the transposed
// means for the input of each channel, then those for the guide, which its channels share. Nothing is added atomically.
#include "cuda/guided_filter_stage.cuh"
#include "torch/ops/guided_filter_math.h"

namespace vision_native::cuda {

namespace {

template <int n, GuidedGradForm form>
constexpr int kGrads = form == GuidedGradForm::kFilter ? 1 : (form == GuidedGradForm::kAveraged ? n + 1 : 0);
/// Quantities of the forward, and with them α…, β where they are sums.
template <int n>
constexpr int kForwardSums = 2 * n + kPairs<n> + 1;
template <int n, GuidedGradForm form>
constexpr int kFieldSums = kForwardSums<n> + (form == GuidedGradForm::kPlain ? 0 : n + 1);

template <class In, int n, GuidedGradForm form>
struct FieldsOp {
  using T = typename Arithmetic<In>::T;
  using Args = GuidedFieldsCall;
  using State = EpsState<T>;
  static constexpr int kGradPlanes = kGrads<n, form>;
  static constexpr int kPlanes = n + 1 + kGradPlanes, kQuantities = kFieldSums<n, form>;
  static constexpr bool kShares = true;
  static constexpr __host__ __device__ bool centred(int plane) { return plane <= n; }

  struct Source {
    Column<In> guide[n], input, grad[kGradPlanes > 0 ? kGradPlanes : 1];
    __device__ __forceinline__ Source(const Args& args, int64_t b, int64_t c, int64_t x)
        : input(args.input, b, c, 0, x, args.type) {
#pragma unroll
      for (int k = 0; k < n; ++k) guide[k] = Column<In>(args.guide, b, args.per_channel ? c : k, 0, x, args.type);
#pragma unroll
      for (int f = 0; f < kGradPlanes; ++f) grad[f] = Column<In>(args.grad, b, c, f, x, args.type);
    }
    __device__ __forceinline__ void load(int64_t y, T* values) const {
#pragma unroll
      for (int k = 0; k < n; ++k) values[k] = guide[k][y];
      values[n] = input[y];
#pragma unroll
      for (int f = 0; f < kGradPlanes; ++f) values[n + 1 + f] = grad[f][y];
    }
  };

  static __device__ __forceinline__ void combine(const T* values, T inverse, T* made) {
#pragma unroll
    for (int k = 0; k < n; ++k) {
      made[k] = values[k];
#pragma unroll
      for (int l = k; l < n; ++l) made[n + pair_of<n>(k, l)] = values[k] * values[l];
      made[n + kPairs<n> + 1 + k] = values[n] * values[k];
    }
    made[n + kPairs<n>] = values[n];
    if constexpr (form == GuidedGradForm::kFilter) {
#pragma unroll
      for (int k = 0; k < n; ++k) made[kForwardSums<n> + k] = values[n + 1] * values[k] * inverse;
      made[kForwardSums<n> + n] = values[n + 1] * inverse;
    } else if constexpr (form == GuidedGradForm::kAveraged) {
#pragma unroll
      for (int f = 0; f <= n; ++f) made[kForwardSums<n> + f] = values[n + 1 + f] * inverse;
    }
  }

  static __device__ __forceinline__ T finish(const Args& args, const State& state, int64_t b, int64_t c, int64_t, int64_t y,
                                             int64_t x, const T* centres, T inverse, const T* sums) {
    GuidedMoments<T, n> moments;
    T a[n], mu[n], gamma[n], beta;
#pragma unroll
    for (int k = 0; k < n; ++k) {
      moments.mean[k] = sums[k] * inverse;
      mu[k] = moments.mean[k] + centres[k];
      a[k] = sums[n + kPairs<n> + 1 + k] * inverse;
    }
#pragma unroll
    for (int pair = 0; pair < kPairs<n>; ++pair) moments.sigma[pair] = sums[n + pair] * inverse;
    moments.centre_products();
    const GuidedFactor<T, T, n> factor(moments.sigma, state.eps);
    const T pi = sums[n + kPairs<n>] * inverse;
    guided_slopes<T, T, n>(moments, factor, pi, a);
    if constexpr (form == GuidedGradForm::kPlain) {
      const int64_t at = args.grad.at(b, c) + y * args.grad.row + x * args.grad.column;
#pragma unroll
      for (int k = 0; k < n; ++k) gamma[k] = read<In>(args.grad.data, at + k * args.grad.field, args.type);
      beta = read<In>(args.grad.data, at + n * args.grad.field, args.type);
    } else {
#pragma unroll
      for (int k = 0; k < n; ++k) gamma[k] = sums[kForwardSums<n> + k];
      beta = sums[kForwardSums<n> + n];
    }
    GuidedGradient<T, T, n> gradient;
    // The sum of g·I was made of what the strip's centre leaves of I, and so is the mean to take off.
    const T* offset = form == GuidedGradForm::kFilter ? moments.mean : mu;
    const T grad_pi = gradient.add(factor, mu, offset, pi + centres[n], a, beta, gamma);
    gradient.finish(mu);
    int64_t at = args.fields.at(b, c) + y * args.fields.row + x;
    const auto put = [&](T value) {
      write<T>(args.fields.data, at, BoxType::kFloat, value);
      at += args.fields.field;
    };
#pragma unroll
    for (int k = 0; k < n; ++k) put(gamma[k]);
    put(grad_pi);
    if constexpr (form == GuidedGradForm::kFilter) {
#pragma unroll
      for (int k = 0; k < n; ++k) put(a[k]);
    }
#pragma unroll
    for (int k = 0; k < n; ++k) put(gradient.mu[k]);
#pragma unroll
    for (int pair = 0; pair < kPairs<n>; ++pair) put(gradient.sigma[pair]);
    return gradient.eps;
  }
};

/// gp = Mᵀgπ + Iᵀ(Mᵀγ), and p·Mᵀγ + g·M a for the guide.
template <class In, int n, bool filter>
struct InputGradOp {
  using T = typename Arithmetic<In>::T;
  using Args = GuidedInputGradCall;
  using State = NoState;
  static constexpr int kPlanes = n + 1 + (filter ? n : 0), kQuantities = kPlanes;
  static constexpr bool kShares = false;
  static constexpr __host__ __device__ bool centred(int) { return false; }

  struct Source {
    Column<T> field[kPlanes];
    __device__ __forceinline__ Source(const Args& args, int64_t b, int64_t c, int64_t x) {
#pragma unroll
      for (int f = 0; f < kPlanes; ++f) field[f] = Column<T>(args.fields, b, c, f, x, BoxType::kFloat);
    }
    __device__ __forceinline__ void load(int64_t y, T* values) const {
#pragma unroll
      for (int f = 0; f < kPlanes; ++f) values[f] = field[f][y];
    }
  };

  static __device__ __forceinline__ void combine(const T* values, T inverse, T* made) {
#pragma unroll
    for (int f = 0; f < kPlanes; ++f) made[f] = f <= n ? values[f] * inverse : values[f];
  }

  static __device__ __forceinline__ T finish(const Args& args, const State&, int64_t b, int64_t c, int64_t, int64_t y,
                                             int64_t x, const T*, T inverse, const T* sums) {
    const T p = read<In>(args.input.data, args.input.at(b, c) + y * args.input.row + x * args.input.column, args.type);
    T g = T(0);
    if constexpr (filter) {
      g = read<In>(args.grad.data, args.grad.at(b, c) + y * args.grad.row + x * args.grad.column, args.type);
    }
    T grad_p = sums[n];
#pragma unroll
    for (int k = 0; k < n; ++k) {
      const int64_t at = args.guide.at(b, args.per_channel ? c : k) + y * args.guide.row + x * args.guide.column;
      grad_p = grad_p + sums[k] * read<In>(args.guide.data, at, args.type);
      T part = p * sums[k];
      if constexpr (filter) part = part + g * (sums[n + 1 + k] * inverse);
      write<T>(args.parts.data, args.parts.at(b, c, k) + y * args.parts.row + x, BoxType::kFloat, part);
    }
    write<In>(args.output.data, args.output.at(b, c) + y * args.output.row + x, args.type, grad_p);
    return T(0);
  }
};

/// gI = Σ_c parts + Mᵀgμ + (MᵀK) I.
template <class In, int n>
struct GuideGradOp {
  using T = typename Arithmetic<In>::T;
  using Args = GuidedGuideGradCall;
  using State = NoState;
  static constexpr int kPlanes = n + kPairs<n>, kQuantities = kPlanes;
  static constexpr bool kShares = false;
  static constexpr __host__ __device__ bool centred(int) { return false; }

  struct Source {
    Column<T> field[kPlanes];
    int64_t channel, count;
    __device__ __forceinline__ Source(const Args& args, int64_t b, int64_t c, int64_t x)
        : channel(args.fields.channel), count(args.sum_channels) {
#pragma unroll
      for (int f = 0; f < kPlanes; ++f) field[f] = Column<T>(args.fields, b, c, f, x, BoxType::kFloat);
    }
    __device__ __forceinline__ void load(int64_t y, T* values) const {
#pragma unroll
      for (int f = 0; f < kPlanes; ++f) values[f] = field[f][y];
      for (int64_t i = 1; i < count; ++i) {
#pragma unroll
        for (int f = 0; f < kPlanes; ++f) {
          values[f] += read<T>(field[f].data, field[f].first + i * channel + y * field[f].row, BoxType::kFloat);
        }
      }
    }
  };

  static __device__ __forceinline__ void combine(const T* values, T inverse, T* made) {
#pragma unroll
    for (int f = 0; f < kPlanes; ++f) made[f] = values[f] * inverse;
  }

  static __device__ __forceinline__ T finish(const Args& args, const State&, int64_t b, int64_t c, int64_t, int64_t y,
                                             int64_t x, const T*, T, const T* sums) {
    T guide[n];
#pragma unroll
    for (int k = 0; k < n; ++k) {
      const int64_t at = args.guide.at(b, args.per_channel ? c : k) + y * args.guide.row + x * args.guide.column;
      guide[k] = read<In>(args.guide.data, at, args.type);
    }
#pragma unroll
    for (int k = 0; k < n; ++k) {
      T value = sums[k];
#pragma unroll
      for (int m = 0; m < n; ++m) value = value + sums[n + pair_of<n>(k, m)] * guide[m];
      const int64_t part = args.parts.at(b, c, k) + y * args.parts.row + x * args.parts.column;
      for (int64_t i = 0; i < args.sum_channels; ++i) {
        value = value + read<T>(args.parts.data, part + i * args.parts.channel, BoxType::kFloat);
      }
      write<In>(args.output.data, args.output.at(b, args.per_channel ? c : k) + y * args.output.row + x, args.type, value);
    }
    return T(0);
  }
};

template <int n, GuidedGradForm form>
struct Fields {
  template <class In>
  struct Make {
    using Op = FieldsOp<In, n, form>;
  };
};

template <int n, bool filter>
struct InputGrad {
  template <class In>
  struct Make {
    using Op = InputGradOp<In, n, filter>;
  };
};

template <int n>
struct GuideGrad {
  template <class In>
  struct Make {
    using Op = GuideGradOp<In, n>;
  };
};

template <int n>
void launch_fields(const GuidedFieldsCall& call, void* workspace, cudaStream_t stream) {
  switch (call.form) {
    case GuidedGradForm::kFilter:
      return launch_windows<Fields<n, GuidedGradForm::kFilter>::template Make>(call.type, call, call.windows, call.eps_shares,
                                                                               workspace, stream);
    case GuidedGradForm::kAveraged:
      return launch_windows<Fields<n, GuidedGradForm::kAveraged>::template Make>(call.type, call, call.windows,
                                                                                 call.eps_shares, workspace, stream);
    case GuidedGradForm::kPlain:
      return launch_windows<Fields<n, GuidedGradForm::kPlain>::template Make>(call.type, call, call.windows, call.eps_shares,
                                                                              workspace, stream);
  }
}

template <int n>
void launch_input_grad(const GuidedInputGradCall& call, void* workspace, cudaStream_t stream) {
  if (call.filter) {
    launch_windows<InputGrad<n, true>::template Make>(call.type, call, call.windows, nullptr, workspace, stream);
  } else {
    launch_windows<InputGrad<n, false>::template Make>(call.type, call, call.windows, nullptr, workspace, stream);
  }
}

}  // namespace

int guided_quantities(const GuidedCall& call, GuidedGradForm form, bool backward) {
  const int n = call.guides, forward = 2 * n + n * (n + 1) / 2 + 1;
  return backward && form != GuidedGradForm::kPlain ? forward + n + 1 : forward;
}

int64_t guided_eps_shares(const BoxWindows& windows) {
  return box_is_wide(windows) ? windows.rows.size : bands_of(windows) * strips_of(windows);
}

void launch_guided_fields(const GuidedFieldsCall& call, void* workspace, cudaStream_t stream) {
  call.guides == 1 ? launch_fields<1>(call, workspace, stream) : launch_fields<3>(call, workspace, stream);
}

void launch_guided_input_grad(const GuidedInputGradCall& call, void* workspace, cudaStream_t stream) {
  call.guides == 1 ? launch_input_grad<1>(call, workspace, stream) : launch_input_grad<3>(call, workspace, stream);
}

void launch_guided_guide_grad(const GuidedGuideGradCall& call, void* workspace, cudaStream_t stream) {
  if (call.guides == 1) {
    launch_windows<GuideGrad<1>::Make>(call.type, call, call.windows, nullptr, workspace, stream);
  } else {
    launch_windows<GuideGrad<3>::Make>(call.type, call, call.windows, nullptr, workspace, stream);
  }
}

}  // namespace vision_native::cuda
