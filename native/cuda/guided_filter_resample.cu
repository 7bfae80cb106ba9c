// Between a coarse grid of coefficients and the image they are applied to, on CUDA.
#include "cuda/guided_filter_stage.cuh"

namespace vision_native::cuda {

namespace {

constexpr int kApplyRows = 8;

/// A column of the fine grid between columns of the coarse one.
template <class T>
struct Between {
  int64_t before, after;
  T weight;
  __device__ __forceinline__ Between(const GuidedGrid& grid, int64_t i)
      : before(grid.before(i)), after(grid.after(i)), weight(static_cast<T>(grid.weight(i))) {}
};

/// A field of the coefficients at a fine place: lines blended down, then along.
template <class In, class T>
__device__ __forceinline__ T sample(const BoxPlanes& planes, int64_t first, BoxType type, const Between<T>& y,
                                    const Between<T>& x) {
  const auto line = [&](int64_t column) {
    const T above = read<In>(planes.data, first + y.before * planes.row + column * planes.column, type);
    const T below = read<In>(planes.data, first + y.after * planes.row + column * planes.column, type);
    return above + y.weight * (below - above);
  };
  const T left = line(x.before);
  return left + x.weight * (line(x.after) - left);
}

/// Calls `body(unit's b, c, y, x, Between, Between)` for the fine pixels of `channels` planes an image. The place between
/// columns is found once for eight rows.
template <class T, class Body>
__device__ __forceinline__ void for_fine(const GuidedApplyCall& call, int64_t channels, Body body) {
  const int64_t height = call.rows.high, width = call.columns.high;
  const int64_t across = (width + kThreads - 1) / kThreads, down = (height + kApplyRows - 1) / kApplyRows;
  const int64_t count = call.batch * channels * down * across;
  for (int64_t block = blockIdx.x; block < count; block += gridDim.x) {
    const int64_t x = block % across * kThreads + threadIdx.x;
    if (x >= width) continue;
    const int64_t y0 = block / across % down * kApplyRows, item = block / across / down;
    const Between<T> along(call.columns, x);
    for (int64_t y = y0; y < y0 + kApplyRows && y < height; ++y) {
      body(item / channels, item % channels, y, x, Between<T>(call.rows, y), along);
    }
  }
}

template <class In, int n>
__global__ void __launch_bounds__(kThreads) apply_kernel(const GuidedApplyCall call, const BoxTargets output) {
  using T = typename Arithmetic<In>::T;
  for_fine<T>(call, call.channels, [&](int64_t b, int64_t c, int64_t y, int64_t x, const Between<T>& down, const Between<T>& along) {
    const auto field = [&](int f) {
      return sample<In, T>(call.coefficients, call.coefficients.at(b, c, f), call.type, down, along);
    };
    T q = field(n);
#pragma unroll
    for (int k = 0; k < n; ++k) {
      const int64_t at = call.guide.at(b, call.per_channel ? c : k) + y * call.guide.row + x * call.guide.column;
      q = q + field(k) * read<In>(call.guide.data, at, call.type);
    }
    write<In>(output.data, output.at(b, c) + y * output.row + x, call.type, q);
  });
}

/// gI = Σ g·up(a).
template <class In, int n>
__global__ void __launch_bounds__(kThreads)
    apply_guide_grad_kernel(const GuidedApplyCall call, const BoxPlanes grad, const BoxTargets grad_guide) {
  using T = typename Arithmetic<In>::T;
  const int64_t units = call.per_channel ? call.channels : 1;
  for_fine<T>(call, units, [&](int64_t b, int64_t unit, int64_t y, int64_t x, const Between<T>& down, const Between<T>& along) {
    T sum[n];
#pragma unroll
    for (int k = 0; k < n; ++k) sum[k] = T(0);
    const int64_t first = call.per_channel ? unit : 0, end = call.per_channel ? unit + 1 : call.channels;
    for (int64_t c = first; c < end; ++c) {
      const T g = read<In>(grad.data, grad.at(b, c) + y * grad.row + x * grad.column, call.type);
#pragma unroll
      for (int k = 0; k < n; ++k) {
        sum[k] += g * sample<In, T>(call.coefficients, call.coefficients.at(b, c, k), call.type, down, along);
      }
    }
#pragma unroll
    for (int k = 0; k < n; ++k) {
      write<In>(grad_guide.data, grad_guide.at(b, call.per_channel ? unit : k) + y * grad_guide.row + x, call.type, sum[k]);
    }
  });
}

/// ga = upᵀ(g·I), gb = upᵀ(g): a warp gathers what the fine pixels around a coarse one have of it.
template <class In, int n>
__global__ void __launch_bounds__(kThreads)
    apply_coefficients_grad_kernel(const GuidedApplyCall call, const BoxPlanes grad, const BoxTargets target) {
  using T = typename Arithmetic<In>::T;
  const int lane = threadIdx.x % 32;
  const int64_t count = call.batch * call.channels * call.rows.low * call.columns.low;
  const int64_t warps = static_cast<int64_t>(gridDim.x) * (kThreads / 32);
  const auto share = [](const GuidedGrid& grid, int64_t i, int64_t at) {
    const double after = grid.weight(i);
    return static_cast<T>((grid.before(i) == at ? 1.0 - after : 0.0) + (grid.after(i) == at ? after : 0.0));
  };
  for (int64_t place = static_cast<int64_t>(blockIdx.x) * (kThreads / 32) + threadIdx.x / 32; place < count; place += warps) {
    const int64_t i = place % call.columns.low, j = place / call.columns.low % call.rows.low;
    const int64_t item = place / call.columns.low / call.rows.low, b = item / call.channels, c = item % call.channels;
    const int64_t top = j > 0 ? call.rows.first_from(j - 1) : 0, bottom = call.rows.first_from(j + 1);
    const int64_t left = i > 0 ? call.columns.first_from(i - 1) : 0, right = call.columns.first_from(i + 1);
    const int64_t across = right - left;
    T sum[n + 1];
#pragma unroll
    for (int f = 0; f <= n; ++f) sum[f] = T(0);
    for (int64_t k = lane; k < (bottom - top) * across; k += 32) {
      const int64_t y = top + k / across, x = left + k % across;
      const T g = read<In>(grad.data, grad.at(b, c) + y * grad.row + x * grad.column, call.type) * share(call.rows, y, j) *
                  share(call.columns, x, i);
      sum[n] += g;
#pragma unroll
      for (int f = 0; f < n; ++f) {
        const int64_t at = call.guide.at(b, call.per_channel ? c : f) + y * call.guide.row + x * call.guide.column;
        sum[f] += g * read<In>(call.guide.data, at, call.type);
      }
    }
#pragma unroll
    for (int f = 0; f <= n; ++f) {
#pragma unroll
      for (int step = 16; step > 0; step /= 2) sum[f] += __shfl_xor_sync(0xffffffffu, sum[f], step);
      if (lane == 0) write<In>(target.data, target.at(b, c, f) + j * target.row + i, call.type, sum[f]);
    }
  }
}

// ---- Cell means -----------------------------------------------------------------------------------------------------

/// From this factor on a warp makes a mean.
constexpr int64_t kWarpFactor = 12;

template <class In, int lanes>
__global__ void __launch_bounds__(kThreads) area_kernel(const AreaCall call, int64_t low_height, int64_t low_width) {
  using T = typename Arithmetic<In>::T;
  const int lane = threadIdx.x % lanes;
  const int64_t count = call.batch * call.channels * low_height * low_width;
  const int64_t step = static_cast<int64_t>(gridDim.x) * (kThreads / lanes);
  for (int64_t i = (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) / lanes; i < count; i += step) {
    const int64_t item = i / low_width / low_height;
    const int64_t top = i / low_width % low_height * call.factor, left = i % low_width * call.factor;
    const int64_t bottom = call.height - top < call.factor ? call.height : top + call.factor;
    const int64_t right = call.width - left < call.factor ? call.width : left + call.factor;
    const int64_t first = call.input.at(item / call.channels, item % call.channels);
    T sum = T(0);
    for (int64_t y = top; y < bottom; ++y) {
      for (int64_t x = left + lane; x < right; x += lanes) {
        sum += read<In>(call.input.data, first + y * call.input.row + x * call.input.column, call.type);
      }
    }
#pragma unroll
    for (int half = lanes / 2; half > 0; half /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, half);
    if (lane != 0) continue;
    const int64_t at = call.output.at(item / call.channels, item % call.channels);
    write<In>(call.output.data, at + top / call.factor * call.output.row + left / call.factor, call.type,
              sum / static_cast<T>((right - left) * (bottom - top)));
  }
}

/// The input is the gradient of the means, the output that of the pixels.
template <class In>
__global__ void __launch_bounds__(kThreads) area_backward_kernel(const AreaCall call) {
  using T = typename Arithmetic<In>::T;
  const int64_t area = call.height * call.width;
  VISION_NATIVE_PIXELS(i, call.batch * call.channels * area) {
    const int64_t item = i / area, y = i % area / call.width, x = i % call.width;
    const int64_t j = y / call.factor, k = x / call.factor;
    const int64_t down = call.height - j * call.factor < call.factor ? call.height - j * call.factor : call.factor;
    const int64_t across = call.width - k * call.factor < call.factor ? call.width - k * call.factor : call.factor;
    const int64_t at = call.input.at(item / call.channels, item % call.channels) + j * call.input.row + k * call.input.column;
    const T value = read<In>(call.input.data, at, call.type) / static_cast<T>(down * across);
    write<In>(call.output.data, call.output.at(item / call.channels, item % call.channels) + y * call.output.row + x,
              call.type, value);
  }
}

/// Calls `launch(float{} | double{} | AnyFloat{})`.
template <class Launch>
void for_elements(BoxType type, Launch launch) {
  if (type == BoxType::kDouble) return launch(double{});
  if (type == BoxType::kFloat) return launch(float{});
  launch(AnyFloat{});
}

unsigned fine_blocks(const GuidedApplyCall& call, int64_t channels) {
  const int64_t across = (call.columns.high + kThreads - 1) / kThreads, down = (call.rows.high + kApplyRows - 1) / kApplyRows;
  return most_blocks(call.batch * channels * across * down);
}

}  // namespace

void launch_guided_apply(const GuidedApplyCall& call, const BoxTargets& output, cudaStream_t stream) {
  const unsigned blocks = fine_blocks(call, call.channels);
  for_elements(call.type, [&](auto in) {
    using In = decltype(in);
    if (call.guides == 1) {
      apply_kernel<In, 1><<<blocks, kThreads, 0, stream>>>(call, output);
    } else {
      apply_kernel<In, 3><<<blocks, kThreads, 0, stream>>>(call, output);
    }
  });
  check_launch("guided apply");
}

void launch_guided_apply_guide_grad(const GuidedApplyCall& call, const BoxPlanes& grad, const BoxTargets& grad_guide,
                                    cudaStream_t stream) {
  const unsigned blocks = fine_blocks(call, call.per_channel ? call.channels : 1);
  for_elements(call.type, [&](auto in) {
    using In = decltype(in);
    if (call.guides == 1) {
      apply_guide_grad_kernel<In, 1><<<blocks, kThreads, 0, stream>>>(call, grad, grad_guide);
    } else {
      apply_guide_grad_kernel<In, 3><<<blocks, kThreads, 0, stream>>>(call, grad, grad_guide);
    }
  });
  check_launch("guided apply, gradient of the guide");
}

void launch_guided_apply_coefficients_grad(const GuidedApplyCall& call, const BoxPlanes& grad, const BoxTargets& target,
                                           cudaStream_t stream) {
  const int64_t places = call.batch * call.channels * call.rows.low * call.columns.low;
  const unsigned blocks = most_blocks((places + kThreads / 32 - 1) / (kThreads / 32));
  for_elements(call.type, [&](auto in) {
    using In = decltype(in);
    if (call.guides == 1) {
      apply_coefficients_grad_kernel<In, 1><<<blocks, kThreads, 0, stream>>>(call, grad, target);
    } else {
      apply_coefficients_grad_kernel<In, 3><<<blocks, kThreads, 0, stream>>>(call, grad, target);
    }
  });
  check_launch("guided apply, gradient of the coefficients");
}

void launch_area_downsample(const AreaCall& call, cudaStream_t stream) {
  const int64_t low_height = (call.height + call.factor - 1) / call.factor, low_width = (call.width + call.factor - 1) / call.factor;
  const int64_t places = call.batch * call.channels * low_height * low_width;
  for_elements(call.type, [&](auto in) {
    using In = decltype(in);
    if (call.factor < kWarpFactor) {
      area_kernel<In, 1><<<blocks_for(places), kThreads, 0, stream>>>(call, low_height, low_width);
    } else {
      const unsigned blocks = most_blocks((places + kThreads / 32 - 1) / (kThreads / 32));
      area_kernel<In, 32><<<blocks, kThreads, 0, stream>>>(call, low_height, low_width);
    }
  });
  check_launch("area downsample");
}

void launch_area_downsample_backward(const AreaCall& call, cudaStream_t stream) {
  for_elements(call.type, [&](auto in) {
    using In = decltype(in);
    area_backward_kernel<In><<<blocks_for(call.batch * call.channels * call.height * call.width), kThreads, 0, stream>>>(call);
  });
  check_launch("area downsample, gradient");
}

}  // namespace vision_native::cuda
