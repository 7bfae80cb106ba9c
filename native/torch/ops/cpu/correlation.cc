// CPU driver of correlation. Products are summed over channels for whole rows and all displacements along them; the
// kernel's window is summed after that, which costs next to nothing. Every element is summed by one thread in a fixed order.
#include "torch/ops/correlation.h"

#include <ATen/Parallel.h>
#include <torch/library.h>

#include "torch/cpu_isa.h"
#include "torch/ops/cpu/correlation_rows.h"
#include "torch/ops/cpu/floating_rows.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

/// Channels whose rows are in the caches at a time.
constexpr int64_t kChannels = 32;

int64_t whole_lanes(int64_t columns) { return (columns + kCorrelationLanes - 1) / kCorrelationLanes * kCorrelationLanes; }

/// The maps are contiguous along rows.
template <typename A>
class Correlator {
 public:
  Correlator(const at::Tensor& first, const at::Tensor& second, const CorrelationOptions& options)
      : first_(first),
        second_(second),
        options_(options),
        samples_(first.size(0)),
        channels_(first.size(1)),
        height_(first.size(2)),
        width_(first.size(3)),
        columns_(whole_lanes(width_)),
        context_(current_run_context()) {
    const CorrelationTables& tables =
        for_cpu_isa(kCorrelationRowsScalar, kCorrelationRowsAvx2, kCorrelationRowsAvx512);
    if constexpr (std::is_same_v<A, double>) {
      table_ = tables.wide;
    } else {
      table_ = tables.narrow;
    }
    step_ = options.dilation_patch[1];
    // Displacements that leave the map from every pixel have no products.
    const int64_t center = (options.patch[1] - 1) / 2, most = (width_ - 1) / step_;
    begin_ = std::max<int64_t>(center - most, 0);
    shifts_ = std::min(center + most + 1, options.patch[1]) - begin_;
    first_shift_ = options.shift(1, begin_);
    side_ = std::max(std::abs(first_shift_), std::abs(options.shift(1, begin_ + shifts_ - 1)));
    padded_ = columns_ + 2 * side_;
  }

  /// `out` is [B, displacements, out height, out width].
  void forward(const at::Tensor& out) const {
    const Rows4<A> result(out);
    const int64_t size = options_.patch[0] * shifts_ * columns_;
    at::parallel_for(0, samples_ * options_.out[0], 1, [&](int64_t begin, int64_t end) {
      const int64_t block = std::min(kChannels, channels_);
      const Scratch<A> first(block * columns_, A(0)), second(block * padded_, A(0)), sums(size), line(options_.out[1]);
      for (int64_t item = begin; item < end && !is_cancelled(context_); ++item) {
        const int64_t n = item / options_.out[0], h = item % options_.out[0];
        std::fill_n(sums.data(), size, A(0));
        for (int64_t i = 0; i < options_.kernel[0]; ++i) {
          const int64_t y = h * options_.stride[0] - options_.padding[0] + i * options_.dilation[0];
          if (y >= 0 && y < height_) add_row(n, y, block, first.data(), second.data(), sums.data());
        }
        for (int64_t row = 0; row < options_.patch[0]; ++row) {
          for (int64_t p = 0; p < options_.patch[1]; ++p) {
            const bool any = p >= begin_ && p < begin_ + shifts_;
            sum_windows(any ? sums.data() + (row * shifts_ + p - begin_) * columns_ : nullptr, line.data());
            result.save(n, row * options_.patch[1] + p, h, 0, 1, options_.out[1], line.data());
          }
        }
      }
    });
    check_cancelled();
  }

  void backward_first(const at::Tensor& grad, const at::Tensor& out) const {
    // first[y][x] met second[y + dy][x + dx].
    backward(Rows4<A>(grad), Rows4<A>(out), second_, 1);
  }

  void backward_second(const at::Tensor& grad, const at::Tensor& out) const {
    // second[y][x] met first[y − dy][x − dx].
    backward(Rows4<A>(grad), Rows4<A>(out), first_, -1);
  }

 private:
  /// Adds the products of row `y` with the displaced rows to sums, [patch height][shifts][columns].
  void add_row(int64_t n, int64_t y, int64_t block, A* first, A* second, A* sums) const {
    for (int64_t c = 0; c < channels_; c += block) {
      const int64_t count = std::min(block, channels_ - c);
      for (int64_t k = 0; k < count; ++k) first_.load(n, c + k, y, 0, 1, width_, first + k * columns_);
      for (int64_t row = 0; row < options_.patch[0]; ++row) {
        const int64_t other = y + options_.shift(0, row);
        if (other < 0 || other >= height_) continue;
        for (int64_t k = 0; k < count; ++k) second_.load(n, c + k, other, 0, 1, width_, second + k * padded_ + side_);
        table_.correlate(first, columns_, second + side_ + first_shift_, padded_, count, columns_, shifts_, step_,
                         sums + row * shifts_ * columns_, columns_);
      }
    }
  }

  /// Sums of the kernel's columns in a row of products, which null says are 0.
  void sum_windows(const A* products, A* line) const {
    std::fill_n(line, options_.out[1], A(0));
    if (products == nullptr) return;
    for (int64_t j = 0; j < options_.kernel[1]; ++j) {
      const auto [begin, end] = inside(j);
      const int64_t start = j * options_.dilation[1] - options_.padding[1];
      for (int64_t w = begin; w < end; ++w) line[w] += products[w * options_.stride[1] + start];
    }
  }

  /// Outputs whose kernel has its column `j` inside the map.
  std::pair<int64_t, int64_t> inside(int64_t j) const {
    const int64_t start = j * options_.dilation[1] - options_.padding[1], stride = options_.stride[1];
    const int64_t begin = start >= 0 ? 0 : (-start + stride - 1) / stride;
    const int64_t end = start >= width_ ? 0 : (width_ - start - 1) / stride + 1;
    return {std::min(begin, options_.out[1]), std::min(std::max(begin, end), options_.out[1])};
  }

  /// dL/dproducts of row `y` for a row of the patch, [shifts] rows of `pitch`; `line` has room for a row of outputs.
  void spread_windows(const Rows4<A>& grad, int64_t n, int64_t row, int64_t y, A* line, A* products, int64_t pitch) const {
    for (int64_t p = 0; p < shifts_; ++p) {
      A* to = products + p * pitch;
      std::fill_n(to, width_, A(0));
      for (int64_t i = 0; i < options_.kernel[0]; ++i) {
        const int64_t place = y + options_.padding[0] - i * options_.dilation[0];
        if (place < 0 || place % options_.stride[0] != 0 || place / options_.stride[0] >= options_.out[0]) continue;
        grad.load(n, row * options_.patch[1] + begin_ + p, place / options_.stride[0], 0, 1, options_.out[1], line);
        for (int64_t j = 0; j < options_.kernel[1]; ++j) {
          const auto [begin, end] = inside(j);
          const int64_t start = j * options_.dilation[1] - options_.padding[1];
          for (int64_t w = begin; w < end; ++w) to[w * options_.stride[1] + start] += line[w];
        }
      }
    }
  }

  /// Gradient of the map that meets `maps` at displacements of the sign. Where the sign is −1, the gradients of the
  /// products belong to the displaced place and are read from there as `maps` are.
  void backward(const Rows4<A>& grad, const Rows4<A>& out, const Rows4<A>& maps, int64_t sign) const {
    at::parallel_for(0, samples_ * height_, 1, [&](int64_t begin, int64_t end) {
      const Scratch<A> products(shifts_ * padded_, A(0)), line(options_.out[1]), rows(channels_ * padded_, A(0)),
          sums(channels_ * columns_);
      for (int64_t item = begin; item < end && !is_cancelled(context_); ++item) {
        const int64_t n = item / height_, y = item % height_;
        std::fill_n(sums.data(), channels_ * columns_, A(0));
        for (int64_t row = 0; row < options_.patch[0]; ++row) {
          const int64_t other = y + sign * options_.shift(0, row);
          if (other < 0 || other >= height_) continue;
          spread_windows(grad, n, row, sign > 0 ? y : other, line.data(), products.data() + side_, padded_);
          for (int64_t c = 0; c < channels_; ++c) maps.load(n, c, other, 0, 1, width_, rows.data() + c * padded_ + side_);
          const int64_t start = side_ + sign * first_shift_;
          table_.spread(products.data() + (sign > 0 ? side_ : start), padded_ - (sign > 0 ? 0 : step_),
                        rows.data() + start, padded_, sign * step_, channels_, columns_, shifts_, sums.data(), columns_);
        }
        for (int64_t c = 0; c < channels_; ++c) out.save(n, c, y, 0, 1, width_, sums.data() + c * columns_);
      }
    });
    check_cancelled();
  }

  Rows4<A> first_, second_;
  const CorrelationOptions& options_;
  int64_t samples_, channels_, height_, width_, columns_;
  int64_t step_, begin_, shifts_, first_shift_, side_, padded_;
  CorrelationRows<A> table_;
  const RunContext* context_;
};

/// Rows of maps that are stored otherwise are taken apart element by element, many times; a copy is cheaper.
at::Tensor with_rows(const at::Tensor& map) { return map.stride(3) == 1 ? map : map.contiguous(); }

at::Tensor rows_of(const at::Tensor& volume) {
  return volume.reshape({volume.size(0), volume.size(1) * volume.size(2), volume.size(3), volume.size(4)});
}

at::Tensor correlation(const at::Tensor& first, const at::Tensor& second, c10::IntArrayRef kernel_size,
                       c10::IntArrayRef patch_size, c10::IntArrayRef stride, c10::IntArrayRef padding,
                       c10::IntArrayRef dilation, c10::IntArrayRef dilation_patch) {
  const CorrelationOptions options =
      correlation_check("correlation", first, second, kernel_size, patch_size, stride, padding, dilation, dilation_patch);
  at::Tensor out = correlation_empty_result(first, options);
  if (out.numel() == 0) return out;
  if (first.numel() == 0) return out.zero_();
  if (first.scalar_type() == at::kDouble) {
    Correlator<double>(with_rows(first), with_rows(second), options).forward(rows_of(out));
  } else {
    Correlator<float>(with_rows(first), with_rows(second), options).forward(rows_of(out));
  }
  return out;
}

template <typename A>
void differentiate(const at::Tensor& grad, const at::Tensor& first, const at::Tensor& second,
                   const CorrelationOptions& options, const at::Tensor* first_grad, const at::Tensor* second_grad) {
  const Correlator<A> correlator(first, second, options);
  if (first_grad != nullptr) correlator.backward_first(grad, *first_grad);
  if (second_grad != nullptr) correlator.backward_second(grad, *second_grad);
}

std::tuple<at::Tensor, at::Tensor> correlation_backward(const at::Tensor& grad, const at::Tensor& first,
                                                        const at::Tensor& second, c10::IntArrayRef kernel_size,
                                                        c10::IntArrayRef patch_size, c10::IntArrayRef stride,
                                                        c10::IntArrayRef padding, c10::IntArrayRef dilation,
                                                        c10::IntArrayRef dilation_patch, bool first_grad,
                                                        bool second_grad) {
  const CorrelationOptions options = correlation_check("_correlation_backward", first, second, kernel_size, patch_size,
                                                       stride, padding, dilation, dilation_patch);
  correlation_check_grad(grad, first, options);
  auto [by_first, by_second] = correlation_empty_gradients(first, first_grad, second_grad);
  if (first.numel() == 0) return {std::move(by_first), std::move(by_second)};
  const at::Tensor* one = first_grad ? &by_first : nullptr;
  const at::Tensor* other = second_grad ? &by_second : nullptr;
  const at::Tensor a = with_rows(first), b = with_rows(second);
  if (first.scalar_type() == at::kDouble) {
    differentiate<double>(rows_of(grad), a, b, options, one, other);
  } else {
    differentiate<float>(rows_of(grad), a, b, options, one, other);
  }
  return {std::move(by_first), std::move(by_second)};
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CPU, library) {
  library.impl("correlation", correlation);
  library.impl("_correlation_backward", correlation_backward);
}

}  // namespace vision_native
