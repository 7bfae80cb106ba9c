// The guided filter on CUDA: from windows to coefficients, and from their means to the result.
#include "cuda/guided_filter_stage.cuh"
#include "torch/ops/guided_filter_math.h"

namespace vision_native::cuda {

namespace {

/// Pass one: a…, b of a channel.
template <class In, class Out, int n>
struct CoefficientsOp {
  using T = typename Arithmetic<In>::T;
  using Args = GuidedCoefficientsCall;
  using State = EpsState<T>;
  static constexpr int kPlanes = n + 1, kQuantities = 2 * n + kPairs<n> + 1;
  static constexpr bool kShares = false;
  static constexpr __host__ __device__ bool centred(int) { return true; }

  struct Source {
    Column<In> guide[n], input;
    __device__ __forceinline__ Source(const Args& args, int64_t b, int64_t c, int64_t x)
        : input(args.input, b, c, 0, x, args.type) {
#pragma unroll
      for (int k = 0; k < n; ++k) guide[k] = Column<In>(args.guide, b, args.per_channel ? c : k, 0, x, args.type);
    }
    __device__ __forceinline__ void load(int64_t y, T* values) const {
#pragma unroll
      for (int k = 0; k < n; ++k) values[k] = guide[k][y];
      values[n] = input[y];
    }
  };

  static __device__ __forceinline__ void combine(const T* values, T, T* made) {
#pragma unroll
    for (int k = 0; k < n; ++k) {
      made[k] = values[k];
#pragma unroll
      for (int l = k; l < n; ++l) made[n + pair_of<n>(k, l)] = values[k] * values[l];
      made[n + kPairs<n> + 1 + k] = values[n] * values[k];
    }
    made[n + kPairs<n>] = values[n];
  }

  static __device__ __forceinline__ T finish(const Args& args, const State& state, int64_t b, int64_t c, int64_t, int64_t y,
                                             int64_t x, const T* centres, T inverse, const T* sums) {
    GuidedMoments<T, n> moments;
    T a[n], mu[n];
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
    const T offset = guided_offset<T, n>(a, mu, pi + centres[n]);
    const int64_t at = args.output.at(b, c) + y * args.output.row + x;
#pragma unroll
    for (int k = 0; k < n; ++k) write<Out>(args.output.data, at + k * args.output.field, args.output_type, a[k]);
    write<Out>(args.output.data, at + n * args.output.field, args.output_type, offset);
    return T(0);
  }
};

/// Pass two: q = (M a)ᵀ I + M b.
template <class In, int n>
struct BlendOp {
  using T = typename Arithmetic<In>::T;
  using Args = GuidedBlendCall;
  using State = NoState;
  static constexpr int kPlanes = n + 1, kQuantities = n + 1;
  static constexpr bool kShares = false;
  static constexpr __host__ __device__ bool centred(int) { return false; }

  struct Source {
    Column<T> field[n + 1];
    __device__ __forceinline__ Source(const Args& args, int64_t b, int64_t c, int64_t x) {
#pragma unroll
      for (int f = 0; f <= n; ++f) field[f] = Column<T>(args.coefficients, b, c, f, x, BoxType::kFloat);
    }
    __device__ __forceinline__ void load(int64_t y, T* values) const {
#pragma unroll
      for (int f = 0; f <= n; ++f) values[f] = field[f][y];
    }
  };

  static __device__ __forceinline__ void combine(const T* values, T, T* made) {
#pragma unroll
    for (int f = 0; f <= n; ++f) made[f] = values[f];
  }

  static __device__ __forceinline__ T finish(const Args& args, const State&, int64_t b, int64_t c, int64_t, int64_t y,
                                             int64_t x, const T*, T inverse, const T* sums) {
    T q = sums[n] * inverse;
#pragma unroll
    for (int k = 0; k < n; ++k) {
      const int64_t at = args.guide.at(b, args.per_channel ? c : k) + y * args.guide.row + x * args.guide.column;
      q = q + sums[k] * inverse * read<In>(args.guide.data, at, args.type);
    }
    write<In>(args.output.data, args.output.at(b, c) + y * args.output.row + x, args.type, q);
    return T(0);
  }
};

/// Coefficients with all digits, for pass two, or as the caller gets them.
template <int n>
struct Coefficients {
  template <class In>
  struct Make {
    using Op = CoefficientsOp<In, In, n>;
  };
};

template <int n>
struct Blend {
  template <class In>
  struct Make {
    using Op = BlendOp<In, n>;
  };
};

}  // namespace

void launch_guided_coefficients(const GuidedCoefficientsCall& call, void* workspace, cudaStream_t stream) {
  if (call.guides == 1) {
    launch_windows<Coefficients<1>::Make>(call.type, call, call.windows, nullptr, workspace, stream);
  } else {
    launch_windows<Coefficients<3>::Make>(call.type, call, call.windows, nullptr, workspace, stream);
  }
}

void launch_guided_blend(const GuidedBlendCall& call, void* workspace, cudaStream_t stream) {
  if (call.guides == 1) {
    launch_windows<Blend<1>::Make>(call.type, call, call.windows, nullptr, workspace, stream);
  } else {
    launch_windows<Blend<3>::Make>(call.type, call, call.windows, nullptr, workspace, stream);
  }
}

}  // namespace vision_native::cuda
