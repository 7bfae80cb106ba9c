// CPU driver of RoIAlign. Planes are pooled a region at a time, first over rows in lanes of columns, then over columns in
// lanes of bins; with channels last, in lanes of channels. Each element is summed by one thread in a fixed order.
#include "torch/ops/roi_align.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <limits>

#include "torch/cpu_isa.h"
#include "torch/ops/cpu/roi_align_regions.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

/// Channels of an image that one thread adds to, where channels are last.
constexpr int64_t kChannels = 64;
/// Regions whose weights are held at a time, and those that one thread pools of a plane before another may.
constexpr int64_t kRegions = 512;
constexpr int64_t kGroup = 128;

template <typename A>
const RoiKernels<A>& kernels_for() {
  const RoiTables& tables = for_cpu_isa(kRoiKernelsScalar, kRoiKernelsAvx2, kRoiKernelsAvx512);
  if constexpr (std::is_same_v<A, double>) {
    return tables.wide;
  } else {
    return tables.narrow;
  }
}

/// The regions of a call: which image each belongs to, and its corners.
template <typename A>
class Regions {
 public:
  Regions(const char* op, const at::Tensor& boxes, int64_t images, const RoiShape& shape,
          const RoiAlignOptions& options)
      : boxes_(boxes.to(c10::CppTypeToScalarType<A>::value).contiguous()),
        data_(boxes_.const_data_ptr<A>()),
        shape_(shape),
        options_(options) {
    for (int64_t k = 0; k < size(); ++k) {
      const A image = data_[5 * k];
      TORCH_CHECK_INDEX(image >= A(0) && image < static_cast<A>(images), op, ": boxes[", k,
                        "] is of place ", image, " in the batch, which has ", images,
                        "; places are 0 to before that");
    }
  }

  int64_t size() const { return boxes_.size(0); }
  int64_t image(int64_t k) const { return static_cast<int64_t>(data_[5 * k]); }

  void weigh(int64_t k, RoiWeights<A>& weights) const {
    weights.reset(data_ + 5 * k + 1, static_cast<A>(options_.spatial_scale), shape_.pooled_height, shape_.pooled_width,
                  options_.sampling_ratio, options_.aligned, shape_.height, shape_.width);
  }

 private:
  at::Tensor boxes_;
  const A* data_;
  RoiShape shape_;
  RoiAlignOptions options_;
};

/// Weights of regions from `first` to before `stop`.
template <typename A>
std::vector<RoiWeights<A>> weigh(const Regions<A>& regions, int64_t first, int64_t stop) {
  std::vector<RoiWeights<A>> weights(stop - first);
  at::parallel_for(first, stop, 16, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) regions.weigh(k, weights[k - first]);
  });
  return weights;
}

template <typename A>
int64_t most_scratch(const std::vector<RoiWeights<A>>& all, const RoiShape& shape) {
  int64_t most = 0;
  for (const RoiWeights<A>& weights : all) most = std::max(most, roi_scratch(weights, shape));
  return most;
}

/// All regions of a plane before the next plane, which stays in the cache meanwhile.
template <typename A>
void pool_planes(const A* input, const Regions<A>& regions, const RoiShape& shape, A* out) {
  const RoiKernels<A>& kernels = kernels_for<A>();
  const RunContext* context = current_run_context();
  const int64_t pixels = shape.height * shape.width, bins = shape.pooled_height * shape.pooled_width;
  for (int64_t first = 0; first < regions.size() && !is_cancelled(context); first += kRegions) {
    const int64_t stop = std::min(first + kRegions, regions.size());
    const std::vector<RoiWeights<A>> weights = weigh(regions, first, stop);
    const int64_t groups = (stop - first + kGroup - 1) / kGroup;
    const int64_t most = most_scratch(weights, shape);
    at::parallel_for(0, shape.channels * groups, 1, [&](int64_t begin, int64_t end) {
      std::vector<A> scratch(most);
      for (int64_t item = begin; item < end && !is_cancelled(context); ++item) {
        const int64_t channel = item / groups, from = first + item % groups * kGroup;
        for (int64_t k = from; k < std::min(from + kGroup, stop); ++k) {
          A* to = out + (k * shape.channels + channel) * bins;
          if (weights[k - first].finite) {
            kernels.pool_plane(input + (regions.image(k) * shape.channels + channel) * pixels, weights[k - first], shape,
                               to, scratch.data());
          } else {
            std::fill_n(to, bins, std::numeric_limits<A>::quiet_NaN());
          }
        }
      }
    });
  }
}

template <typename A>
void pool_channels(const A* input, const Regions<A>& regions, const RoiShape& shape, A* out) {
  const RoiKernels<A>& kernels = kernels_for<A>();
  const RunContext* context = current_run_context();
  const int64_t image = shape.channels * shape.height * shape.width;
  const int64_t region = shape.channels * shape.pooled_height * shape.pooled_width;
  at::parallel_for(0, regions.size(), 1, [&](int64_t begin, int64_t end) {
    RoiWeights<A> weights;
    for (int64_t k = begin; k < end && !is_cancelled(context); ++k) {
      regions.weigh(k, weights);
      if (weights.finite) {
        kernels.pool_channels(input + regions.image(k) * image, weights, shape, out + k * region);
      } else {
        std::fill_n(out + k * region, region, std::numeric_limits<A>::quiet_NaN());
      }
    }
  });
}

template <typename A>
void spread_planes(const A* grad, const Regions<A>& regions, int64_t images, const RoiShape& shape, A* out) {
  const RoiKernels<A>& kernels = kernels_for<A>();
  const RunContext* context = current_run_context();
  const int64_t pixels = shape.height * shape.width, bins = shape.pooled_height * shape.pooled_width;
  for (int64_t first = 0; first < regions.size() && !is_cancelled(context); first += kRegions) {
    const int64_t stop = std::min(first + kRegions, regions.size());
    const std::vector<RoiWeights<A>> weights = weigh(regions, first, stop);
    const int64_t most = most_scratch(weights, shape);
    at::parallel_for(0, images * shape.channels, 1, [&](int64_t begin, int64_t end) {
      std::vector<A> scratch(most);
      for (int64_t item = begin; item < end && !is_cancelled(context); ++item) {
        for (int64_t k = first; k < stop; ++k) {
          if (regions.image(k) != item / shape.channels || !weights[k - first].finite) continue;
          kernels.spread_plane(grad + (k * shape.channels + item % shape.channels) * bins, weights[k - first], shape,
                               out + item * pixels, scratch.data());
        }
      }
    });
  }
}

template <typename A>
void spread_channels(const A* grad, const Regions<A>& regions, int64_t images, const RoiShape& shape, A* out) {
  const RoiKernels<A>& kernels = kernels_for<A>();
  const RunContext* context = current_run_context();
  const int64_t image = shape.channels * shape.height * shape.width;
  const int64_t region = shape.channels * shape.pooled_height * shape.pooled_width;
  const int64_t blocks = (shape.channels + kChannels - 1) / kChannels;
  for (int64_t first = 0; first < regions.size() && !is_cancelled(context); first += kRegions) {
    const int64_t stop = std::min(first + kRegions, regions.size());
    const std::vector<RoiWeights<A>> weights = weigh(regions, first, stop);
    at::parallel_for(0, images * blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end && !is_cancelled(context); ++item) {
        const int64_t channel = item % blocks * kChannels;
        for (int64_t k = first; k < stop; ++k) {
          if (regions.image(k) != item / blocks || !weights[k - first].finite) continue;
          kernels.spread_channels(grad + k * region, channel, std::min(kChannels, shape.channels - channel),
                                  weights[k - first], shape, out + item / blocks * image);
        }
      }
    });
  }
}

template <typename A>
at::Tensor pool(const at::Tensor& input, const at::Tensor& boxes, const RoiAlignOptions& options) {
  const RoiShape shape{input.size(1), input.size(2), input.size(3), options.pooled_height, options.pooled_width};
  const at::MemoryFormat format = roi_align_format(input);
  const Regions<A> regions("roi_align", boxes, input.size(0), shape, options);
  const at::ScalarType type = c10::CppTypeToScalarType<A>::value;
  at::Tensor out = at::empty({regions.size(), shape.channels, shape.pooled_height, shape.pooled_width},
                             input.options().dtype(type), format);
  if (out.numel() > 0) {
    // float16 and bfloat16 are widened once: a pixel is read by many regions.
    const at::Tensor maps = input.to(type).contiguous(format);
    if (format == at::MemoryFormat::ChannelsLast) {
      pool_channels(maps.const_data_ptr<A>(), regions, shape, out.mutable_data_ptr<A>());
    } else {
      pool_planes(maps.const_data_ptr<A>(), regions, shape, out.mutable_data_ptr<A>());
    }
    check_cancelled();
  }
  return out.to(input.scalar_type());
}

at::Tensor roi_align(const at::Tensor& input, const at::Tensor& boxes, at::IntArrayRef output_size,
                     double spatial_scale, int64_t sampling_ratio, bool aligned) {
  const RoiAlignOptions options = roi_align_options("roi_align", output_size, spatial_scale, sampling_ratio, aligned);
  roi_align_check("roi_align", input, boxes);
  return input.scalar_type() == at::kDouble ? pool<double>(input, boxes, options) : pool<float>(input, boxes, options);
}

template <typename A>
at::Tensor spread(const at::Tensor& grad, const at::Tensor& boxes, at::IntArrayRef input_size,
                  const RoiAlignOptions& options, at::MemoryFormat format) {
  const RoiShape shape{input_size[1], input_size[2], input_size[3], options.pooled_height, options.pooled_width};
  const Regions<A> regions("_roi_align_backward", boxes, input_size[0], shape, options);
  const at::ScalarType type = c10::CppTypeToScalarType<A>::value;
  at::Tensor out = at::empty(input_size, grad.options().dtype(type), format).zero_();
  if (grad.numel() > 0) {
    const at::Tensor slopes = grad.to(type).contiguous(format);
    if (format == at::MemoryFormat::ChannelsLast) {
      spread_channels(slopes.const_data_ptr<A>(), regions, input_size[0], shape, out.mutable_data_ptr<A>());
    } else {
      spread_planes(slopes.const_data_ptr<A>(), regions, input_size[0], shape, out.mutable_data_ptr<A>());
    }
    check_cancelled();
  }
  return out.to(grad.scalar_type());
}

at::Tensor roi_align_backward(const at::Tensor& grad, const at::Tensor& boxes, at::IntArrayRef input_size,
                              at::IntArrayRef output_size, double spatial_scale, int64_t sampling_ratio, bool aligned,
                              bool channels_last) {
  const RoiAlignOptions options =
      roi_align_options("_roi_align_backward", output_size, spatial_scale, sampling_ratio, aligned);
  roi_align_check_grad(grad, boxes, c10::fromIntArrayRefSlow(input_size), options);
  const at::MemoryFormat format = channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  return grad.scalar_type() == at::kDouble ? spread<double>(grad, boxes, input_size, options, format)
                                           : spread<float>(grad, boxes, input_size, options, format);
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CPU, library) {
  library.impl("roi_align", roi_align);
  library.impl("_roi_align_backward", roi_align_backward);
}

}  // namespace vision_native
