// The box filter on CUDA: means over windows and their transpose.
#include "cuda/guided_filter_stage.cuh"

namespace vision_native::cuda {

namespace {

template <class In, class Out, bool adjoint>
struct BoxOp {
  using T = typename Arithmetic<In>::T;
  using Args = BoxCall;
  using State = NoState;
  static constexpr int kPlanes = 1, kQuantities = 1;
  static constexpr bool kShares = false;
  static constexpr __host__ __device__ bool centred(int) { return !adjoint; }

  struct Source {
    Column<In> column;
    __device__ __forceinline__ Source(const Args& args, int64_t b, int64_t c, int64_t x)
        : column(args.input, b, c, 0, x, args.type) {}
    __device__ __forceinline__ void load(int64_t y, T* values) const { values[0] = column[y]; }
  };

  static __device__ __forceinline__ void combine(const T* values, T inverse, T* made) {
    made[0] = adjoint ? values[0] * inverse : values[0];
  }

  static __device__ __forceinline__ T finish(const Args& args, const State&, int64_t b, int64_t c, int64_t, int64_t y,
                                             int64_t x, const T* centres, T inverse, const T* sums) {
    const T value = adjoint ? sums[0] : sums[0] * inverse + centres[0];
    write<Out>(args.output.data, args.output.at(b, c) + y * args.output.row + x, args.output_type, value);
    return T(0);
  }
};

template <bool adjoint>
struct Same {
  template <class In>
  struct Make {
    using Op = BoxOp<In, In, adjoint>;
  };
};

}  // namespace

bool box_is_wide(const BoxWindows& windows) { return windows.columns.radius > kStripRadius; }

int64_t box_band_of(int64_t radius, int64_t height, int64_t width) {
  int64_t band = 64;
  while (band < 2048 && band < 4 * radius) band *= 2;
  // Images of few bands and strips would leave most of a device idle.
  const bool small = height * width <= int64_t{1} << 22 && radius <= kStripRadius;
  return small ? band / 2 : band;
}

int64_t box_workspace(const BoxWindows& windows, int quantities, bool wide_type) {
  if (!box_is_wide(windows)) return 0;
  const int64_t size = wide_type ? sizeof(double) : sizeof(float);
  return wide_rows(windows, quantities) * quantities * windows.columns.size * size;
}

void launch_box_filter(const BoxCall& call, void* workspace, cudaStream_t stream) {
  if (call.output_type != call.type) {
    // Means of float32 written with fewer digits.
    using Op = BoxOp<AnyFloat, AnyFloat, false>;
    return launch_op<Op>(call, call.windows, nullptr, workspace, stream);
  }
  if (call.adjoint) {
    launch_windows<Same<true>::Make>(call.type, call, call.windows, nullptr, workspace, stream);
  } else {
    launch_windows<Same<false>::Make>(call.type, call, call.windows, nullptr, workspace, stream);
  }
}

}  // namespace vision_native::cuda
