// CPU driver of deformable convolution. Samples are taken in lanes of channels into tiles of columns, [pixels, taps ·
// channels], which matrix products take on. Tiles, and what one thread sums, do not depend on the number of threads.
#include "torch/ops/deform_conv2d.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include <algorithm>
#include <vector>

#include "torch/cpu_isa.h"
#include "torch/ops/cpu/deform_conv2d_channels.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

/// Numbers in a tile of columns: 1 MiB of float32.
constexpr int64_t kTile = int64_t{1} << 18;
constexpr int64_t kMostTilePixels = 512;
/// Pixels whose gradients of offsets and masks are held for each slot, and channels that a block has.
constexpr int64_t kBand = 4096;
constexpr int64_t kBlockChannels = 32;
constexpr int64_t kSlots = 8;

int64_t tile_pixels(int64_t numbers_per_pixel) {
  return std::clamp<int64_t>(kTile / numbers_per_pixel / 16 * 16, 16, kMostTilePixels);
}

template <typename A>
const DeformKernels<A>& kernels_for() {
  const DeformTables& tables = for_cpu_isa(kDeformKernelsScalar, kDeformKernelsAvx2, kDeformKernelsAvx512);
  if constexpr (std::is_same_v<A, double>) {
    return tables.wide;
  } else {
    return tables.narrow;
  }
}

/// Matrix products inside a parallel region run on one thread, whose sums have one order; so there is always a region.
template <typename Body>
void parallel_tasks(int64_t count, const Body& body) {
  at::parallel_for(0, std::max<int64_t>(count, 2), 1, [&](int64_t begin, int64_t end) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    const c10::impl::ExcludeDispatchKeyGuard below_autocast(c10::autocast_dispatch_keyset);
    for (int64_t i = begin; i < std::min(end, count); ++i) body(i);
  });
}

/// Images as [N, H, W, C], and where each tap of each pixel reads them.
template <typename A>
class Sampler {
 public:
  Sampler(const at::Tensor& input, const at::Tensor& offset, const at::Tensor& mask, const DeformShape& shape)
      : shape_(shape),
        input_(input.contiguous(at::MemoryFormat::ChannelsLast)),
        offset_(offset.contiguous()),
        mask_(mask.defined() ? mask.contiguous() : mask),
        images_(input_.const_data_ptr<A>()),
        offsets_(offset_.const_data_ptr<A>()),
        masks_(mask.defined() ? mask_.const_data_ptr<A>() : nullptr),
        nothing_(shape.channels, A(0)) {}

  DeformTap<A> tap(int64_t n, int64_t group, int64_t tap, int64_t pixel) const {
    const int64_t pixels = shape_.pixels();
    const A* from = offsets_ + ((n * shape_.offset_groups + group) * 2 * shape_.taps() + 2 * tap) * pixels + pixel;
    const int64_t y = pixel / shape_.out[1] * shape_.stride[0] - shape_.padding[0] +
                      tap / shape_.kernel[1] * shape_.dilation[0];
    const int64_t x = pixel % shape_.out[1] * shape_.stride[1] - shape_.padding[1] +
                      tap % shape_.kernel[1] * shape_.dilation[1];
    return deform_tap(static_cast<A>(y) + from[0], static_cast<A>(x) + from[pixels], shape_.height, shape_.width);
  }

  A mask(int64_t n, int64_t group, int64_t tap, int64_t pixel) const {
    if (masks_ == nullptr) return A(1);
    return masks_[((n * shape_.offset_groups + group) * shape_.taps() + tap) * shape_.pixels() + pixel];
  }

  /// Channels from `channel` on of the four pixels; zeros outside.
  void corners(int64_t n, const DeformTap<A>& tap, int64_t channel, const A* (&into)[4]) const {
    for (int k = 0; k < 4; ++k) {
      into[k] = tap.inside[k] ? images_ + (n * shape_.height * shape_.width + tap.pixel[k]) * shape_.channels + channel
                              : nothing_.data();
    }
  }

 private:
  DeformShape shape_;
  at::Tensor input_, offset_, mask_;
  const A *images_, *offsets_, *masks_;
  std::vector<A> nothing_;
};

template <typename A>
void scale(const A (&weights)[4], A factor, A (&into)[4]) {
  for (int k = 0; k < 4; ++k) into[k] = weights[k] * factor;
}

/// The filters of a group as [filters, taps · channels].
at::Tensor rows_of_weight(const at::Tensor& weight, int64_t group, int64_t groups, int64_t channel, int64_t channels) {
  const int64_t filters = weight.size(0) / groups;
  return weight.narrow(0, group * filters, filters)
      .narrow(1, channel, channels)
      .permute({0, 2, 3, 1})
      .contiguous()
      .view({filters, -1});
}

template <typename A>
void convolve(const Sampler<A>& sampler, const at::Tensor& weight, const at::Tensor& bias, const DeformShape& shape,
              bool channels_last, at::Tensor& out) {
  const DeformKernels<A>& kernels = kernels_for<A>();
  const RunContext* context = current_run_context();
  const int64_t taps = shape.taps(), pixels = shape.pixels(), own = shape.channels / shape.groups;
  const int64_t filters = shape.filters / shape.groups, together = shape.channels / shape.offset_groups;
  const int64_t tile = tile_pixels(taps * shape.channels);
  const int64_t tiles = (pixels + tile - 1) / tile;
  std::vector<at::Tensor> rows;
  for (int64_t g = 0; g < shape.groups; ++g) rows.push_back(rows_of_weight(weight, g, shape.groups, 0, own));
  // [N, filters, pixels], or [N, pixels, filters] with channels last.
  const at::Tensor flat = channels_last ? out.permute({0, 2, 3, 1}).view({shape.batch, pixels, shape.filters})
                                        : out.view({shape.batch, shape.filters, pixels});
  parallel_tasks(shape.batch * tiles, [&](int64_t item) {
    if (is_cancelled(context)) return;
    const int64_t n = item / tiles, start = item % tiles * tile, count = std::min(tile, pixels - start);
    const at::Tensor columns = at::empty({shape.groups, count, taps * own}, weight.options());
    A* data = columns.mutable_data_ptr<A>();
    std::vector<A> sampled(shape.groups > 1 ? together : 0);
    for (int64_t p = 0; p < count; ++p) {
      for (int64_t t = 0; t < taps; ++t) {
        for (int64_t og = 0; og < shape.offset_groups; ++og) {
          const DeformTap<A> tap = sampler.tap(n, og, t, start + p);
          const A* corners[4];
          A weights[4];
          const int64_t channel = og * together;
          sampler.corners(n, tap, channel, corners);
          scale(tap.weight, sampler.mask(n, og, t, start + p), weights);
          if (shape.groups == 1) {
            kernels.sample(corners, weights, together, data + (p * taps + t) * own + channel);
            continue;
          }
          kernels.sample(corners, weights, together, sampled.data());
          for (int64_t c = 0; c < together;) {
            const int64_t g = (channel + c) / own, within = (channel + c) % own;
            const int64_t run = std::min(own - within, together - c);
            std::copy_n(sampled.data() + c, run, data + ((g * count + p) * taps + t) * own + within);
            c += run;
          }
        }
      }
    }
    for (int64_t g = 0; g < shape.groups; ++g) {
      const at::Tensor column = columns.select(0, g);
      if (channels_last) {
        at::Tensor to = flat.select(0, n).narrow(0, start, count).narrow(1, g * filters, filters);
        at::mm_out(to, column, rows[g].t());
        if (bias.defined()) to.add_(bias.narrow(0, g * filters, filters));
      } else {
        at::Tensor to = flat.select(0, n).narrow(0, g * filters, filters).narrow(1, start, count);
        at::mm_out(to, rows[g], column.t());
        if (bias.defined()) to.add_(bias.narrow(0, g * filters, filters).unsqueeze(1));
      }
    }
  });
}

/// Channels of one weight group and one offset group that are differentiated together.
struct Block {
  int64_t channel, count, group, offset_group;
};

std::vector<Block> blocks_of(const DeformShape& shape) {
  const int64_t own = shape.channels / shape.groups, together = shape.channels / shape.offset_groups;
  std::vector<Block> blocks;
  for (int64_t c = 0; c < shape.channels;) {
    const int64_t count = std::min({kBlockChannels, own - c % own, together - c % together});
    blocks.push_back({c, count, c / own, c / together});
    c += count;
  }
  return blocks;
}

/// What a call of the backward operator gives; undefined where it is not wanted.
struct Gradients {
  at::Tensor input;   ///< [N, C, H, W], channels last
  at::Tensor offset, mask;
  std::vector<at::Tensor> weight;  ///< of each block, [filters, taps · channels]
};

template <typename A>
class Differentiator {
 public:
  Differentiator(const Sampler<A>& sampler, const at::Tensor& grad, const at::Tensor& weight, const DeformShape& shape,
                 const std::vector<Block>& blocks, Gradients& gradients)
      : kernels_(kernels_for<A>()),
        sampler_(sampler),
        grad_(grad),
        shape_(shape),
        blocks_(blocks),
        gradients_(gradients),
        slots_(std::min<int64_t>(kSlots, blocks.size())),
        positions_(gradients.offset.defined() || gradients.mask.defined()),
        context_(current_run_context()) {
    const int64_t own = shape.channels / shape.groups;
    for (const Block& block : blocks) {
      rows_.push_back(rows_of_weight(weight, block.group, shape.groups, block.channel % own, block.count));
    }
  }

  void run() {
    const int64_t taps = shape_.taps(), pixels = shape_.pixels();
    for (int64_t n = 0; n < shape_.batch; ++n) {
      for (int64_t start = 0; start < pixels; start += kBand) {
        const int64_t count = std::min(kBand, pixels - start);
        std::vector<std::vector<A>> slopes(slots_);
        parallel_tasks(slots_, [&](int64_t slot) {
          const auto [first, stop] = blocks_in(slot);
          const int64_t groups = blocks_[stop - 1].offset_group - blocks_[first].offset_group + 1;
          if (positions_) slopes[slot].assign(groups * taps * 3 * count, A(0));
          for (int64_t b = first; b < stop && !is_cancelled(context_); ++b) {
            A* own = positions_ ? slopes[slot].data() +
                                      (blocks_[b].offset_group - blocks_[first].offset_group) * taps * 3 * count
                                : nullptr;
            differentiate(n, b, start, count, own);
          }
        });
        check_cancelled();
        if (positions_) add_up(n, start, count, slopes);
      }
    }
  }

 private:
  std::pair<int64_t, int64_t> blocks_in(int64_t slot) const {
    const int64_t blocks = static_cast<int64_t>(blocks_.size());
    return {slot * blocks / slots_, (slot + 1) * blocks / slots_};
  }

  /// `slopes` are [taps][3][count]: by row, by column and by mask.
  void differentiate(int64_t n, int64_t b, int64_t start, int64_t band, A* slopes) const {
    const Block& block = blocks_[b];
    const int64_t taps = shape_.taps(), width = taps * block.count, filters = shape_.filters / shape_.groups;
    const int64_t tile = std::min(tile_pixels(2 * width), band);
    const bool weighted = !gradients_.weight.empty(), images = gradients_.input.defined();
    const at::TensorOptions options = grad_.options();
    const at::Tensor by_columns = at::empty({tile, width}, options);
    const at::Tensor columns = weighted ? at::empty({tile, width}, options) : at::Tensor();
    const at::Tensor grads = grad_.select(0, n).narrow(0, block.group * filters, filters);
    A* image = images ? gradients_.input.template mutable_data_ptr<A>() : nullptr;
    std::vector<A> unused(block.count);
    for (int64_t first = 0; first < band && !is_cancelled(context_); first += tile) {
      const int64_t count = std::min(tile, band - first);
      const at::Tensor upstream = grads.narrow(1, start + first, count);
      at::Tensor products = by_columns.narrow(0, 0, count);
      if (slopes != nullptr || images) at::mm_out(products, upstream.t(), rows_[b]);
      const A* product = products.template const_data_ptr<A>();
      A* column = weighted ? columns.mutable_data_ptr<A>() : nullptr;
      for (int64_t p = 0; p < count; ++p) {
        for (int64_t t = 0; t < taps; ++t) {
          const int64_t pixel = start + first + p;
          const DeformTap<A> tap = sampler_.tap(n, block.offset_group, t, pixel);
          const A mask = sampler_.mask(n, block.offset_group, t, pixel);
          const A* slope = product + (p * taps + t) * block.count;
          const A* corners[4];
          A weights[4];
          sampler_.corners(n, tap, block.channel, corners);
          scale(tap.weight, mask, weights);
          if (slopes != nullptr) {
            A sums[4];
            kernels_.correlate(corners, slope, block.count, sums);
            A* to = slopes + 3 * t * band + first + p;
            to[0] += mask * deform_slope_y(tap, sums);
            to[band] += mask * deform_slope_x(tap, sums);
            to[2 * band] += (tap.weight[0] * sums[0] + tap.weight[1] * sums[1]) +
                            (tap.weight[2] * sums[2] + tap.weight[3] * sums[3]);
          }
          if (images) {
            A* pixels[4];
            for (int k = 0; k < 4; ++k) {
              pixels[k] = tap.inside[k] ? image + (n * shape_.height * shape_.width + tap.pixel[k]) * shape_.channels +
                                              block.channel
                                        : unused.data();
            }
            kernels_.scatter(pixels, weights, slope, block.count);
          }
          if (weighted) kernels_.sample(corners, weights, block.count, column + (p * taps + t) * block.count);
        }
      }
      if (weighted) {
        at::Tensor sum = gradients_.weight[b];
        at::addmm_out(sum, sum, upstream, columns.narrow(0, 0, count));
      }
    }
  }

  /// Sums over the slots, in their order.
  void add_up(int64_t n, int64_t start, int64_t count, const std::vector<std::vector<A>>& slopes) {
    const int64_t taps = shape_.taps(), pixels = shape_.pixels();
    A* offset = gradients_.offset.defined() ? gradients_.offset.template mutable_data_ptr<A>() : nullptr;
    A* mask = gradients_.mask.defined() ? gradients_.mask.template mutable_data_ptr<A>() : nullptr;
    for (int64_t slot = 0; slot < slots_; ++slot) {
      const auto [first, stop] = blocks_in(slot);
      const int64_t group = blocks_[first].offset_group;
      const int64_t rows = static_cast<int64_t>(slopes[slot].size()) / count;
      for (int64_t row = 0; row < rows; ++row) {
        const int64_t at = (n * shape_.offset_groups + group) * taps + row / 3, part = row % 3;
        A* to = part < 2 ? offset : mask;
        if (to == nullptr) continue;
        to += (part < 2 ? 2 * at + part : at) * pixels + start;
        const A* from = slopes[slot].data() + row * count;
        for (int64_t p = 0; p < count; ++p) to[p] += from[p];
      }
    }
  }

  const DeformKernels<A>& kernels_;
  const Sampler<A>& sampler_;
  const at::Tensor& grad_;  // [N, filters, pixels]
  const DeformShape& shape_;
  const std::vector<Block>& blocks_;
  Gradients& gradients_;
  int64_t slots_;
  bool positions_;
  const RunContext* context_;
  std::vector<at::Tensor> rows_;
};

template <typename A>
at::Tensor sum_by_filter(const at::Tensor& grad, const DeformShape& shape) {
  at::Tensor sums = at::empty({shape.filters}, grad.options());
  A* out = sums.mutable_data_ptr<A>();
  const A* from = grad.const_data_ptr<A>();
  at::parallel_for(0, shape.filters, 1, [&](int64_t begin, int64_t end) {
    for (int64_t f = begin; f < end; ++f) {
      double sum = 0;
      for (int64_t n = 0; n < shape.batch; ++n) {
        const A* row = from + (n * shape.filters + f) * shape.pixels();
        for (int64_t p = 0; p < shape.pixels(); ++p) sum += static_cast<double>(row[p]);
      }
      out[f] = static_cast<A>(sum);
    }
  });
  return sums;
}

at::ScalarType computed_in(const at::Tensor& input) {
  return input.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

at::Tensor or_undefined(const at::Tensor& tensor, at::ScalarType type) {
  return tensor.defined() ? tensor.to(type) : tensor;
}

at::Tensor deform_conv2d(const at::Tensor& input, const at::Tensor& offset, const at::Tensor& weight,
                         const std::optional<at::Tensor>& bias, at::IntArrayRef stride, at::IntArrayRef padding,
                         at::IntArrayRef dilation, const std::optional<at::Tensor>& mask) {
  const DeformInputs inputs = deform_inputs(input, offset, weight, bias, mask);
  deform_check("deform_conv2d", inputs, stride, padding, dilation);
  const DeformShape shape = deform_shape(inputs, stride, padding, dilation);
  const at::MemoryFormat format = deform_format(input);
  const at::ScalarType type = computed_in(input);
  at::Tensor out =
      at::empty({shape.batch, shape.filters, shape.out[0], shape.out[1]}, input.options().dtype(type), format);
  if (out.numel() > 0) {
    const at::Tensor widened = inputs.bias.defined() ? inputs.bias.to(type) : at::Tensor();
    const auto run = [&](auto number) {
      using A = decltype(number);
      const Sampler<A> sampler(input.to(type), offset.to(type), or_undefined(inputs.mask, type), shape);
      convolve<A>(sampler, weight.to(type), widened, shape, format == at::MemoryFormat::ChannelsLast, out);
    };
    type == at::kDouble ? run(double()) : run(float());
    check_cancelled();
  }
  return out.to(input.scalar_type());
}

template <typename A>
DeformGradients differentiate(const at::Tensor& grad, const DeformInputs& inputs, const DeformShape& shape,
                              std::array<bool, 5> wanted) {
  const at::ScalarType type = c10::CppTypeToScalarType<A>::value;
  const at::Tensor upstream = grad.to(type).contiguous().view({shape.batch, shape.filters, shape.pixels()});
  const at::Tensor weight = inputs.weight.to(type);
  const at::TensorOptions options = inputs.input.options().dtype(type);
  const std::vector<Block> blocks = blocks_of(shape);
  Gradients gradients;
  if (wanted[0]) {
    gradients.input = at::empty(inputs.input.sizes(), options, at::MemoryFormat::ChannelsLast).zero_();
  }
  if (wanted[1]) gradients.offset = at::zeros(inputs.offset.sizes(), options);
  if (wanted[4] && inputs.mask.defined()) gradients.mask = at::zeros(inputs.mask.sizes(), options);
  if (wanted[2]) {
    for (const Block& block : blocks) {
      gradients.weight.push_back(at::zeros({shape.filters / shape.groups, shape.taps() * block.count}, options));
    }
  }
  if (wanted[0] || wanted[1] || wanted[2] || wanted[4]) {
    const Sampler<A> sampler(inputs.input.to(type), inputs.offset.to(type), or_undefined(inputs.mask, type), shape);
    Differentiator<A>(sampler, upstream, weight, shape, blocks, gradients).run();
  }
  const at::ScalarType given = inputs.input.scalar_type();
  at::Tensor by_input, by_weight, by_bias;
  if (wanted[0]) by_input = gradients.input.contiguous(deform_format(inputs.input)).to(given);
  if (wanted[2]) {
    by_weight = at::empty(weight.sizes(), options);
    const int64_t filters = shape.filters / shape.groups, own = shape.channels / shape.groups;
    for (size_t b = 0; b < blocks.size(); ++b) {
      by_weight.narrow(0, blocks[b].group * filters, filters)
          .narrow(1, blocks[b].channel % own, blocks[b].count)
          .copy_(gradients.weight[b]
                     .view({filters, shape.kernel[0], shape.kernel[1], blocks[b].count})
                     .permute({0, 3, 1, 2}));
    }
    by_weight = by_weight.to(given);
  }
  if (wanted[3]) by_bias = sum_by_filter<A>(upstream, shape).to(given);
  return {by_input, or_undefined(gradients.offset, given), by_weight, by_bias, or_undefined(gradients.mask, given)};
}

DeformGradients deform_conv2d_backward(const at::Tensor& grad, const at::Tensor& input, const at::Tensor& offset,
                                       const at::Tensor& weight, const std::optional<at::Tensor>& mask,
                                       at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation,
                                       std::array<bool, 5> output_mask) {
  const DeformInputs inputs = deform_inputs(input, offset, weight, {}, mask);
  const auto sizes = deform_check("_deform_conv2d_backward", inputs, stride, padding, dilation);
  deform_check_grad(grad, input, sizes);
  const DeformShape shape = deform_shape(inputs, stride, padding, dilation);
  return input.scalar_type() == at::kDouble ? differentiate<double>(grad, inputs, shape, output_mask)
                                            : differentiate<float>(grad, inputs, shape, output_mask);
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CPU, library) {
  library.impl("deform_conv2d", deform_conv2d);
  library.impl("_deform_conv2d_backward", deform_conv2d_backward);
}

}  // namespace vision_native
