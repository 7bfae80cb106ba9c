// CPU driver of content-aware upsampling: rows are unpacked from any layout, worked on in lanes over columns, and packed
// again. Every element is summed by one thread in a fixed order.
#include "torch/ops/content_aware_upsample.h"

#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <limits>

#include "torch/ops/cpu/content_aware_upsample_tensor.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

/// Channels of a gradient whose rows are unpacked together, and source rows of a band of them.
constexpr int64_t kChannels = 8;
constexpr int64_t kBand = 16;
/// Channels that are correlated between two visits of the sums.
constexpr int64_t kCorrelated = 32;

template <typename A>
class Upsampler {
 public:
  Upsampler(const at::Tensor& features, const at::Tensor& logits, const CauOptions& options)
      : rows_(rows_for<A>()),
        features_(features),
        logits_(logits),
        replicate_(options.replicate),
        groups_(options.groups),
        samples_(features.size(0)),
        side_(options.window / 2),
        parts_(options.scale * options.scale),
        context_(current_run_context()) {
    shape_ = cau_shape(features, options);
    weights_size_ = options.window * options.window * parts_ * shape_.padded;
  }

  void forward(const at::Tensor& out) const {
    const Rows4<A> result(out);
    at::parallel_for(0, samples_ * groups_ * shape_.height, 1, [&](int64_t begin, int64_t end) {
      const Scratch<A> weights(weights_size_), window(2 * shape_.window * shape_.padded), made(2 * parts_ * shape_.padded);
      for (int64_t item = begin; item < end && !is_cancelled(context_); ++item) {
        const int64_t i = item % shape_.height;
        const int64_t group = item / shape_.height % groups_;
        const int64_t n = item / shape_.height / groups_;
        cau_load_weights(rows_, shape_, logits_, n, group, i, weights.data());
        for (int64_t c = 0; c < shape_.channels; c += 2) {
          const int64_t count = std::min<int64_t>(2, shape_.channels - c);
          const int64_t channel = group * shape_.channels + c;
          load_window(n, channel, count, i, window.data());
          rows_.reassemble(window.data(), weights.data() + side_, made.data(), shape_);
          for (int64_t row = 0; row < count * parts_; ++row) {
            const int64_t part = row % parts_;
            result.save(n, channel + row / parts_, i * shape_.scale + part / shape_.scale, part % shape_.scale,
                        shape_.scale, shape_.width, made.data() + row * shape_.padded);
          }
        }
      }
    });
    check_cancelled();
  }

  void backward(const at::Tensor& grad, const at::Tensor* features_grad, const at::Tensor* logits_grad) const {
    const Rows4<A> grads(grad);
    const bool keep = features_grad != nullptr;
    const Scratch<A> weights(keep ? shape_.height * weights_size_ : 0);
    for (int64_t n = 0; n < samples_; ++n) {
      for (int64_t group = 0; group < groups_; ++group) {
        at::parallel_for(0, shape_.height, 1, [&](int64_t begin, int64_t end) {
          const Scratch<A> own(keep ? 0 : weights_size_);
          for (int64_t i = begin; i < end && !is_cancelled(context_); ++i) {
            A* row = keep ? weights.data() + i * weights_size_ : own.data();
            cau_load_weights(rows_, shape_, logits_, n, group, i, row);
            if (logits_grad != nullptr) differentiate_logits(n, group, i, grads, row, Rows4<A>(*logits_grad));
          }
        });
        check_cancelled();
        if (!keep) continue;
        if (replicate_) {
          scatter_features(n, group, grads, weights.data(), Rows4<A>(*features_grad));
        } else {
          gather_features(n, group, grads, weights.data(), Rows4<A>(*features_grad));
        }
        check_cancelled();
      }
    }
  }

 private:
  /// [count][K][padded]; what lies outside the map is 0 or repeats its border.
  void load_window(int64_t n, int64_t channel, int64_t count, int64_t i, A* window) const {
    for (int64_t row = 0; row < count * shape_.window; ++row) {
      A* out = window + row * shape_.padded;
      int64_t y = i + row % shape_.window - side_;
      if (replicate_) y = std::clamp<int64_t>(y, 0, shape_.height - 1);
      if (y < 0 || y >= shape_.height) {
        std::fill_n(out, shape_.padded, A(0));
        continue;
      }
      A* inside = out + side_;
      features_.load(n, channel + row / shape_.window, y, 0, 1, shape_.width, inside);
      std::fill(out, inside, replicate_ ? inside[0] : A(0));
      std::fill(inside + shape_.width, out + shape_.padded, replicate_ ? inside[shape_.width - 1] : A(0));
    }
  }

  /// The outputs of source row i as [r²] rows of `to`.
  void load_grads(const Rows4<A>& grads, int64_t n, int64_t channel, int64_t i, A* to) const {
    for (int64_t part = 0; part < parts_; ++part) {
      grads.load(n, channel, i * shape_.scale + part / shape_.scale, part % shape_.scale, shape_.scale, shape_.width,
                 to + part * shape_.padded);
    }
  }

  void differentiate_logits(int64_t n, int64_t group, int64_t i, const Rows4<A>& grads, const A* weights,
                            const Rows4<A>& out) const {
    const int64_t block = std::min(kCorrelated, shape_.channels);
    const Scratch<A> slopes(weights_size_, A(0)), window(block * shape_.window * shape_.padded),
        outputs(block * parts_ * shape_.padded, A(0));
    for (int64_t c = 0; c < shape_.channels; c += block) {
      const int64_t count = std::min(block, shape_.channels - c);
      const int64_t channel = group * shape_.channels + c;
      load_window(n, channel, count, i, window.data());
      for (int64_t k = 0; k < count; ++k) {
        load_grads(grads, n, channel + k, i, outputs.data() + k * parts_ * shape_.padded);
      }
      rows_.correlate(window.data(), outputs.data(), slopes.data(), count, shape_);
    }
    rows_.softmax_backward(weights + side_, slopes.data(), shape_);
    const int64_t rows = weights_size_ / shape_.padded;
    for (int64_t row = 0; row < rows; ++row) {
      out.save(n, group * rows + row, i, 0, 1, shape_.width, slopes.data() + row * shape_.padded);
    }
  }

  void gather_features(int64_t n, int64_t group, const Rows4<A>& grads, const A* weights, const Rows4<A>& out) const {
    const int64_t bands = (shape_.height + kBand - 1) / kBand;
    const int64_t blocks = (shape_.channels + kChannels - 1) / kChannels;
    at::parallel_for(0, bands * blocks, 1, [&](int64_t begin, int64_t end) {
      const int64_t by_row = parts_ * shape_.padded;
      const int64_t by_channel = (kBand + 2 * side_) * by_row;
      const Scratch<A> unpacked(kChannels * by_channel, A(0)), sums(kChannels * shape_.padded);
      for (int64_t item = begin; item < end && !is_cancelled(context_); ++item) {
        const int64_t c = item / bands * kChannels;
        const int64_t count = std::min(kChannels, shape_.channels - c);
        const int64_t channel = group * shape_.channels + c;
        const int64_t start = item % bands * kBand;
        const int64_t stop = std::min(start + kBand, shape_.height);
        const int64_t top = std::max<int64_t>(start - side_, 0);
        const int64_t bottom = std::min(stop + side_, shape_.height);
        for (int64_t k = 0; k < count; ++k) {
          for (int64_t y = top; y < bottom; ++y) {
            load_grads(grads, n, channel + k, y, unpacked.data() + k * by_channel + (y - top) * by_row + side_);
          }
        }
        for (int64_t i = start; i < stop; ++i) {
          std::fill_n(sums.data(), kChannels * shape_.padded, A(0));
          for (int64_t a = 0; a < shape_.window; ++a) {
            const int64_t y = i - (a - side_);
            if (y < 0 || y >= shape_.height) continue;
            rows_.gather(unpacked.data() + (y - top) * by_row, by_channel, weights + y * weights_size_, a, sums.data(),
                         count, shape_);
          }
          for (int64_t k = 0; k < count; ++k) {
            out.save(n, channel + k, i, 0, 1, shape_.width, sums.data() + k * shape_.padded);
          }
        }
      }
    });
  }

  /// For repeated borders, whose elements collect what lies outside the map.
  void scatter_features(int64_t n, int64_t group, const Rows4<A>& grads, const A* weights, const Rows4<A>& out) const {
    at::parallel_for(0, shape_.channels, 1, [&](int64_t begin, int64_t end) {
      const Scratch<A> sums(shape_.height * shape_.width), outputs(parts_ * shape_.padded);
      for (int64_t c = begin; c < end && !is_cancelled(context_); ++c) {
        std::fill_n(sums.data(), shape_.height * shape_.width, A(0));
        for (int64_t i = 0; i < shape_.height; ++i) {
          load_grads(grads, n, group * shape_.channels + c, i, outputs.data());
          for (int64_t k = 0; k < shape_.window * shape_.window; ++k) {
            const int64_t y = std::clamp<int64_t>(i + k / shape_.window - side_, 0, shape_.height - 1);
            for (int64_t part = 0; part < parts_; ++part) {
              const A* weight = weights + i * weights_size_ + (k * parts_ + part) * shape_.padded + side_;
              const A* g = outputs.data() + part * shape_.padded;
              for (int64_t j = 0; j < shape_.width; ++j) {
                const int64_t x = std::clamp<int64_t>(j + k % shape_.window - side_, 0, shape_.width - 1);
                sums.data()[y * shape_.width + x] += weight[j] * g[j];
              }
            }
          }
        }
        for (int64_t i = 0; i < shape_.height; ++i) {
          out.save(n, group * shape_.channels + c, i, 0, 1, shape_.width, sums.data() + i * shape_.width);
        }
      }
    });
  }

  const CauRows<A>& rows_;
  Rows4<A> features_, logits_;
  bool replicate_;
  int64_t groups_, samples_, side_, parts_;
  const RunContext* context_;
  CauShape shape_;
  int64_t weights_size_;
};

/// Lanes over channels pay from this many on.
constexpr int64_t kFewestPixelChannels = 16;

bool channels_together(const at::Tensor& features, const CauOptions& options) {
  return features.stride(1) == 1 && features.size(1) / options.groups >= kFewestPixelChannels;
}

template <typename A>
void forward(const at::Tensor& features, const at::Tensor& logits, const CauOptions& options, const at::Tensor& out) {
  if (channels_together(features, options)) {
    cau_forward_pixels<A>(features, logits, options, out);
  } else {
    Upsampler<A>(features, logits, options).forward(out);
  }
}

template <typename A>
void backward(const at::Tensor& grad, const at::Tensor& features, const at::Tensor& logits, const CauOptions& options,
              const at::Tensor* features_grad, const at::Tensor* logits_grad) {
  // A repeated border collects gradients from all around it, which only the other path knows.
  if (channels_together(features, options) && !(options.replicate && features_grad != nullptr)) {
    cau_backward_pixels<A>(grad, features, logits, options, features_grad, logits_grad);
  } else {
    Upsampler<A>(features, logits, options).backward(grad, features_grad, logits_grad);
  }
}

at::Tensor content_aware_upsample(const at::Tensor& features, const at::Tensor& logits, int64_t scale, int64_t window,
                                  int64_t groups, c10::string_view border) {
  const CauOptions options = cau_check("content_aware_upsample", features, logits, scale, window, groups, border);
  at::Tensor out = cau_empty_result(features, options);
  if (out.numel() == 0) return out;
  if (features.scalar_type() == at::kDouble) {
    forward<double>(features, logits, options, out);
  } else {
    forward<float>(features, logits, options, out);
  }
  return out;
}

std::tuple<at::Tensor, at::Tensor> content_aware_upsample_backward(const at::Tensor& grad, const at::Tensor& features,
                                                                   const at::Tensor& logits, int64_t scale,
                                                                   int64_t window, int64_t groups,
                                                                   c10::string_view border, bool features_grad,
                                                                   bool logits_grad) {
  const CauOptions options =
      cau_check("_content_aware_upsample_backward", features, logits, scale, window, groups, border);
  cau_check_grad(grad, features, options);
  auto [by_features, by_logits] = cau_empty_gradients(features, logits, features_grad, logits_grad);
  if (grad.numel() == 0) {
    // Logits without channels of features have a gradient, which is 0.
    by_logits.zero_();
    return {std::move(by_features), std::move(by_logits)};
  }
  const at::Tensor* first = features_grad ? &by_features : nullptr;
  const at::Tensor* second = logits_grad ? &by_logits : nullptr;
  if (features.scalar_type() == at::kDouble) {
    backward<double>(grad, features, logits, options, first, second);
  } else {
    backward<float>(grad, features, logits, options, first, second);
  }
  return {std::move(by_features), std::move(by_logits)};
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CPU, library) {
  library.impl("content_aware_upsample", content_aware_upsample);
  library.impl("_content_aware_upsample_backward", content_aware_upsample_backward);
}

}  // namespace vision_native
