// BM3D on the CPU. Bands of rows of reference are filtered by different threads, each into sums of its own, which are added
// to those of the image in the order of the bands: results do not depend on the number of threads.
#include "torch/ops/bm3d.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "torch/cpu_isa.h"
#include "torch/ops/cpu/bm3d_blocks.h"

namespace vision_native {

namespace {

// Rows of reference of a band: enough to share the work of the search, few enough for many threads.
constexpr int64_t kBandRows = 8;
// Floats that may be read behind a row.
constexpr int64_t kSlack = 16;

const Bm3dBlocks& blocks() { return for_cpu_isa(kBm3dBlocksScalar, kBm3dBlocksAvx2, kBm3dBlocksAvx512); }

/// Planes of float32 with room behind their rows.
class Planes {
 public:
  explicit Planes(const Bm3dImage& image)
      : stride_((image.width + kSlack + 7) / 8 * 8), area_(stride_ * image.height),
        memory_(at::zeros({image.channels * area_ + kSlack}, at::kFloat)) {}

  float* row(int64_t channel, int64_t y) { return memory_.mutable_data_ptr<float>() + channel * area_ + y * stride_; }
  Bm3dPlane plane(int64_t channel) const { return {memory_.const_data_ptr<float>() + channel * area_, stride_}; }

 private:
  int64_t stride_, area_;
  at::Tensor memory_;
};

template <class Body>
void for_image_rows(const Bm3dImage& image, Body body) {
  at::parallel_for(0, image.height, std::max<int64_t>(1, (1 << 15) / image.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) body(y);
  });
}

/// Lets bands pass in their order, however the threads take them.
class Turns {
 public:
  template <class Body>
  void wait_for(int64_t turn, Body body) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return now_ == turn || stopped_; });
    if (!stopped_) body();
    ++now_;
    changed_.notify_all();
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t now_ = 0;
  bool stopped_ = false;
};

/// One stage on one image.
class Stage {
 public:
  Stage(const Bm3dImage& image, const Bm3dStage& stage, const Planes& noisy, const Planes& basic)
      : image_(image), stage_(stage), noisy_(noisy), basic_(basic), rows_(bm3d_references(image.height)),
        columns_(bm3d_references(image.width)),
        // Rows of a band's blocks and of those that they may be matched with.
        sum_rows_(std::min(image.height, (kBandRows - 1) * kBm3dStep + 2 * stage.reach + kBm3dSide)),
        values_(at::zeros({image.channels, image.height, image.width}, at::kFloat)),
        weights_(at::zeros({image.channels, image.height, image.width}, at::kFloat)) {}

  void run(Planes& out) {
    const int64_t bands = (rows_ + kBandRows - 1) / kBandRows;
    const int64_t workers = std::min<int64_t>(at::get_num_threads(), bands);
    std::atomic<int64_t> next{0};
    Turns turns;
    RunContext* const context = current_run_context();
    std::vector<Work> works;
    for (int64_t i = 0; i < workers; ++i) works.emplace_back(*this);
    at::parallel_for(0, workers, 1, [&](int64_t begin, int64_t end) {
      for (int64_t worker = begin; worker < end; ++worker) {
        for (int64_t band = next++; band < bands; band = next++) {
          filter_band(works[worker], {band * kBandRows, std::min(kBandRows, rows_ - band * kBandRows)}, context);
          if (is_cancelled(context)) return turns.stop();
          turns.wait_for(band, [&] { add(works[worker]); });
        }
      }
    });
    check_cancelled();
    subtract(out);
  }

 private:
  /// What one thread uses.
  struct Work {
    explicit Work(const Stage& stage)
        : row((stage.image_.width + 2 * kSlack + 7) / 8 * 8),
          found(at::empty({kBandRows * stage.columns_ * stage.stage_.most_blocks}, at::kLong)),
          counts(at::empty({kBandRows * stage.columns_}, at::kInt)), limits(at::empty({(kBandRows + 1) * row}, at::kFloat)),
          rows(at::zeros({5 * row}, at::kFloat)),
          sums(at::empty({2, stage.image_.channels, stage.sum_rows_ * stage.image_.width}, at::kFloat)) {}

    int64_t row;
    at::Tensor found, counts, limits, rows, sums;
    int64_t top = 0, height = 0;  ///< rows of the image that the sums are of
  };

  float* values_of(Work& work, int64_t channel) const {
    return work.sums.mutable_data_ptr<float>() + channel * sum_rows_ * image_.width;
  }
  float* weights_of(Work& work, int64_t channel) const { return values_of(work, image_.channels + channel); }

  void filter_band(Work& work, const Bm3dBand& band, const RunContext* context) const {
    const int64_t first = bm3d_reference(band.first, image_.height);
    const int64_t last = bm3d_reference(band.first + band.rows - 1, image_.height);
    work.top = std::max<int64_t>(0, first - stage_.reach);
    work.height = std::min(image_.height, last + stage_.reach + kBm3dSide) - work.top;
    for (int64_t plane = 0; plane < 2 * image_.channels; ++plane) {
      std::fill_n(values_of(work, plane), work.height * image_.width, 0.0f);
    }
    const Bm3dSearch search{reinterpret_cast<uint64_t*>(work.found.mutable_data_ptr<int64_t>()),
                            work.counts.mutable_data_ptr<int32_t>(), work.limits.mutable_data_ptr<float>(),
                            work.rows.mutable_data_ptr<float>(), work.row};
    const Planes& compared = stage_.wiener ? basic_ : noisy_;
    blocks().search(compared.plane(0), image_, stage_, band, search);
    for (int64_t r = 0; r < band.rows; ++r) {
      if (is_cancelled(context)) return;
      for (int64_t c = 0; c < columns_; ++c) {
        filter_block(work, search, r * columns_ + c, bm3d_reference(band.first + r, image_.height),
                     bm3d_reference(c, image_.width));
      }
    }
  }

  void filter_block(Work& work, const Bm3dSearch& search, int64_t index, int64_t y, int64_t x) const {
    // A block that holds NaN is not even near itself.
    const int32_t near = std::max(search.counts[index], 1);
    int32_t count = 1;
    while (2 * count <= near) count *= 2;
    std::array<int32_t, kBm3dMostBlocks> ys, xs;
    const uint64_t* found = search.found + index * stage_.most_blocks;
    for (int32_t k = 0; k < count; ++k) {
      int32_t dy, dx;
      bm3d_offset(search.counts[index] == 0 ? 0 : static_cast<uint32_t>(found[k]), stage_.reach, dy, dx);
      ys[k] = static_cast<int32_t>(y) + dy;
      xs[k] = static_cast<int32_t>(x) + dx;
    }
    for (int64_t channel = 0; channel < image_.channels; ++channel) {
      const Bm3dSums sums{values_of(work, channel), weights_of(work, channel), image_.width, work.top};
      blocks().filter(noisy_.plane(channel), basic_.plane(channel), stage_, channel, ys.data(), xs.data(), count,
                      bm3d_tables(), sums);
    }
  }

  void add(Work& work) {
    const int64_t area = image_.height * image_.width, count = work.height * image_.width;
    for (int64_t channel = 0; channel < image_.channels; ++channel) {
      const int64_t at = channel * area + work.top * image_.width;
      float* values = values_.mutable_data_ptr<float>() + at;
      float* weights = weights_.mutable_data_ptr<float>() + at;
      const float* more_values = values_of(work, channel);
      const float* more_weights = weights_of(work, channel);
      for (int64_t i = 0; i < count; ++i) {
        values[i] += more_values[i];
        weights[i] += more_weights[i];
      }
    }
  }

  /// Every pixel is in a block of reference, so that no weight is 0.
  void subtract(Planes& out) const {
    for_image_rows(image_, [&](int64_t y) {
      for (int64_t channel = 0; channel < image_.channels; ++channel) {
        const int64_t at = (channel * image_.height + y) * image_.width;
        const float* values = values_.const_data_ptr<float>() + at;
        const float* weights = weights_.const_data_ptr<float>() + at;
        const float* noisy = noisy_.plane(channel).at(y);
        float* row = out.row(channel, y);
        for (int64_t x = 0; x < image_.width; ++x) row[x] = noisy[x] - values[x] / weights[x];
      }
    });
  }

  const Bm3dImage image_;
  const Bm3dStage stage_;
  const Planes& noisy_;
  const Planes& basic_;
  const int64_t rows_, columns_;  ///< of reference
  const int64_t sum_rows_;
  at::Tensor values_, weights_;
};

void to_opponent(const float* rgb, const Bm3dImage& image, Planes& to) {
  const int64_t area = image.height * image.width;
  for_image_rows(image, [&](int64_t y) {
    const float* red = rgb + y * image.width;
    float *luma = to.row(0, y);
    if (image.channels == 1) {
      std::copy_n(red, image.width, luma);
      return;
    }
    const float *green = red + area, *blue = green + area;
    float *u = to.row(1, y), *v = to.row(2, y);
    for (int64_t x = 0; x < image.width; ++x) {
      luma[x] = (red[x] + green[x] + blue[x]) * (1.0f / 3.0f);
      u[x] = (red[x] - blue[x]) * 0.5f;
      v[x] = (red[x] - 2.0f * green[x] + blue[x]) * 0.25f;
    }
  });
}

void from_opponent(Planes& from, const Bm3dImage& image, float* rgb) {
  const int64_t area = image.height * image.width;
  for_image_rows(image, [&](int64_t y) {
    float* red = rgb + y * image.width;
    const float* luma = from.row(0, y);
    if (image.channels == 1) {
      std::copy_n(luma, image.width, red);
      return;
    }
    float *green = red + area, *blue = green + area;
    const float *u = from.row(1, y), *v = from.row(2, y);
    for (int64_t x = 0; x < image.width; ++x) {
      const float both = luma[x] + v[x] * (2.0f / 3.0f);
      red[x] = both + u[x];
      green[x] = luma[x] - v[x] * (4.0f / 3.0f);
      blue[x] = both - u[x];
    }
  });
}

at::Tensor bm3d_cpu(const at::Tensor& input, double sigma, c10::string_view stages, int64_t search) {
  const Bm3dPlan plan = bm3d_check(input, sigma, stages, search);
  const Bm3dImage image{input.size(2), input.size(3), input.size(1)};
  const at::Tensor source = input.to(at::kFloat).contiguous();
  at::Tensor result = at::empty(source.sizes(), source.options());
  const int64_t numbers = image.channels * image.height * image.width;
  const int64_t total = input.size(0) * (plan.both ? 2 : 1);
  int64_t done = 0;
  for (int64_t n = 0; n < input.size(0); ++n) {
    Planes noisy(image), basic(image);
    to_opponent(source.const_data_ptr<float>() + n * numbers, image, noisy);
    Stage(image, plan.hard, noisy, basic).run(basic);
    report_progress("bm3d", ++done, total);
    if (plan.both) {
      Planes denoised(image);
      Stage(image, plan.wiener, noisy, basic).run(denoised);
      report_progress("bm3d", ++done, total);
      from_opponent(denoised, image, result.mutable_data_ptr<float>() + n * numbers);
    } else {
      from_opponent(basic, image, result.mutable_data_ptr<float>() + n * numbers);
    }
  }
  return result.to(input.scalar_type());
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CPU, library) { library.impl("bm3d", bm3d_cpu); }

}  // namespace vision_native
