#include "torch/ops/cpu/tvl1_flow_images.h"

#include <vector>

namespace vision_native {

namespace {

std::atomic<int64_t> calls_begun{0};
std::atomic<int64_t> threads_of_last{0};
thread_local int64_t call_of_this_thread = 0;

/// Taps of every column, computed once for all rows.
std::vector<Tvl1Tap> half_pixel_taps(int64_t count, double step, int64_t size) {
  std::vector<Tvl1Tap> taps(count);
  for (int64_t i = 0; i < count; ++i) taps[i] = tvl1_half_pixel_tap(i, step, size);
  return taps;
}

void shrink_binomial(Tvl1Call& call, Tvl1Plane<const float> in, Tvl1Size in_size, Tvl1Plane<float> out, Tvl1Size out_size) {
  tvl1_for_rows(call, out_size.height, out_size.width, [&](int64_t y) {
    const float* rows[5];
    for (int i = 0; i < 5; ++i) rows[i] = in.at(tvl1_reflect(2 * y + i - 2, in_size.height));
    std::vector<double> column(in_size.width);
    for (int64_t x = 0; x < in_size.width; ++x) {
      column[x] = tvl1_binomial(rows[0][x], rows[1][x], rows[2][x], rows[3][x], rows[4][x]);
    }
    float* result = out.at(y);
    for (int64_t x = 0; x < out_size.width; ++x) {
      const double* c = column.data();
      result[x] = static_cast<float>(
          tvl1_binomial(c[tvl1_reflect(2 * x - 2, in_size.width)], c[tvl1_reflect(2 * x - 1, in_size.width)], c[2 * x],
                        c[tvl1_reflect(2 * x + 1, in_size.width)], c[tvl1_reflect(2 * x + 2, in_size.width)]));
    }
  });
}

}  // namespace

Tvl1Call::Tvl1Call() : context_(current_run_context()), id_(++calls_begun) {}
Tvl1Call::~Tvl1Call() { threads_of_last = threads_.load(); }
int64_t Tvl1Call::threads_of_last_call() { return threads_of_last; }

void Tvl1Call::poll() {
  if (call_of_this_thread != id_) {
    call_of_this_thread = id_;
    ++threads_;
  }
  if (is_cancelled(context_)) throw Cancelled();
}

void tvl1_smooth(Tvl1Call& call, Tvl1Plane<const float> in, Tvl1Plane<float> out, Tvl1Size size, const Tvl1Gaussian& kernel) {
  tvl1_for_rows(call, size.height, size.width, [&](int64_t y) {
    // Columns first, into a row with its borders replicated, then along that row.
    const int64_t radius = kernel.radius;
    std::vector<float> padded(size.width + 2 * radius);
    float* column = padded.data() + radius;
    const float* centre = in.at(y);
    for (int64_t x = 0; x < size.width; ++x) column[x] = kernel.weights[0] * centre[x];
    for (int64_t i = 1; i <= radius; ++i) {
      const float* above = in.at(tvl1_clamp(y - i, size.height));
      const float* below = in.at(tvl1_clamp(y + i, size.height));
      for (int64_t x = 0; x < size.width; ++x) column[x] += kernel.weights[i] * (above[x] + below[x]);
    }
    for (int64_t i = 1; i <= radius; ++i) {
      column[-i] = column[0];
      column[size.width - 1 + i] = column[size.width - 1];
    }
    float* result = out.at(y);
    for (int64_t x = 0; x < size.width; ++x) {
      float sum = kernel.weights[0] * column[x];
      for (int64_t i = 1; i <= radius; ++i) sum += kernel.weights[i] * (column[x - i] + column[x + i]);
      result[x] = sum;
    }
  });
}

void tvl1_shrink(Tvl1Call& call, Tvl1Plane<const float> in, Tvl1Size in_size, Tvl1Plane<float> out, Tvl1Size out_size,
                 const Tvl1Params& params) {
  if (params.pyramid == Tvl1Pyramid::kBinomial) return shrink_binomial(call, in, in_size, out, out_size);
  // The step is 1/η, not the ratio of the rounded sizes: both images of a level and the flow then agree on the scale.
  const double step = 1.0 / params.scale_factor;
  if (params.pyramid == Tvl1Pyramid::kGaussian) {
    tvl1_for_rows(call, out_size.height, out_size.width, [&](int64_t y) {
      const Tvl1Tap row = tvl1_corner_tap(y, step, in_size.height);
      for (int64_t x = 0; x < out_size.width; ++x) {
        const Tvl1Tap column = tvl1_corner_tap(x, step, in_size.width);
        out.at(y)[x] = tvl1_bicubic(in.data, in.stride, column, row, in_size, params.sampling.a);
      }
    });
    return;
  }
  const std::vector<Tvl1Tap> columns = half_pixel_taps(out_size.width, step, in_size.width);
  tvl1_for_rows(call, out_size.height, out_size.width, [&](int64_t y) {
    const Tvl1Tap row = tvl1_half_pixel_tap(y, step, in_size.height);
    for (int64_t x = 0; x < out_size.width; ++x) out.at(y)[x] = tvl1_bilinear(in.data, in.stride, columns[x], row, in_size);
  });
}

void tvl1_enlarge(Tvl1Call& call, Tvl1Plane<const float> in, Tvl1Size in_size, Tvl1Plane<float> out, Tvl1Size out_size,
                  float factor, const Tvl1Params& params) {
  const double step_x = static_cast<double>(in_size.width) / static_cast<double>(out_size.width);
  const double step_y = static_cast<double>(in_size.height) / static_cast<double>(out_size.height);
  const bool cubic = params.pyramid == Tvl1Pyramid::kGaussian;
  const std::vector<Tvl1Tap> columns = half_pixel_taps(out_size.width, step_x, in_size.width);
  tvl1_for_rows(call, out_size.height, out_size.width, [&](int64_t y) {
    const Tvl1Tap row = tvl1_half_pixel_tap(y, step_y, in_size.height);
    for (int64_t x = 0; x < out_size.width; ++x) {
      const float value = cubic ? tvl1_bicubic(in.data, in.stride, columns[x], row, in_size, params.sampling.a)
                                : tvl1_bilinear(in.data, in.stride, columns[x], row, in_size);
      out.at(y)[x] = factor * value;
    }
  });
}

namespace {

int64_t packed_stride(Tvl1Size size) { return 4 * (size.width + 2 * kTvl1Margin); }

}  // namespace

int64_t tvl1_packed_size(Tvl1Size size) { return packed_stride(size) * (size.height + 2 * kTvl1Margin); }

Tvl1Packed tvl1_pack(Tvl1Call& call, Tvl1Plane<const float> in, Tvl1Size size, bool zero_border, float* memory) {
  const int64_t stride = packed_stride(size);
  float* const origin = memory + kTvl1Margin * stride + 4 * kTvl1Margin;
  tvl1_for_rows(call, size.height + 2 * kTvl1Margin, size.width, [&](int64_t i) {
    const int64_t outside = i - kTvl1Margin, y = tvl1_clamp(outside, size.height);
    float* out = origin + outside * stride;
    if (zero_border && y != outside) {
      std::fill_n(out - 4 * kTvl1Margin, stride, 0.0f);
      return;
    }
    const float* row = in.at(y);
    const float* above = in.at(tvl1_clamp(y - 1, size.height));
    const float* below = in.at(tvl1_clamp(y + 1, size.height));
    const auto pack = [&](int64_t x, int64_t left, int64_t right) {
      out[4 * x] = row[x];
      out[4 * x + 1] = tvl1_centred(row[left], row[right]);
      out[4 * x + 2] = tvl1_centred(above[x], below[x]);
      out[4 * x + 3] = 0.0f;
    };
    pack(0, 0, tvl1_clamp(1, size.width));
    for (int64_t x = 1; x < size.width - 1; ++x) pack(x, x - 1, x + 1);
    pack(size.width - 1, tvl1_clamp(size.width - 2, size.width), size.width - 1);
    for (int64_t x = 0; x < kTvl1Margin; ++x) {
      for (int channel = 0; channel < 4; ++channel) {
        out[4 * (x - kTvl1Margin) + channel] = zero_border ? 0.0f : out[channel];
        out[4 * (size.width + x) + channel] = zero_border ? 0.0f : out[4 * (size.width - 1) + channel];
      }
    }
  });
  return {origin, stride, size};
}

}  // namespace vision_native
