// Between a coarse grid of coefficients and the image they are applied to, on the CPU.
#include <emmintrin.h>

#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>
#include <torch/library.h>

#include <vector>

#include "torch/ops/cpu/box_filter_jobs.h"
#include "torch/ops/guided_filter_grid.h"
#include "torch/ops/guided_filter_shapes.h"

#define BOX_VECTOR_BYTES 16
#include "torch/ops/cpu/box_filter_lanes.inl"

namespace vision_native {

namespace {

/// Calls `run(T{})` with the type that is computed in.
template <class Run>
void with_arithmetic(const at::Tensor& tensor, Run run) {
  if (tensor.scalar_type() == at::kDouble) {
    run(double{});
  } else {
    run(float{});
  }
}

template <class T>
void read(const BoxPlane& plane, BoxType type, int64_t y, T* to, int64_t width) {
  read_row(type, plane.data, y * plane.row_stride, plane.column_stride, to, width);
}

template <class T>
void write(const BoxTarget& target, BoxType type, int64_t y, const T* from, int64_t width) {
  write_row(type, from, target.data, y * target.row_stride, width, width >= 512);
}

/// Calls `run(image, y0, y1)` on threads; writes are complete when it returns.
template <class Run>
void for_rows(int64_t images, int64_t height, int64_t width, Run run) {
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, width));
  const int64_t blocks = (height + grain - 1) / grain;
  const RunContext* context = current_run_context();
  at::parallel_for(0, images * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end && !is_cancelled(context); ++i) {
      const int64_t y0 = i % blocks * grain;
      run(i / blocks, y0, std::min(height, y0 + grain));
    }
    _mm_sfence();
  });
  check_cancelled();
}

/// Places and shares of all pixels of a row.
template <class T>
struct Samples {
  std::vector<int32_t> before;
  std::vector<T> weight;
  explicit Samples(const GuidedGrid& grid) : before(grid.high), weight(grid.high) {
    for (int64_t x = 0; x < grid.high; ++x) {
      before[x] = static_cast<int32_t>(grid.before(x));
      weight[x] = static_cast<T>(grid.weight(x));
    }
  }
};

/// A row of a plane at row y of the fine grid: lines blended down, then samples along them.
template <class T>
class Upsampler {
 public:
  Upsampler(const GuidedGrid& rows, const GuidedGrid& columns, const Samples<T>& samples)
      : rows_(rows), samples_(samples), low_width_(columns.low), line_(columns.low + 1), step_(columns.low), other_(columns.low) {}

  void row(const BoxPlane& plane, BoxType type, int64_t y, T* to) {
    const T share = static_cast<T>(rows_.weight(y));
    read(plane, type, rows_.before(y), line_.data(), low_width_);
    read(plane, type, rows_.after(y), other_.data(), low_width_);
    for (int64_t x = 0; x < low_width_; ++x) line_[x] += share * (other_[x] - line_[x]);
    line_[low_width_] = line_[low_width_ - 1];
    for (int64_t x = 0; x < low_width_; ++x) step_[x] = line_[x + 1] - line_[x];
    const int32_t* before = samples_.before.data();
    const T* weight = samples_.weight.data();
    const int64_t width = static_cast<int64_t>(samples_.before.size());
    for (int64_t x = 0; x < width; ++x) to[x] = line_[before[x]] + weight[x] * step_[before[x]];
  }

 private:
  const GuidedGrid& rows_;
  const Samples<T>& samples_;
  int64_t low_width_;
  std::vector<T> line_, step_, other_;
};

struct Grids {
  GuidedUnits units;
  GuidedGrid rows, columns;
  int64_t guides;
  BoxType type;
  Grids(GuidedMode mode, const at::Tensor& coefficients, const at::Tensor& guide, bool align_corners)
      : units(mode, coefficients.select(2, 0)), rows(coefficients.size(3), guide.size(2), align_corners),
        columns(coefficients.size(4), guide.size(3), align_corners), guides(guided_guides(mode)), type(box_type(guide)) {}
};

at::Tensor guided_apply(const at::Tensor& coefficients, const at::Tensor& guide, c10::string_view mode, bool align_corners) {
  const BoxEntry entry(guide);
  const GuidedMode checked_mode = guided_check_mode("guided_apply", mode);
  guided_check_apply("guided_apply", checked_mode, coefficients, guide);
  const int64_t height = guide.size(2), width = guide.size(3);
  const at::Tensor output = at::empty({coefficients.size(0), coefficients.size(1), height, width},
                                      guide.options().memory_format(c10::MemoryFormat::Contiguous));
  if (output.numel() == 0) return output;
  const Grids grids(checked_mode, coefficients, guide, align_corners);
  const int64_t channels = grids.units.unit_channels(), fields = grids.guides + 1;
  const Samples<double> samples(grids.columns);
  const std::vector<float> weight(samples.weight.begin(), samples.weight.end());
  std::vector<GuidedRow> rows(height);
  for (int64_t y = 0; y < height; ++y) rows[y] = {grids.rows.before(y), grids.rows.after(y), grids.rows.weight(y)};
  for_rows(grids.units.units(), height, width, [&](int64_t unit, int64_t y0, int64_t y1) {
    std::vector<BoxPlane> planes, guides;
    std::vector<BoxTarget> targets;
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t f = 0; f < fields; ++f) planes.push_back(box_plane(coefficients, grids.units.field(coefficients, unit, c, f)));
      targets.push_back(box_target(output, grids.units.offset(output, unit, c)));
    }
    for (int64_t k = 0; k < grids.guides; ++k) guides.push_back(box_plane(guide, grids.units.offset(guide, unit, k)));
    GuidedApplyJob job{};
    job.type = grids.type;
    job.width = width;
    job.low_width = grids.columns.low;
    job.guides = static_cast<int>(grids.guides);
    job.channels = channels;
    job.coefficients = planes.data();
    job.guide = guides.data();
    job.output = targets.data();
    job.y0 = y0;
    job.y1 = y1;
    job.rows = rows.data();
    job.before = samples.before.data();
    job.weight = weight.data();
    job.weight64 = samples.weight.data();
    job.finer = grids.columns.scale <= 1.0;
    job.streamed = height * width > kStreamedPixels;
    const BoxSweeps& sweeps = box_sweeps(job.type);
    const BoxScratch scratch(sweeps.guided_apply_bytes(job));
    job.scratch = scratch.data();
    sweeps.guided_apply(job);
  });
  return output;
}

/// gI = Σ g·up(a).
template <class T>
void apply_backward_guide(const Grids& grids, const at::Tensor& grad, const at::Tensor& coefficients, const at::Tensor& grad_guide) {
  const int64_t height = grids.rows.high, width = grids.columns.high;
  const Samples<T> samples(grids.columns);
  for_rows(grids.units.units(), height, width, [&](int64_t unit, int64_t y0, int64_t y1) {
    Upsampler<T> up(grids.rows, grids.columns, samples);
    std::vector<T> sum(width), a(width), g(width);
    for (int64_t y = y0; y < y1; ++y) {
      for (int64_t k = 0; k < grids.guides; ++k) {
        std::fill(sum.begin(), sum.end(), T(0));
        for (int64_t c = 0; c < grids.units.unit_channels(); ++c) {
          up.row(box_plane(coefficients, grids.units.field(coefficients, unit, c, k)), grids.type, y, a.data());
          read(box_plane(grad, grids.units.offset(grad, unit, c)), grids.type, y, g.data(), width);
          for (int64_t x = 0; x < width; ++x) sum[x] += g[x] * a[x];
        }
        write(box_target(grad_guide, grids.units.offset(grad_guide, unit, k)), grids.type, y, sum.data(), width);
      }
    }
  });
}

/// ga = upᵀ(g·I), gb = upᵀ(g): each coarse row gathers the fine ones between its neighbours.
template <class T>
void apply_backward_coefficients(const Grids& grids, const at::Tensor& grad, const at::Tensor& guide,
                                 const at::Tensor& grad_coefficients) {
  const int64_t width = grids.columns.high, channels = grids.units.unit_channels(), fields = grids.guides + 1;
  const Samples<T> samples(grids.columns);
  for_rows(grids.units.units() * channels, grids.rows.low, width * 4, [&](int64_t item, int64_t y0, int64_t y1) {
    const int64_t unit = item / channels, c = item % channels;
    std::vector<T> sums(fields * width), g(width), own(width), low(grids.columns.low + 1);
    for (int64_t j = y0; j < y1; ++j) {
      std::fill(sums.begin(), sums.end(), T(0));
      const int64_t end = grids.rows.first_from(j + 1);
      for (int64_t y = j > 0 ? grids.rows.first_from(j - 1) : 0; y < end; ++y) {
        const double after = grids.rows.weight(y);
        const T share = static_cast<T>((grids.rows.before(y) == j ? 1.0 - after : 0.0) + (grids.rows.after(y) == j ? after : 0.0));
        read(box_plane(grad, grids.units.offset(grad, unit, c)), grids.type, y, g.data(), width);
        for (int64_t x = 0; x < width; ++x) g[x] *= share;
        for (int64_t k = 0; k < fields; ++k) {
          T* sum = sums.data() + k * width;
          if (k == grids.guides) {
            for (int64_t x = 0; x < width; ++x) sum[x] += g[x];
          } else {
            read(box_plane(guide, grids.units.offset(guide, unit, k)), grids.type, y, own.data(), width);
            for (int64_t x = 0; x < width; ++x) sum[x] += g[x] * own[x];
          }
        }
      }
      for (int64_t k = 0; k < fields; ++k) {
        std::fill(low.begin(), low.end(), T(0));
        const T* sum = sums.data() + k * width;
        for (int64_t x = 0; x < width; ++x) {
          const int64_t before = samples.before[x];
          const int64_t after = before + 1 < grids.columns.low ? before + 1 : before;
          low[before] += (T(1) - samples.weight[x]) * sum[x];
          low[after] += samples.weight[x] * sum[x];
        }
        write(box_target(grad_coefficients, grids.units.field(grad_coefficients, unit, c, k)), grids.type, j, low.data(), grids.columns.low);
      }
    }
  });
}

std::tuple<at::Tensor, at::Tensor> guided_apply_backward(const at::Tensor& grad, const at::Tensor& coefficients,
                                                         const at::Tensor& guide, c10::string_view mode, bool align_corners) {
  constexpr const char* op = "_guided_apply_backward";
  const BoxEntry entry(guide);
  const GuidedMode checked_mode = guided_check_mode(op, mode);
  guided_check_apply(op, checked_mode, coefficients, guide);
  const std::vector<int64_t> sizes{coefficients.size(0), coefficients.size(1), guide.size(2), guide.size(3)};
  guided_check_grad(op, grad, guide, sizes);
  const auto contiguous = [](const at::Tensor& t) {
    return at::empty(t.sizes(), t.options().memory_format(c10::MemoryFormat::Contiguous));
  };
  if (grad.numel() == 0) return {at::zeros_like(coefficients), at::zeros_like(guide)};
  const at::Tensor grad_coefficients = contiguous(coefficients), grad_guide = contiguous(guide);
  const Grids grids(checked_mode, coefficients, guide, align_corners);
  with_arithmetic(guide, [&](auto zero) {
    using T = decltype(zero);
    apply_backward_guide<T>(grids, grad, coefficients, grad_guide);
    apply_backward_coefficients<T>(grids, grad, guide, grad_coefficients);
  });
  return {grad_coefficients, grad_guide};
}

// ---- Cell means -----------------------------------------------------------------------------------------------------

at::Tensor area_downsample(const at::Tensor& input, int64_t factor) {
  const BoxEntry entry(input);
  guided_check_factor(input, factor);
  const int64_t height = input.size(2), width = input.size(3);
  const int64_t low_height = (height + factor - 1) / factor, low_width = (width + factor - 1) / factor;
  const at::Tensor output = at::empty({input.size(0), input.size(1), low_height, low_width},
                                      input.options().memory_format(c10::MemoryFormat::Contiguous));
  if (output.numel() == 0) return output;
  const BoxType type = box_type(input);
  const GuidedUnits units(GuidedMode::kPerChannel, input);
  for_rows(units.units(), low_height, width * 4, [&](int64_t unit, int64_t y0, int64_t y1) {
    AreaJob job{};
    job.type = type;
    job.height = height;
    job.width = width;
    job.factor = factor;
    job.y0 = y0;
    job.y1 = y1;
    job.input = box_plane(input, units.offset(input, unit, 0));
    job.output = box_target(output, units.offset(output, unit, 0));
    const BoxSweeps& sweeps = box_sweeps(type);
    const BoxScratch scratch(sweeps.area_bytes(job));
    job.scratch = scratch.data();
    sweeps.area(job);
  });
  return output;
}

at::Tensor area_downsample_backward(const at::Tensor& grad, int64_t height, int64_t width, int64_t factor) {
  const BoxEntry entry(grad);
  guided_check_shrunk(grad, height, width, factor);
  const at::Tensor output = at::empty({grad.size(0), grad.size(1), height, width},
                                      grad.options().memory_format(c10::MemoryFormat::Contiguous));
  if (output.numel() == 0) return output;
  const BoxType type = box_type(grad);
  const GuidedUnits units(GuidedMode::kPerChannel, grad);
  with_arithmetic(grad, [&](auto zero) {
    using T = decltype(zero);
    for_rows(units.units(), grad.size(2), width * 4, [&](int64_t unit, int64_t y0, int64_t y1) {
      std::vector<T> row(width), low(grad.size(3));
      for (int64_t j = y0; j < y1; ++j) {
        const int64_t from = j * factor, to = std::min(height, from + std::min(factor, height));
        read(box_plane(grad, units.offset(grad, unit, 0)), type, j, low.data(), grad.size(3));
        for (int64_t i = 0; i < grad.size(3); ++i) {
          const int64_t left = i * factor, right = std::min(width, left + std::min(factor, width));
          const T value = low[i] / static_cast<T>((right - left) * (to - from));
          for (int64_t x = left; x < right; ++x) row[x] = value;
        }
        for (int64_t y = from; y < to; ++y) write(box_target(output, units.offset(output, unit, 0)), type, y, row.data(), width);
      }
    });
  });
  return output;
}

TORCH_LIBRARY_IMPL(vision_native, CPU, library) {
  library.impl("guided_apply", guided_apply);
  library.impl("_guided_apply_backward", guided_apply_backward);
  library.impl("area_downsample", area_downsample);
  library.impl("_area_downsample_backward", area_downsample_backward);
}

}  // namespace

}  // namespace vision_native
